//go:build !(amd64 || arm64) || purego

package kernel

func dot(a, b []float32) float32               { return dotGeneric(a, b) }
func l2(a, b []float32) float32                { return l2Generic(a, b) }
func dotRows(q, rows, out []float32)           { dotRowsGeneric(q, rows, out) }
func axpy(s float32, x []float32, y []float32) { axpyGeneric(s, x, y) }
