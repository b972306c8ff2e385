//go:build !purego

#include "textflag.h"
#include "f32_amd64.h"

// Scans of scalar codes; scalarcodes.go has their layout.
//
// All take two codes at a time, sixteen bytes of each. For a last code that is
// alone the second is the same once more.
//
//	SI, DX    query and step, or weights; R12, R13 those of high nibbles
//	DI, BX    the two codes
//	R8        bytes of a code
//	R9        bytes to take
//	CX        byte
//	R10, R11  out, codes left
//	0, 1      sums
//	Z8        low nibbles

#define ARGUMENTS \
	MOVQ codes+16(FP), DI   \
	MOVQ size+24(FP), R8    \
	MOVQ whole+32(FP), R9   \
	MOVQ out_base+40(FP), R10 \
	MOVQ out_len+48(FP), R11 \
	SHLQ $4, R9

// The same without a step.
#define WEIGHTARGUMENTS \
	MOVQ codes+8(FP), DI    \
	MOVQ size+16(FP), R8    \
	MOVQ whole+24(FP), R9   \
	MOVQ out_base+32(FP), R10 \
	MOVQ out_len+40(FP), R11 \
	SHLQ $4, R9

// SECOND points BX at the second code.
#define SECOND \
	LEAQ    (DI)(R8*1), BX \
	CMPQ    R11, $1        \
	CMOVQEQ DI, BX         \
	XORQ    CX, CX

// NEXT goes to the next two codes.
#define NEXT \
	LEAQ  (DI)(R8*2), DI \
	ADDQ  $8, R10        \
	TESTQ R11, R11

// SQUARES and PRODUCTS add up the numbers in a and b.
#define SQUARES(q, step, a, b, sa, sb) \
	VCVTDQ2PS    a, a       \
	VCVTDQ2PS    b, b       \
	VFNMADD213PS q, step, a \
	VFNMADD213PS q, step, b \
	VFMADD231PS  a, a, sa   \
	VFMADD231PS  b, b, sb

#define PRODUCTS(w, a, b, sa, sb) \
	VCVTDQ2PS   a, a     \
	VCVTDQ2PS   b, b     \
	VFMADD231PS w, a, sa \
	VFMADD231PS w, b, sb

#define NIBBLEMASK \
	MOVL         $0x0f0f0f0f, AX \
	VMOVD        AX, X8          \
	VPBROADCASTD X8, X8

// NIBBLES loads sixteen bytes of each code: low halves in X4 and X5, high ones in X6 and X7.
#define NIBBLES \
	VMOVDQU (DI)(CX*1), X4 \
	VMOVDQU (BX)(CX*1), X5 \
	VPSRLW  $4, X4, X6     \
	VPSRLW  $4, X5, X7     \
	VPAND   X8, X4, X4     \
	VPAND   X8, X5, X5     \
	VPAND   X8, X6, X6     \
	VPAND   X8, X7, X7

// func l2BytesAVX512(q, step *float32, codes *byte, size, whole int, out []float32)
TEXT ·l2BytesAVX512(SB), NOSPLIT, $0-64
	MOVQ q+0(FP), SI
	MOVQ step+8(FP), DX
	ARGUMENTS

pair:
	SECOND
	VPXORD Z0, Z0, Z0
	VPXORD Z1, Z1, Z1

bytes:
	VPMOVZXBD (DI)(CX*1), Z4
	VPMOVZXBD (BX)(CX*1), Z5
	VMOVUPS (SI)(CX*4), Z2
	VMOVUPS (DX)(CX*4), Z3
	SQUARES(Z2, Z3, Z4, Z5, Z0, Z1)
	ADDQ $16, CX
	CMPQ CX, R9
	JLT bytes

	LANES512(Z0, Y0, X0, Y4, X4)
	LANES512(Z1, Y1, X1, Y5, X5)
	VMOVSS X0, (R10)
	SUBQ $2, R11
	JLT done
	VMOVSS X1, 4(R10)
	NEXT
	JNZ pair

done:
	VZEROUPPER
	RET

// func l2BytesAVX2(q, step *float32, codes *byte, size, whole int, out []float32)
TEXT ·l2BytesAVX2(SB), NOSPLIT, $0-64
	MOVQ q+0(FP), SI
	MOVQ step+8(FP), DX
	ARGUMENTS

pair:
	SECOND
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1

bytes:
	VPMOVZXBD (DI)(CX*1), Y4
	VPMOVZXBD (BX)(CX*1), Y5
	VMOVUPS (SI)(CX*4), Y2
	VMOVUPS (DX)(CX*4), Y3
	SQUARES(Y2, Y3, Y4, Y5, Y0, Y1)
	VPMOVZXBD 8(DI)(CX*1), Y4
	VPMOVZXBD 8(BX)(CX*1), Y5
	VMOVUPS 32(SI)(CX*4), Y2
	VMOVUPS 32(DX)(CX*4), Y3
	SQUARES(Y2, Y3, Y4, Y5, Y0, Y1)
	ADDQ $16, CX
	CMPQ CX, R9
	JLT bytes

	LANES256(Y0, X0, X4)
	LANES256(Y1, X1, X5)
	VMOVSS X0, (R10)
	SUBQ $2, R11
	JLT done
	VMOVSS X1, 4(R10)
	NEXT
	JNZ pair

done:
	VZEROUPPER
	RET

// func l2NibblesAVX512(q, step *float32, codes *byte, size, whole int, out []float32)
TEXT ·l2NibblesAVX512(SB), NOSPLIT, $0-64
	MOVQ q+0(FP), SI
	MOVQ step+8(FP), DX
	ARGUMENTS
	NIBBLEMASK
	LEAQ (SI)(R8*4), R12
	LEAQ (DX)(R8*4), R13

pair:
	SECOND
	VPXORD Z0, Z0, Z0
	VPXORD Z1, Z1, Z1

bytes:
	NIBBLES
	VPMOVZXBD X4, Z9
	VPMOVZXBD X5, Z10
	VMOVUPS (SI)(CX*4), Z2
	VMOVUPS (DX)(CX*4), Z3
	SQUARES(Z2, Z3, Z9, Z10, Z0, Z1)
	VPMOVZXBD X6, Z9
	VPMOVZXBD X7, Z10
	VMOVUPS (R12)(CX*4), Z2
	VMOVUPS (R13)(CX*4), Z3
	SQUARES(Z2, Z3, Z9, Z10, Z0, Z1)
	ADDQ $16, CX
	CMPQ CX, R9
	JLT bytes

	LANES512(Z0, Y0, X0, Y4, X4)
	LANES512(Z1, Y1, X1, Y5, X5)
	VMOVSS X0, (R10)
	SUBQ $2, R11
	JLT done
	VMOVSS X1, 4(R10)
	NEXT
	JNZ pair

done:
	VZEROUPPER
	RET

// func l2NibblesAVX2(q, step *float32, codes *byte, size, whole int, out []float32)
TEXT ·l2NibblesAVX2(SB), NOSPLIT, $0-64
	MOVQ q+0(FP), SI
	MOVQ step+8(FP), DX
	ARGUMENTS
	NIBBLEMASK
	LEAQ (SI)(R8*4), R12
	LEAQ (DX)(R8*4), R13

pair:
	SECOND
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1

bytes:
	NIBBLES
	VPMOVZXBD X4, Y9
	VPMOVZXBD X5, Y10
	VMOVUPS (SI)(CX*4), Y2
	VMOVUPS (DX)(CX*4), Y3
	SQUARES(Y2, Y3, Y9, Y10, Y0, Y1)
	VPSRLDQ $8, X4, X4
	VPSRLDQ $8, X5, X5
	VPMOVZXBD X4, Y9
	VPMOVZXBD X5, Y10
	VMOVUPS 32(SI)(CX*4), Y2
	VMOVUPS 32(DX)(CX*4), Y3
	SQUARES(Y2, Y3, Y9, Y10, Y0, Y1)
	VPMOVZXBD X6, Y9
	VPMOVZXBD X7, Y10
	VMOVUPS (R12)(CX*4), Y2
	VMOVUPS (R13)(CX*4), Y3
	SQUARES(Y2, Y3, Y9, Y10, Y0, Y1)
	VPSRLDQ $8, X6, X6
	VPSRLDQ $8, X7, X7
	VPMOVZXBD X6, Y9
	VPMOVZXBD X7, Y10
	VMOVUPS 32(R12)(CX*4), Y2
	VMOVUPS 32(R13)(CX*4), Y3
	SQUARES(Y2, Y3, Y9, Y10, Y0, Y1)
	ADDQ $16, CX
	CMPQ CX, R9
	JLT bytes

	LANES256(Y0, X0, X4)
	LANES256(Y1, X1, X5)
	VMOVSS X0, (R10)
	SUBQ $2, R11
	JLT done
	VMOVSS X1, 4(R10)
	NEXT
	JNZ pair

done:
	VZEROUPPER
	RET

// func dotBytesAVX512(w *float32, codes *byte, size, whole int, out []float32)
TEXT ·dotBytesAVX512(SB), NOSPLIT, $0-56
	MOVQ w+0(FP), SI
	WEIGHTARGUMENTS

pair:
	SECOND
	VPXORD Z0, Z0, Z0
	VPXORD Z1, Z1, Z1

bytes:
	VPMOVZXBD (DI)(CX*1), Z4
	VPMOVZXBD (BX)(CX*1), Z5
	VMOVUPS (SI)(CX*4), Z2
	PRODUCTS(Z2, Z4, Z5, Z0, Z1)
	ADDQ $16, CX
	CMPQ CX, R9
	JLT bytes

	LANES512(Z0, Y0, X0, Y4, X4)
	LANES512(Z1, Y1, X1, Y5, X5)
	VMOVSS X0, (R10)
	SUBQ $2, R11
	JLT done
	VMOVSS X1, 4(R10)
	NEXT
	JNZ pair

done:
	VZEROUPPER
	RET

// func dotBytesAVX2(w *float32, codes *byte, size, whole int, out []float32)
TEXT ·dotBytesAVX2(SB), NOSPLIT, $0-56
	MOVQ w+0(FP), SI
	WEIGHTARGUMENTS

pair:
	SECOND
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1

bytes:
	VPMOVZXBD (DI)(CX*1), Y4
	VPMOVZXBD (BX)(CX*1), Y5
	VMOVUPS (SI)(CX*4), Y2
	PRODUCTS(Y2, Y4, Y5, Y0, Y1)
	VPMOVZXBD 8(DI)(CX*1), Y4
	VPMOVZXBD 8(BX)(CX*1), Y5
	VMOVUPS 32(SI)(CX*4), Y2
	PRODUCTS(Y2, Y4, Y5, Y0, Y1)
	ADDQ $16, CX
	CMPQ CX, R9
	JLT bytes

	LANES256(Y0, X0, X4)
	LANES256(Y1, X1, X5)
	VMOVSS X0, (R10)
	SUBQ $2, R11
	JLT done
	VMOVSS X1, 4(R10)
	NEXT
	JNZ pair

done:
	VZEROUPPER
	RET

// func dotNibblesAVX512(w *float32, codes *byte, size, whole int, out []float32)
TEXT ·dotNibblesAVX512(SB), NOSPLIT, $0-56
	MOVQ w+0(FP), SI
	WEIGHTARGUMENTS
	NIBBLEMASK
	LEAQ (SI)(R8*4), R12

pair:
	SECOND
	VPXORD Z0, Z0, Z0
	VPXORD Z1, Z1, Z1

bytes:
	NIBBLES
	VPMOVZXBD X4, Z9
	VPMOVZXBD X5, Z10
	VMOVUPS (SI)(CX*4), Z2
	PRODUCTS(Z2, Z9, Z10, Z0, Z1)
	VPMOVZXBD X6, Z9
	VPMOVZXBD X7, Z10
	VMOVUPS (R12)(CX*4), Z2
	PRODUCTS(Z2, Z9, Z10, Z0, Z1)
	ADDQ $16, CX
	CMPQ CX, R9
	JLT bytes

	LANES512(Z0, Y0, X0, Y4, X4)
	LANES512(Z1, Y1, X1, Y5, X5)
	VMOVSS X0, (R10)
	SUBQ $2, R11
	JLT done
	VMOVSS X1, 4(R10)
	NEXT
	JNZ pair

done:
	VZEROUPPER
	RET

// func dotNibblesAVX2(w *float32, codes *byte, size, whole int, out []float32)
TEXT ·dotNibblesAVX2(SB), NOSPLIT, $0-56
	MOVQ w+0(FP), SI
	WEIGHTARGUMENTS
	NIBBLEMASK
	LEAQ (SI)(R8*4), R12

pair:
	SECOND
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1

bytes:
	NIBBLES
	VPMOVZXBD X4, Y9
	VPMOVZXBD X5, Y10
	VMOVUPS (SI)(CX*4), Y2
	PRODUCTS(Y2, Y9, Y10, Y0, Y1)
	VPSRLDQ $8, X4, X4
	VPSRLDQ $8, X5, X5
	VPMOVZXBD X4, Y9
	VPMOVZXBD X5, Y10
	VMOVUPS 32(SI)(CX*4), Y2
	PRODUCTS(Y2, Y9, Y10, Y0, Y1)
	VPMOVZXBD X6, Y9
	VPMOVZXBD X7, Y10
	VMOVUPS (R12)(CX*4), Y2
	PRODUCTS(Y2, Y9, Y10, Y0, Y1)
	VPSRLDQ $8, X6, X6
	VPSRLDQ $8, X7, X7
	VPMOVZXBD X6, Y9
	VPMOVZXBD X7, Y10
	VMOVUPS 32(R12)(CX*4), Y2
	PRODUCTS(Y2, Y9, Y10, Y0, Y1)
	ADDQ $16, CX
	CMPQ CX, R9
	JLT bytes

	LANES256(Y0, X0, X4)
	LANES256(Y1, X1, X5)
	VMOVSS X0, (R10)
	SUBQ $2, R11
	JLT done
	VMOVSS X1, 4(R10)
	NEXT
	JNZ pair

done:
	VZEROUPPER
	RET
