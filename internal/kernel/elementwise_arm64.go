//go:build !purego

package kernel

// lanesNEON is how many of n numbers the assembly takes: whole sets of lanes.
func lanesNEON(n int) int {
	if useNEON {
		return n &^ (lanes - 1)
	}
	return 0
}

func sumSquares(x []float32) float32 {
	var l [lanes]float32
	n := lanesNEON(len(x))
	if n > 0 {
		sumSquaresNEON(&x[0], n/lanes, &l)
	}
	addSquares(x[n:], &l)
	return sumLanes(&l)
}

func maximum(x []float32) float32 {
	n := lanesNEON(len(x))
	largest := maxGeneric(x[n:])
	if n > 0 {
		largest = max(largest, maxNEON(&x[0], n/lanes))
	}
	return largest
}

func expSum(x, out []float32, scale, shift float32) float32 {
	var l [lanes]float32
	n := lanesNEON(len(x))
	if n > 0 {
		expSumNEON(&x[0], &out[:n][0], n/lanes, scale, shift, &l)
	}
	addExp(x[n:], out[n:], scale, shift, &l)
	return sumLanes(&l)
}

func scaleBy(out, x, weight []float32, s float32) {
	n := lanesNEON(len(x))
	if n > 0 {
		scaleByNEON(&out[:n][0], &x[0], &weight[:n][0], n/lanes, s)
	}
	scaleByGeneric(out[n:], x[n:], weight[n:], s)
}

func siluMul(gate, up []float32) {
	n := lanesNEON(len(gate))
	if n > 0 {
		siluMulNEON(&gate[0], &up[:n][0], n/lanes)
	}
	siluMulGeneric(gate[n:], up[n:])
}

func storeKV(keys, values []uint16, key, value []float32) { storeKVGeneric(keys, values, key, value) }

func rotateAdjacent(x, cos, sin []float32) {
	const pairs = 4 // in a block
	n := 0
	if useNEON {
		n = len(cos) &^ (pairs - 1)
	}
	if n > 0 {
		rotateAdjacentNEON(&x[:2*n][0], &cos[0], &sin[:n][0], n/pairs)
	}
	rotateAdjacentGeneric(x[2*n:], cos[n:], sin[n:])
}
