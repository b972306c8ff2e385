"""Writes internal/chat/testdata/rendered.json.gz: what jinja2, set up as
transformers does, makes of every conversation with every chat template; and
snippets_rendered.json: what it makes of the third conversation with every
snippet of snippets.json, each a few features of the language.

    pip install jinja2 gguf
    python test/oracle/templates.py ../shared/data/chat-templates \
        SmolLM2-135M-Instruct.Q4_1.gguf internal/chat/testdata

The template of the GGUF file goes by the name "smollm2". A rendering is a
string, or {"refused": message} where the template called raise_exception, or
{"failed": reason} for any other error. The date is 24 November 2026.
"""

import datetime
import gzip
import json
import pathlib
import sys

import jinja2.ext
from gguf import GGUFReader
from jinja2.exceptions import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

NOW = datetime.datetime(2026, 11, 24, 9, 5, 7)


class Refused(TemplateError):
    pass


def refuse(message):
    raise Refused(message)


def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def compile_template(source):
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[jinja2.ext.loopcontrols]
    )
    environment.filters["tojson"] = tojson
    environment.globals["raise_exception"] = refuse
    environment.globals["strftime_now"] = NOW.strftime
    return environment.from_string(source)


def render(template, conversation, tools):
    try:
        return template.render(
            messages=conversation["messages"],
            tools=tools if conversation.get("tools") else None,
            documents=None,
            add_generation_prompt=conversation["add_generation_prompt"],
            bos_token="<s>",
            eos_token="</s>",
            **conversation.get("variables", {}),
        )
    except Refused as e:
        return {"refused": str(e)}
    except Exception as e:
        return {"failed": f"{type(e).__name__}: {e}"}


def render_snippet(source, conversation, tools):
    try:
        template = compile_template(source)
    except Exception as e:
        return {"failed": f"{type(e).__name__}: {e}"}
    return render(template, conversation, tools)


def main():
    folder, model, testdata = map(pathlib.Path, sys.argv[1:])
    conversations = json.loads((testdata / "conversations.json").read_text(encoding="utf-8"))
    tools = json.loads((testdata / "tools.json").read_text(encoding="utf-8"))
    sources = {p.stem: p.read_text(encoding="utf-8") for p in sorted(folder.glob("*.jinja"))}
    sources["smollm2"] = GGUFReader(model).fields["tokenizer.chat_template"].contents()
    out = {}
    for name, source in sources.items():
        template = compile_template(source)
        out[name] = {c["name"]: render(template, c, tools) for c in conversations}
    text = json.dumps(out, ensure_ascii=False, indent=1).encode()
    with open(testdata / "rendered.json.gz", "wb") as f:
        f.write(gzip.compress(text, mtime=0))
    snippets = json.loads((testdata / "snippets.json").read_text(encoding="utf-8"))
    rendered = [render_snippet(s, conversations[2], tools) for s in snippets]
    text = json.dumps(rendered, ensure_ascii=False, indent=0) + "\n"
    (testdata / "snippets_rendered.json").write_text(text, encoding="utf-8")


main()
