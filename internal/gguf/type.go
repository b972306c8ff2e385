package gguf

import "fmt"

// Type is how the numbers of a tensor are stored. The values are the file's.
type Type uint32

// The types that the format defines. Q4_0 is 4-bit with a scale, Q4_1 4-bit
// with a scale and a minimum, and so on; the K types put 256 numbers into a
// block with scales for its parts; the IQ types index codebooks.
const (
	F32    Type = 0
	F16    Type = 1
	Q4_0   Type = 2
	Q4_1   Type = 3
	Q5_0   Type = 6
	Q5_1   Type = 7
	Q8_0   Type = 8
	Q8_1   Type = 9
	Q2K    Type = 10
	Q3K    Type = 11
	Q4K    Type = 12
	Q5K    Type = 13
	Q6K    Type = 14
	Q8K    Type = 15
	IQ2XXS Type = 16
	IQ2XS  Type = 17
	IQ3XXS Type = 18
	IQ1S   Type = 19
	IQ4NL  Type = 20
	IQ3S   Type = 21
	IQ2S   Type = 22
	IQ4XS  Type = 23
	I8     Type = 24
	I16    Type = 25
	I32    Type = 26
	I64    Type = 27
	F64    Type = 28
	IQ1M   Type = 29
	BF16   Type = 30
	TQ1_0  Type = 34
	TQ2_0  Type = 35
	MXFP4  Type = 39
	NVFP4  Type = 40
	Q1_0   Type = 41
	Q2_0   Type = 42
)

// layout is a type's name and the size of its blocks.
type layout struct {
	name   string
	values int // numbers in a block
	bytes  int // bytes of a block
}

// layouts lists every type that the format defines, by its number. Each size
// is spelled as the sum of the block's fields, in their order.
var layouts = map[Type]layout{
	F32:    {"F32", 1, 4},
	F16:    {"F16", 1, 2},
	Q4_0:   {"Q4_0", 32, 2 + 16},
	Q4_1:   {"Q4_1", 32, 2 + 2 + 16},
	Q5_0:   {"Q5_0", 32, 2 + 4 + 16},
	Q5_1:   {"Q5_1", 32, 2 + 2 + 4 + 16},
	Q8_0:   {"Q8_0", 32, 2 + 32},
	Q8_1:   {"Q8_1", 32, 2 + 2 + 32},
	Q2K:    {"Q2_K", 256, 16 + 64 + 2 + 2},
	Q3K:    {"Q3_K", 256, 32 + 64 + 12 + 2},
	Q4K:    {"Q4_K", 256, 2 + 2 + 12 + 128},
	Q5K:    {"Q5_K", 256, 2 + 2 + 12 + 32 + 128},
	Q6K:    {"Q6_K", 256, 128 + 64 + 16 + 2},
	Q8K:    {"Q8_K", 256, 4 + 256 + 32},
	IQ2XXS: {"IQ2_XXS", 256, 2 + 64},
	IQ2XS:  {"IQ2_XS", 256, 2 + 64 + 8},
	IQ3XXS: {"IQ3_XXS", 256, 2 + 64 + 32},
	IQ1S:   {"IQ1_S", 256, 2 + 32 + 16},
	IQ4NL:  {"IQ4_NL", 32, 2 + 16},
	IQ3S:   {"IQ3_S", 256, 2 + 64 + 8 + 32 + 4},
	IQ2S:   {"IQ2_S", 256, 2 + 64 + 8 + 8},
	IQ4XS:  {"IQ4_XS", 256, 2 + 2 + 4 + 128},
	I8:     {"I8", 1, 1},
	I16:    {"I16", 1, 2},
	I32:    {"I32", 1, 4},
	I64:    {"I64", 1, 8},
	F64:    {"F64", 1, 8},
	IQ1M:   {"IQ1_M", 256, 32 + 16 + 8},
	BF16:   {"BF16", 1, 2},
	TQ1_0:  {"TQ1_0", 256, 48 + 4 + 2},
	TQ2_0:  {"TQ2_0", 256, 64 + 2},
	MXFP4:  {"MXFP4", 32, 1 + 16},
	NVFP4:  {"NVFP4", 64, 4 + 32},
	Q1_0:   {"Q1_0", 128, 2 + 16},
	Q2_0:   {"Q2_0", 64, 2 + 16},
}

// String returns the type's name as ggml spells it, such as "Q4_K".
func (t Type) String() string {
	if l, ok := layouts[t]; ok {
		return l.name
	}
	return fmt.Sprintf("tensor type %d", uint32(t))
}

// Block returns how many numbers a block of the type holds and how many bytes
// it takes; plain types have blocks of one. It is 0, 0 for an unknown type.
func (t Type) Block() (values, bytes int) {
	l := layouts[t]
	return l.values, l.bytes
}

// RowBytes returns the bytes of a row of n numbers, and false where n is not a
// whole number of blocks, the type is unknown, or the product overflows.
func (t Type) RowBytes(n int) (int, bool) {
	l, ok := layouts[t]
	if !ok || n < 0 || n%l.values != 0 {
		return 0, false
	}
	return product(n/l.values, l.bytes)
}

// product multiplies two counts that are not negative, and reports whether the
// result fits.
func product(a, b int) (int, bool) {
	if a == 0 || b == 0 {
		return 0, true
	}
	p := a * b
	return p, p/b == a && p > 0
}
