"""The official OpenAI SDK for Python, unchanged, against the server that
OPENAI_BASE_URL and OPENAI_API_KEY name. Exits 1 with what was wrong.

RAGSTONE_LIMITED_KEY is a key whose project may embed 60 times a minute."""

import asyncio
import json
import os

import openai
from pydantic import BaseModel

client = openai.OpenAI()
HELLO = {
    "model": "gpt-4o-mini",
    "messages": [{"role": "user", "content": "Say hello."}],
    "temperature": 0,
    "max_completion_tokens": 12,
}
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "strict": True,
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string", "enum": ["Oslo", "Rome"]}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}


class Verdict(BaseModel):
    """An answer in a shape of its own."""

    good: bool
    stars: int


def chat():
    raw = client.chat.completions.with_raw_response.create(**HELLO)
    assert raw.headers["x-ragstone-model"] == "smollm2-135m-instruct", raw.headers
    whole = raw.parse()
    assert whole.choices[0].message.content and whole.model == "gpt-4o-mini", whole
    pieces, usage = [], None
    for chunk in client.chat.completions.create(**HELLO, stream=True, stream_options={"include_usage": True}):
        pieces += [choice.delta.content or "" for choice in chunk.choices]
        usage = chunk.usage or usage
    assert "".join(pieces) == whole.choices[0].message.content, pieces
    assert usage.total_tokens == whole.usage.total_tokens, (usage, whole.usage)


async def asynchronous():
    async with openai.AsyncOpenAI() as several:
        answers = await asyncio.gather(*(several.chat.completions.create(**HELLO) for _ in range(3)))
    assert len({answer.choices[0].message.content for answer in answers}) == 1, answers


def tools():
    asked = {**HELLO, "max_completion_tokens": 64, "tools": [WEATHER]}
    answer = client.chat.completions.create(**asked, tool_choice="required")
    (call,) = answer.choices[0].message.tool_calls
    assert call.function.name == "get_weather" and json.loads(call.function.arguments)["city"] in ("Oslo", "Rome"), call
    said = [
        *HELLO["messages"],
        answer.choices[0].message,
        {"role": "tool", "tool_call_id": call.id, "content": "Sunny, 21 degrees."},
    ]
    after = client.chat.completions.create(**{**asked, "messages": said}, tool_choice="none")
    assert after.choices[0].message.content and not after.choices[0].message.tool_calls, after


def structured_output():
    answer = client.chat.completions.parse(**{**HELLO, "max_completion_tokens": 64}, response_format=Verdict)
    assert isinstance(answer.choices[0].message.parsed, Verdict), answer


def embeddings():
    texts = ["a cat", "a dog"]
    packed = client.embeddings.create(model="text-embedding-3-small", input=texts)  # asks for base64
    plain = client.embeddings.create(model="text-embedding-3-small", input=texts, encoding_format="float")
    assert len(packed.data) == 2 and len(packed.data[0].embedding) == 384, packed
    for a, b in zip(packed.data, plain.data):
        assert max(abs(x - y) for x, y in zip(a.embedding, b.embedding)) < 1e-6


def files():
    recipe = b"Whisk two eggs into the flour.\n"
    file = client.files.create(file=("Pfannküchen.txt", recipe), purpose="user_data")
    assert file.filename == "Pfannküchen.txt" and file.bytes == len(recipe), file
    assert file.id in [listed.id for listed in client.files.list(purpose="user_data", limit=1)]
    assert client.files.content(file.id).read() == recipe
    assert client.files.delete(file.id).deleted
    whole = client.uploads.upload_file_chunked(file=recipe, filename="big.txt", bytes=len(recipe), mime_type="text/plain", purpose="assistants", part_size=16)
    assert client.files.content(whole.file.id).read() == recipe
    client.files.delete(whole.file.id)


def refusals():
    for expected, call in [
        (openai.NotFoundError, lambda: client.models.retrieve("no-such-model")),
        (openai.BadRequestError, lambda: client.chat.completions.create(**{**HELLO, "temperature": 3})),
        (openai.AuthenticationError, lambda: openai.OpenAI(api_key="sk-proj-wrong").models.list()),
    ]:
        try:
            call()
        except expected:
            continue
        raise AssertionError(f"want {expected.__name__}")


def retries():
    """Asks once a second more often than it may: the SDK waits as it is told."""
    limited = openai.OpenAI(api_key=os.environ["RAGSTONE_LIMITED_KEY"], max_retries=0)
    refused = None
    for _ in range(100):
        try:
            limited.embeddings.create(model="all-minilm-l6-v2", input="a cat")
        except openai.RateLimitError as e:
            refused = e
            break
    assert refused is not None and refused.code == "rate_limit_exceeded", refused
    assert int(refused.response.headers["retry-after"]) >= 1, refused.response.headers
    limited.with_options(max_retries=4).embeddings.create(model="all-minilm-l6-v2", input="a cat")


for step in (chat, tools, structured_output, embeddings, files, refusals, retries):
    step()
asyncio.run(asynchronous())
print("the Python SDK completes chat, streaming, tool calls, structured output, embeddings, files, uploads and retries")
