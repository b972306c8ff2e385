//go:build !amd64 || purego

package kernel

func hamming(query, codes []byte, out []uint32) { hammingGeneric(query, codes, out) }
