package kernel

import "fmt"

// BlockLen is the number of consecutive columns that the kernels of quantised
// matrices take at a time, and that activations share a scale in.
const BlockLen = 32

// superLen is the number of columns that share a scale in the K formats.
const superLen = 256

// Format is how a GGUF file stores a matrix's weights. Matrix multiplies every
// one without loss.
type Format int

// The formats. In a quantised one a weight is made from a quant q, a small
// integer, with a scale d and where there is one a minimum m, half-precision
// numbers that a block of weights shares:
//
//	Q8_0  d·q, q of 8 signed bits                    32 weights a block
//	Q4_0  d·(q−8)       Q5_0  d·(q−16)
//	Q4_1  d·q + m       Q5_1  d·q + m
//	IQ4_NL  d·table[q]
//
// and in the K formats, whose parts of 16 or 32 weights have a small integer
// scale s and minimum n of their own,
//
//	Q2_K  d·s·q − m·n, parts of 16                   256 weights a block
//	Q3_K  d·s·(q−4), parts of 16
//	Q4_K, Q5_K  d·s·q − m·n, parts of 32
//	Q6_K  d·s·(q−32), parts of 16
//	IQ4_XS  d·s·table[q], parts of 32
//
// The digit is the quants' bits.
const (
	F32 Format = iota
	F16
	BF16
	Q8_0
	Q4_0
	Q4_1
	Q5_0
	Q5_1
	Q2_K
	Q3_K
	Q4_K
	Q5_K
	Q6_K
	IQ4_NL
	IQ4_XS
)

// layout is what there is to know of a format: its blocks in a file, and the
// form in which a Matrix holds them.
type layout struct {
	name   string
	values int // weights in a block of the file
	bytes  int // bytes of such a block
	read   func(src []byte, u *fileBlock)

	// The packed form; see Matrix. A float format has bits alone.
	bits  int   // of a quant: 4, 5, 6 or 8
	zero  int32 // what is subtracted from a quant
	table bool  // a quant is an index into a table, whose numbers are quants with zero 128
	super bool  // scales are small integers, times what eight blocks share
	parts int   // scales in a block
	min   bool  // there are minima
}

// layouts is indexed by Format. Q3_K is held as Q2_K is, with four times the
// scale as the minimum: d·s·(q−4) = d·s·q − d·4s, all exact.
var layouts = [...]layout{
	F32:    {name: "F32", values: 1, bytes: 4, bits: 32},
	F16:    {name: "F16", values: 1, bytes: 2, bits: 16},
	BF16:   {name: "BF16", values: 1, bytes: 2, bits: 16},
	Q8_0:   {name: "Q8_0", values: 32, bytes: 2 + 32, read: readQ8_0, bits: 8, zero: 128, parts: 1},
	Q4_0:   {name: "Q4_0", values: 32, bytes: 2 + 16, read: readQ4_0, bits: 4, zero: 8, parts: 1},
	Q4_1:   {name: "Q4_1", values: 32, bytes: 2 + 2 + 16, read: readQ4_1, bits: 4, parts: 1, min: true},
	Q5_0:   {name: "Q5_0", values: 32, bytes: 2 + 4 + 16, read: readQ5_0, bits: 5, zero: 16, parts: 1},
	Q5_1:   {name: "Q5_1", values: 32, bytes: 2 + 2 + 4 + 16, read: readQ5_1, bits: 5, parts: 1, min: true},
	Q2_K:   {name: "Q2_K", values: 256, bytes: 16 + 64 + 2 + 2, read: readQ2_K, bits: 4, super: true, parts: 2, min: true},
	Q3_K:   {name: "Q3_K", values: 256, bytes: 32 + 64 + 12 + 2, read: readQ3_K, bits: 4, super: true, parts: 2, min: true},
	Q4_K:   {name: "Q4_K", values: 256, bytes: 2 + 2 + 12 + 128, read: readQ4_K, bits: 4, super: true, parts: 1, min: true},
	Q5_K:   {name: "Q5_K", values: 256, bytes: 2 + 2 + 12 + 32 + 128, read: readQ5_K, bits: 5, super: true, parts: 1, min: true},
	Q6_K:   {name: "Q6_K", values: 256, bytes: 128 + 64 + 16 + 2, read: readQ6_K, bits: 6, zero: 32, super: true, parts: 2},
	IQ4_NL: {name: "IQ4_NL", values: 32, bytes: 2 + 16, read: readIQ4_NL, bits: 4, table: true, zero: 128, parts: 1},
	IQ4_XS: {name: "IQ4_XS", values: 256, bytes: 2 + 2 + 4 + 128, read: readIQ4_XS, bits: 4, table: true, zero: 128, super: true, parts: 1},
}

// Formats returns every format.
func Formats() []Format {
	all := make([]Format, len(layouts))
	for i := range all {
		all[i] = Format(i)
	}
	return all
}

// ParseFormat returns the format that GGUF calls by a name such as "Q4_K".
func ParseFormat(name string) (Format, bool) {
	for f := range layouts {
		if layouts[f].name == name {
			return Format(f), true
		}
	}
	return 0, false
}

func (f Format) String() string {
	if f < 0 || int(f) >= len(layouts) {
		return fmt.Sprintf("Format(%d)", int(f))
	}
	return layouts[f].name
}

func (f Format) layout() *layout {
	if f < 0 || int(f) >= len(layouts) {
		panic("kernel: unknown matrix format " + f.String())
	}
	return &layouts[f]
}

// RowBytes returns the bytes that a row of n weights takes in a file, and false
// when it is not a whole number of blocks.
func (f Format) RowBytes(n int) (int, bool) {
	l := f.layout()
	return n / l.values * l.bytes, n >= 0 && n%l.values == 0
}

// quantised reports whether rows are multiplied as integers, with activations
// that Activations.Quantize has prepared.
func (l *layout) quantised() bool { return l.read != nil }

// header is the bytes of a group that eight blocks share: d of 16 rows, and m.
func (l *layout) header() int {
	if !l.super {
		return 0
	}
	return 2 * groupRows * (1 + l.minima())
}

// scales is the bytes of a block's scales and minima.
func (l *layout) scales() int {
	each := 2 // a half-precision number
	if l.super {
		each = 1
	}
	return each * groupRows * l.parts * (1 + l.minima())
}

// minima is 1 for a format with minima, else 0.
func (l *layout) minima() int {
	if l.min {
		return 1
	}
	return 0
}

// block is the bytes of a packed block of 32 columns and 16 rows.
func (l *layout) block() int { return l.scales() + l.bits*BlockLen*groupRows/8 }

// stretch is the bytes of a group for as many columns as a block of the file
// has.
func (l *layout) stretch() int {
	if !l.quantised() {
		return l.bytes * groupRows
	}
	return l.header() + l.values/BlockLen*l.block()
}

// groupBytes is the size of a group of packed rows of n columns.
func (l *layout) groupBytes(n int) int { return n / l.values * l.stretch() }
