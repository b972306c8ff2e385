//go:build !amd64 || purego

package kernel

func lookups(tables []float32, codes []byte, size int, out []float32) {
	lookupsGeneric(tables, codes, size, out)
}
