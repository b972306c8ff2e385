//go:build (!amd64 && !arm64) || purego

package kernel

func scaleBy(out, x, weight []float32, s float32) { scaleByGeneric(out, x, weight, s) }

func siluMul(gate, up []float32) { siluMulGeneric(gate, up) }

func sumSquares(x []float32) float32 { return sumSquaresGeneric(x) }

func maximum(x []float32) float32 { return maxGeneric(x) }

func expSum(x, out []float32, scale, shift float32) float32 {
	return expSumGeneric(x, out, scale, shift)
}

func storeKV(keys, values []uint16, key, value []float32) { storeKVGeneric(keys, values, key, value) }

func rotateAdjacent(x, cos, sin []float32) { rotateAdjacentGeneric(x, cos, sin) }
