// Package inference is what the API sells, whatever wire it came by: chat,
// completions and embeddings. A batch line or an assistant's run enters here as
// an HTTP request does and meets the same validation, limits and models.
//
// Every call takes the same five steps, which Service.Chat, Service.Complete
// and Service.Embed show from top to bottom:
//
//	validate   is the request one we can honour whole? (validate.go)
//	route      which model does the name mean? (route.go)
//	reserve    take an upper bound of its tokens from the caller's buckets
//	run        start the model; nothing is promised before its first piece
//	settle     give back what was not used, whatever the end was
//
// # Names
//
// A request names a model by its own name or by an alias such as gpt-4o-mini.
// An alias keeps the promises of its name: token arrays and logit_bias under
// it carry OpenAI's token ids, which are decoded to text and mapped to the
// model's own tokens (foreign.go, docs/decisions/0009-foreign-tokens.md), and a
// text of 8,192 tokens is embedded whole. Answers repeat the name that was
// asked for; Head.Model says what ran.
//
// # Promises
//
// A parameter that is not honoured is an error that names it. A stream that
// breaks ends with an error. What a request used is settled once, whether it
// ended, failed or was cancelled. A Service is safe for concurrent use.
package inference
