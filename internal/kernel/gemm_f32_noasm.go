//go:build !amd64 || purego

package kernel

func (t *tile) multiply() { t.multiplyGeneric() }
