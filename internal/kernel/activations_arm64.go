//go:build !purego

package kernel

func quantize(x []float32, out []block, coarse bool) {
	if !useNEON {
		quantizeGeneric(x, out, coarse)
		return
	}
	top, shift := levels(coarse)
	for b := range out {
		x, out := x[b*BlockLen:][:BlockLen], &out[b]
		inverse, finite := out.begin(peakNEON(&x[0]), top)
		if !finite {
			continue
		}
		var sums [2]int32
		quantizeNEON(&x[0], out, shift, inverse, &sums)
		out.end(sums)
	}
}
