package main

import "math"

// Further instructions on four numbers; see neon.go.

func (f *file) fmls(d, n, m int)   { f.three(0x4ea0cc00, "fmls", d, n, m) }
func (f *file) fdiv(d, n, m int)   { f.three(0x6e20fc00, "fdiv", d, n, m) }
func (f *file) fmax(d, n, m int)   { f.three(0x4e20f400, "fmax", d, n, m) }
func (f *file) fmin(d, n, m int)   { f.three(0x4ea0f400, "fmin", d, n, m) }
func (f *file) fmaxnm(d, n, m int) { f.three(0x4e20c400, "fmaxnm", d, n, m) } // of a number and a NaN: the number
func (f *file) sshl(d, n, m int)   { f.three(0x4ea04400, "sshl", d, n, m) }
func (f *file) fneg(d, n int)      { f.two(0x6ea0f800, "fneg v%d.4s, v%d.4s", d, n) }
func (f *file) fabs(d, n int)      { f.two(0x4ea0f800, "fabs v%d.4s, v%d.4s", d, n) }
func (f *file) frintn(d, n int)    { f.two(0x4e218800, "frintn v%d.4s, v%d.4s", d, n) }
func (f *file) fcvtns(d, n int)    { f.two(0x4e21a800, "fcvtns v%d.4s, v%d.4s", d, n) }
func (f *file) fmaxnmv(d, n int)   { f.two(0x6e30c800, "fmaxnmv s%d, v%d.4s", d, n) }
func (f *file) umaxv(d, n int)     { f.two(0x6eb0a800, "umaxv s%d, v%d.4s", d, n) }
func (f *file) addv(d, n int)      { f.two(0x4eb1b800, "addv s%d, v%d.4s", d, n) }
func (f *file) shl(d, n, by int)   { f.shift(0x4f005400, 32+by, "shl v%d.4s, v%d.4s, #%d", d, n, by) }
func (f *file) srshr(d, n, by int) { f.shift(0x4f002400, 64-by, "srshr v%d.4s, v%d.4s, #%d", d, n, by) }
func (f *file) add4(d, n, m int)   { f.op("VADD V%d.S4, V%d.S4, V%d.S4", m, n, d) }
func (f *file) sub4(d, n, m int)   { f.op("VSUB V%d.S4, V%d.S4, V%d.S4", m, n, d) }
func (f *file) copyTo(d, n int)    { f.op("VMOV V%d.B16, V%d.B16", n, d) }
func (f *file) broadcast(d int, argument string) {
	f.op("MOVD $%s(FP), R5", argument)
	f.op("VLD1R (R5), %s", list(d, 1, "S4"))
}

func (f *file) shift(code uint32, amount int, mnemonic string, d, n, by int) {
	f.word(code|uint32(amount<<16|n<<5|d), mnemonic, d, n, by)
}

// bytes16 narrows the words of four registers from d on to bytes, into d.
func (f *file) bytes16(d int) {
	for _, half := range []int{d, d + 2} {
		f.two(0x0e612800, "xtn v%d.4h, v%d.4s", half, half)
		f.two(0x4e612800, "xtn2 v%d.8h, v%d.4s", half, half+1)
	}
	f.two(0x0e212800, "xtn v%d.8b, v%d.8h", d, d)
	f.two(0x4e212800, "xtn2 v%d.16b, v%d.8h", d, d+2)
}

// constants fills registers from d on with numbers.
func (f *file) constants(d int, numbers ...float32) {
	for i, v := range numbers {
		f.op("MOVD $%#08x, R5 // %v", math.Float32bits(v), v)
		f.op("VDUP R5, V%d.S4", d+i)
	}
}

// loop repeats what body writes as often as R2 says, at least once.
func (f *file) loop(body func()) {
	f.at("block")
	body()
	f.op("SUB $1, R2")
	f.op("CBNZ R2, block")
}

// The registers of exp's constants: its bounds, 1/ln 2, ln 2 in two parts, the
// polynomial, 1, and the bias of an exponent.
const (
	expLow = 16 + iota
	expHigh
	expLog
	expTwo
	expTwoRest
	expPolynomial
	expOne  = expPolynomial + 6
	expBias = expOne + 1
)

func (f *file) expConstants() {
	f.constants(expLow, -88, 89, 1.442695041, 0.693359375, -2.12194440e-4,
		1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1, 1)
	f.op("MOVD $127, R5")
	f.op("VDUP R5, V%d.S4", expBias)
}

// exp replaces x by what exp32 makes of it, step by step; n, r and two registers
// from p on are scratch.
func (f *file) exp(x, n, r, p int) {
	f.fmax(x, x, expLow)
	f.fmin(x, x, expHigh)
	f.fmul(n, x, expLog)
	f.frintn(n, n)
	f.copyTo(r, x)
	f.fmls(r, n, expTwo)
	f.fmls(r, n, expTwoRest)
	f.polynomial(p, p+1, r, expPolynomial)
	f.fmul(p+1, r, r)
	f.fmla(r, p, p+1)
	f.fadd(r, r, expOne)
	f.fcvtns(n, n)
	f.add4(n, n, expBias)
	f.shl(n, n, 23)
	f.fmul(x, r, n)
}

func elementwiseNEON(f *file) {
	f.raw(`
// Element-wise kernels, step by step what their plain definitions do: the same
// bits. Blocks are eight numbers, and at least one, where nothing else is said.
`)
	squaresNEON(f)
	f.begin("scaleByNEON", "(out, x, weight *float32, blocks int, s float32)", 36)
	f.op("MOVD out+0(FP), R0")
	f.op("MOVD x+8(FP), R1")
	f.op("MOVD weight+16(FP), R3")
	f.op("MOVD blocks+24(FP), R2")
	f.broadcast(4, "s+32")
	f.loop(func() {
		f.op("VLD1.P 32(R1), %s", list(0, 2, "S4"))
		f.op("VLD1.P 32(R3), %s", list(2, 2, "S4"))
		for i := range 2 {
			f.fmul(i, i, 4)
			f.fmul(i, i, 2+i)
		}
		f.op("VST1.P %s, 32(R0)", list(0, 2, "S4"))
	})
	f.op("RET")
	expNEON(f)
	normsNEON(f)
	f.begin("rotateAdjacentNEON", "(x, cos, sin *float32, blocks int)", 32, "Blocks are four pairs.")
	f.op("MOVD x+0(FP), R0")
	f.op("MOVD cos+8(FP), R1")
	f.op("MOVD sin+16(FP), R3")
	f.op("MOVD blocks+24(FP), R2")
	f.loop(func() {
		const a, b, c, s = 0, 1, 2, 3
		f.op("VLD2 (R0), %s", list(a, 2, "S4"))
		f.op("VLD1.P 16(R1), %s", list(c, 1, "S4"))
		f.op("VLD1.P 16(R3), %s", list(s, 1, "S4"))
		f.fmul(4, a, c)
		f.fmul(5, b, s)
		f.fmul(6, b, c)
		f.fmul(7, a, s)
		f.fsub(a, 4, 5)
		f.fadd(b, 6, 7)
		f.op("VST2.P %s, 32(R0)", list(a, 2, "S4"))
	})
	f.op("RET")
	quantizeNEON(f)
}

// squaresNEON writes the reductions that keep eight partial sums, and the largest
// number.
func squaresNEON(f *file) {
	f.begin("sumSquaresNEON", "(x *float32, blocks int, lanes *[8]float32)", 24)
	f.op("MOVD x+0(FP), R0")
	f.op("MOVD blocks+8(FP), R2")
	f.op("MOVD lanes+16(FP), R3")
	f.op("VLD1 (R3), %s", list(0, 2, "S4"))
	f.loop(func() {
		f.op("VLD1.P 32(R0), %s", list(2, 2, "S4"))
		f.fmla(0, 2, 2)
		f.fmla(1, 3, 3)
	})
	f.op("VST1 %s, (R3)", list(0, 2, "S4"))
	f.op("RET")

	f.begin("maxNEON", "(x *float32, blocks int) float32", 20)
	f.op("MOVD x+0(FP), R0")
	f.op("MOVD blocks+8(FP), R2")
	f.constants(0, float32(math.Inf(-1)), float32(math.Inf(-1)))
	f.loop(func() {
		f.op("VLD1.P 32(R0), %s", list(2, 2, "S4"))
		f.fmaxnm(0, 0, 2)
		f.fmaxnm(1, 1, 3)
	})
	f.fmaxnm(0, 0, 1)
	f.fmaxnmv(0, 0)
	f.op("FMOVS F0, ret+16(FP)")
	f.op("RET")
}

// expNEON writes what is made of exponentials.
func expNEON(f *file) {
	const x, n, r, p, scale, shift, sums = 0, 2, 3, 4, 6, 7, 30
	f.begin("expSumNEON", "(x, out *float32, blocks int, scale, shift float32, lanes *[8]float32)", 40)
	f.op("MOVD x+0(FP), R0")
	f.op("MOVD out+8(FP), R1")
	f.op("MOVD blocks+16(FP), R2")
	f.op("MOVD lanes+32(FP), R3")
	f.broadcast(scale, "scale+24")
	f.broadcast(shift, "shift+28")
	f.expConstants()
	f.op("VLD1 (R3), %s", list(sums, 2, "S4"))
	f.loop(func() {
		f.op("VLD1.P 32(R0), %s", list(x, 2, "S4"))
		for i := range 2 {
			f.fmul(x+i, x+i, scale)
			f.fsub(x+i, x+i, shift)
			f.exp(x+i, n, r, p)
			f.fadd(sums+i, sums+i, x+i)
		}
		f.op("VST1.P %s, 32(R1)", list(x, 2, "S4"))
	})
	f.op("VST1 %s, (R3)", list(sums, 2, "S4"))
	f.op("RET")

	const gate, up = 6, 30
	f.begin("siluMulNEON", "(gate, up *float32, blocks int)", 24)
	f.op("MOVD gate+0(FP), R0")
	f.op("MOVD up+8(FP), R1")
	f.op("MOVD blocks+16(FP), R2")
	f.expConstants()
	f.loop(func() {
		f.op("VLD1 (R0), %s", list(gate, 2, "S4"))
		f.op("VLD1.P 32(R1), %s", list(up, 2, "S4"))
		for i := range 2 {
			f.fneg(x+i, gate+i)
			f.exp(x+i, n, r, p)
			f.fadd(x+i, x+i, expOne)
			f.fdiv(gate+i, gate+i, x+i)
			f.fmul(gate+i, gate+i, up+i)
		}
		f.op("VST1.P %s, 32(R0)", list(gate, 2, "S4"))
	})
	f.op("RET")
}

// normsNEON writes what LayerNorm and GELU need, whose bits may differ from the
// definitions'.
func normsNEON(f *file) {
	for _, k := range []struct {
		name, declaration string
		bytes, result     int
		mean              bool
	}{
		{"sumNEON", "(x *float32, blocks int) float32", 20, 16, false},
		{"deviationNEON", "(x *float32, blocks int, mean float32) float32", 28, 24, true},
	} {
		f.begin(k.name, k.declaration, k.bytes)
		f.op("MOVD x+0(FP), R0")
		f.op("MOVD blocks+8(FP), R2")
		if k.mean {
			f.broadcast(4, "mean+16")
		}
		f.zero(0, 2)
		f.loop(func() {
			f.op("VLD1.P 32(R0), %s", list(2, 2, "S4"))
			for i := range 2 {
				if k.mean {
					f.fsub(2+i, 2+i, 4)
					f.fmla(i, 2+i, 2+i)
				} else {
					f.fadd(i, i, 2+i)
				}
			}
		})
		f.fadd(0, 0, 1)
		f.faddPairs(0, 0, 0)
		f.faddPairs(0, 0, 0)
		f.op("FMOVS F0, ret+%d(FP)", k.result)
		f.op("RET")
	}

	f.begin("normaliseNEON", "(x, gain, bias *float32, blocks int, mean, scale float32)", 40)
	f.op("MOVD x+0(FP), R0")
	f.op("MOVD gain+8(FP), R1")
	f.op("MOVD bias+16(FP), R3")
	f.op("MOVD blocks+24(FP), R2")
	f.broadcast(6, "mean+32")
	f.broadcast(7, "scale+36")
	f.loop(func() {
		f.op("VLD1 (R0), %s", list(0, 2, "S4"))
		f.op("VLD1.P 32(R1), %s", list(2, 2, "S4"))
		f.op("VLD1.P 32(R3), %s", list(4, 2, "S4"))
		for i := range 2 {
			f.fsub(i, i, 6)
			f.fmul(i, i, 7)
			f.fmla(4+i, i, 2+i)
		}
		f.op("VST1.P %s, 32(R0)", list(4, 2, "S4"))
	})
	f.op("RET")

	const x, bounded, square, top, bottom, low, high, p, q, half = 0, 1, 2, 3, 4, 16, 17, 18, 24, 30
	f.begin("geluNEON", "(x *float32, blocks int)", 16,
		"Blocks are four numbers. x·(½ + x·P(x²)/Q(x²)), the polynomials and bounds of gelu_amd64.s.")
	f.op("MOVD x+0(FP), R0")
	f.op("MOVD blocks+8(FP), R2")
	f.constants(low, -5.5437174, 5.5437174)
	f.constants(p, 2.248087e-08, 6.3524762e-06, 0.00017095848, 0.0046899337, 0.03407627, 0.39894223)
	f.constants(q, 1.1897093e-06, 7.4257565e-05, 0.0018965421, 0.028771201, 0.25208238, 1)
	f.constants(half, 0.5)
	f.loop(func() {
		f.op("VLD1 (R0), %s", list(x, 1, "S4"))
		f.fmin(bounded, x, high)
		f.fmax(bounded, bounded, low)
		f.fmul(square, bounded, bounded)
		f.polynomial(top, 5, square, p)
		f.polynomial(bottom, 5, square, q)
		f.fdiv(top, top, bottom)
		f.copyTo(5, half)
		f.fmla(5, bounded, top)
		f.fmul(x, x, 5)
		f.op("VST1.P %s, 16(R0)", list(x, 1, "S4"))
	})
	f.op("RET")
}

// polynomial sets d to the polynomial of degree five in x whose coefficients are
// in the registers from c on, the highest first.
func (f *file) polynomial(d, scratch, x, c int) {
	f.copyTo(d, c)
	for i := 1; i < 6; i++ {
		f.copyTo(scratch, c+i)
		f.fmla(scratch, d, x)
		f.copyTo(d, scratch)
	}
}

// quantizeNEON writes the two halves of quantising a block of 32 numbers.
func quantizeNEON(f *file) {
	f.begin("peakNEON", "(x *float32) uint32", 12, "The largest magnitude of 32 numbers, as bits.")
	f.op("MOVD x+0(FP), R0")
	f.op("VLD1.P 64(R0), %s", list(0, 4, "S4"))
	f.op("VLD1 (R0), %s", list(4, 4, "S4"))
	for i := range 8 {
		f.fabs(i, i)
	}
	for width := 4; width > 0; width /= 2 {
		for i := range width {
			f.op("VUMAX V%d.S4, V%d.S4, V%d.S4", i, i+width, i)
		}
	}
	f.umaxv(0, 0)
	f.op("FMOVS F0, ret+8(FP)")
	f.op("RET")

	const x, inverse, shift, sums, high, scratch = 0, 16, 17, 18, 20, 28
	f.begin("quantizeNEON", "(x *float32, out *block, shift int, inverse float32, sums *[2]int32)", 40,
		"Writes the planes of a block and the sums of its halves.")
	f.op("MOVD x+0(FP), R0")
	f.op("MOVD out+8(FP), R1")
	f.op("MOVD shift+16(FP), R2")
	f.op("MOVD sums+32(FP), R3")
	f.op("VDUP R2, V%d.S4", shift)
	f.broadcast(inverse, "inverse+24")
	f.op("VLD1.P 64(R0), %s", list(x, 4, "S4"))
	f.op("VLD1 (R0), %s", list(x+4, 4, "S4"))
	for i := range 8 {
		f.fmul(x+i, x+i, inverse)
		f.fcvtns(x+i, x+i)
		f.sshl(x+i, x+i, shift)
	}
	for h := range 2 {
		f.add4(sums+h, x+4*h, x+4*h+1)
		f.add4(sums+h, sums+h, x+4*h+2)
		f.add4(sums+h, sums+h, x+4*h+3)
		f.addv(sums+h, sums+h)
		f.op("FMOVS F%d, %d(R3)", sums+h, 4*h)
	}
	for i := range 8 {
		f.srshr(high+i, x+i, 7)
		f.shl(scratch, high+i, 7)
		f.sub4(x+i, x+i, scratch)
	}
	for _, plane := range []int{high, high + 4, x, x + 4} {
		f.bytes16(plane)
		f.op("VST1.P %s, 16(R1)", list(plane, 1, "B16"))
	}
	f.op("RET")
}
