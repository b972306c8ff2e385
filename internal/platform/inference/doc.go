// Package inference is what the API sells, whatever wire it came by: chat,
// completions, embeddings, moderations and stored completions. A batch line or
// an assistant's run enters here as an HTTP request does and meets the same
// validation, limits and models.
//
// Every call takes the same five steps, which Service.Chat, Service.Complete,
// Service.Embed and Service.Moderate show from top to bottom:
//
//	validate   is the request one we can honour whole? (validate.go)
//	route      which model does the name mean, and where does it run? (route.go)
//	reserve    take an upper bound of its tokens from the caller's buckets and
//	           of its price from the budgets (admit.go)
//	run        start the model; nothing is promised before its first piece
//	           (running.go), or send the request to an upstream (relay.go)
//	settle     charge what was used, with the object it paid for, and give back
//	           the rest, whatever the end was
//
// # Upstreams
//
// A request for an upstream's model passes on as it came, but for its model's
// name, a cap where it has none, and what is this server's own affair, such as
// store. Of the answer as much is read as charging and storing need; where it
// tells no usage, its text is counted (tally.go).
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
