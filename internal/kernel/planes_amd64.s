//go:build !purego

#include "textflag.h"

// Estimates of nodes by sums of four-bit numbers that their codes select; planes.go has the
// layout.
//
//	SI, DX   codes, bytes a node
//	DI, CX   nodes, those left: the last comes first
//	BX, R8   planes, words of a code
//	R9       out
//	R10      the node, then the next word of its code
//	R11, R12 words left, their planes
//	AX       a bit; R15 all of them
//	X10-X13  Base, Step, Low, Limit

#define PLANEARGUMENTS \
	MOVQ   codes+0(FP), SI        \
	MOVQ   nodes_base+8(FP), DI   \
	MOVQ   nodes_len+16(FP), CX   \
	MOVQ   planes_base+32(FP), BX \
	MOVQ   planes_len+40(FP), R8  \
	MOVQ   t+56(FP), AX           \
	MOVQ   out+64(FP), R9         \
	VMOVSS 0(AX), X10             \
	VMOVSS 4(AX), X11             \
	VMOVSS 8(AX), X12             \
	VMOVSS 12(AX), X13            \
	LEAQ   8(R8*8), DX            \
	XORL   R15, R15

// NODE adds the base of the next node's distance, and looks at its code.
#define NODE \
	MOVL   -4(DI)(CX*4), R10 \
	IMULQ  DX, R10           \
	ADDQ   SI, R10           \
	VADDSS (R10), X10, X1    \
	VMOVSS 4(R10), X2        \
	ADDQ   $8, R10           \
	MOVQ   R8, R11           \
	MOVQ   BX, R12

// ESTIMATE turns the sum in X0 into an estimate and its bit.
#define ESTIMATE \
	VFMADD213SS X12, X11, X0      \
	VFMADD213SS X1, X2, X0        \
	VMOVSS      X0, -4(R9)(CX*4)  \
	XORL        AX, AX            \
	VUCOMISS    X0, X13           \
	SETHI       AX                \
	LEAL        (AX)(R15*2), R15  \
	DECQ        CX

// How far the counts of the four planes of two words are to be shifted.
DATA planeShifts<>+0(SB)/8, $0
DATA planeShifts<>+8(SB)/8, $1
DATA planeShifts<>+16(SB)/8, $2
DATA planeShifts<>+24(SB)/8, $3
DATA planeShifts<>+32(SB)/8, $0
DATA planeShifts<>+40(SB)/8, $1
DATA planeShifts<>+48(SB)/8, $2
DATA planeShifts<>+56(SB)/8, $3
GLOBL planeShifts<>(SB), RODATA|NOPTR, $64

// func scorePlanesAVX512(codes *uint64, nodes []uint32, planes []Planes, t *ScanTerms, out *[32]float32) uint32
//
//	Z0   counts, a word each of the planes of even and of odd words
//	Z3   two words of the code, four times each; what planes select of them
//	Z8   shifts
//	K1   the upper word
//	K2   the planes that count negatively
TEXT ·scorePlanesAVX512(SB), NOSPLIT, $0-76
	PLANEARGUMENTS
	VMOVDQU64 planeShifts<>(SB), Z8
	MOVL      $0xf0, AX
	KMOVW     AX, K1
	MOVL      $0x88, AX
	KMOVW     AX, K2
	VPXORQ    Z9, Z9, Z9

node:
	NODE
	VPXORQ Z0, Z0, Z0
	SUBQ   $2, R11
	JL     odd

pair:
	VPBROADCASTQ (R10), Z3
	VPBROADCASTQ 8(R10), K1, Z3
	VPANDQ       (R12), Z3, Z3
	VPOPCNTQ     Z3, Z3
	VPADDQ       Z3, Z0, Z0
	ADDQ         $16, R10
	ADDQ         $64, R12
	SUBQ         $2, R11
	JGE          pair

odd:
	ADDQ         $2, R11
	JZ           sum
	VPBROADCASTQ (R10), Y3
	VPANDQ       (R12), Y3, Y3
	VPOPCNTQ     Y3, Y3
	VPADDQ       Z3, Z0, Z0

sum:
	VPSLLVQ       Z8, Z0, Z0
	VPSUBQ        Z0, Z9, K2, Z0
	VEXTRACTI64X4 $1, Z0, Y3
	VPADDD        Y3, Y0, Y0
	VEXTRACTI128  $1, Y0, X3
	VPADDD        X3, X0, X0
	VPSHUFD       $0x4e, X0, X3
	VPADDD        X3, X0, X0
	VCVTDQ2PS     X0, X0
	ESTIMATE
	JNZ           node

	MOVL R15, ret+72(FP)
	VZEROUPPER
	RET

// func scorePlanesAVX2(codes *uint64, nodes []uint32, planes []Planes, t *ScanTerms, out *[32]float32) uint32
//
//	R13  the sum
//	R14  a word of the code; AX and R14 what planes select of it
//
// It uses POPCNT, which every processor with AVX2 has.
#define PLANE(at) \
	MOVQ    at(R12), AX \
	ANDQ    R14, AX     \
	POPCNTQ AX, AX

TEXT ·scorePlanesAVX2(SB), NOSPLIT, $0-76
	PLANEARGUMENTS

node:
	NODE
	XORL  R13, R13
	TESTQ R11, R11
	JZ    sum

word:
	MOVQ (R10), R14
	PLANE(0)
	ADDQ AX, R13
	PLANE(8)
	LEAQ (R13)(AX*2), R13
	PLANE(16)
	LEAQ (R13)(AX*4), R13
	PLANE(24)
	SHLQ $3, AX
	SUBQ AX, R13
	ADDQ $8, R10
	ADDQ $32, R12
	DECQ R11
	JNZ  word

sum:
	VXORPS    X0, X0, X0
	VCVTSI2SSL R13, X0, X0
	ESTIMATE
	JNZ       node

	MOVL R15, ret+72(FP)
	RET
