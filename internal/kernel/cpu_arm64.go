//go:build arm64 && !purego

package kernel

import "golang.org/x/sys/cpu"

// detect looks for the dot product of bytes (FEAT_DotProd), which is optional
// until Armv8.4 and there from about 2018: Cortex-A55 and A76, Neoverse N1,
// Apple A11. All else that NEON kernels use every arm64 CPU has.
func detect() Level {
	if cpu.ARM64.HasASIMDDP {
		return NEON
	}
	return Plain
}
