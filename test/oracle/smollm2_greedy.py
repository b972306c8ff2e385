#!/usr/bin/env python3
"""Write the golden file for SmolLM2: llama.cpp's own greedy continuations.

For each prompt it asks llama-server for 64 tokens at temperature 0 and keeps the
prompt's token ids, the continuation's, and at every step by how much llama.cpp
preferred its token to the next best (log-probabilities differ by what logits
differ by). Needs Python alone.

    llama-quantize --allow-requantize .../SmolLM2-135M-Instruct.Q4_1.gguf smol-f32.gguf F32
    smollm2_greedy.py --server .../llama-server --model smol-f32.gguf \
        --out internal/model/testdata/smollm2_greedy.json -- -fa on -ctk f32 -ctv f32

That is llama.cpp at its most precise: the file's own weights, which llama-quantize
only writes as the float32 they stand for, and float32 in attention and cache. On
the file as it is llama.cpp rounds the input of every product to eight bits, which
moves the gap between its two best tokens by 0.156 (root mean square over these
prompts) and changes its choice at 30 of 2,916 positions.
Where the rounding falls depends on the last bit of every sum before it, so two
programs that round so agree no better than each agrees with exact arithmetic; nor
does llama.cpp with itself under another setting of -fa. Our products keep 15 bits
(kernel.Activations), so that the model's numbers, not the rounding, decide.

The prompts are of many kinds, 1 to 2,000 tokens long. Everything in them is
written here or is this repository's licence.
"""

import argparse
import json
import pathlib
import subprocess
import time
import urllib.request

STEPS = 64


def chat(*turns):
    text = "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n"
    roles = ["user", "assistant"]
    for i, turn in enumerate(turns):
        text += f"<|im_start|>{roles[i % 2]}\n{turn}<|im_end|>\n"
    return text + "<|im_start|>assistant\n"


def prompts():
    licence = (pathlib.Path(__file__).parents[2] / "LICENSE").read_text()
    facts = "\n".join(
        f"Passage {i}: The {animal} of the {place} sleeps {hours} hours a day and eats {food}."
        for i, (animal, place, hours, food) in enumerate(
            [("otter", "northern rivers", 11, "fish"), ("bat", "limestone caves", 19, "moths"),
             ("goat", "high meadows", 5, "grass and thorns"), ("owl", "old barns", 10, "mice"),
             ("hare", "open fields", 8, "clover"), ("lynx", "spruce forests", 12, "hares")], 1))
    shots = ("Passage: The bridge was opened in 1932.\nQuestion: When was the bridge opened?\nAnswer: 1932\n\n"
             "Passage: Rye is sown in autumn.\nQuestion: What is sown in autumn?\nAnswer: Rye\n\n")
    paragraph = ("The lighthouse at Cape Wrath was built in 1828 by Robert Stevenson. Its lamp was lit with sperm oil, "
                 "later with paraffin, and since 1980 with electricity. The keepers left in 1998, when it was automated. "
                 "On a clear night the light is seen from twenty-four miles away, four flashes every thirty seconds.\n\n")
    german = ("Am Morgen ging der alte Schuster über die Brücke, kaufte zwei Brote und ein Pfund Butter und kehrte durch den "
              "Regen nach Hause zurück. Dort wartete seine Katze auf dem Ofen und schlief.\n\n")
    spanish = ("La señora Ortega vende naranjas y limones en la plaza mayor desde hace cuarenta años. Cada mañana abre su "
               "puesto a las seis, y cada tarde lo cierra cuando suena la campana de la iglesia.\n\n")
    chinese = "小明早上七点起床，八点去学校，下午四点回家。晚上他和妹妹一起写作业，然后看书。\n\n"
    russian = "Старый рыбак жил у самого моря и каждое утро выходил на лодке за рыбой.\n\n"
    code = ("func add(a, b int) int {\n\treturn a + b\n}\n\nfunc sub(a, b int) int {\n\treturn a - b\n}\n\n"
            "func mul(a, b int) int {\n\treturn a * b\n}\n\n")
    poem = ("The snow fell soft on field and stone,\nThe river slept, the wind had flown,\n"
            "And in the dark a single light\nBurned on the hill and held the night.\n\n")
    repeated = {
        "paragraph repeated": paragraph * 3 + paragraph[:60],
        "paragraph repeated, chat": chat("Repeat this text word for word:\n\n" + paragraph) + paragraph[:40],
        "spanish repeated": spanish * 3 + spanish[:40],
        "russian repeated": russian * 4 + russian[:10],
        "counting": ", ".join(str(i) for i in range(1, 40)) + ",",
        "counting by two": " ".join(str(i) for i in range(2, 80, 2)) + " ",
        "csv of zeros": "a,b,c,d\n" + "0,0,0,0\n" * 10,
        "html list": "<ul>\n" + "  <li><a href=\"#\">Home</a></li>\n" * 6,
        "yaml": "- name: build\n  run: make\n- name: test\n  run: make test\n" * 5,
        "table": "| x | y |\n|---|---|\n" + "| 1 | 2 |\n" * 8,
        "hexadecimal": "deadbeef 00ff00ff cafebabe 12345678\n" * 6,
        "chat repeated": chat(*["What is the capital of France?", "The capital of France is Paris."] * 4, "What is the capital of France?"),
        "spaces and tabs": "\tx = 1\n\t\ty = 2\n\t\t\tz = 3\n" * 6,
        "paragraph repeated, 800 tokens": paragraph * 9 + paragraph[:100],
        "spanish repeated, 2,000 tokens": spanish * 27 + spanish[:60],
        "german repeated, 500 tokens": german * 8 + german[:50],
        "code repeated, 500 tokens": code * 8 + code[:40],
        "hexadecimal, 400 tokens": "deadbeef 00ff00ff cafebabe 12345678\n" * 16,
        "table, 500 tokens": "| x | y |\n|---|---|\n" + "| 1 | 2 |\n" * 60,
        "weekdays, 300 tokens": "Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday, " * 20,
        "poem repeated, 600 tokens": poem * 12 + poem[:60],
        "chinese repeated, 700 tokens": chinese * 12 + chinese[:12],
    }
    return repeated | {
        "one token": "The",
        "story": "Once upon a time, in a village at the edge of a great forest, there lived",
        "encyclopedia": "The capital of France is Paris. The capital of Italy is",
        "chat": chat("What is the boiling point of water at sea level?"),
        "chat, several turns": chat("Name three primary colours.", "Red, yellow and blue.", "And what do I get if I mix the last two?"),
        "chat, instruction": chat("Write a short poem about the sea in winter."),
        "chat, list": chat("Give me a numbered list of five things to pack for a walk in the mountains."),
        "few-shot extraction": shots + "Passage: The museum stands on Harbour Street.\nQuestion: Where does the museum stand?\nAnswer:",
        "passages and a question": facts + "\n\nQuestion: Which animal eats moths, and how long does it sleep?\nAnswer:",
        "go": "package main\n\nimport \"fmt\"\n\n// fibonacci returns the nth Fibonacci number.\nfunc fibonacci(n int) int {\n",
        "python": "def is_prime(n):\n    \"\"\"Return True if n is a prime number.\"\"\"\n",
        "sql": "-- Find the ten customers with the most orders\nSELECT",
        "json": "{\"name\": \"Ada Lovelace\", \"born\": 1815, \"occupation\": \"mathematician\", \"languages\": [",
        "arithmetic": "12 + 7 = 19\n25 + 13 = 38\n41 + 22 = 63\n36 + 17 =",
        "german": "Die Hauptstadt von Deutschland ist Berlin. Die Stadt liegt an der Spree und",
        "spanish": "El perro duerme en la casa. El gato duerme en",
        "chinese": "北京是中国的首都。上海是",
        "markdown": "# Installation\n\n1. Download the archive.\n2. Unpack it.\n\n## Usage\n\n```sh\n",
        "dialogue": "\"Where have you been?\" asked Tom.\n\n\"I was at the market,\" said Anna. \"I bought",
        "repetition": "tick tock tick tock tick tock tick tock tick tock",
        "odd characters": "§ 4 ¶ — “quotes” … ½ × ⅔ ≈ ⅓; naïve café; 😀🎉; \t\ttabs;   spaces;\n\n\n",
        "csv": "date,city,high,low\n2024-01-01,Oslo,-3,-9\n2024-01-02,Oslo,-1,-7\n2024-01-03,",
        "licence, 300 tokens": licence[:1400],
        "licence, 700 tokens": licence[1400:4800],
        "licence, 1,200 tokens": licence[2000:7800],
        "licence, 2,000 tokens": licence[:9700],
        "licence, chat": chat("Summarise this licence in two sentences.\n\n" + licence[:5000]),
    }


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--server", required=True, help="path of llama-server")
    arguments.add_argument("--model", required=True, help="path of the GGUF file")
    arguments.add_argument("--out", required=True, help="golden file to write")
    arguments.add_argument("--port", type=int, default=18431)
    arguments.add_argument("--threads", default="2")
    arguments.add_argument("server_args", nargs="*", help="more arguments for the server, after --")
    o = arguments.parse_args()

    server = subprocess.Popen([o.server, "-m", o.model, "-c", "4096", "-t", o.threads, "-np", "1", "--port", str(o.port), *o.server_args],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait(o.port)
        golden = [dict(name=name, **continuation(o.port, text)) for name, text in prompts().items()]
    finally:
        server.terminate()
        server.wait()
    lines = ",\n".join(json.dumps(g, separators=(",", ":")) for g in golden)
    pathlib.Path(o.out).write_text(f"[\n{lines}\n]\n")


def continuation(port, text):
    prompt = post(port, "/tokenize", {"content": text, "add_special": False, "parse_special": True})["tokens"]
    reply = post(port, "/completion", {"prompt": prompt, "n_predict": STEPS, "temperature": 0, "n_probs": 2,
                                       "cache_prompt": False, "return_tokens": True})
    # The server reports no probabilities for tokens that end inside a character;
    # their gap is null.
    reported = iter(reply["completion_probabilities"])
    following = next(reported, None)
    gaps = []
    for token in reply["tokens"]:
        if following is None or following["id"] != token:
            gaps.append(None)
            continue
        best, second = following["top_logprobs"]
        gaps.append(round(best["logprob"] - second["logprob"], 4))
        following = next(reported, None)
    print(f"{len(prompt):5} + {len(gaps):2} tokens, ends {text[-40:]!r}", flush=True)
    return {"prompt": prompt, "continuation": reply["tokens"], "gaps": gaps}


def wait(port):
    for _ in range(300):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health")
            return
        except OSError:
            time.sleep(0.2)
    raise SystemExit("llama-server did not start")


def post(port, path, body):
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", json.dumps(body).encode(), {"Content-Type": "application/json"})
    return json.load(urllib.request.urlopen(request))


if __name__ == "__main__":
    main()
