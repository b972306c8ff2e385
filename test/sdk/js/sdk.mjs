// The official OpenAI SDK for JavaScript, unchanged, against the server that
// OPENAI_BASE_URL and OPENAI_API_KEY name. Exits 1 with what was wrong.
import assert from 'node:assert/strict';
import OpenAI, { toFile } from 'openai';

const client = new OpenAI();
const hello = {
  model: 'gpt-4o-mini',
  messages: [{ role: 'user', content: 'Say hello.' }],
  temperature: 0,
  max_completion_tokens: 12,
};

const { data: answer, response } = await client.chat.completions.create(hello).withResponse();
const whole = answer.choices[0].message.content;
assert.ok(whole.length > 0);
assert.equal(answer.model, 'gpt-4o-mini');
assert.equal(response.headers.get('x-ragstone-model'), 'smollm2-135m-instruct');
assert.match(answer._request_id, /^req_[0-9a-f]{32}$/);

let streamed = '';
let usage;
for await (const chunk of await client.chat.completions.create({ ...hello, stream: true, stream_options: { include_usage: true } })) {
  streamed += chunk.choices[0]?.delta?.content ?? '';
  usage ??= chunk.usage ?? undefined;
}
assert.equal(streamed, whole);
assert.deepEqual(usage.total_tokens, answer.usage.total_tokens);

const final = await client.chat.completions.stream(hello).finalChatCompletion();
assert.equal(final.choices[0].message.content, whole);

// Leaving the loop cancels the request; the server goes on serving.
for await (const chunk of await client.chat.completions.create({ ...hello, max_completion_tokens: 500, stream: true })) {
  if (chunk.choices[0]?.delta?.content) break;
}

// This SDK asks for base64 unless told otherwise.
const [packed, plain] = await Promise.all(
  [{}, { encoding_format: 'float' }].map((more) => client.embeddings.create({ model: 'text-embedding-3-small', input: ['a cat', 'a dog'], ...more })),
);
assert.equal(packed.data.length, 2);
assert.equal(packed.data[0].embedding.length, 384);
packed.data[1].embedding.forEach((x, i) => assert.equal(x, Math.fround(plain.data[1].embedding[i])));

await assert.rejects(client.models.retrieve('no-such-model'), OpenAI.NotFoundError);
await assert.rejects(client.chat.completions.create({ ...hello, web_search_options: {} }), (error) => error instanceof OpenAI.BadRequestError && error.param === 'web_search_options');
await assert.rejects(new OpenAI({ apiKey: 'sk-proj-wrong' }).models.list(), OpenAI.AuthenticationError);

const weather = {
  type: 'function',
  function: {
    name: 'get_weather', strict: true,
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false },
  },
};
const called = await client.chat.completions.create({ ...hello, max_completion_tokens: 64, tools: [weather], tool_choice: 'required' });
const [call] = called.choices[0].message.tool_calls;
assert.equal(call.function.name, 'get_weather');
assert.equal(typeof JSON.parse(call.function.arguments).city, 'string');

const recipe = 'Whisk two eggs into the flour.\n';
const file = await client.files.create({
  file: await toFile(Buffer.from(recipe), 'Pfannküchen.txt'),
  purpose: 'user_data',
  expires_after: { anchor: 'created_at', seconds: 3600 },
});
assert.equal(file.filename, 'Pfannküchen.txt');
assert.equal(file.expires_at, file.created_at + 3600);
const ids = [];
for await (const listed of client.files.list({ purpose: 'user_data', limit: 1 })) ids.push(listed.id);
assert.deepEqual(ids, [file.id]);
assert.equal(await (await client.files.content(file.id)).text(), recipe);
assert.equal((await client.files.delete(file.id)).deleted, true);
await assert.rejects(client.files.retrieve(file.id), OpenAI.NotFoundError);

const upload = await client.uploads.create({ filename: 'big.txt', purpose: 'assistants', bytes: 11, mime_type: 'text/plain' });
const [world, greeting] = await Promise.all(
  ['world', 'hello '].map(async (text) => client.uploads.parts.create(upload.id, { data: await toFile(Buffer.from(text), 'part') })),
);
const completed = await client.uploads.complete(upload.id, { part_ids: [greeting.id, world.id] });
assert.equal(await (await client.files.content(completed.file.id)).text(), 'hello world');
await client.files.delete(completed.file.id);

const verdict = await client.chat.completions.create({
  ...hello,
  max_completion_tokens: 64,
  response_format: {
    type: 'json_schema',
    json_schema: {
      name: 'verdict', strict: true,
      schema: { type: 'object', properties: { good: { type: 'boolean' } }, required: ['good'], additionalProperties: false },
    },
  },
});
assert.equal(typeof JSON.parse(verdict.choices[0].message.content).good, 'boolean');

// A key that may embed 60 times a minute: the SDK waits as long as it is told.
const limited = new OpenAI({ apiKey: process.env.RAGSTONE_LIMITED_KEY, maxRetries: 0 });
const cat = { model: 'all-minilm-l6-v2', input: 'a cat' };
let refused;
for (let i = 0; i < 100 && !refused; i++) {
  try {
    await limited.embeddings.create(cat);
  } catch (error) {
    refused = error;
  }
}
assert.ok(refused instanceof OpenAI.RateLimitError, String(refused));
assert.ok(Number(refused.headers.get('retry-after')) >= 1);
await limited.embeddings.create(cat, { maxRetries: 4 });

console.log('the JavaScript SDK completes chat, streaming, tool calls, structured output, embeddings, files, uploads and retries');
