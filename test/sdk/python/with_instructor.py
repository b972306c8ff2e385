"""instructor on top of the official SDK for Python, in three of its modes,
against the server that OPENAI_BASE_URL and OPENAI_API_KEY name."""

from typing import Literal

import instructor
import openai
from pydantic import BaseModel, Field


class City(BaseModel):
    """A city that is asked about."""

    name: Literal["Oslo", "Rome"]
    people: int = Field(ge=0, le=9)


ASKED = {
    "model": "gpt-4o-mini",
    "messages": [{"role": "user", "content": "Which city is meant: Rome? Answer in JSON."}],
    "temperature": 0,
    "max_tokens": 96,
}

for mode in (instructor.Mode.TOOLS, instructor.Mode.TOOLS_STRICT, instructor.Mode.JSON_SCHEMA):
    client = instructor.from_openai(openai.OpenAI(), mode=mode)
    city = client.chat.completions.create(**ASKED, response_model=City, max_retries=2)
    assert isinstance(city, City), (mode, city)

client = instructor.from_openai(openai.OpenAI(), mode=instructor.Mode.TOOLS)
*_, last = client.chat.completions.create_partial(**ASKED, response_model=City)
assert last.name in ("Oslo", "Rome"), last
print("instructor reads objects from tools, strict tools, schemas and streams")
