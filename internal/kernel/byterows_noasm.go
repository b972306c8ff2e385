//go:build !amd64 || purego

package kernel

func spread(out, x []float32) uint32 { return spreadGeneric(out, x) }

func roundBytes(out []int8, x []float32, scale float32) int32 {
	return roundBytesGeneric(out, x, scale)
}
