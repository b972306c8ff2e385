package kernel

import (
	"math"
	"testing"
)

// scalarSizes are bytes of a code: whole steps of the assembly and what is left over.
var scalarSizes = []int{1, 7, 15, 16, 17, 31, 32, 48, 50, 64, 96, 100, 384, 784}

func TestBytes(t *testing.T) {
	atEachLevel(t, func(t *testing.T) {
		r := newRand(t, 71)
		for _, size := range scalarSizes {
			for _, count := range []int{0, 1, 2, 3, 8, 9} {
				q, step := guarded[float32](t, size), guarded[float32](t, size)
				copy(q, normals(r, size))
				copy(step, normals(r, size))
				codes := guarded[byte](t, size*count)
				for i := range codes {
					codes[i] = byte(r.Uint32())
				}
				gotL2, gotDot := guarded[float32](t, count), guarded[float32](t, count)
				for i := range count {
					gotL2[i], gotDot[i] = nan, nan // what was there does not matter
				}
				L2Bytes(q, step, codes, gotL2)
				DotBytes(q, codes, gotDot)
				for i := range count {
					var l2, dot exactSum
					for j, c := range codes[i*size : (i+1)*size] {
						l2.square(q[j], step[j], c)
						dot.product(q[j], c)
					}
					l2.check(t, "L2Bytes", size, gotL2[i])
					dot.check(t, "DotBytes", size, gotDot[i])
				}
			}
		}
	})
	panics(t, "a code too few", func() { L2Bytes(make([]float32, 4), make([]float32, 4), make([]byte, 4), make([]float32, 2)) })
	panics(t, "a step too few", func() { L2Bytes(make([]float32, 4), make([]float32, 3), make([]byte, 4), make([]float32, 1)) })
}

func TestNibbles(t *testing.T) {
	atEachLevel(t, func(t *testing.T) {
		r := newRand(t, 72)
		for _, size := range scalarSizes {
			for _, count := range []int{0, 1, 2, 3, 8, 9} {
				q, step := guarded[float32](t, 2*size), guarded[float32](t, 2*size)
				copy(q, normals(r, 2*size))
				copy(step, normals(r, 2*size))
				codes := guarded[byte](t, size*count)
				for i := range codes {
					codes[i] = byte(r.Uint32())
				}
				gotL2, gotDot := guarded[float32](t, count), guarded[float32](t, count)
				L2Nibbles(q, step, codes, gotL2)
				DotNibbles(q, codes, gotDot)
				for i := range count {
					var l2, dot exactSum
					for j, c := range codes[i*size : (i+1)*size] {
						l2.square(q[j], step[j], c&15)
						l2.square(q[size+j], step[size+j], c>>4)
						dot.product(q[j], c&15)
						dot.product(q[size+j], c>>4)
					}
					l2.check(t, "L2Nibbles", 2*size, gotL2[i])
					dot.check(t, "DotNibbles", 2*size, gotDot[i])
				}
			}
		}
	})
	for _, odd := range []int{1, 3} {
		panics(t, "an odd query", func() { DotNibbles(make([]float32, odd), make([]byte, 1), make([]float32, 1)) })
	}
}

// exactSum is a sum in double precision, and that of magnitudes, which bounds its error.
type exactSum struct{ sum, magnitude float64 }

func (s *exactSum) square(q, step float32, c byte) {
	a, b := float64(q), float64(step)*float64(c)
	s.sum += (a - b) * (a - b)
	s.magnitude += (math.Abs(a) + math.Abs(b)) * (math.Abs(a) + math.Abs(b))
}

func (s *exactSum) product(w float32, c byte) {
	s.sum += float64(w) * float64(c)
	s.magnitude += math.Abs(float64(w) * float64(c))
}

func (s *exactSum) check(t *testing.T, name string, n int, got float32) {
	t.Helper()
	if bound := float64(n+4) * unit * s.magnitude; !(math.Abs(float64(got)-s.sum) <= bound) {
		t.Errorf("%s of %d numbers: got %v, want %v within %v", name, n, got, s.sum, bound)
	}
}

func BenchmarkScalarCodes(b *testing.B) {
	const d, count = 128, 256
	q, step, out := make([]float32, d), make([]float32, d), make([]float32, count)
	codes := make([]byte, d*count)
	for name, scan := range map[string]func(){
		"L2Bytes":    func() { L2Bytes(q, step, codes, out) },
		"DotBytes":   func() { DotBytes(q, codes, out) },
		"L2Nibbles":  func() { L2Nibbles(q, step, codes[:d/2*count], out) },
		"DotNibbles": func() { DotNibbles(q, codes[:d/2*count], out) },
	} {
		b.Run(name, func(b *testing.B) {
			benchEachLevel(b, func(b *testing.B) {
				for b.Loop() {
					scan()
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/count, "ns/code")
			})
		})
	}
}
