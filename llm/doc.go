// Package llm is models ready to use: open one, or name a server that has one,
// and have it write, embed, or say how likely a text is.
//
//	model, err := llm.OpenLocal(ctx, "SmolLM2-135M-Instruct.Q4_1.gguf", llm.Options{})
//	…
//	defer model.Close()
//	for piece, err := range model.Generate(ctx, llm.Request{
//		Messages: []llm.Message{{Role: "user", Content: "Name a fruit."}},
//	}) {
//		…
//		fmt.Print(piece.Text)
//	}
//
// # What there is
//
// A Generator writes: *Local, a language model in this process, and *Upstream, a
// model of any server that speaks OpenAI's API. An Embedder turns texts into
// vectors: *LocalEmbedder and again *Upstream. A Scorer tells the
// log-probability of texts the caller already has: *Local. A Reranker tells how
// well texts answer a query: *LocalReranker. Small models judge
// much better than they write, so package rag answers with scores where the
// model is small. A Host keeps several local models under one ceiling of memory
// and loads them when they are asked for something.
//
// # Terms
//
// A prompt is what the model reads first, a completion what it writes, a choice
// one of several completions of a prompt. A model reads and writes tokens; its
// context is the most of them it can have before it, prompt and completion
// together; an embedder's is its window. Logits are what the model computes at a
// position, a number for each token; their softmax is the distribution of the
// next token. A step is one run of the model, for many sequences at once.
//
// # How a request runs
//
// The tokenizer, and for messages the chat template, turn the request into
// tokens. It joins a bounded queue. When a slot and the memory it may come to
// need are free, it is admitted, and from then on cannot fail for want of
// either. One goroutine, the engine, owns the model: each step gathers the next
// token of every stream and a share of every prompt that is still being read (as
// much for one tenant as for another), runs them as one batch, draws tokens from
// the logits, and starts over (continuous batching; Yu et al. 2022, "Orca"). A
// stream never waits for a long prompt for more than the step's bounded part of
// it.
//
// What was computed of a prompt is kept for a while. A later prompt that begins
// with the same tokens goes on from there (Usage.CachedTokens says how many), as
// do the choices of one request, and the items of one ScoreRequest, which are
// run as a tree of their common beginnings.
//
// Text that repeats, a quote or the keys of JSON, is guessed ahead: the engine
// runs several tokens in one step and keeps those that are drawn as well.
//
// A Constraint (a JSON Schema, an expression, a grammar, a list of choices, or
// spans of given texts) leaves the sampler only tokens after which the text can
// still be completed, within the cap; what then has to follow is written without
// asking the model.
//
// A request with Tools gets calls as the model's family writes them: free text
// until a call begins, and from there on only what the tool's schema allows; or
// calls from the start where one is required. What the model writes is taken
// apart on the way out into text, reasoning and calls.
//
// The bytes of the tokens drawn go through a filter that knows the stop strings
// and UTF-8; a Delta never shows a part of either.
//
// # Promises
//
// Every model here is safe for concurrent use. What a request gets does not
// depend on what runs beside it, on the number of threads, or on what was kept:
// with a seed, the same request on the same class of machine gives the same
// text.
//
// Nothing is cut silently. A text that does not fit is a *ContextLengthError, a
// model or a request for which there is no memory is a *MemoryError, each with
// both numbers; a full queue is ErrBusy; a field that makes no sense is an
// *InvalidError that names it. A request that fails fails alone.
//
// A request that is given up, by its context or by leaving the loop, frees its
// slot within one step. Close ends everything and waits.
//
// No text a Message holds can become one of the model's control tokens. No text
// leaves the process but through an Upstream, and then to its host only.
//
// # Left out
//
// Which model to use and where it comes from is internal/catalog's. Training is
// not here yet. A process that stops loses its requests: nothing is durable.
package llm
