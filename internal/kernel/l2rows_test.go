package kernel

import "testing"

func TestL2Rows(t *testing.T) {
	atEachLevel(t, func(t *testing.T) {
		r := newRand(t, 77)
		for d := 1; d < 300; d += 1 + d/5 {
			const rows = 9
			q, slab := guarded[float32](t, d), guarded[float32](t, rows*d)
			copy(q, normals(r, d))
			copy(slab, normals(r, rows*d))
			for count := range 14 {
				list, got := guarded[uint32](t, count), guarded[float32](t, count)
				for i := range list {
					list[i] = uint32((rows - 1 + i*5) % rows) // the last row first
				}
				L2Rows(q, slab, list, got)
				for i, row := range list {
					if want := L2(q, slab[int(row)*d:int(row+1)*d]); got[i] != want {
						t.Fatalf("%d dimensions, %d rows: row %d is at %v, want %v", d, count, row, got[i], want)
					}
				}
			}
		}
	})
	panics(t, "a row beyond the slab", func() { L2Rows(make([]float32, 2), make([]float32, 8), []uint32{4}, make([]float32, 1)) })
	panics(t, "another number of rows", func() { L2Rows(make([]float32, 2), make([]float32, 8), []uint32{3}, nil) })
}
