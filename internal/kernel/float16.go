package kernel

import "math"

// Float16 returns the value of an IEEE 754 half-precision number.
func Float16(h uint16) float32 {
	sign := uint32(h&0x8000) << 16
	exponent := uint32(h>>10) & 31
	fraction := uint32(h) & 0x3ff
	switch exponent {
	case 0: // zero and subnormal: fraction · 2⁻²⁴
		return math.Float32frombits(math.Float32bits(float32(fraction)*0x1p-24) | sign)
	case 31: // infinity, and NaN made quiet as the hardware does
		if fraction != 0 {
			fraction |= 0x200
		}
		return math.Float32frombits(sign | 0x7f800000 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+112)<<23 | fraction<<13)
}

// ToFloat16 returns f rounded to half precision, to nearest, ties to even. Beyond
// 65,504 it returns infinity.
func ToFloat16(f float32) uint16 {
	b := math.Float32bits(f)
	sign := uint16(b>>16) & 0x8000
	b &= 0x7fffffff
	switch {
	case b > 0x7f800000: // NaN keeps its upper bits and is made quiet
		return sign | 0x7e00 | uint16(b>>13)&0x3ff
	case b >= 0x477ff000: // rounds to 2¹⁶ or more
		return sign | 0x7c00
	case b < 0x38800000: // below 2⁻¹⁴: adding 1/2 leaves the result in the low bits
		return sign | uint16(math.Float32bits(math.Float32frombits(b)+0.5)-0x3f000000)
	}
	b -= 112 << 23
	return sign | uint16((b+0xfff+b>>13&1)>>13)
}
