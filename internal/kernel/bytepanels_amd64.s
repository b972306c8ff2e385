//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// Tiles of a product in eight bits.
//
// A tile keeps all of its sums in registers and walks down k once, four rows of
// the panel at a time: they are loaded, and every row of a contributes four
// bytes, spread over a register, whose products with the bytes of each column
// are added to the column's sum.
//
// Registers
//	AX       rows
//	CX       numbers of k left, in fours
//	R8-R11   the next four bytes of rows 0, 3, 6 and 9 of a
//	R12      bytes from a row of a to the next; R8+R12 is row 1, R8+2·R12 row 2
//	BX       the next four rows of the panel
//	SI       the rows' scales and starts
//	DI, R13  the row of the results, and bytes to the next
//	Z0-Z23   sums, two registers a row (Y0-Y7 in the AVX2 tile)
//	Z24, Z25 four rows of the panel (Y8, Y9; Y10 and Y11 their magnitudes)
//	Z26      four bytes of a (Y12)
//	Z28-Z31  scales and bias of the columns

// ARGUMENTS loads the tile's fields.
#define ARGUMENTS \
	MOVQ t+0(FP), DX               \
	MOVQ byteTile_rows(DX), AX     \
	MOVQ byteTile_k(DX), CX        \
	MOVQ byteTile_a(DX), R8        \
	MOVQ byteTile_aStride(DX), R12 \
	MOVQ byteTile_meta(DX), SI     \
	MOVQ byteTile_b(DX), BX        \
	MOVQ byteTile_c(DX), DI        \
	MOVQ byteTile_cStride(DX), R13 \
	SHRQ $2, CX                    \
	SHLQ $2, R13                   \
	LEAQ (R12)(R12*2), R11         \
	LEAQ (R8)(R11*1), R9           \
	LEAQ (R9)(R11*1), R10          \
	ADDQ R10, R11

// ROW adds the products of four bytes of a with four rows of the panel.
#define ROW(number, lo, hi) \
	VPBROADCASTD number, Z26   \
	VPDPBUSD     Z26, Z24, lo  \
	VPDPBUSD     Z26, Z25, hi

// PANEL loads four rows of the panel and asks for those that come forty rows
// later: a panel may lie in a far cache, and its first reader waits for it.
#define PANEL \
	VMOVDQU32  (BX), Z24   \
	VMOVDQU32  64(BX), Z25 \
	PREFETCHT0 1280(BX)    \
	PREFETCHT0 1344(BX)    \
	ADDQ       $128, BX

// ROWSn is ROW for the first n rows.
#define ROWS1 ROW((R8), Z0, Z1)
#define ROWS2 ROWS1; ROW((R8)(R12*1), Z2, Z3)
#define ROWS3 ROWS2; ROW((R8)(R12*2), Z4, Z5)
#define ROWS4 ROWS3; ROW((R9), Z6, Z7)
#define ROWS5 ROWS4; ROW((R9)(R12*1), Z8, Z9)
#define ROWS6 ROWS5; ROW((R9)(R12*2), Z10, Z11)
#define ROWS7 ROWS6; ROW((R10), Z12, Z13)
#define ROWS8 ROWS7; ROW((R10)(R12*1), Z14, Z15)
#define ROWS9 ROWS8; ROW((R10)(R12*2), Z16, Z17)
#define ROWS10 ROWS9; ROW((R11), Z18, Z19)
#define ROWS11 ROWS10; ROW((R11)(R12*1), Z20, Z21)
#define ROWS12 ROWS11; ROW((R11)(R12*2), Z22, Z23)

// NEXTn moves the first 3·n row pointers to the next four bytes.
#define NEXT1 ADDQ $4, R8
#define NEXT2 NEXT1; ADDQ $4, R9
#define NEXT3 NEXT2; ADDQ $4, R10
#define NEXT4 NEXT3; ADDQ $4, R11

// STORE writes a row of results and ends after the last: the sums, less what the
// panel's bytes have too much, by the scales, plus the bias.
#define STORE(lo, hi) \
	VPADDD.BCST  4(SI), lo, lo  \
	VPADDD.BCST  4(SI), hi, hi  \
	VCVTDQ2PS    lo, lo         \
	VCVTDQ2PS    hi, hi         \
	VMULPS.BCST  (SI), Z28, Z24 \
	VMULPS.BCST  (SI), Z29, Z25 \
	VMULPS       Z24, lo, lo    \
	VMULPS       Z25, hi, hi    \
	VADDPS       Z30, lo, lo    \
	VADDPS       Z31, hi, hi    \
	VMOVUPS      lo, (DI)       \
	VMOVUPS      hi, 64(DI)     \
	ADDQ         $8, SI         \
	ADDQ         R13, DI        \
	DECQ         AX             \
	JZ           done

// func byteTileAVX512(t *byteTile)
TEXT ·byteTileAVX512(SB), NOSPLIT, $0-8
	ARGUMENTS
	MOVQ    byteTile_scales(DX), R14
	VMOVUPS (R14), Z28
	VMOVUPS 64(R14), Z29
	MOVQ    byteTile_bias(DX), R14
	VMOVUPS (R14), Z30
	VMOVUPS 64(R14), Z31
	VPXORD  Z0, Z0, Z0
	VPXORD  Z1, Z1, Z1
	VPXORD  Z2, Z2, Z2
	VPXORD  Z3, Z3, Z3
	VPXORD  Z4, Z4, Z4
	VPXORD  Z5, Z5, Z5
	VPXORD  Z6, Z6, Z6
	VPXORD  Z7, Z7, Z7
	VPXORD  Z8, Z8, Z8
	VPXORD  Z9, Z9, Z9
	VPXORD  Z10, Z10, Z10
	VPXORD  Z11, Z11, Z11
	VPXORD  Z12, Z12, Z12
	VPXORD  Z13, Z13, Z13
	VPXORD  Z14, Z14, Z14
	VPXORD  Z15, Z15, Z15
	VPXORD  Z16, Z16, Z16
	VPXORD  Z17, Z17, Z17
	VPXORD  Z18, Z18, Z18
	VPXORD  Z19, Z19, Z19
	VPXORD  Z20, Z20, Z20
	VPXORD  Z21, Z21, Z21
	VPXORD  Z22, Z22, Z22
	VPXORD  Z23, Z23, Z23
	CMPQ AX, $12
	JEQ  k12
	CMPQ AX, $11
	JEQ  k11
	CMPQ AX, $10
	JEQ  k10
	CMPQ AX, $9
	JEQ  k9
	CMPQ AX, $8
	JEQ  k8
	CMPQ AX, $7
	JEQ  k7
	CMPQ AX, $6
	JEQ  k6
	CMPQ AX, $5
	JEQ  k5
	CMPQ AX, $4
	JEQ  k4
	CMPQ AX, $3
	JEQ  k3
	CMPQ AX, $2
	JEQ  k2

k1:
	PANEL
	ROWS1
	NEXT1
	DECQ CX
	JNZ  k1
	JMP  store

k2:
	PANEL
	ROWS2
	NEXT1
	DECQ CX
	JNZ  k2
	JMP  store

k3:
	PANEL
	ROWS3
	NEXT1
	DECQ CX
	JNZ  k3
	JMP  store

k4:
	PANEL
	ROWS4
	NEXT2
	DECQ CX
	JNZ  k4
	JMP  store

k5:
	PANEL
	ROWS5
	NEXT2
	DECQ CX
	JNZ  k5
	JMP  store

k6:
	PANEL
	ROWS6
	NEXT2
	DECQ CX
	JNZ  k6
	JMP  store

k7:
	PANEL
	ROWS7
	NEXT3
	DECQ CX
	JNZ  k7
	JMP  store

k8:
	PANEL
	ROWS8
	NEXT3
	DECQ CX
	JNZ  k8
	JMP  store

k9:
	PANEL
	ROWS9
	NEXT3
	DECQ CX
	JNZ  k9
	JMP  store

k10:
	PANEL
	ROWS10
	NEXT4
	DECQ CX
	JNZ  k10
	JMP  store

k11:
	PANEL
	ROWS11
	NEXT4
	DECQ CX
	JNZ  k11
	JMP  store

k12:
	PANEL
	ROWS12
	NEXT4
	DECQ CX
	JNZ  k12

store:
	STORE(Z0, Z1)
	STORE(Z2, Z3)
	STORE(Z4, Z5)
	STORE(Z6, Z7)
	STORE(Z8, Z9)
	STORE(Z10, Z11)
	STORE(Z12, Z13)
	STORE(Z14, Z15)
	STORE(Z16, Z17)
	STORE(Z18, Z19)
	STORE(Z20, Z21)
	STORE(Z22, Z23)

done:
	VZEROUPPER
	RET

// The AVX2 tile: four rows of sixteen columns, half a panel. Its instruction
// multiplies unsigned by signed bytes and adds pairs in sixteen bits, which only
// bytes of at most 127 cannot overflow: so the panel's numbers give their
// magnitudes, and their signs to the bytes of a.
//
//	Y13      products
//	Y14, Y15 ones of sixteen bits; 128 in every byte

#define HALFY(w, magnitude, sum) \
	VPSIGNB    w, Y12, Y13         \
	VPMADDUBSW Y13, magnitude, Y13 \
	VPMADDWD   Y14, Y13, Y13       \
	VPADDD     Y13, sum, sum

#define ROWY(number, lo, hi) \
	VPBROADCASTD number, Y12 \
	HALFY(Y8, Y10, lo)       \
	HALFY(Y9, Y11, hi)

#define PANELY \
	VPXOR      (BX), Y15, Y8   \
	VPXOR      32(BX), Y15, Y9 \
	VPABSB     Y8, Y10         \
	VPABSB     Y9, Y11         \
	PREFETCHT0 1280(BX)        \
	ADDQ       $128, BX

#define ROWSY1 ROWY((R8), Y0, Y1)
#define ROWSY2 ROWSY1; ROWY((R8)(R12*1), Y2, Y3)
#define ROWSY3 ROWSY2; ROWY((R8)(R12*2), Y4, Y5)
#define ROWSY4 ROWSY3; ROWY((R9), Y6, Y7)

#define STOREY(lo, hi) \
	VBROADCASTSS (SI), Y12     \
	VCVTDQ2PS    lo, lo        \
	VCVTDQ2PS    hi, hi        \
	VMULPS       Y12, Y8, Y13  \
	VMULPS       Y12, Y9, Y12  \
	VMULPS       Y13, lo, lo   \
	VMULPS       Y12, hi, hi   \
	VADDPS       Y10, lo, lo   \
	VADDPS       Y11, hi, hi   \
	VMOVUPS      lo, (DI)      \
	VMOVUPS      hi, 32(DI)    \
	ADDQ         $8, SI        \
	ADDQ         R13, DI       \
	DECQ         AX            \
	JZ           done

// func byteTileAVX2(t *byteTile)
TEXT ·byteTileAVX2(SB), NOSPLIT, $0-8
	ARGUMENTS
	VPCMPEQW Y14, Y14, Y14
	VPSRLW   $15, Y14, Y14
	VPACKUSWB Y14, Y14, Y15 // ones in every byte
	VPSLLW   $7, Y15, Y15
	VPXOR    Y0, Y0, Y0
	VPXOR    Y1, Y1, Y1
	VPXOR    Y2, Y2, Y2
	VPXOR    Y3, Y3, Y3
	VPXOR    Y4, Y4, Y4
	VPXOR    Y5, Y5, Y5
	VPXOR    Y6, Y6, Y6
	VPXOR    Y7, Y7, Y7
	CMPQ AX, $4
	JEQ  k4
	CMPQ AX, $3
	JEQ  k3
	CMPQ AX, $2
	JEQ  k2

k1:
	PANELY
	ROWSY1
	NEXT1
	DECQ CX
	JNZ  k1
	JMP  store

k2:
	PANELY
	ROWSY2
	NEXT1
	DECQ CX
	JNZ  k2
	JMP  store

k3:
	PANELY
	ROWSY3
	NEXT1
	DECQ CX
	JNZ  k3
	JMP  store

k4:
	PANELY
	ROWSY4
	NEXT2
	DECQ CX
	JNZ  k4

store:
	MOVQ    byteTile_scales(DX), BX
	VMOVUPS (BX), Y8
	VMOVUPS 32(BX), Y9
	MOVQ    byteTile_bias(DX), BX
	VMOVUPS (BX), Y10
	VMOVUPS 32(BX), Y11
	STOREY(Y0, Y1)
	STOREY(Y2, Y3)
	STOREY(Y4, Y5)
	STOREY(Y6, Y7)

done:
	VZEROUPPER
	RET
