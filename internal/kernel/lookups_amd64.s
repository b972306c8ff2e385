//go:build !purego

#include "textflag.h"

// ENTRY adds the entry that the lowest byte of AX selects of a table, and goes
// to the next byte.
#define ENTRY(table, sum) \
	MOVBLZX AX, CX                    \
	SHRQ    $8, AX                    \
	VADDSS  table*1024(BX)(CX*4), sum, sum

// func lookupsAVX2(tables *float32, codes *byte, size int, out []float32)
//
//	SI, R8  codes, moving; bytes of one
//	DX      tables; BX moving
//	DI, R9  out, moving; codes left
//	R10     bytes of the code left
//	X0-X3   sums
TEXT ·lookupsAVX2(SB), NOSPLIT, $0-48
	MOVQ tables+0(FP), DX
	MOVQ codes+8(FP), SI
	MOVQ size+16(FP), R8
	MOVQ out_base+24(FP), DI
	MOVQ out_len+32(FP), R9

code:
	MOVQ   DX, BX
	MOVQ   R8, R10
	VXORPS X0, X0, X0
	VXORPS X1, X1, X1
	VXORPS X2, X2, X2
	VXORPS X3, X3, X3
	SUBQ   $8, R10
	JLT    rest

eight:
	MOVQ (SI), AX
	ENTRY(0, X0)
	ENTRY(1, X1)
	ENTRY(2, X2)
	ENTRY(3, X3)
	ENTRY(4, X0)
	ENTRY(5, X1)
	ENTRY(6, X2)
	ENTRY(7, X3)
	ADDQ $8, SI
	ADDQ $8192, BX
	SUBQ $8, R10
	JGE  eight

rest:
	ADDQ $8, R10
	JZ   sum

byte:
	MOVBLZX (SI), CX
	VADDSS  (BX)(CX*4), X0, X0
	INCQ    SI
	ADDQ    $1024, BX
	DECQ    R10
	JNZ     byte

sum:
	VADDSS X1, X0, X0
	VADDSS X3, X2, X2
	VADDSS X2, X0, X0
	VMOVSS X0, (DI)
	ADDQ   $4, DI
	DECQ   R9
	JNZ    code
	RET
