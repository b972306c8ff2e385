//go:build !purego

package kernel

//go:noescape
func sumSquaresAVX2(x *float32, n int) float32

//go:noescape
func scaleByAVX2(out, x, weight *float32, n int, s float32)

//go:noescape
func siluMulAVX2(gate, up *float32, n int)

//go:noescape
func maxAVX2(x *float32, n int) float32

//go:noescape
func expSumAVX2(x, out *float32, n int, scale, shift float32) float32

//go:noescape
func storeKVAVX2(keys, values *uint16, key, value *float32, dim int)

//go:noescape
func rotateAdjacentAVX2(x, cos, sin *float32, pairs int)

func sumSquares(x []float32) float32 {
	if useAVX2 && len(x) > 0 {
		return sumSquaresAVX2(&x[0], len(x))
	}
	return sumSquaresGeneric(x)
}

func maximum(x []float32) float32 {
	if useAVX2 && len(x) > 0 {
		return maxAVX2(&x[0], len(x))
	}
	return maxGeneric(x)
}

func expSum(x, out []float32, scale, shift float32) float32 {
	if useAVX2 && len(x) > 0 {
		return expSumAVX2(&x[0], &out[:len(x)][0], len(x), scale, shift)
	}
	return expSumGeneric(x, out, scale, shift)
}

func scaleBy(out, x, weight []float32, s float32) {
	if useAVX2 && len(x) > 0 {
		scaleByAVX2(&out[0], &x[0], &weight[0], len(x), s)
		return
	}
	scaleByGeneric(out, x, weight, s)
}

func siluMul(gate, up []float32) {
	if useAVX2 && len(gate) > 0 {
		siluMulAVX2(&gate[0], &up[0], len(gate))
		return
	}
	siluMulGeneric(gate, up)
}

func storeKV(keys, values []uint16, key, value []float32) {
	if useAVX2 && len(key) > 0 && len(key)%8 == 0 {
		_, _ = keys[(len(key)-1)*PageTokens], values[len(key)-1]
		storeKVAVX2(&keys[0], &values[0], &key[0], &value[0], len(key))
		return
	}
	storeKVGeneric(keys, values, key, value)
}

func rotateAdjacent(x, cos, sin []float32) {
	n := 0
	if useAVX2 {
		if n = len(cos) &^ 3; n > 0 {
			_, _ = x[2*n-1], sin[n-1]
			rotateAdjacentAVX2(&x[0], &cos[0], &sin[0], n)
		}
	}
	rotateAdjacentGeneric(x[2*n:], cos[n:], sin[n:])
}
