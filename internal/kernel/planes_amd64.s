//go:build !purego

#include "textflag.h"

// Sums of four-bit numbers selected by codes.
//
// Registers
//	SI      codes
//	DX      bytes a row
//	DI, CX  the next row's number, rows left
//	BX, R8  the planes, words of a code
//	R9      the next sum
//	R10     the row's code
//	R11     words left
//	R12     the planes of a word
//	AX      the sum
//	R13     a word of the code
//	R14, R15 what a plane selects of it

// func planeSumsPOPCNT(codes []uint64, stride int, rows []uint32, planes []Planes, sums *[32]int32)
TEXT ·planeSumsPOPCNT(SB), NOSPLIT, $0-88
	MOVQ codes_base+0(FP), SI
	MOVQ stride+24(FP), DX
	SHLQ $3, DX
	MOVQ rows_base+32(FP), DI
	MOVQ rows_len+40(FP), CX
	MOVQ planes_base+56(FP), BX
	MOVQ planes_len+64(FP), R8
	MOVQ sums+80(FP), R9

row:
	MOVL  (DI), R10
	IMULQ DX, R10
	ADDQ  SI, R10
	MOVQ  R8, R11
	MOVQ  BX, R12
	XORL  AX, AX

word:
	MOVQ    (R10), R13
	MOVQ    (R12), R14
	MOVQ    8(R12), R15
	ANDQ    R13, R14
	ANDQ    R13, R15
	POPCNTQ R14, R14
	POPCNTQ R15, R15
	ADDQ    R14, AX
	LEAQ    (AX)(R15*2), AX
	MOVQ    16(R12), R14
	MOVQ    24(R12), R15
	ANDQ    R13, R14
	ANDQ    R13, R15
	POPCNTQ R14, R14
	POPCNTQ R15, R15
	LEAQ    (AX)(R14*4), AX
	SHLQ    $3, R15
	SUBQ    R15, AX
	ADDQ    $8, R10
	ADDQ    $32, R12
	DECQ    R11
	JNZ     word

	MOVL AX, (R9)
	ADDQ $4, R9
	ADDQ $4, DI
	DECQ CX
	JNZ  row
	RET
