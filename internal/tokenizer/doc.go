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
// Text is cut at added tokens first. What lies between goes to one of two
// models:
//
//   - Byte-level BPE (Sennrich et al. 2016; Radford et al. 2019): a
//     pre-tokeniser cuts the text into words, each byte of a word is a symbol,
//     and the adjacent pair of symbols whose merge was learned first is merged
//     until none is left. Pre-tokenisers are published as regular expressions
//     with lookahead; here each is a hand-written scanner, in split.go.
//   - WordPiece as BERT does it (Devlin et al. 2019): the text is cleaned, CJK
//     ideographs and punctuation stand alone, accents and case go, and each
//     word is taken apart from the left by the longest known piece.
//
// [FromGGUF] and [FromJSON] read the two files tokenizers come in. What a file
// asks for and this package does not do is an error that names it, never an
// approximation.
//
// # Promises
//
// Byte-level BPE gives llama.cpp's ids for a GGUF file and Hugging Face
// tokenizers' ids for a tokenizer.json; WordPiece gives Hugging Face's. Any
// bytes may be encoded, valid UTF-8 or not, and byte-level BPE decodes to the
// same bytes. Offsets are bytes of the text that was passed in, whatever
// normalisation happened, and never go backwards. Time is n·log n in the
// length of the text, also for one endless word.
//
// A [Tokenizer] does not change and may be used by many goroutines.
//
// # Left out
//
// SentencePiece, Unigram and character-level BPE; pairs of texts; truncation
// and padding, which belong to whoever batches.
package tokenizer
