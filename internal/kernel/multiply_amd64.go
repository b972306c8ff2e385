//go:build !purego

package kernel

// The heights of a tile at AVX2, which has half the registers: a taller one is
// cut. What a row gets does not depend on it.
const avx2Rows, avx2FloatRows = 2, 4

// quantTile multiplies n rows of blocks, whose low plane is zero if they are
// coarse: the tallest tiles then leave it out.
func quantTile(f Format, weights []byte, a []block, n int, coarse bool, out []float32, groups, stride int) {
	blocks := len(a) / n
	switch {
	case useAVX512 && coarse && n == maxTile:
		highTileAVX512(f, &weights[0], &a[0], &out[0], blocks, groups, blocks*blockBytes, 4*stride)
	case useAVX512:
		quantTileAVX512(f, n, &weights[0], &a[0], &out[0], blocks, groups, blocks*blockBytes, 4*stride)
	case useAVX2:
		for t := 0; t < n; {
			rows := min(avx2Rows, tileRows(n-t))
			if coarse && rows == avx2Rows {
				highTileAVX2(f, &weights[0], &a[t*blocks], &out[t*stride], blocks, groups, blocks*blockBytes, 4*stride)
			} else {
				quantTileAVX2(f, rows, &weights[0], &a[t*blocks], &out[t*stride], blocks, groups, blocks*blockBytes, 4*stride)
			}
			t += rows
		}
	default:
		quantTileGeneric(f, weights, a, n, out, groups, stride)
	}
}

func floatTile(f Format, weights []byte, a []float32, n int, out []float32, groups, stride int) {
	cols := len(a) / n
	switch {
	case useAVX512:
		floatTileAVX512(f, n, &weights[0], &a[0], &out[0], cols, groups, 4*cols, 4*stride)
	case useAVX2:
		for t := 0; t < n; {
			rows := min(avx2FloatRows, tileRows(n-t))
			floatTileAVX2(f, rows, &weights[0], &a[t*cols], &out[t*stride], cols, groups, 4*cols, 4*stride)
			t += rows
		}
	default:
		floatTileGeneric(f, weights, a, n, out, groups, stride)
	}
}
