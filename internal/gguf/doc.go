// Package gguf reads and writes GGUF, the model file of the ggml family of
// runtimes: one file that holds a model's weights, its hyperparameters and its
// tokenizer. The format is specified in ggml's docs/gguf.md.
//
//	magic "GGUF" · version · tensor count · metadata count
//	metadata: key, kind, value                           (count times)
//	tensor descriptions: name, shape, type, offset       (count times)
//	padding to the alignment
//	tensor data, each tensor at a multiple of the alignment
//
// All numbers are little-endian. Versions 2 and 3 are read, which differ in
// nothing this package sees; version 3 is written.
//
// # Terms
//
// A key is the name of one metadata value, such as "llama.block_count"; its
// [Kind] is one of the format's thirteen. A tensor's [Type] says how its
// numbers are stored: plainly, or in blocks of 32 or 256 that share scales.
// Shapes are in the file's order, in which the first dimension is the one that
// is contiguous in memory: Shape[0] is the length of a row.
//
// # How a file is read
//
// [Open] maps the file and walks its head once. Nothing is copied: metadata
// and tensors are spans of the mapping until an accessor decodes them, so a
// model opens in the time its head takes, whatever its size.
//
// A file may come from anywhere. Every length, count, kind, type, offset,
// alignment and product of dimensions is checked against the bytes that are
// there before anything is allocated for it, so reading costs at most a small
// multiple of the file's own size. Names may not repeat, tensors may not
// overlap, arrays nest at most [MaxArrayDepth] deep. What is refused is
// refused with a [*FormatError], one sentence that says which part is wrong.
//
// # Concurrency and lifetime
//
// A [File] does not change after Open and may be used by many goroutines. Its
// tensors' bytes are those of the mapping: they must not be written to, nor
// read after Close. Strings and slices from the accessors are copies.
//
// # Left out
//
// Version 1, big-endian files, models split over several files, and the
// decoding of the block types that [Dequantize] does not name.
package gguf
