package kernel

import (
	"fmt"
	"slices"
)

// Level is a set of CPU instructions that kernels are written for. Of one kind
// of CPU, higher levels include the lower ones.
type Level int

const (
	// Plain is Go alone: the definition of every kernel.
	Plain Level = iota
	// AVX2 is 256-bit vectors with fused multiply-add and half-precision
	// conversion: x86 from about 2013 (Haswell, Zen).
	AVX2
	// AVX512 is 512-bit vectors with byte dot products (VNNI): x86 servers from
	// about 2019 (Cascade Lake, Ice Lake, Zen 4).
	AVX512
	// NEON is 128-bit vectors with byte dot products (FEAT_DotProd): arm64 from
	// about 2018. It has the products of matrices, attention and Dot; the rest
	// is plain there.
	NEON
)

func (l Level) String() string {
	switch l {
	case Plain:
		return "plain"
	case AVX2:
		return "avx2"
	case AVX512:
		return "avx512"
	case NEON:
		return "neon"
	}
	return fmt.Sprintf("Level(%d)", int(l))
}

// The flags that kernels branch on. Only Use changes them.
var useAVX2, useAVX512, useNEON bool

var best = detect()

func init() { set(best) }

func set(l Level) {
	useAVX2 = l == AVX2 || l == AVX512
	useAVX512 = l == AVX512
	useNEON = l == NEON
}

// Best returns the highest level this CPU and this build have.
func Best() Level { return best }

// Current returns the level in use, which is Best unless Use changed it.
func Current() Level {
	switch {
	case useNEON:
		return NEON
	case useAVX512:
		return AVX512
	case useAVX2:
		return AVX2
	}
	return Plain
}

// Levels returns every level this CPU and this build have, Plain first.
func Levels() []Level {
	switch best {
	case AVX512:
		return []Level{Plain, AVX2, AVX512}
	case Plain:
		return []Level{Plain}
	}
	return []Level{Plain, best}
}

// Use switches to a level and returns a function that switches back. It is for
// tests and benchmarks: no kernel may run meanwhile. It panics if the CPU or
// the build lacks the level.
func Use(l Level) (restore func()) {
	if !slices.Contains(Levels(), l) {
		panic(fmt.Sprintf("kernel.Use: level %v is not available here; the best is %v", l, best))
	}
	before := Current()
	set(l)
	return func() { set(before) }
}
