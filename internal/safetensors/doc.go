// Package safetensors reads model weights in the safetensors format: a length,
// a JSON header that names each tensor with its type, shape and byte range,
// and the bytes (https://huggingface.co/docs/safetensors, "Format").
//
//	+----------+---------------------+--------------------------+
//	| N: uint64| header: N bytes JSON | data: the tensors' bytes |
//	+----------+---------------------+--------------------------+
//
// Numbers are little-endian and rows lie one after another, the last dimension
// fastest.
//
// A file is mapped, not read: a tensor's Data is a window on the mapping, and
// its pages come from the disk when they are touched. It must not be used after
// Close.
//
// Headers come from strangers. Everything the format promises is checked before
// a tensor is handed out: the header's length, its JSON, no name twice, shapes
// whose product fits, ranges as long as their shape asks, and ranges that cover
// the data without a gap or an overlap. What fails is a [FormatError] with the
// reason; no header makes the package panic or allocate more than a small
// multiple of the header's own size.
//
// A [Set] is a whole model: one file, or several with an index beside them.
//
// Files and sets are immutable and safe for concurrent use until Close.
//
// Left out: writing.
package safetensors
