//go:build !amd64 || purego

package kernel

func putHalves(dst []uint16, src []float32) { putHalvesGeneric(dst, src) }

func getHalves(dst []float32, src []uint16) { getHalvesGeneric(dst, src) }

func l2Halves(q []float32, v []uint16, _ int) float32 { return l2HalvesGeneric(q, v) }

func prefetch([]byte) {}
