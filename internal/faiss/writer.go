package faiss

import (
	"bufio"
	"encoding/binary"
	"io"
	"math"

	"github.com/ragstone/ragstone/internal/index"
)

// writer writes what reader reads. The first problem stays.
type writer struct {
	out     *bufio.Writer
	written int64
	err     error
}

func newWriter(w io.Writer) *writer { return &writer{out: bufio.NewWriterSize(w, 1<<16)} }

func (w *writer) raw(b []byte) {
	if w.err != nil {
		return
	}
	n, err := w.out.Write(b)
	w.written, w.err = w.written+int64(n), err
}

func (w *writer) fourcc(code string) { w.raw([]byte(code)) }
func (w *writer) i32(n int)          { w.raw(binary.LittleEndian.AppendUint32(nil, uint32(n))) }
func (w *writer) u64(n int)          { w.raw(binary.LittleEndian.AppendUint64(nil, uint64(n))) }
func (w *writer) f32(v float32)      { w.raw(binary.LittleEndian.AppendUint32(nil, math.Float32bits(v))) }
func (w *writer) f64(v float64)      { w.raw(binary.LittleEndian.AppendUint64(nil, math.Float64bits(v))) }

func (w *writer) boolean(b bool) {
	if b {
		w.raw([]byte{1})
	} else {
		w.raw([]byte{0})
	}
}

// bytes writes an array with its length.
func (w *writer) bytes(b []byte) {
	w.u64(len(b))
	w.raw(b)
}

func (w *writer) floats(x []float32) {
	w.u64(len(x))
	w.floatRun(x)
}

// floatRun writes numbers without their count.
func (w *writer) floatRun(x []float32) {
	var piece [4 * 1024]byte
	for len(x) > 0 {
		n := min(len(x), len(piece)/4)
		for i, v := range x[:n] {
			binary.LittleEndian.PutUint32(piece[4*i:], math.Float32bits(v))
		}
		w.raw(piece[:4*n])
		x = x[n:]
	}
}

func (w *writer) labels(x []int) {
	for _, v := range x {
		w.u64(v)
	}
}

// header writes what every node begins with.
func (w *writer) header(h header) {
	w.i32(h.dimensions)
	w.u64(h.n)
	w.u64(1 << 20) // two numbers that FAISS does not use
	w.u64(1 << 20)
	w.boolean(true)
	switch h.metric {
	case index.Dot:
		w.i32(0)
	case index.L1:
		w.i32(2)
		w.f32(0)
	default:
		w.i32(1)
	}
}
