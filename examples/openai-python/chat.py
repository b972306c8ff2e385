"""Streams a chat answer and makes an embedding with OpenAI's own Python SDK.

It reads OPENAI_BASE_URL and OPENAI_API_KEY.
"""

from openai import OpenAI

client = OpenAI()

stream = client.chat.completions.create(
    model="gpt-4o-mini",
    messages=[{"role": "user", "content": "Name three birds."}],
    temperature=0,  # a small model raves at OpenAI's default of 1
    max_tokens=100,
    stream=True,
)
for chunk in stream:
    if chunk.choices:
        print(chunk.choices[0].delta.content or "", end="")
print()

vectors = client.embeddings.create(model="text-embedding-3-small", input="An owl is a bird.")
print(len(vectors.data[0].embedding), "dimensions")
