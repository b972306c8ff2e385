package main

import (
	"fmt"
	"strings"
)

// Go's assembler knows few of NEON's arithmetic instructions. The ones it lacks
// are written as words, with what a disassembler makes of them as a comment
// (Arm Architecture Reference Manual for A-profile, section C7.2).

// word writes an instruction of which fields have been put in place.
func (f *file) word(code uint32, mnemonic string, args ...any) {
	f.op("WORD $0x%08x // %s", code, fmt.Sprintf(mnemonic, args...))
}

// three writes an instruction on whole registers: d from n and m.
func (f *file) three(code uint32, name string, d, n, m int) {
	f.word(code|uint32(m<<16|n<<5|d), "%s v%d.4s, v%d.4s, v%d.4s", name, d, n, m)
}

// element writes an instruction whose last operand is one of the four elements
// of m: the high bit of its index is bit 11, the low one bit 21.
func (f *file) element(code uint32, mnemonic string, d, n, m, index int) {
	f.word(code|uint32(index&1<<21|index>>1<<11|m<<16|n<<5|d), mnemonic, d, n, m, index)
}

// sdot adds to each of d's four sums the dot product of four bytes of n with
// the four of m's element.
func (f *file) sdot(d, n, m, index int) {
	f.element(0x4f80e000, "sdot v%d.4s, v%d.16b, v%d.4b[%d]", d, n, m, index)
}

func (f *file) fmulElement(d, n, m, index int) {
	f.element(0x4f809000, "fmul v%d.4s, v%d.4s, v%d.s[%d]", d, n, m, index)
}

// fmlaElement adds n times an element of m to d; fmlsElement subtracts it.
func (f *file) fmlaElement(d, n, m, index int) {
	f.element(0x4f801000, "fmla v%d.4s, v%d.4s, v%d.s[%d]", d, n, m, index)
}

func (f *file) fmlsElement(d, n, m, index int) {
	f.element(0x4f805000, "fmls v%d.4s, v%d.4s, v%d.s[%d]", d, n, m, index)
}

func (f *file) fmul(d, n, m int) { f.three(0x6e20dc00, "fmul", d, n, m) }
func (f *file) fadd(d, n, m int) { f.three(0x4e20d400, "fadd", d, n, m) }
func (f *file) fsub(d, n, m int) { f.three(0x4ea0d400, "fsub", d, n, m) }

func (f *file) fmla(d, n, m int) { f.three(0x4e20cc00, "fmla", d, n, m) }

// faddPairs adds neighbours: those of n, then those of m.
func (f *file) faddPairs(d, n, m int) { f.three(0x6e20d400, "faddp", d, n, m) }

// two writes an instruction of one operand, whose mnemonic has places for d
// and n.
func (f *file) two(code uint32, mnemonic string, d, n int) {
	f.word(code|uint32(n<<5|d), mnemonic, d, n)
}

// floats converts four signed integers.
func (f *file) floats(d, n int) { f.two(0x4e21d800, "scvtf v%d.4s, v%d.4s", d, n) }

// widen makes float32 of the lower or the upper four half-precision numbers.
func (f *file) widen(d, n int)      { f.two(0x0e217800, "fcvtl v%d.4s, v%d.4h", d, n) }
func (f *file) widenUpper(d, n int) { f.two(0x4e217800, "fcvtl2 v%d.4s, v%d.8h", d, n) }

// extend makes four signed words of each four signed bytes of a register: d to
// d+3 from n, through the registers d and d+2.
func (f *file) extend(d, n int) {
	f.two(0x4f08a400, "sxtl2 v%d.8h, v%d.16b", d+2, n)
	f.two(0x0f08a400, "sxtl v%d.8h, v%d.8b", d, n)
	for _, half := range []int{d, d + 2} {
		f.two(0x4f10a400, "sxtl2 v%d.4s, v%d.8h", half+1, half)
		f.two(0x0f10a400, "sxtl v%d.4s, v%d.4h", half, half)
	}
}

// list writes registers from the first on: the operand of loads and stores.
func list(first, n int, shape string) string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("V%d.%s", first+i, shape)
	}
	return "[" + strings.Join(names, ", ") + "]"
}

// halves16 loads 16 half-precision numbers as float32, into d to d+3.
func (f *file) halves16(d int, from string) {
	f.op("VLD1%s, %s", from, list(d, 2, "H8"))
	f.widenUpper(d+3, d+1)
	f.widen(d+2, d+1)
	f.widenUpper(d+1, d)
	f.widen(d, d)
}

// zero clears registers.
func (f *file) zero(first, n int) {
	for i := first; i < first+n; i++ {
		f.op("VEOR V%d.B16, V%d.B16, V%d.B16", i, i, i)
	}
}
