//go:build !purego

package kernel

// hammingAVX2 wants at least one code of at least one byte. It counts words of 64 bits with
// POPCNT, which every processor with AVX2 has.
//
//go:noescape
func hammingAVX2(query *byte, codes *byte, size int, out []uint32)

func hamming(query, codes []byte, out []uint32) {
	if useAVX2 {
		hammingAVX2(&query[0], &codes[0], len(query), out)
		return
	}
	hammingGeneric(query, codes, out)
}
