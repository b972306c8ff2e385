//go:build !purego

#include "textflag.h"

// func hammingAVX2(query *byte, codes *byte, size int, out []uint32)
//
//	SI      query
//	DX, R8  codes, moving; bytes of one
//	DI, R9  out, moving; codes left
//	R10     bytes of whole words in a code
//	CX      byte
//	AX      count
//	BX, R11 words
TEXT ·hammingAVX2(SB), NOSPLIT, $0-48
	MOVQ query+0(FP), SI
	MOVQ codes+8(FP), DX
	MOVQ size+16(FP), R8
	MOVQ out_base+24(FP), DI
	MOVQ out_len+32(FP), R9
	MOVQ R8, R10
	ANDQ $~7, R10
	CMPQ R8, $16
	JEQ  sixteen

code:
	XORL  AX, AX
	XORL  CX, CX
	TESTQ R10, R10
	JZ    rest

word:
	MOVQ    (SI)(CX*1), BX
	XORQ    (DX)(CX*1), BX
	POPCNTQ BX, BX
	ADDQ    BX, AX
	ADDQ    $8, CX
	CMPQ    CX, R10
	JLT     word

rest:
	CMPQ CX, R8
	JGE  counted

byte:
	MOVBLZX (SI)(CX*1), BX
	MOVBLZX (DX)(CX*1), R11
	XORL    R11, BX
	POPCNTL BX, BX
	ADDQ    BX, AX
	INCQ    CX
	CMPQ    CX, R8
	JLT     byte

counted:
	MOVL AX, (DI)
	ADDQ $4, DI
	ADDQ R8, DX
	DECQ R9
	JNZ  code
	RET

// Codes of 128 bits, the query in R12 and R13.
sixteen:
	MOVQ (SI), R12
	MOVQ 8(SI), R13

pair:
	MOVQ    (DX), AX
	MOVQ    8(DX), BX
	XORQ    R12, AX
	XORQ    R13, BX
	POPCNTQ AX, AX
	POPCNTQ BX, BX
	ADDL    BX, AX
	MOVL    AX, (DI)
	ADDQ    $4, DI
	ADDQ    $16, DX
	DECQ    R9
	JNZ     pair
	RET
