// Package tokenizer turns text into the token ids a model was trained on, and
// back.
//
// # Terms
//
// A vocabulary gives every token its id and its spelling. A control token,
// such as "<|im_end|>" or "[CLS]", stands for something that is not text; an
// added token is matched in the text before anything else looks at it, and
// most control tokens are also added ones. A piece is a token with the bytes
// of the text that it stands for.
//
// # How it works
//
// Text is cut at added tokens first. What lies between is normalised, cut at
// those added tokens that are matched only then, and taken apart into words by
// the steps of a pre-tokeniser, each of which cuts the words of the one before.
// A word goes to one of these models:
//
//   - BPE (Sennrich et al. 2016): each byte of a word is a symbol (Radford et
//     al. 2019), or each character, and the adjacent pair of symbols whose merge
//     was learned first is merged until none is left. SentencePiece's files
//     (Kudo and Richardson 2018) have scores instead of merges: a pair is worth
//     the score of the token it makes. A character without a token falls apart
//     into the tokens of its bytes, where the vocabulary has them.
//   - Unigram (Kudo 2018): the way to cut a word into tokens that has the
//     highest sum of log-probabilities.
//   - WordPiece as BERT does it (Devlin et al. 2019): a word is taken apart from
//     the left by the longest known piece.
//
// Pre-tokenisers are published as regular expressions with lookahead. Those
// most used are hand-written scanners, in split.go; the others run on a small
// backtracking matcher, in pattern.go. A text knows for each byte where it came
// from (aligned.go), so that pieces have the offsets of the original.
//
// [FromGGUF] and [FromJSON] read the two files tokenizers come in. What a file
// asks for and this package does not do is an error that names it, never an
// approximation.
//
// # Promises
//
// A tokenizer of a GGUF file gives llama.cpp's ids, one of a tokenizer.json
// those of Hugging Face tokenizers, with these exceptions. Text never becomes a
// control token unless asked for, not even by a merge. The scanners take no long
// s for the s of 's. Unicode is that of Go's tables. Any bytes may be encoded, valid UTF-8
// or not, and byte-level BPE decodes to the same bytes. Offsets are bytes of the
// text that was passed in, whatever normalisation happened, and never go
// backwards. Time is n·log n in the length of the text, also for one endless
// word, but for pre-tokenisers that run on patterns, where a hostile text can
// cost n².
//
// A [Tokenizer] does not change and may be used by many goroutines.
//
// # Left out
//
// BPE with a prefix or suffix of subwords (CLIP), RWKV's tokenizer, the
// pre-tokeniser UnicodeScripts, decoders other than those of text models;
// truncation and padding, which belong to whoever batches.
package tokenizer
