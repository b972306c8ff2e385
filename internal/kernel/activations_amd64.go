//go:build !purego

package kernel

//go:noescape
func quantizeAVX2(x *float32, out *block, blocks int)

func quantize(x []float32, out []block) {
	if useAVX2 && len(out) > 0 {
		quantizeAVX2(&x[:len(out)*BlockLen][0], &out[0], len(out))
		return
	}
	quantizeGeneric(x, out)
}
