//go:build amd64 && !purego

package kernel

import "golang.org/x/sys/cpu"

// detect says which CPU features enable which level. The x/sys flags already
// include the operating system's consent to save the wide registers.
//
// AVX2 kernels use FMA and F16C beside it, which every CPU with AVX2 has
// except a few emulators. AVX512 kernels use VPDPBUSD (VNNI) on whole 512-bit
// registers (F), byte and word operations (BW), the same on shorter registers
// (VL), 64-bit and float logic (DQ). Skylake-X has all but VNNI, and lowers
// its clock for 512-bit work: it runs the AVX2 kernels.
//
// Measured with BenchmarkPrefill and BenchmarkDecode of internal/model,
// SmolLM2-135M, one thread of an AMD EPYC (Zen 4), tokens a second of a prompt
// of 512 and of decoding: plain 11 and 9, AVX2 713 and 174, AVX512 998 and 251.
func detect() Level {
	x := &cpu.X86
	if !x.HasAVX2 || !x.HasFMA || !x.HasF16C {
		return Plain
	}
	if x.HasAVX512F && x.HasAVX512BW && x.HasAVX512VL && x.HasAVX512DQ && x.HasAVX512VNNI {
		return AVX512
	}
	return AVX2
}
