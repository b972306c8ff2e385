//go:build !(amd64 || arm64) || purego

package kernel

// detect finds nothing to choose from: this build has the plain kernels only.
func detect() Level { return Plain }
