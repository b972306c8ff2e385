package main

import "fmt"

// segmentStride is the bytes between two queries' scores: SegmentTokens floats.
const segmentStride = 1024

func attention(f *file) {
	f.raw(`
// Attention of n queries to one page: 32 tokens' keys, transposed, and values,
// in half precision. Each query's sums run over the numbers of a head, or over
// the tokens, in order, in every height. Common registers:
//
//	AX  keys or values    BX  queries or weights, first row    R9  their stride, bytes
//	DX  out               R8  stride of out, bytes             CX  steps left
//	R10, R11, R12  3, 5 and 7 strides
`)
	for _, n := range []int{1, 2, 3, 4, 8} {
		scoresAVX512(f, n)
		valuesAVX512(f, n)
	}
	for _, n := range []int{1, 2, 3, 4} {
		scoresAVX2(f, n)
		valuesAVX2(f, n)
	}
}

// Scoring a page fetches what is read next: the page's own values, which lie
// behind its keys, for the second-level cache, and the next page's keys, one line
// each for a line that is used. Pages are 4 kB of keys and lie apart, so the
// hardware would begin anew with each: 1,500 tokens on, decoding SmolLM2 took 8.2
// ms a token without and 7.2 with.
const scoresArgs = "(queries *float32, keys *uint16, out *float32, dim int, next *uint16)"

func scoresPrologue(f *file, n int) {
	f.op("MOVQ queries+0(FP), BX")
	f.op("MOVQ keys+8(FP), AX")
	f.op("MOVQ out+16(FP), DX")
	f.op("MOVQ dim+24(FP), CX")
	f.op("LEAQ (CX*4), R9")
	f.op("MOVQ $%d, R8", segmentStride)
	f.strides(n)
}

// fetchPrologue sets a register to the bytes from a number's keys to as far in
// the values, and R14 to those to as far in the next page.
func fetchPrologue(f *file, values string) {
	f.op("MOVQ CX, %s", values)
	f.op("SHLQ $6, %s", values)
	f.op("MOVQ next+32(FP), R14")
	f.op("SUBQ AX, R14")
}

// fetchAhead fetches a line of each.
func fetchAhead(f *file, keys, values string) {
	f.op("PREFETCHT1 (%s)(%s*1)", keys, values)
	f.op("PREFETCHT0 (%s)(R14*1)", keys)
}

// scoresAVX512 writes the products of n queries and 32 keys.
func scoresAVX512(f *file, n int) {
	name := fmt.Sprintf("scoresx%dAVX512", n)
	f.begin(name, scoresArgs, 40,
		"Z0-Z15 scores, two registers a query; Z16, Z17 one number of 32 keys; R13, R14",
		"bytes to what is fetched ahead")
	scoresPrologue(f, n)
	fetchPrologue(f, "R13")
	for t := range 2 * n {
		f.op("VPXORQ Z%d, Z%d, Z%d", t, t, t)
	}
	f.at(name + "Number")
	fetchAhead(f, "AX", "R13")
	f.op("VCVTPH2PS (AX), Z16")
	f.op("VCVTPH2PS 32(AX), Z17")
	for t := range n {
		f.op("VFMADD231PS.BCST %s, Z16, Z%d", row(t, 0), 2*t)
		f.op("VFMADD231PS.BCST %s, Z17, Z%d", row(t, 0), 2*t+1)
	}
	f.op("ADDQ $64, AX")
	f.op("ADDQ $4, BX")
	f.op("DECQ CX")
	f.op("JNZ %sNumber", name)
	store(f, n, "Z", 64, 2)
	f.end()
}

// scoresAVX2 is the same at 256 bits, 16 keys at a time.
func scoresAVX2(f *file, n int) {
	name := fmt.Sprintf("scoresx%dAVX2", n)
	f.begin(name, scoresArgs, 40,
		"Y0-Y7 scores, two registers a query; Y8, Y9 one number of 16 keys; Y10 one",
		"of a query; SI keys of this half; DI queries; R15 halves left; R12, R14 bytes",
		"to what is fetched ahead")
	scoresPrologue(f, n)
	fetchPrologue(f, "R12")
	f.op("MOVQ BX, DI")
	f.op("MOVQ $2, R15")
	f.at(name + "Half")
	f.op("MOVQ DI, BX")
	f.op("MOVQ AX, SI")
	f.op("MOVQ dim+24(FP), CX")
	for t := range 2 * n {
		f.op("VXORPS Y%d, Y%d, Y%d", t, t, t)
	}
	f.at(name + "Number")
	fetchAhead(f, "SI", "R12")
	f.op("VCVTPH2PS (SI), Y8")
	f.op("VCVTPH2PS 16(SI), Y9")
	for t := range n {
		f.op("VBROADCASTSS %s, Y10", row(t, 0))
		f.op("VFMADD231PS Y10, Y8, Y%d", 2*t)
		f.op("VFMADD231PS Y10, Y9, Y%d", 2*t+1)
	}
	f.op("ADDQ $64, SI")
	f.op("ADDQ $4, BX")
	f.op("DECQ CX")
	f.op("JNZ %sNumber", name)
	store(f, n, "Y", 32, 2)
	f.op("ADDQ $64, DX")
	f.op("ADDQ $32, AX")
	f.op("DECQ R15")
	f.op("JNZ %sHalf", name)
	f.end()
}

const valuesArgs = "(weights *float32, values *uint16, sum *float32, dim, tokens int)"

// values writes adding the weighted values of a page to n sums, for as long as
// there are that many 16 numbers of a head at a time, wide ones first: a line of
// values is then used whole. step writes what is done with a token's.
func values(f *file, n int, name, register string, size, perVector int, widths []int, about string, step func(vectors int)) {
	f.begin(name, valuesArgs, 40, about,
		"SI values of these numbers; DI weights; R8 bytes of a sum; R14 of a value;",
		"R15 numbers of a head left")
	f.op("MOVQ weights+0(FP), DI")
	f.op("MOVQ values+8(FP), AX")
	f.op("MOVQ sum+16(FP), DX")
	f.op("MOVQ dim+24(FP), R15")
	f.op("LEAQ (R15*4), R8")
	f.op("LEAQ (R15*2), R14")
	f.op("MOVQ $%d, R9", segmentStride)
	f.strides(n)
	for i, width := range widths {
		numbers := width * 16
		at := func(label string) string { return fmt.Sprintf("%s%s%d", name, label, numbers) }
		f.at(at("Numbers"))
		f.op("CMPQ R15, $%d", numbers)
		f.op("JLT %s", at("Done"))
		f.op("MOVQ DI, BX")
		f.op("MOVQ AX, SI")
		f.op("MOVQ tokens+32(FP), CX")
		vectors := width * 16 / perVector
		fetch(f, n, register, size, vectors)
		f.at(at("Token"))
		step(vectors)
		f.op("ADDQ R14, SI")
		f.op("ADDQ $4, BX")
		f.op("DECQ CX")
		f.op("JNZ %s", at("Token"))
		store(f, n, register, size, vectors)
		f.op("ADDQ $%d, AX", 2*numbers)
		f.op("ADDQ $%d, DX", 4*numbers)
		f.op("SUBQ $%d, R15", numbers)
		f.op("JMP %s", at("Numbers"))
		f.at(at("Done"))
		if i == len(widths)-1 {
			f.end()
		}
	}
}

func valuesAVX512(f *file, n int) {
	wide := min(4, 16/n)
	values(f, n, fmt.Sprintf("valuesx%dAVX512", n), "Z", 64, 16, []int{wide, 1}, "Z0-Z15 sums; Z16-Z19 one token's values;",
		func(vectors int) {
			for v := range vectors {
				f.op("VCVTPH2PS %d(SI), Z%d", 32*v, 16+v)
			}
			for t := range n {
				if vectors == 1 {
					f.op("VFMADD231PS.BCST %s, Z16, Z%d", row(t, 0), t)
					continue
				}
				f.op("VBROADCASTSS %s, Z20", row(t, 0))
				for v := range vectors {
					f.op("VFMADD231PS Z20, Z%d, Z%d", 16+v, t*vectors+v)
				}
			}
		})
}

func valuesAVX2(f *file, n int) {
	values(f, n, fmt.Sprintf("valuesx%dAVX2", n), "Y", 32, 8, []int{1}, "Y0-Y7 sums, two a query; Y8, Y9 one token's values; Y10 its weight;",
		func(vectors int) {
			for v := range vectors {
				f.op("VCVTPH2PS %d(SI), Y%d", 16*v, 8+v)
			}
			for t := range n {
				f.op("VBROADCASTSS %s, Y10", row(t, 0))
				for v := range vectors {
					f.op("VFMADD231PS Y10, Y%d, Y%d", 8+v, t*vectors+v)
				}
			}
		})
}

// fetch is the reverse of store.
func fetch(f *file, n int, register string, size, vectors int) {
	f.op("MOVQ DX, R13")
	for t := range n {
		for v := range vectors {
			f.op("VMOVUPS %d(R13), %s%d", size*v, register, t*vectors+v)
		}
		if t < n-1 {
			f.op("ADDQ R8, R13")
		}
	}
}
