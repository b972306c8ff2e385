//go:build !(amd64 || arm64) || purego

package kernel

func (t *tile) multiply() { t.multiplyGeneric() }
