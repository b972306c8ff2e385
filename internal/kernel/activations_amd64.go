//go:build !purego

package kernel

//go:noescape
func quantizeAVX2(x *float32, out *block, blocks, shift int, largest float32)

func quantize(x []float32, out []block, coarse bool) {
	if useAVX2 && len(out) > 0 {
		largest, shift := levels(coarse)
		quantizeAVX2(&x[:len(out)*BlockLen][0], &out[0], len(out), shift, largest)
		return
	}
	quantizeGeneric(x, out, coarse)
}
