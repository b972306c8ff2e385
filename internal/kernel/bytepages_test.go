package kernel

import (
	"math"
	"slices"
	"testing"
)

// What comes out of a byte page is each number to half a step of its unit's
// scale and a rounding of half precision, at its place, at every level alike.
func TestBytePagesHoldTheirNumbers(t *testing.T) {
	r := newRand(t, 1)
	for _, dim := range []int{32, 64, 96, 256} {
		page := guarded[uint16](t, BytePageSize(dim))
		keys, values := normals(r, PageTokens*dim), normals(r, PageTokens*dim)
		keys[3], values[7] = 40, -300 // outliers have their unit to themselves
		for slot := range PageTokens {
			StoreBytes(page, slot, keys[slot*dim:(slot+1)*dim], values[slot*dim:(slot+1)*dim])
		}
		var plain []uint16
		atEachLevel(t, func(t *testing.T) {
			got := guarded[uint16](t, PageSize(dim))
			WidenBytes(got, page, dim)
			if plain == nil {
				plain = slices.Clone(got) // got goes with its level
			}
			for i := range got {
				if got[i] != plain[i] {
					t.Fatalf("heads of %d: number %d is %04x, at the plain level %04x", dim, i, got[i], plain[i])
				}
			}
			for slot := range PageTokens {
				for d := range dim {
					checkUnit(t, Float16(got[d*PageTokens+slot]), keys[slot*dim:], d)
					checkUnit(t, Float16(got[(PageTokens+slot)*dim+d]), values[slot*dim:], d)
				}
			}
		})
	}
}

// checkUnit compares a number with x[d], which was rounded with its unit.
func checkUnit(t *testing.T, got float32, x []float32, d int) {
	t.Helper()
	peak := 0.0
	for _, v := range x[d/BytePageUnit*BytePageUnit:][:BytePageUnit] {
		peak = max(peak, math.Abs(float64(v)))
	}
	// Half a step; the scale's and the result's own rounding.
	bound := peak/127/2 + peak*0x1p-10
	if math.Abs(float64(got-x[d])) > bound {
		t.Fatalf("number %d is %v, want %v ± %v", d, got, x[d], bound)
	}
}

func TestBytePagesKeepNotFiniteNumbers(t *testing.T) {
	const dim = 64
	for _, bad := range []float32{nan, inf, -inf} {
		page, key, value := make([]uint16, BytePageSize(dim)), make([]float32, dim), make([]float32, dim)
		key[40], value[3] = bad, bad
		StoreBytes(page, 5, key, value)
		atEachLevel(t, func(t *testing.T) {
			wide := make([]uint16, PageSize(dim))
			WidenBytes(wide, page, dim)
			if k, v := Float16(wide[40*PageTokens+5]), Float16(wide[(PageTokens+5)*dim+3]); k == k || v == v {
				t.Errorf("%v became %v and %v, want NaN", bad, k, v)
			}
			if k := Float16(wide[3*PageTokens+5]); k != 0 {
				t.Errorf("a zero of another unit became %v", k)
			}
		})
	}
}

func BenchmarkWidenBytes(b *testing.B) {
	const dim = 64
	page, wide := make([]uint16, BytePageSize(dim)), make([]uint16, PageSize(dim))
	benchEachLevel(b, func(b *testing.B) {
		for b.Loop() {
			WidenBytes(wide, page, dim)
		}
		b.ReportMetric(float64(len(wide))*float64(b.N)/b.Elapsed().Seconds()/1e9, "Gnumbers/s")
	})
}
