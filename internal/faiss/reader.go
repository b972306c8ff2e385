package faiss

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/ragstone/ragstone/internal/index"
)

// reader takes numbers from a file, little-endian and without padding, as FAISS writes
// them. The first problem stays; what is read after it is zero.
type reader struct {
	data  []byte
	at    int
	depth int
	err   error
}

// maxDepth is how deep nodes nest in a file: deeper than any factory string makes them.
const maxDepth = 12

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = &index.FormatError{Index: "FAISS index", Reason: fmt.Sprintf("at byte %d: %s", r.at, fmt.Sprintf(format, args...))}
	}
}

// take returns the next n bytes in place, nil if there are fewer.
func (r *reader) take(n int) []byte {
	if r.err != nil {
		return nil
	}
	if n < 0 || n > len(r.data)-r.at {
		r.fail("it ends within a part of %d bytes", n)
		return nil
	}
	b := r.data[r.at : r.at+n : r.at+n]
	r.at += n
	return b
}

// fixed is take for a few bytes, which are there always.
func (r *reader) fixed(n int) []byte {
	if b := r.take(n); b != nil {
		return b
	}
	return make([]byte, n)
}

func (r *reader) boolean() bool    { return r.fixed(1)[0] != 0 }
func (r *reader) i32() int         { return int(int32(binary.LittleEndian.Uint32(r.fixed(4)))) }
func (r *reader) u64() uint64      { return binary.LittleEndian.Uint64(r.fixed(8)) }
func (r *reader) f32() float32     { return math.Float32frombits(binary.LittleEndian.Uint32(r.fixed(4))) }
func (r *reader) fourcc() string   { return string(r.fixed(4)) }
func (r *reader) remaining() int64 { return int64(len(r.data) - r.at) }

// number reads a count that must be from 0 to most.
func (r *reader) number(what string, most int64) int {
	n := r.u64()
	if r.err == nil && n > uint64(most) {
		r.fail("%s is %d; at most %d fit", what, n, most)
		return 0
	}
	return int(n)
}

// count reads the length of an array whose elements have size bytes: no more than are
// left.
func (r *reader) count(what string, size int) int {
	return r.number("the length of "+what, r.remaining()/int64(size))
}

// bytes reads an array of bytes, in place.
func (r *reader) bytes(what string, want int) []byte {
	n := r.count(what, 1)
	if r.err == nil && n != want {
		r.fail("%s has %d bytes; want %d", what, n, want)
	}
	return r.take(n)
}

// floats reads an array of finite numbers; want below 0 takes any length.
func (r *reader) floats(what string, want int) []float32 {
	n := r.count(what, 4)
	if r.err == nil && want >= 0 && n != want {
		r.fail("%s has %d numbers; want %d", what, n, want)
	}
	return r.floatRun(what, n)
}

// floatRun reads n finite numbers.
func (r *reader) floatRun(what string, n int) []float32 {
	raw := r.take(4 * n)
	if raw == nil {
		return nil
	}
	x := make([]float32, n)
	for i := range x {
		x[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
	}
	if err := index.CheckFinite(x); err != nil {
		r.fail("%s: %v", what, err)
	}
	return x
}

// ints reads an array of 32-bit numbers.
func (r *reader) ints(what string, want int) []int32 {
	n := r.count(what, 4)
	if r.err == nil && want >= 0 && n != want {
		r.fail("%s has %d numbers; want %d", what, n, want)
	}
	raw := r.take(4 * n)
	x := make([]int32, len(raw)/4)
	for i := range x {
		x[i] = int32(binary.LittleEndian.Uint32(raw[4*i:]))
	}
	return x
}

// labels reads n labels.
func (r *reader) labels(n int) []int {
	if n > len(r.data)/8 {
		r.fail("it ends within %d labels", n)
		return nil
	}
	raw := r.take(8 * n)
	x := make([]int, len(raw)/8)
	for i := range x {
		v := int64(binary.LittleEndian.Uint64(raw[8*i:]))
		if v < 0 || v > math.MaxInt {
			r.fail("a label is %d; labels count from 0", v)
			return nil
		}
		x[i] = int(v)
	}
	return x
}

// header reads what every node begins with.
func (r *reader) header() header {
	h := header{dimensions: r.i32()}
	if r.err == nil && (h.dimensions < 1 || h.dimensions > maxDimensions) {
		r.fail("%d dimensions; want 1 to %d", h.dimensions, maxDimensions)
		h.dimensions = 1
	}
	h.n = r.number("the number of vectors", math.MaxInt32)
	r.fixed(16) // two numbers that FAISS does not use
	h.metric = r.metric()
	return h
}

// metric reads whether the index is trained, and its metric.
func (r *reader) metric() index.Metric {
	if !r.boolean() {
		r.fail("the index is not trained")
	}
	names := [...]string{3: "Linf", 4: "Lp", 20: "Canberra", 21: "BrayCurtis", 22: "JensenShannon", 23: "Jaccard", 24: "NaNEuclidean", 25: "GOWER"}
	switch m := r.i32(); {
	case m == 0:
		return index.Dot
	case m == 1:
		return index.L2
	case m == 2:
		r.f32() // an argument that L1 has not
		return index.L1
	case m > 0 && m < len(names) && names[m] != "":
		r.fail("metric %s is not supported; inner product, L2 and L1 are", names[m])
	default:
		r.fail("metric %d is not known", m)
	}
	return index.L2
}
