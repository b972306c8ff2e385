//go:build !purego

#include "textflag.h"
#include "f32_amd64.h"

// Distances of one vector to rows anywhere in a slab. Sums are taken in the order of
// l2AVX512.
//
//	SI, CX          the query, elements of it left; R10, R11 where it begins, how many it has
//	DI, R8, R9, R13 four rows
//	BX, R12         their numbers, how many are left
//	DX              where the slab begins
//	R14             the next distance
//	AX              scratch
//	Z8-Z11, Z12-Z15, Z16-Z19, Z20-Z23  accumulators of the rows
//	Z4-Z7           loaded elements of the query
//	Z24-Z27         differences
//	K1              mask of the tail

// FOURL2 takes 64 elements of one row.
#define FOURL2(row, a0, a1, a2, a3) \
	VSUBPS      (row), Z4, Z24     \
	VSUBPS      64(row), Z5, Z25   \
	VSUBPS      128(row), Z6, Z26  \
	VSUBPS      192(row), Z7, Z27  \
	VFMADD231PS Z24, Z24, a0       \
	VFMADD231PS Z25, Z25, a1       \
	VFMADD231PS Z26, Z26, a2       \
	VFMADD231PS Z27, Z27, a3       \
	ADDQ        $256, row

// ONEL2 takes 16.
#define ONEL2(row, a0) \
	VSUBPS      (row), Z4, Z24 \
	VFMADD231PS Z24, Z24, a0   \
	ADDQ        $64, row

// RESTL2 takes those in K1.
#define RESTL2(row, a0) \
	VMOVUPS.Z   (row), K1, Z24 \
	VSUBPS      Z24, Z4, Z24   \
	VFMADD231PS Z24, Z24, a0

// ROW points at the next row.
#define ROW(at, row) \
	MOVL  at(BX), row \
	IMULQ R11, row    \
	LEAQ  (DX)(row*4), row

// SUMROW adds a row's accumulators into a distance.
#define SUMROW(a0, a1, a2, a3, at) \
	VADDPS a1, a0, Z0 \
	VADDPS a3, a2, Z1 \
	VADDPS Z1, Z0, Z0 \
	LANES512(Z0, Y0, X0, Y5, X5) \
	VMOVSS X0, at(R14)

// func l2FourRowsAVX512(q []float32, slab *float32, rows []uint32, out *float32)
TEXT ·l2FourRowsAVX512(SB), NOSPLIT, $0-64
	MOVQ q_base+0(FP), R10
	MOVQ q_len+8(FP), R11
	MOVQ slab+24(FP), DX
	MOVQ rows_base+32(FP), BX
	MOVQ rows_len+40(FP), R12
	MOVQ out+56(FP), R14

four:
	ROW(0, DI)
	ROW(4, R8)
	ROW(8, R9)
	ROW(12, R13)
	MOVQ   R10, SI
	MOVQ   R11, CX
	VPXORQ Z8, Z8, Z8
	VPXORQ Z9, Z9, Z9
	VPXORQ Z10, Z10, Z10
	VPXORQ Z11, Z11, Z11
	VPXORQ Z12, Z12, Z12
	VPXORQ Z13, Z13, Z13
	VPXORQ Z14, Z14, Z14
	VPXORQ Z15, Z15, Z15
	VPXORQ Z16, Z16, Z16
	VPXORQ Z17, Z17, Z17
	VPXORQ Z18, Z18, Z18
	VPXORQ Z19, Z19, Z19
	VPXORQ Z20, Z20, Z20
	VPXORQ Z21, Z21, Z21
	VPXORQ Z22, Z22, Z22
	VPXORQ Z23, Z23, Z23
	SUBQ   $64, CX
	JL     ones

blocks:
	VMOVUPS (SI), Z4
	VMOVUPS 64(SI), Z5
	VMOVUPS 128(SI), Z6
	VMOVUPS 192(SI), Z7
	FOURL2(DI, Z8, Z9, Z10, Z11)
	FOURL2(R8, Z12, Z13, Z14, Z15)
	FOURL2(R9, Z16, Z17, Z18, Z19)
	FOURL2(R13, Z20, Z21, Z22, Z23)
	ADDQ    $256, SI
	SUBQ    $64, CX
	JGE     blocks

ones:
	ADDQ $48, CX // CX is now the elements left, less 16
	JL   rest

one:
	VMOVUPS (SI), Z4
	ONEL2(DI, Z8)
	ONEL2(R8, Z12)
	ONEL2(R9, Z16)
	ONEL2(R13, Z20)
	ADDQ    $64, SI
	SUBQ    $16, CX
	JGE     one

rest:
	ADDQ      $16, CX
	JZ        sum
	MASK512
	VMOVUPS.Z (SI), K1, Z4
	RESTL2(DI, Z8)
	RESTL2(R8, Z12)
	RESTL2(R9, Z16)
	RESTL2(R13, Z20)

sum:
	SUMROW(Z8, Z9, Z10, Z11, 0)
	SUMROW(Z12, Z13, Z14, Z15, 4)
	SUMROW(Z16, Z17, Z18, Z19, 8)
	SUMROW(Z20, Z21, Z22, Z23, 12)
	ADDQ $16, BX
	ADDQ $16, R14
	SUBQ $4, R12
	JNZ  four
	VZEROUPPER
	RET
