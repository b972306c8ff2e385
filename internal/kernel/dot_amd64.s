//go:build !purego

#include "textflag.h"
#include "f32_amd64.h"

// Inner products and distances of float32 vectors.
//
// Every function sums in the same order, so that DotRows gives the bits of
// Dot: four accumulators take blocks of four registers, the first of them the
// single registers that are left and then the masked tail; they are added as
// (0+1)+(2+3) and the lanes of that in halves.
//
// Registers
//	SI, DI  the two vectors, moving (SI is the query in DotRows)
//	CX      elements left
//	AX      scratch
//	Z0-Z3   accumulators (Y0-Y3 in the AVX2 functions)
//	Z4-Z7   loaded elements
//	K1, Y15 mask of the tail

// SUM512 and SUM256 add four accumulators and their lanes into lane 0 of x.
#define SUM512(z, z1, z2, z3, y, x) \
	VADDPS z1, z, z   \
	VADDPS z3, z2, z2 \
	VADDPS z2, z, z   \
	LANES512(z, y, x, Y5, X5)

#define SUM256(y, y1, y2, y3, x) \
	VADDPS y1, y, y   \
	VADDPS y3, y2, y2 \
	VADDPS y2, y, y   \
	LANES256(y, x, X14)

// func dotAVX512(a, b []float32) float32
TEXT ·dotAVX512(SB), NOSPLIT, $0-52
	MOVQ   a_base+0(FP), SI
	MOVQ   a_len+8(FP), CX
	MOVQ   b_base+24(FP), DI
	VXORPS X0, X0, X0
	VXORPS X1, X1, X1
	VXORPS X2, X2, X2
	VXORPS X3, X3, X3
	SUBQ   $64, CX
	JL     ones

blocks:
	VMOVUPS     (SI), Z4
	VMOVUPS     64(SI), Z5
	VMOVUPS     128(SI), Z6
	VMOVUPS     192(SI), Z7
	VFMADD231PS (DI), Z4, Z0
	VFMADD231PS 64(DI), Z5, Z1
	VFMADD231PS 128(DI), Z6, Z2
	VFMADD231PS 192(DI), Z7, Z3
	ADDQ        $256, SI
	ADDQ        $256, DI
	SUBQ        $64, CX
	JGE         blocks

ones:
	ADDQ $48, CX // CX is now the elements left, less 16
	JL   rest

one:
	VMOVUPS     (SI), Z4
	VFMADD231PS (DI), Z4, Z0
	ADDQ        $64, SI
	ADDQ        $64, DI
	SUBQ        $16, CX
	JGE         one

rest:
	ADDQ $16, CX
	JZ   sum
	MASK512
	VMOVUPS.Z   (SI), K1, Z4
	VMOVUPS.Z   (DI), K1, Z5
	VFMADD231PS Z5, Z4, Z0

sum:
	SUM512(Z0, Z1, Z2, Z3, Y0, X0)
	VMOVSS X0, ret+48(FP)
	VZEROUPPER
	RET

// func dotAVX2(a, b []float32) float32
TEXT ·dotAVX2(SB), NOSPLIT, $0-52
	MOVQ   a_base+0(FP), SI
	MOVQ   a_len+8(FP), CX
	MOVQ   b_base+24(FP), DI
	VXORPS X0, X0, X0
	VXORPS X1, X1, X1
	VXORPS X2, X2, X2
	VXORPS X3, X3, X3
	SUBQ   $32, CX
	JL     ones

blocks:
	VMOVUPS     (SI), Y4
	VMOVUPS     32(SI), Y5
	VMOVUPS     64(SI), Y6
	VMOVUPS     96(SI), Y7
	VFMADD231PS (DI), Y4, Y0
	VFMADD231PS 32(DI), Y5, Y1
	VFMADD231PS 64(DI), Y6, Y2
	VFMADD231PS 96(DI), Y7, Y3
	ADDQ        $128, SI
	ADDQ        $128, DI
	SUBQ        $32, CX
	JGE         blocks

ones:
	ADDQ $24, CX // CX is now the elements left, less 8
	JL   rest

one:
	VMOVUPS     (SI), Y4
	VFMADD231PS (DI), Y4, Y0
	ADDQ        $32, SI
	ADDQ        $32, DI
	SUBQ        $8, CX
	JGE         one

rest:
	ADDQ $8, CX
	JZ   sum
	MASK256
	VMASKMOVPS  (SI), Y15, Y4
	VMASKMOVPS  (DI), Y15, Y5
	VFMADD231PS Y5, Y4, Y0

sum:
	SUM256(Y0, Y1, Y2, Y3, X0)
	VMOVSS X0, ret+48(FP)
	VZEROUPPER
	RET

// func l2AVX512(a, b []float32) float32
TEXT ·l2AVX512(SB), NOSPLIT, $0-52
	MOVQ   a_base+0(FP), SI
	MOVQ   a_len+8(FP), CX
	MOVQ   b_base+24(FP), DI
	VXORPS X0, X0, X0
	VXORPS X1, X1, X1
	VXORPS X2, X2, X2
	VXORPS X3, X3, X3
	SUBQ   $64, CX
	JL     ones

blocks:
	VMOVUPS     (SI), Z4
	VMOVUPS     64(SI), Z5
	VMOVUPS     128(SI), Z6
	VMOVUPS     192(SI), Z7
	VSUBPS      (DI), Z4, Z4
	VSUBPS      64(DI), Z5, Z5
	VSUBPS      128(DI), Z6, Z6
	VSUBPS      192(DI), Z7, Z7
	VFMADD231PS Z4, Z4, Z0
	VFMADD231PS Z5, Z5, Z1
	VFMADD231PS Z6, Z6, Z2
	VFMADD231PS Z7, Z7, Z3
	ADDQ        $256, SI
	ADDQ        $256, DI
	SUBQ        $64, CX
	JGE         blocks

ones:
	ADDQ $48, CX // CX is now the elements left, less 16
	JL   rest

one:
	VMOVUPS     (SI), Z4
	VSUBPS      (DI), Z4, Z4
	VFMADD231PS Z4, Z4, Z0
	ADDQ        $64, SI
	ADDQ        $64, DI
	SUBQ        $16, CX
	JGE         one

rest:
	ADDQ $16, CX
	JZ   sum
	MASK512
	VMOVUPS.Z   (SI), K1, Z4
	VMOVUPS.Z   (DI), K1, Z5
	VSUBPS      Z5, Z4, Z4
	VFMADD231PS Z4, Z4, Z0

sum:
	SUM512(Z0, Z1, Z2, Z3, Y0, X0)
	VMOVSS X0, ret+48(FP)
	VZEROUPPER
	RET

// func l2AVX2(a, b []float32) float32
TEXT ·l2AVX2(SB), NOSPLIT, $0-52
	MOVQ   a_base+0(FP), SI
	MOVQ   a_len+8(FP), CX
	MOVQ   b_base+24(FP), DI
	VXORPS X0, X0, X0
	VXORPS X1, X1, X1
	VXORPS X2, X2, X2
	VXORPS X3, X3, X3
	SUBQ   $32, CX
	JL     ones

blocks:
	VMOVUPS     (SI), Y4
	VMOVUPS     32(SI), Y5
	VMOVUPS     64(SI), Y6
	VMOVUPS     96(SI), Y7
	VSUBPS      (DI), Y4, Y4
	VSUBPS      32(DI), Y5, Y5
	VSUBPS      64(DI), Y6, Y6
	VSUBPS      96(DI), Y7, Y7
	VFMADD231PS Y4, Y4, Y0
	VFMADD231PS Y5, Y5, Y1
	VFMADD231PS Y6, Y6, Y2
	VFMADD231PS Y7, Y7, Y3
	ADDQ        $128, SI
	ADDQ        $128, DI
	SUBQ        $32, CX
	JGE         blocks

ones:
	ADDQ $24, CX // CX is now the elements left, less 8
	JL   rest

one:
	VMOVUPS     (SI), Y4
	VSUBPS      (DI), Y4, Y4
	VFMADD231PS Y4, Y4, Y0
	ADDQ        $32, SI
	ADDQ        $32, DI
	SUBQ        $8, CX
	JGE         one

rest:
	ADDQ $8, CX
	JZ   sum
	MASK256
	VMASKMOVPS  (SI), Y15, Y4
	VMASKMOVPS  (DI), Y15, Y5
	VSUBPS      Y5, Y4, Y4
	VFMADD231PS Y4, Y4, Y0

sum:
	SUM256(Y0, Y1, Y2, Y3, X0)
	VMOVSS X0, ret+48(FP)
	VZEROUPPER
	RET

// DotRows: besides SI (query, moving), DI (first row of the group, moving) and
// CX (elements left):
//
//	R8       bytes of a row, R9 three times that
//	R10      the query's start, R11 its length
//	BX       where the next result goes, R12 results left
//	Z8-Z23   accumulators, four a row; Z4-Z7 the query's elements

// ROW512 adds a block of 64 products of the row at offset row to its four
// accumulators; ROW256 a block of 32.
#define ROW512(o0, o1, o2, o3, a0, a1, a2, a3) \
	VFMADD231PS o0, Z4, a0 \
	VFMADD231PS o1, Z5, a1 \
	VFMADD231PS o2, Z6, a2 \
	VFMADD231PS o3, Z7, a3

#define ROW256(o0, o1, o2, o3, a0, a1, a2, a3) \
	VFMADD231PS o0, Y8, a0  \
	VFMADD231PS o1, Y9, a1  \
	VFMADD231PS o2, Y10, a2 \
	VFMADD231PS o3, Y11, a3

// func dotRowsAVX512(q, rows, out []float32)
TEXT ·dotRowsAVX512(SB), NOSPLIT, $0-72
	MOVQ q_base+0(FP), R10
	MOVQ q_len+8(FP), R11
	MOVQ rows_base+24(FP), DI
	MOVQ out_base+48(FP), BX
	MOVQ out_len+56(FP), R12
	LEAQ (R11*4), R8
	LEAQ (R8)(R8*2), R9
	SUBQ $4, R12
	JL   lastrows

fourrows:
	MOVQ   R10, SI
	MOVQ   R11, CX
	VXORPS X8, X8, X8
	VXORPS X9, X9, X9
	VXORPS X10, X10, X10
	VXORPS X11, X11, X11
	VXORPS X12, X12, X12
	VXORPS X13, X13, X13
	VXORPS X14, X14, X14
	VXORPS X15, X15, X15
	VPXORQ Z16, Z16, Z16
	VPXORQ Z17, Z17, Z17
	VPXORQ Z18, Z18, Z18
	VPXORQ Z19, Z19, Z19
	VPXORQ Z20, Z20, Z20
	VPXORQ Z21, Z21, Z21
	VPXORQ Z22, Z22, Z22
	VPXORQ Z23, Z23, Z23
	SUBQ   $64, CX
	JL     fourones

fourblocks:
	VMOVUPS (SI), Z4
	VMOVUPS 64(SI), Z5
	VMOVUPS 128(SI), Z6
	VMOVUPS 192(SI), Z7
	ROW512((DI), 64(DI), 128(DI), 192(DI), Z8, Z9, Z10, Z11)
	ROW512((DI)(R8*1), 64(DI)(R8*1), 128(DI)(R8*1), 192(DI)(R8*1), Z12, Z13, Z14, Z15)
	ROW512((DI)(R8*2), 64(DI)(R8*2), 128(DI)(R8*2), 192(DI)(R8*2), Z16, Z17, Z18, Z19)
	ROW512((DI)(R9*1), 64(DI)(R9*1), 128(DI)(R9*1), 192(DI)(R9*1), Z20, Z21, Z22, Z23)
	ADDQ $256, SI
	ADDQ $256, DI
	SUBQ $64, CX
	JGE  fourblocks

fourones:
	ADDQ $48, CX
	JL   fourrest

fourone:
	VMOVUPS     (SI), Z4
	VFMADD231PS (DI), Z4, Z8
	VFMADD231PS (DI)(R8*1), Z4, Z12
	VFMADD231PS (DI)(R8*2), Z4, Z16
	VFMADD231PS (DI)(R9*1), Z4, Z20
	ADDQ        $64, SI
	ADDQ        $64, DI
	SUBQ        $16, CX
	JGE         fourone

fourrest:
	ADDQ $16, CX
	JZ   foursum
	MASK512
	VMOVUPS.Z   (SI), K1, Z4
	VMOVUPS.Z   (DI), K1, Z5
	VFMADD231PS Z5, Z4, Z8
	VMOVUPS.Z   (DI)(R8*1), K1, Z5
	VFMADD231PS Z5, Z4, Z12
	VMOVUPS.Z   (DI)(R8*2), K1, Z5
	VFMADD231PS Z5, Z4, Z16
	VMOVUPS.Z   (DI)(R9*1), K1, Z5
	VFMADD231PS Z5, Z4, Z20
	LEAQ        (DI)(CX*4), DI

foursum:
	SUM512(Z8, Z9, Z10, Z11, Y8, X8)
	SUM512(Z12, Z13, Z14, Z15, Y12, X12)
	VADDPS Z17, Z16, Z16
	VADDPS Z19, Z18, Z18
	VADDPS Z18, Z16, Z0
	LANES512(Z0, Y0, X0, Y5, X5)
	VADDPS Z21, Z20, Z20
	VADDPS Z23, Z22, Z22
	VADDPS Z22, Z20, Z1
	LANES512(Z1, Y1, X1, Y5, X5)
	VMOVSS X8, (BX)
	VMOVSS X12, 4(BX)
	VMOVSS X0, 8(BX)
	VMOVSS X1, 12(BX)
	ADDQ   $16, BX
	ADDQ   R9, DI        // DI has passed one row: three more
	SUBQ   $4, R12
	JGE    fourrows

lastrows:
	ADDQ $4, R12
	JZ   done

row:
	MOVQ   R10, SI
	MOVQ   R11, CX
	VXORPS X8, X8, X8
	VXORPS X9, X9, X9
	VXORPS X10, X10, X10
	VXORPS X11, X11, X11
	SUBQ   $64, CX
	JL     ones

blocks:
	VMOVUPS (SI), Z4
	VMOVUPS 64(SI), Z5
	VMOVUPS 128(SI), Z6
	VMOVUPS 192(SI), Z7
	ROW512((DI), 64(DI), 128(DI), 192(DI), Z8, Z9, Z10, Z11)
	ADDQ $256, SI
	ADDQ $256, DI
	SUBQ $64, CX
	JGE  blocks

ones:
	ADDQ $48, CX
	JL   rest

one:
	VMOVUPS     (SI), Z4
	VFMADD231PS (DI), Z4, Z8
	ADDQ        $64, SI
	ADDQ        $64, DI
	SUBQ        $16, CX
	JGE         one

rest:
	ADDQ $16, CX
	JZ   sum
	MASK512
	VMOVUPS.Z   (SI), K1, Z4
	VMOVUPS.Z   (DI), K1, Z5
	VFMADD231PS Z5, Z4, Z8
	LEAQ        (DI)(CX*4), DI

sum:
	SUM512(Z8, Z9, Z10, Z11, Y8, X8)
	VMOVSS X8, (BX)
	ADDQ   $4, BX
	DECQ   R12
	JNZ    row

done:
	VZEROUPPER
	RET

// func dotRowsAVX2(q, rows, out []float32)
//
// Two rows at a time: Y0-Y3 and Y4-Y7 are their accumulators, Y8-Y11 the
// query's elements. An odd row at the end is taken as a pair with itself.
TEXT ·dotRowsAVX2(SB), NOSPLIT, $0-72
	MOVQ q_base+0(FP), R10
	MOVQ q_len+8(FP), R11
	MOVQ rows_base+24(FP), DI
	MOVQ out_base+48(FP), BX
	MOVQ out_len+56(FP), R12
	LEAQ (R11*4), R8
	MOVQ R8, R9          // bytes from a row to its partner

pair:
	CMPQ R12, $1
	JNE  two
	XORL R9, R9

two:
	MOVQ   R10, SI
	MOVQ   R11, CX
	VXORPS X0, X0, X0
	VXORPS X1, X1, X1
	VXORPS X2, X2, X2
	VXORPS X3, X3, X3
	VXORPS X4, X4, X4
	VXORPS X5, X5, X5
	VXORPS X6, X6, X6
	VXORPS X7, X7, X7
	SUBQ   $32, CX
	JL     ones

blocks:
	VMOVUPS (SI), Y8
	VMOVUPS 32(SI), Y9
	VMOVUPS 64(SI), Y10
	VMOVUPS 96(SI), Y11
	ROW256((DI), 32(DI), 64(DI), 96(DI), Y0, Y1, Y2, Y3)
	ROW256((DI)(R9*1), 32(DI)(R9*1), 64(DI)(R9*1), 96(DI)(R9*1), Y4, Y5, Y6, Y7)
	ADDQ $128, SI
	ADDQ $128, DI
	SUBQ $32, CX
	JGE  blocks

ones:
	ADDQ $24, CX
	JL   rest

one:
	VMOVUPS     (SI), Y8
	VFMADD231PS (DI), Y8, Y0
	VFMADD231PS (DI)(R9*1), Y8, Y4
	ADDQ        $32, SI
	ADDQ        $32, DI
	SUBQ        $8, CX
	JGE         one

rest:
	ADDQ $8, CX
	JZ   sum
	MASK256
	VMASKMOVPS  (SI), Y15, Y8
	VMASKMOVPS  (DI), Y15, Y9
	VFMADD231PS Y9, Y8, Y0
	VMASKMOVPS  (DI)(R9*1), Y15, Y9
	VFMADD231PS Y9, Y8, Y4
	LEAQ        (DI)(CX*4), DI

sum:
	SUM256(Y0, Y1, Y2, Y3, X0)
	SUM256(Y4, Y5, Y6, Y7, X4)
	VMOVSS X0, (BX)
	CMPQ   R12, $1
	JE     done
	VMOVSS X4, 4(BX)
	ADDQ   $8, BX
	ADDQ   R8, DI        // DI has passed one row: one more
	SUBQ   $2, R12
	JNZ    pair

done:
	VZEROUPPER
	RET

// Axpy: SI is x, DI is y, Z0 the factor in every lane.

// func axpyAVX512(s float32, x, y []float32)
TEXT ·axpyAVX512(SB), NOSPLIT, $0-56
	VBROADCASTSS s+0(FP), Z0
	MOVQ         x_base+8(FP), SI
	MOVQ         x_len+16(FP), CX
	MOVQ         y_base+32(FP), DI
	SUBQ         $16, CX
	JL           rest

one:
	VMOVUPS     (DI), Z1
	VFMADD231PS (SI), Z0, Z1
	VMOVUPS     Z1, (DI)
	ADDQ        $64, SI
	ADDQ        $64, DI
	SUBQ        $16, CX
	JGE         one

rest:
	ADDQ $16, CX
	JZ   done
	MASK512
	VMOVUPS.Z   (DI), K1, Z1
	VMOVUPS.Z   (SI), K1, Z2
	VFMADD231PS Z2, Z0, Z1
	VMOVUPS     Z1, K1, (DI)

done:
	VZEROUPPER
	RET

// func axpyAVX2(s float32, x, y []float32)
TEXT ·axpyAVX2(SB), NOSPLIT, $0-56
	VBROADCASTSS s+0(FP), Y0
	MOVQ         x_base+8(FP), SI
	MOVQ         x_len+16(FP), CX
	MOVQ         y_base+32(FP), DI
	SUBQ         $8, CX
	JL           rest

one:
	VMOVUPS     (DI), Y1
	VFMADD231PS (SI), Y0, Y1
	VMOVUPS     Y1, (DI)
	ADDQ        $32, SI
	ADDQ        $32, DI
	SUBQ        $8, CX
	JGE         one

rest:
	ADDQ $8, CX
	JZ   done
	MASK256
	VMASKMOVPS  (DI), Y15, Y1
	VMASKMOVPS  (SI), Y15, Y2
	VFMADD231PS Y2, Y0, Y1
	VMASKMOVPS  Y1, Y15, (DI)

done:
	VZEROUPPER
	RET
