package kernel

import "fmt"

// L2Rows sets out[i] to L2(q, row rows[i]) for every one of rows, bit for bit. Row r is the r-th
// len(q) numbers of slab. One call for many rows shares the loads of q and keeps several rows on
// their way from memory at once. It panics if a row is not in slab, or q is empty.
func L2Rows(q, slab []float32, rows []uint32, out []float32) {
	if len(q) == 0 || len(rows) != len(out) {
		panic(fmt.Sprintf("kernel.L2Rows: a query of %d numbers, %d rows for %d distances", len(q), len(rows), len(out)))
	}
	for _, row := range rows {
		if (int(row)+1)*len(q) > len(slab) {
			panic(fmt.Sprintf("kernel.L2Rows: row %d of %d numbers, and there are %d", row, len(q), len(slab)))
		}
	}
	if len(rows) > 0 {
		l2Rows(q, slab, rows, out)
	}
}

// l2RowsOneByOne is L2Rows by L2, and its definition.
func l2RowsOneByOne(q, slab []float32, rows []uint32, out []float32) {
	for i, row := range rows {
		out[i] = l2(q, slab[int(row)*len(q):(int(row)+1)*len(q)])
	}
}
