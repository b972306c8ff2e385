package main

import "fmt"

func attentionNEON(f *file) {
	f.raw(`
// Attention of one query to one page: 32 tokens' keys, transposed, and values,
// in half precision. Sums run over the numbers of a head, or over the tokens, in
// order.
`)
	const sums, numbers, x = 0, 8, 16
	f.begin("scoresNEON", "(query *float32, keys *uint16, out *float32, dim int)", 32)
	f.op("MOVD query+0(FP), R0")
	f.op("MOVD keys+8(FP), R1")
	f.op("MOVD dim+24(FP), R2")
	f.zero(sums, 8)
	f.at("number")
	f.op("VLD1R.P 4(R0), %s", list(x, 1, "S4"))
	f.halves16(numbers, ".P 32(R1)")
	f.halves16(numbers+4, ".P 32(R1)")
	for i := range 8 {
		f.fmla(sums+i, numbers+i, x)
	}
	f.op("SUB $1, R2")
	f.op("CBNZ R2, number")
	f.op("MOVD out+16(FP), R3")
	f.op("VST1.P %s, 64(R3)", list(sums, 4, "S4"))
	f.op("VST1.P %s, 64(R3)", list(sums+4, 4, "S4"))
	f.op("RET")

	f.begin("valuesNEON", "(weights *float32, values *uint16, sum *float32, dim, tokens int)", 40,
		"Sixteen numbers of the sum at a time; dim is a multiple of that.")
	f.op("MOVD values+8(FP), R1")
	f.op("MOVD sum+16(FP), R3")
	f.op("MOVD dim+24(FP), R2")
	f.op("LSL $1, R2, R5 // bytes from a token's value to the next")
	f.at("numbers")
	f.op("MOVD weights+0(FP), R0")
	f.op("MOVD tokens+32(FP), R4")
	f.op("MOVD R1, R6")
	f.op("VLD1 (R3), %s", list(sums, 4, "S4"))
	f.at("token")
	f.op("VLD1R.P 4(R0), %s", list(x, 1, "S4"))
	f.halves16(numbers, " (R6)")
	f.op("ADD R5, R6")
	for i := range 4 {
		f.fmla(sums+i, numbers+i, x)
	}
	f.op("SUB $1, R4")
	f.op("CBNZ R4, token")
	f.op("VST1.P %s, 64(R3)", list(sums, 4, "S4"))
	f.op("ADD $32, R1")
	f.op("SUB $16, R2")
	f.op("CBNZ R2, numbers")
	f.op("RET")
}

// panelRows are the heights of the tiles of float32 panels.
var panelRows = []int{4, 2, 1}

func panelsNEON(f *file) {
	f.raw(`
// Tiles of float32 products: rows by 16 columns of a panel, which is half of it.
// See Panels.Multiply for the order of sums.
`)
	const panel, x = 16, 20 // sums are from 0 on, four a row
	for _, n := range panelRows {
		f.begin(fmt.Sprintf("panelx%dNEON", n), "(a *float32, aStride int, b, bias, c *float32, cStride, k int)", 56,
			"Strides are in bytes.")
		f.op("MOVD a+0(FP), R0")
		f.op("MOVD aStride+8(FP), R5")
		f.op("MOVD b+16(FP), R1")
		f.op("MOVD bias+24(FP), R2")
		f.op("MOVD k+48(FP), R4")
		for t := range n {
			f.op("VLD1 (R2), %s", list(4*t, 4, "S4"))
		}
		for t := 1; t < n; t++ {
			f.op("ADD R5, R%d, R%d", []int{0, 10, 11}[t-1], 9+t)
		}
		f.at("row")
		f.op("VLD1 (R1), %s", list(panel, 4, "S4"))
		f.op("ADD $128, R1")
		for t := range n {
			f.op("VLD1R.P 4(R%d), %s", []int{0, 10, 11, 12}[t], list(x+t, 1, "S4"))
		}
		for t := range n {
			for i := range 4 {
				f.fmla(4*t+i, panel+i, x+t)
			}
		}
		f.op("SUB $1, R4")
		f.op("CBNZ R4, row")
		f.op("MOVD c+32(FP), R3")
		f.op("MOVD cStride+40(FP), R6")
		for t := range n {
			f.op("VST1 %s, (R3)", list(4*t, 4, "S4"))
			f.op("ADD R6, R3")
		}
		f.op("RET")
	}
}

func dotNEON(f *file) {
	f.raw(`
// Sums over two vectors, in sixteen partial sums; the number of blocks of sixteen
// is at least one.
`)
	const sums, a, b = 0, 8, 16
	for _, k := range []struct {
		name string
		add  func(i int)
	}{
		{"dotNEON", func(i int) { f.fmla(sums+i, a+i, b+i) }},
		{"l2NEON", func(i int) { f.fsub(a+i, a+i, b+i); f.fmla(sums+i, a+i, a+i) }},
	} {
		f.begin(k.name, "(a, b *float32, blocks int) float32", 28)
		f.op("MOVD a+0(FP), R0")
		f.op("MOVD b+8(FP), R1")
		f.op("MOVD blocks+16(FP), R2")
		f.zero(sums, 4)
		f.at("block")
		f.op("VLD1.P 64(R0), %s", list(a, 4, "S4"))
		f.op("VLD1.P 64(R1), %s", list(b, 4, "S4"))
		for i := range 4 {
			k.add(i)
		}
		f.op("SUB $1, R2")
		f.op("CBNZ R2, block")
		f.fadd(sums, sums, sums+1)
		f.fadd(sums+2, sums+2, sums+3)
		f.fadd(sums, sums, sums+2)
		f.faddPairs(sums, sums, sums)
		f.faddPairs(sums, sums, sums)
		f.op("FMOVS F%d, ret+24(FP)", sums)
		f.op("RET")
	}
	f.begin("axpyNEON", "(s float32, x, y *float32, blocks int)", 32)
	f.op("MOVD x+8(FP), R0")
	f.op("MOVD y+16(FP), R1")
	f.op("MOVD blocks+24(FP), R2")
	f.op("MOVD $s+0(FP), R3")
	f.op("VLD1R (R3), %s", list(a+4, 1, "S4"))
	f.at("block")
	f.op("VLD1.P 64(R0), %s", list(a, 4, "S4"))
	f.op("VLD1 (R1), %s", list(b, 4, "S4"))
	for i := range 4 {
		f.fmla(b+i, a+i, a+4)
	}
	f.op("VST1.P %s, 64(R1)", list(b, 4, "S4"))
	f.op("SUB $1, R2")
	f.op("CBNZ R2, block")
	f.op("RET")
}
