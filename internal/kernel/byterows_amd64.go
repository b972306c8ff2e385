//go:build !purego

package kernel

// spreadAVX512 rotates blocks of size 32, 64 or 128.
//
//go:noescape
func spreadAVX512(out, x *float32, blocks, size int) uint32

// spreadAVX2 rotates blocks of 32 and, where size is 64 or 128, combines them.
//
//go:noescape
func spreadAVX2(out, x *float32, blocks, size int) uint32

// roundBytesAVX512 and roundBytesAVX2 take a number of elements that 32 divides.
//
//go:noescape
func roundBytesAVX512(out *int8, x *float32, n int, scale float32) int32

//go:noescape
func roundBytesAVX2(out *int8, x *float32, n int, scale float32) int32

func spread(out, x []float32) uint32 {
	size := hadamardSize(len(x))
	switch {
	case len(x) == 0 || len(out) != len(x):
	case useAVX512:
		return spreadAVX512(&out[0], &x[0], len(x)/size, size)
	case useAVX2:
		return spreadAVX2(&out[0], &x[0], len(x)/size, size)
	}
	return spreadGeneric(out, x)
}

func roundBytes(out []int8, x []float32, scale float32) int32 {
	switch {
	case len(x) == 0 || len(x)%ByteBlock != 0 || len(out) < len(x):
	case useAVX512:
		return roundBytesAVX512(&out[0], &x[0], len(x), scale)
	case useAVX2:
		return roundBytesAVX2(&out[0], &x[0], len(x), scale)
	}
	return roundBytesGeneric(out, x, scale)
}
