// Package quant makes vectors small: codecs that turn float vectors into codes
// of a fixed size, estimate scores from them, and turn them back.
//
// # Terms
//
// A codec is what encoding needs to know: ranges, centroids, a rotation. Training
// learns it from sample vectors, once. A scorer is a query prepared for one codec:
// it scores many codes.
//
// # Promises
//
// The same vectors and seed train the same codec. Codecs do not change once made
// and are safe for concurrent use; a scorer serves one goroutine. A codec's file is checked in full when it is read.
//
// # Left out
//
// Exact scores: whoever has the vectors rescores with them (internal/index).
package quant
