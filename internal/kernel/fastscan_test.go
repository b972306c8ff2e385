package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// randomBlock returns 32 random codes and the block that holds them, with room
// behind it.
func randomBlock(t testing.TB, r *rand.Rand, groups, behind int) (codes [BlockVectors][]byte, block []byte) {
	block = guarded[byte](t, CodesSize(groups)+behind)
	for i := range codes {
		codes[i] = make([]byte, groups)
		for g := range codes[i] {
			codes[i][g] = byte(r.IntN(16))
		}
		PutCode(block[:CodesSize(groups)], i, codes[i])
	}
	return codes, block
}

func TestCodesInBlocks(t *testing.T) {
	codes, block := randomBlock(t, newRand(t, 31), 24, 0)
	PutCode(block, 7, codes[8]) // over what was there
	codes[7] = codes[8]
	for i, want := range codes {
		got := make([]byte, 24)
		GetCode(block, i, got)
		if string(got) != string(want) {
			t.Errorf("vector %d: got %v, want %v", i, got, want)
		}
	}
}

func TestScanSums(t *testing.T) {
	atEachLevel(t, func(t *testing.T) {
		r := newRand(t, 32)
		for _, groups := range []int{0, 8, 16, 24, 32, 192, 504, 512, 520, 2048, 16384} {
			codes, block := randomBlock(t, r, groups, 0)
			tables := guarded[byte](t, groups*TableSize)
			for i := range tables {
				tables[i] = byte(r.IntN(256))
				if groups == 512 || groups == 16384 {
					tables[i] = 255 // the largest sums
				}
			}
			var got [BlockVectors]uint32
			ScanSums(block, tables, &got)
			for i, code := range codes {
				want := uint32(0)
				for g, nibble := range code {
					want += uint32(tables[g*TableSize+int(nibble)])
				}
				if got[i] != want {
					t.Errorf("%d groups, vector %d: got %d, want %d", groups, i, got[i], want)
				}
			}
		}
	})
	panics(t, "four groups", func() { ScanSums(make([]byte, 64), make([]byte, 64), new([BlockVectors]uint32)) })
	panics(t, "a short block", func() { ScanSums(make([]byte, 127), make([]byte, 128), new([BlockVectors]uint32)) })
}

func TestScanBlock(t *testing.T) {
	atEachLevel(t, func(t *testing.T) {
		r := newRand(t, 33)
		for _, groups := range []int{0, 8, 32, 40, 192, 1000} {
			codes, block := randomBlock(t, r, groups, factorsSize)
			factors := block[CodesSize(groups):]
			var a, b [BlockVectors]float32
			for i := range a {
				for j, x := range []*float32{&a[i], &b[i]} {
					h := ToFloat16(float32(r.NormFloat64()))
					if i == 9 && j == 0 {
						h = ToFloat16(inf) // no vector here
					}
					*x = Float16(h)
					factors[j*2*BlockVectors+2*i], factors[j*2*BlockVectors+2*i+1] = byte(h), byte(h>>8)
				}
			}
			tables := guarded[byte](t, groups*TableSize)
			for i := range tables {
				tables[i] = byte(r.IntN(256))
			}
			terms := ScanTerms{Base: 3, Step: 0.01, Low: -1, Limit: 2.5}
			var got [BlockVectors]float32
			below := ScanBlock(block, tables, &terms, &got, 64)
			for i, code := range codes {
				sum := 0.0
				for g, nibble := range code {
					sum += float64(tables[g*TableSize+int(nibble)])
				}
				product := float64(b[i]) * (0.01*sum - 1)
				want := 3 + float64(a[i]) + product
				if i == 9 {
					if got[i] != inf {
						t.Errorf("%d groups: the missing vector scores %v", groups, got[i])
					}
				} else if math.Abs(float64(got[i])-want) > 1e-6*(4+math.Abs(float64(a[i]))+math.Abs(product)) {
					t.Errorf("%d groups, vector %d: got %v, want %v", groups, i, got[i], want)
				}
				if below>>i&1 == 1 != (got[i] < 2.5) {
					t.Errorf("%d groups, vector %d: %v, bit %d", groups, i, got[i], below>>i&1)
				}
			}
		}
	})
}

func TestSignTables(t *testing.T) {
	wantTables, wantStep := map[int][]byte{}, map[int]float32{}
	atEachLevel(t, func(t *testing.T) {
		r := newRand(t, 34)
		for n := 0; n <= 1024; n += 32 {
			q, tables := guarded[float32](t, n), guarded[byte](t, 4*n)
			copy(q, normals(r, n))
			step, total := SignTables(q, tables)
			if Current() == Plain {
				wantTables[n], wantStep[n] = append([]byte(nil), tables...), step
			}
			if string(tables) != string(wantTables[n]) || step != wantStep[n] {
				t.Fatalf("%d numbers: tables or step %v differ from plain Go's, %v", n, step, wantStep[n])
			}
			codes, block := randomBlock(t, r, n/4, 0)
			var sums [BlockVectors]uint32
			ScanSums(block, tables, &sums)
			for i, code := range codes {
				want := 0.0
				for j, x := range q {
					want += float64(x) * float64(2*int(code[j/4]>>(j%4)&1)-1)
				}
				got := float64(step) * float64(2*int(sums[i])-total)
				if math.Abs(got-want) > float64(step)*float64(n)/2 {
					t.Errorf("%d numbers, vector %d: ⟨s, q⟩ is %v, want %v", n, i, got, want)
				}
			}
		}
		q := make([]float32, 64)
		for _, x := range []float32{0, 1e-44, inf} {
			q[5] = x
			if step, total := SignTables(q, make([]byte, 256)); step != 0 || total != 0 {
				t.Errorf("with %v: step %v, total %d", x, step, total)
			}
		}
		q[5] = 1e30 // alone in its group: the whole byte
		if step, total := SignTables(q, make([]byte, 256)); total != 253 || step != float32(1e30)/253 {
			t.Errorf("with 1e30: step %v, total %d", step, total)
		}
	})
	panics(t, "an odd length", func() { SignTables(make([]float32, 16), make([]byte, 64)) })
}

func BenchmarkScanBlock(b *testing.B) {
	for _, n := range []int{128, 768} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			benchEachLevel(b, func(b *testing.B) {
				block, tables := make([]byte, 4*n+factorsSize), make([]byte, 4*n)
				var out [BlockVectors]float32
				for b.Loop() {
					ScanBlock(block, tables, &ScanTerms{}, &out, 0)
				}
			})
		})
	}
}
