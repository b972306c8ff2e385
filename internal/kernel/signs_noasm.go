//go:build !amd64 || purego

package kernel

func signSums(v, centre []float32, signs []uint16) SignSums { return signSumsGeneric(v, centre, signs) }
