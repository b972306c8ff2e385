//go:build !amd64 || purego

package kernel

func l2Rows(q, slab []float32, rows []uint32, out []float32) { l2RowsOneByOne(q, slab, rows, out) }
