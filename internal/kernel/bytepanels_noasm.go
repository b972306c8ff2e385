//go:build !amd64 || purego

package kernel

func (t *byteTile) multiply() { t.multiplyGeneric() }
