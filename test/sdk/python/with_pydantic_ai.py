"""Pydantic AI on top of the official SDK for Python against the server that
OPENAI_BASE_URL and OPENAI_API_KEY name."""

import asyncio
from typing import Literal

from pydantic import BaseModel
from pydantic_ai import Agent, NativeOutput, ToolOutput
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.settings import ModelSettings

model = OpenAIChatModel("gpt-4o-mini")
settings = ModelSettings(temperature=0, max_tokens=96)


class City(BaseModel):
    """A city that is asked about."""

    name: Literal["Oslo", "Rome"]


async def main():
    said = await Agent(model, model_settings=settings).run("Say hello.")
    assert said.output and said.usage.input_tokens > 0, said

    pieces = []
    async with Agent(model, model_settings=settings).run_stream("Say hello.") as stream:
        async for piece in stream.stream_text(delta=True):
            pieces.append(piece)
    assert "".join(pieces) == said.output, (pieces, said.output)

    for shape in (NativeOutput(City), ToolOutput(City)):
        city = await Agent(model, output_type=shape, model_settings=settings).run("Which city is meant: Rome?")
        assert city.output.name in ("Oslo", "Rome"), city


asyncio.run(main())
print("Pydantic AI runs agents: text, streams, native and tool output")
