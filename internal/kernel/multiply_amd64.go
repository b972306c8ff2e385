//go:build !purego

package kernel

// The widths of a tile at AVX2, which has half the registers: a taller one is
// cut. What a row gets does not depend on it.
func avx2Rows(n int) int { return min(4, tileRows(n)) }

func quantTile(f Format, weights []byte, a []block, n int, out []float32, groups, stride int) {
	blocks := len(a) / n
	switch {
	case useAVX512:
		quantTileAVX512(f, n, &weights[0], &a[0], &out[0], blocks, groups, blocks*blockBytes, 4*stride)
	case useAVX2:
		for t := 0; t < n; {
			rows := avx2Rows(n - t)
			quantTileAVX2(f, rows, &weights[0], &a[t*blocks], &out[t*stride], blocks, groups, blocks*blockBytes, 4*stride)
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
			rows := avx2Rows(n - t)
			floatTileAVX2(f, rows, &weights[0], &a[t*cols], &out[t*stride], cols, groups, 4*cols, 4*stride)
			t += rows
		}
	default:
		floatTileGeneric(f, weights, a, n, out, groups, stride)
	}
}

func quantTileAVX512(f Format, n int, w *byte, x *block, o *float32, cols, groups, aStride, outStride int) {
	switch f {
	case Q4_1:
		switch n {
		case 8:
			q41x8AVX512(w, x, o, cols, groups, aStride, outStride)
		case 4:
			q41x4AVX512(w, x, o, cols, groups, aStride, outStride)
		case 2:
			q41x2AVX512(w, x, o, cols, groups, aStride, outStride)
		default:
			q41x1AVX512(w, x, o, cols, groups, aStride, outStride)
		}
	case Q8_0:
		switch n {
		case 8:
			q80x8AVX512(w, x, o, cols, groups, aStride, outStride)
		case 4:
			q80x4AVX512(w, x, o, cols, groups, aStride, outStride)
		case 2:
			q80x2AVX512(w, x, o, cols, groups, aStride, outStride)
		default:
			q80x1AVX512(w, x, o, cols, groups, aStride, outStride)
		}
	case Q4_0:
		switch n {
		case 8:
			q40x8AVX512(w, x, o, cols, groups, aStride, outStride)
		case 4:
			q40x4AVX512(w, x, o, cols, groups, aStride, outStride)
		case 2:
			q40x2AVX512(w, x, o, cols, groups, aStride, outStride)
		default:
			q40x1AVX512(w, x, o, cols, groups, aStride, outStride)
		}
	}
}

func quantTileAVX2(f Format, n int, w *byte, x *block, o *float32, cols, groups, aStride, outStride int) {
	switch f {
	case Q4_1:
		switch n {
		case 4:
			q41x4AVX2(w, x, o, cols, groups, aStride, outStride)
		case 2:
			q41x2AVX2(w, x, o, cols, groups, aStride, outStride)
		default:
			q41x1AVX2(w, x, o, cols, groups, aStride, outStride)
		}
	case Q8_0:
		switch n {
		case 4:
			q80x4AVX2(w, x, o, cols, groups, aStride, outStride)
		case 2:
			q80x2AVX2(w, x, o, cols, groups, aStride, outStride)
		default:
			q80x1AVX2(w, x, o, cols, groups, aStride, outStride)
		}
	case Q4_0:
		switch n {
		case 4:
			q40x4AVX2(w, x, o, cols, groups, aStride, outStride)
		case 2:
			q40x2AVX2(w, x, o, cols, groups, aStride, outStride)
		default:
			q40x1AVX2(w, x, o, cols, groups, aStride, outStride)
		}
	}
}

func floatTileAVX512(f Format, n int, w *byte, x, o *float32, cols, groups, aStride, outStride int) {
	switch f {
	case F32:
		switch n {
		case 8:
			f32x8AVX512(w, x, o, cols, groups, aStride, outStride)
		case 4:
			f32x4AVX512(w, x, o, cols, groups, aStride, outStride)
		case 2:
			f32x2AVX512(w, x, o, cols, groups, aStride, outStride)
		default:
			f32x1AVX512(w, x, o, cols, groups, aStride, outStride)
		}
	case F16:
		switch n {
		case 8:
			f16x8AVX512(w, x, o, cols, groups, aStride, outStride)
		case 4:
			f16x4AVX512(w, x, o, cols, groups, aStride, outStride)
		case 2:
			f16x2AVX512(w, x, o, cols, groups, aStride, outStride)
		default:
			f16x1AVX512(w, x, o, cols, groups, aStride, outStride)
		}
	}
}

func floatTileAVX2(f Format, n int, w *byte, x, o *float32, cols, groups, aStride, outStride int) {
	switch f {
	case F32:
		switch n {
		case 4:
			f32x4AVX2(w, x, o, cols, groups, aStride, outStride)
		case 2:
			f32x2AVX2(w, x, o, cols, groups, aStride, outStride)
		default:
			f32x1AVX2(w, x, o, cols, groups, aStride, outStride)
		}
	case F16:
		switch n {
		case 4:
			f16x4AVX2(w, x, o, cols, groups, aStride, outStride)
		case 2:
			f16x2AVX2(w, x, o, cols, groups, aStride, outStride)
		default:
			f16x1AVX2(w, x, o, cols, groups, aStride, outStride)
		}
	}
}
