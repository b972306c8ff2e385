//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// Tiles of a float32 matrix product.
//
// A tile keeps all of its results in registers and walks down k once: a row of
// the panel is loaded, and every row of a contributes one number, spread over a
// register, that is multiplied with it and added. The order of the additions is
// that of k, whatever the tile's height.
//
// Registers
//	AX       rows
//	CX       numbers of k left
//	R8-R11   the next number of rows 0, 3, 6 and 9 of a
//	R12      bytes from a row of a to the next; R8+R12 is row 1, R8+2·R12 row 2
//	BX       the next row of the panel
//	SI       the bias
//	DI, R13  the row of the results, and bytes to the next
//	Z0-Z23   results, two registers a row (Y0-Y11 in the AVX2 tile)
//	Z24, Z25 the row of the panel (Y12, Y13)
//	Z26      the number of a (Y14)
//
// There is one loop for every height. Twelve rows need 24 results, 2 registers
// for the panel and 1 for a: enough independent chains for any multiplier, and
// one load for each pair of multiplications.

// ARGUMENTS loads the tile's fields.
#define ARGUMENTS \
	MOVQ t+0(FP), DX           \
	MOVQ tile_rows(DX), AX     \
	MOVQ tile_k(DX), CX        \
	MOVQ tile_a(DX), R8        \
	MOVQ tile_aStride(DX), R12 \
	MOVQ tile_b(DX), BX        \
	MOVQ tile_bias(DX), SI     \
	MOVQ tile_c(DX), DI        \
	MOVQ tile_cStride(DX), R13 \
	SHLQ $2, R12               \
	SHLQ $2, R13

// ROW adds the products of one number of a with a row of the panel.
#define ROW(number, lo, hi) \
	VBROADCASTSS number, Z26  \
	VFMADD231PS  Z24, Z26, lo \
	VFMADD231PS  Z25, Z26, hi

// PANEL loads a row of the panel and asks for one that comes ten rows later:
// a panel may lie in a far cache, and its first reader waits for it.
#define PANEL \
	VMOVUPS     (BX), Z24    \
	VMOVUPS     64(BX), Z25  \
	PREFETCHT0  1280(BX)     \
	PREFETCHT0  1344(BX)     \
	ADDQ        $128, BX

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

// NEXTn moves the first n row pointers to the next number.
#define NEXT1 ADDQ $4, R8
#define NEXT2 NEXT1; ADDQ $4, R9
#define NEXT3 NEXT2; ADDQ $4, R10
#define NEXT4 NEXT3; ADDQ $4, R11

// STORE writes a row of results and ends after the last.
#define STORE(lo, hi) \
	VMOVUPS lo, (DI)   \
	VMOVUPS hi, 64(DI) \
	ADDQ    R13, DI    \
	DECQ    AX         \
	JZ      done

// func tileAVX512(t *tile)
TEXT ·tileAVX512(SB), NOSPLIT, $0-8
	ARGUMENTS
	LEAQ    (R12)(R12*2), DX
	LEAQ    (R8)(DX*1), R9
	LEAQ    (R9)(DX*1), R10
	LEAQ    (R10)(DX*1), R11
	VMOVUPS (SI), Z0
	VMOVUPS 64(SI), Z1
	VMOVAPS Z0, Z2
	VMOVAPS Z1, Z3
	VMOVAPS Z0, Z4
	VMOVAPS Z1, Z5
	VMOVAPS Z0, Z6
	VMOVAPS Z1, Z7
	VMOVAPS Z0, Z8
	VMOVAPS Z1, Z9
	VMOVAPS Z0, Z10
	VMOVAPS Z1, Z11
	VMOVAPS Z0, Z12
	VMOVAPS Z1, Z13
	VMOVAPS Z0, Z14
	VMOVAPS Z1, Z15
	VMOVAPS Z0, Z16
	VMOVAPS Z1, Z17
	VMOVAPS Z0, Z18
	VMOVAPS Z1, Z19
	VMOVAPS Z0, Z20
	VMOVAPS Z1, Z21
	VMOVAPS Z0, Z22
	VMOVAPS Z1, Z23
	CMPQ    AX, $12
	JEQ     k12
	CMPQ    AX, $11
	JEQ     k11
	CMPQ    AX, $10
	JEQ     k10
	CMPQ    AX, $9
	JEQ     k9
	CMPQ    AX, $8
	JEQ     k8
	CMPQ    AX, $7
	JEQ     k7
	CMPQ    AX, $6
	JEQ     k6
	CMPQ    AX, $5
	JEQ     k5
	CMPQ    AX, $4
	JEQ     k4
	CMPQ    AX, $3
	JEQ     k3
	CMPQ    AX, $2
	JEQ     k2

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

// The AVX2 tile: six rows of sixteen columns, half a panel.

#define ROWY(number, lo, hi) \
	VBROADCASTSS number, Y14  \
	VFMADD231PS  Y12, Y14, lo \
	VFMADD231PS  Y13, Y14, hi

#define PANELY \
	VMOVUPS    (BX), Y12   \
	VMOVUPS    32(BX), Y13 \
	PREFETCHT0 1280(BX)    \
	ADDQ       $128, BX

#define ROWSY1 ROWY((R8), Y0, Y1)
#define ROWSY2 ROWSY1; ROWY((R8)(R12*1), Y2, Y3)
#define ROWSY3 ROWSY2; ROWY((R8)(R12*2), Y4, Y5)
#define ROWSY4 ROWSY3; ROWY((R9), Y6, Y7)
#define ROWSY5 ROWSY4; ROWY((R9)(R12*1), Y8, Y9)
#define ROWSY6 ROWSY5; ROWY((R9)(R12*2), Y10, Y11)

#define STOREY(lo, hi) \
	VMOVUPS lo, (DI)   \
	VMOVUPS hi, 32(DI) \
	ADDQ    R13, DI    \
	DECQ    AX         \
	JZ      done

// func tileAVX2(t *tile)
TEXT ·tileAVX2(SB), NOSPLIT, $0-8
	ARGUMENTS
	LEAQ    (R12)(R12*2), DX
	LEAQ    (R8)(DX*1), R9
	VMOVUPS (SI), Y0
	VMOVUPS 32(SI), Y1
	VMOVAPS Y0, Y2
	VMOVAPS Y1, Y3
	VMOVAPS Y0, Y4
	VMOVAPS Y1, Y5
	VMOVAPS Y0, Y6
	VMOVAPS Y1, Y7
	VMOVAPS Y0, Y8
	VMOVAPS Y1, Y9
	VMOVAPS Y0, Y10
	VMOVAPS Y1, Y11
	CMPQ    AX, $6
	JEQ     k6
	CMPQ    AX, $5
	JEQ     k5
	CMPQ    AX, $4
	JEQ     k4
	CMPQ    AX, $3
	JEQ     k3
	CMPQ    AX, $2
	JEQ     k2

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
	JMP  store

k5:
	PANELY
	ROWSY5
	NEXT2
	DECQ CX
	JNZ  k5
	JMP  store

k6:
	PANELY
	ROWSY6
	NEXT2
	DECQ CX
	JNZ  k6

store:
	STOREY(Y0, Y1)
	STOREY(Y2, Y3)
	STOREY(Y4, Y5)
	STOREY(Y6, Y7)
	STOREY(Y8, Y9)
	STOREY(Y10, Y11)

done:
	VZEROUPPER
	RET
