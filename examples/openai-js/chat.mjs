// Streams a chat answer and makes an embedding with OpenAI's own JavaScript
// SDK. It reads OPENAI_BASE_URL and OPENAI_API_KEY.
import OpenAI from "openai";

const client = new OpenAI();

const stream = await client.chat.completions.create({
  model: "gpt-4o-mini",
  messages: [{ role: "user", content: "Name three birds." }],
  temperature: 0, // a small model raves at OpenAI's default of 1
  max_tokens: 100,
  stream: true,
});
for await (const chunk of stream) process.stdout.write(chunk.choices[0]?.delta?.content ?? "");
console.log();

const vectors = await client.embeddings.create({ model: "text-embedding-3-small", input: "An owl is a bird." });
console.log(vectors.data[0].embedding.length, "dimensions");
