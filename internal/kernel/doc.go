// Package kernel does the arithmetic: products of quantised and float
// matrices, attention over a paged key-value cache, and the element-wise
// functions of transformers, each in plain Go and in assembly for amd64; the
// products and attention also for arm64.
//
// # Terms
//
// A block is 32 consecutive numbers of a row, which share one scale in most
// formats. A group is 16 consecutive rows of a matrix, stored
// interleaved so that one vector register holds the same column of all 16. A
// level is a set of CPU instructions: Plain, AVX2, AVX512 or NEON.
//
// # How a kernel is laid out
//
// For a kernel x the file x.go has the exported function with its contract and
// the plain definition, which is compiled everywhere for ever; x_amd64.go
// chooses by a flag and calls directly (a function variable would make every
// argument escape to the heap); x_amd64.s is the assembly, most of it written
// by the generator in _asm; x_noasm.go serves every other build, and -tags
// purego. Level says which CPU features a level needs.
//
// # Promises
//
// Numbers do not depend on company: an output element is reduced in one order
// that depends on its own inputs alone, never on how many rows are multiplied
// together, on how work is cut into pieces, or on the number of threads. See
// docs/decisions/0006-invariant-arithmetic.md. What the decoder uses (products
// of matrices, attention, RMSNorm, SiLU, rotation) is moreover bit-equal between
// levels. Dot, the float32 product of the encoder and what belongs to it differ
// between levels by rounding; each states its bound.
//
// Functions are safe for concurrent use on different data. They allocate
// nothing, but for what a section of a Pool needs and what grows on first use and
// is kept (Activations, Partial). A slice that is too short panics with the function's name; no
// kernel reads or writes past the end of a slice it was given.
//
// # Left out
//
// No training, no GPU. On arm64, what is neither a product nor attention is
// plain Go, and no speed is claimed: the kernels are held to their definitions
// under an emulator (make neon). File formats are internal/gguf's and
// internal/safetensors' business: this package is given bytes and a shape.
package kernel
