//go:build !purego

package kernel

func sum(x []float32) float32 {
	n := lanesNEON(len(x))
	rest := sumGeneric(x[n:])
	if n == 0 {
		return rest
	}
	return sumNEON(&x[0], n/lanes) + rest
}

func deviation(x []float32, mean float32) float32 {
	n := lanesNEON(len(x))
	rest := deviationGeneric(x[n:], mean)
	if n == 0 {
		return rest
	}
	return deviationNEON(&x[0], n/lanes, mean) + rest
}

func normalise(x, gain, bias []float32, mean, scale float32) {
	n := lanesNEON(len(x))
	if n > 0 {
		normaliseNEON(&x[0], &gain[:n][0], &bias[:n][0], n/lanes, mean, scale)
	}
	normaliseGeneric(x[n:], gain[n:], bias[n:], mean, scale)
}
