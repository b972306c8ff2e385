//go:build !purego

package kernel

// l2FourRowsAVX512 wants a multiple of four rows, at least four, and a q that is not empty.
//
//go:noescape
func l2FourRowsAVX512(q []float32, slab *float32, rows []uint32, out *float32)

func l2Rows(q, slab []float32, rows []uint32, out []float32) {
	if fours := len(rows) &^ 3; useAVX512 && fours > 0 {
		l2FourRowsAVX512(q, &slab[0], rows[:fours], &out[0])
		rows, out = rows[fours:], out[fours:]
	}
	l2RowsOneByOne(q, slab, rows, out)
}
