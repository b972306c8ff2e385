// Package model runs transformers: decoders that continue token sequences and
// encoders that turn them into vectors. It knows architectures and arithmetic
// on token ids; text is internal/tokenizer's, requests are llm's.
//
// # Terms
//
// A row is one token's numbers on their way through the layers. A chunk is the
// rows that go through together. The residual stream is what a row is between
// layers. A cache holds the keys and values of one sequence, in blocks of 32
// tokens; a fork of it shares its blocks until one of the two writes.
//
// # How a decoder runs
//
// LoadDecoder checks every hyperparameter and every tensor of the file against
// the architecture, then repacks the weights for the kernels; the file may be
// closed. Forward appends tokens to the caches of any number of sequences and
// returns the logits of the rows that are asked for: prompts, single decoding
// steps and scoring are all calls of it. One chunk, layer by layer: embed;
// normalise and quantise; query, key and value products; rotate and store;
// attention over the caches; projection; gated feed-forward. Products are
// computed for all rows of a chunk at once, whichever sequences they belong to.
//
// # How an encoder runs
//
// One transformer serves all families; EncoderConfig says what each does in its
// own way, and a layout (encoderNames) what its tensors are called. Sequences of a
// batch go through the layers in groups, their rows one after another without
// padding. Attention is computed head by head, each sequence's alone. What
// becomes of the last rows is a vector, by a pooling and the modules of
// Sentence-Transformers, or a cross-encoder's scores. With Precision Int8 the
// products of the layers are computed in bytes; see
// docs/decisions/0014-eight-bits-for-encoders.md.
//
// # Promises
//
// The same sequence gets the same bits whatever is computed beside it, however
// its tokens are cut into calls, and on any number of threads; see
// docs/decisions/0006-invariant-arithmetic.md. A file with missing, wrong or
// hostile contents is an error that says what is wrong, never a panic, and
// nothing large is allocated before it has been checked. A tensor or a setting
// that we do not know is an error too: leaving it out would be quietly wrong.
//
// A Decoder and its caches belong to one goroutine at a time; an Encoder is
// safe for concurrent use.
//
// # Left out
//
// Sampling, scheduling and limits on memory are llm's. No vision, no LoRA yet.
package model
