package kernel

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

func TestScoreNibbles(t *testing.T) {
	atEachLevel(t, func(t *testing.T) {
		r := newRand(t, 76)
		for _, d := range []int{128, 256, 384, 768, 1024} {
			const nodes = 40
			codes, factors := guarded[byte](t, nodes*d/2), guarded[float32](t, 2*nodes)
			q, nibbles := guarded[int8](t, d), make([][]byte, nodes)
			for i := range q {
				q[i] = int8(r.IntN(256) - 128)
			}
			copy(factors, normals(r, 2*nodes))
			for n := range nibbles {
				nibbles[n] = make([]byte, d)
				for j := range nibbles[n] {
					nibbles[n][j] = byte(r.IntN(16))
					if n == nodes-1 {
						nibbles[n][j] = 15
					}
				}
				PutNibbles(codes[n*d/2:(n+1)*d/2], nibbles[n])
			}
			terms := NibbleTerms{Base: 3, Step: 0.01, Low: -1, Limit: 2.5}
			for _, count := range []int{0, 1, 5, 31, 32} {
				list := guarded[uint32](t, count)
				for i := range list {
					list[i] = uint32(r.IntN(nodes))
					if i == 0 {
						list[i] = nodes - 1
					}
				}
				var got [BlockVectors]float32
				bits := ScoreNibbles(q, codes, factors, list, &terms, &got)
				for i, n := range list {
					sum := 0
					for j, c := range nibbles[n] {
						sum += int(q[j]) * int(c)
					}
					product := float64(factors[2*n+1]) * (float64(terms.Step)*float64(sum) - 1)
					want := 3 + float64(factors[2*n]) + product
					if math.Abs(float64(got[i])-want) > 1e-6*(4+math.Abs(float64(factors[2*n]))+math.Abs(product)) {
						t.Errorf("%d dimensions, node %d: got %v, want %v", d, n, got[i], want)
					}
					if bits>>i&1 == 1 != (got[i] < terms.Limit) {
						t.Errorf("%d dimensions, node %d: %v, bit %d", d, n, got[i], bits>>i&1)
					}
				}
				if count < BlockVectors && bits>>count != 0 {
					t.Errorf("%d nodes: bits %b", count, bits)
				}
			}
		}
	})
	panics(t, "100 dimensions", func() {
		ScoreNibbles(make([]int8, 100), make([]byte, 50), make([]float32, 2), []uint32{0}, &NibbleTerms{}, new([BlockVectors]float32))
	})
}

func TestUnseen(t *testing.T) {
	atEachLevel(t, func(t *testing.T) {
		codes, seen := make([]byte, 64*200), guarded[uint64](t, 4)
		seen[0], seen[3] = 1<<5, 1<<63
		var out [BlockVectors]uint32
		nodes := guarded[uint32](t, 6)
		copy(nodes, []uint32{5, 6, 255, 6, 64, 199})
		count := Unseen(nodes, seen, codes, 64, &out)
		if want := []uint32{6, 64, 199}; !slices.Equal(out[:count], want) {
			t.Errorf("got %v, want %v", out[:count], want)
		}
		if want := []uint64{1<<5 | 1<<6, 1, 0, 1<<63 | 1<<7}; !slices.Equal(seen, want) {
			t.Errorf("seen is %x, want %x", seen, want)
		}
		if count := Unseen(nodes, seen, codes, 64, &out); count != 0 {
			t.Errorf("again: %d", count)
		}
		if count := Unseen(nil, nil, nil, 64, &out); count != 0 {
			t.Errorf("of none: %d", count)
		}
	})
	panics(t, "33 nodes", func() { Unseen(make([]uint32, 33), make([]uint64, 1), nil, 64, new([BlockVectors]uint32)) })
}

func BenchmarkScoreNibbles(b *testing.B) {
	for _, d := range []int{128, 768} {
		b.Run(fmt.Sprint(d), func(b *testing.B) {
			q, codes, factors, nodes := make([]int8, d), make([]byte, BlockVectors*d/2), make([]float32, 2*BlockVectors), make([]uint32, BlockVectors)
			for i := range nodes {
				nodes[i] = uint32(i)
			}
			var out [BlockVectors]float32
			benchEachLevel(b, func(b *testing.B) {
				for b.Loop() {
					ScoreNibbles(q, codes, factors, nodes, &NibbleTerms{}, &out)
				}
			})
		})
	}
}
