//go:build !purego

#include "textflag.h"

// Estimates of nodes whose codes lie anywhere; nibbles.go has their layout.
//
//	SI, R8   query, bytes of a code
//	DX       codes
//	BX       factors
//	R9, CX   nodes, those left: the last comes first
//	DI       out
//	R10      the node's code, moving
//	R11      query, moving; R12 bytes of the code left
//	R13      the node
//	AX       a bit; R14 all of them
//	X10-X13  Base, Step, Low, Limit

#define NIBBLEARGUMENTS \
	MOVQ   q_base+0(FP), SI      \
	MOVQ   q_len+8(FP), R8       \
	MOVQ   codes+24(FP), DX      \
	MOVQ   factors+32(FP), BX    \
	MOVQ   nodes_base+40(FP), R9 \
	MOVQ   nodes_len+48(FP), CX  \
	MOVQ   t+64(FP), AX          \
	MOVQ   out+72(FP), DI        \
	VMOVSS 0(AX), X10            \
	VMOVSS 4(AX), X11            \
	VMOVSS 8(AX), X12            \
	VMOVSS 12(AX), X13           \
	SHRQ   $1, R8                \
	MOVL   $0x0f0f0f0f, AX       \
	VMOVD  AX, X8                \
	XORL   R14, R14

// NODE points at the code of the next node.
#define NODE \
	MOVL  -4(R9)(CX*4), R13 \
	MOVQ  R13, R10          \
	IMULQ R8, R10           \
	ADDQ  DX, R10           \
	MOVQ  SI, R11           \
	MOVQ  R8, R12

// ESTIMATE adds the four lanes of X0 and turns the sum into an estimate and its bit.
#define ESTIMATE \
	VPSHUFD     $0x4e, X0, X1         \
	VPADDD      X1, X0, X0            \
	VPSHUFD     $0xb1, X0, X1         \
	VPADDD      X1, X0, X0            \
	VCVTDQ2PS   X0, X0                \
	VFMADD213SS X12, X11, X0          \
	VMOVSS      (BX)(R13*8), X1       \
	VADDSS      X10, X1, X1           \
	VMOVSS      4(BX)(R13*8), X2      \
	VFMADD213SS X1, X2, X0            \
	VMOVSS      X0, -4(DI)(CX*4)      \
	XORL        AX, AX                \
	VUCOMISS    X0, X13               \
	SETHI       AX                    \
	LEAL        (AX)(R14*2), R14      \
	DECQ        CX

// func scoreNibblesAVX512(q []int8, codes *byte, factors *float32, nodes []uint32, t *NibbleTerms, out *[32]float32) uint32
//
//	Z0, Z1  sums
//	Z8      low nibbles
TEXT ·scoreNibblesAVX512(SB), NOSPLIT, $0-84
	NIBBLEARGUMENTS
	VPBROADCASTD X8, Z8

node:
	NODE
	VPXORD Z0, Z0, Z0
	VPXORD Z1, Z1, Z1

line:
	VMOVDQU64 (R10), Z2
	VPSRLW    $4, Z2, Z3
	VPANDD    Z8, Z2, Z2
	VPANDD    Z8, Z3, Z3
	VPDPBUSD  (R11), Z2, Z0
	VPDPBUSD  64(R11), Z3, Z1
	ADDQ      $64, R10
	ADDQ      $128, R11
	SUBQ      $64, R12
	JG        line

	VPADDD        Z1, Z0, Z0
	VEXTRACTI64X4 $1, Z0, Y1
	VPADDD        Y1, Y0, Y0
	VEXTRACTI128  $1, Y0, X1
	VPADDD        X1, X0, X0
	ESTIMATE
	JNZ           node

	MOVL R14, ret+80(FP)
	VZEROUPPER
	RET

// HALFLINE takes 32 bytes of a line. Two products of a nibble and a query's number are at most
// 2·15·128, four of them far from what 16 bits hold.
#define HALFLINE(at) \
	VMOVDQU    at(R10), Y2           \
	VPSRLW     $4, Y2, Y3            \
	VPAND      Y8, Y2, Y2            \
	VPAND      Y8, Y3, Y3            \
	VPMADDUBSW at(R11), Y2, Y2       \
	VPMADDUBSW at+64(R11), Y3, Y3    \
	VPADDW     Y3, Y2, Y2            \
	VPMADDWD   Y9, Y2, Y2            \
	VPADDD     Y2, Y0, Y0

// func scoreNibblesAVX2(q []int8, codes *byte, factors *float32, nodes []uint32, t *NibbleTerms, out *[32]float32) uint32
//
//	Y0  sums
//	Y8  low nibbles
//	Y9  words of 1
TEXT ·scoreNibblesAVX2(SB), NOSPLIT, $0-84
	NIBBLEARGUMENTS
	VPBROADCASTD X8, Y8
	VPCMPEQD     Y9, Y9, Y9
	VPSRLW       $15, Y9, Y9

node:
	NODE
	VPXOR Y0, Y0, Y0

line:
	HALFLINE(0)
	HALFLINE(32)
	ADDQ $64, R10
	ADDQ $128, R11
	SUBQ $64, R12
	JG   line

	VEXTRACTI128 $1, Y0, X1
	VPADDD       X1, X0, X0
	ESTIMATE
	JNZ          node

	MOVL R14, ret+80(FP)
	VZEROUPPER
	RET

// func unseenAVX2(nodes []uint32, seen *uint64, codes *byte, size int, out *[32]uint32) int
//
// A node is written whether it was seen or not, and overwritten by the next if
// it was: no branch depends on it.
//
//	SI, CX  nodes, moving; how many are left
//	BX      seen
//	DI, R9  out, how many are in it
TEXT ·unseenAVX2(SB), NOSPLIT, $0-64
	MOVQ nodes_base+0(FP), SI
	MOVQ nodes_len+8(FP), CX
	MOVQ seen+24(FP), BX
	MOVQ codes+32(FP), DX
	MOVQ size+40(FP), R8
	MOVQ out+48(FP), DI
	XORL R9, R9

node:
	MOVL (SI), AX
	MOVL AX, R10
	SHRL $6, R10
	MOVQ (BX)(R10*8), R11
	MOVL AX, (DI)(R9*4)
	BTSQ AX, R11          // bit AX mod 64
	SBBQ $-1, R9          // one more unless it was set
	MOVQ R11, (BX)(R10*8)
	ADDQ $4, SI
	DECQ CX
	JNZ  node

	MOVQ  R9, ret+56(FP)
	TESTQ R9, R9
	JZ    done

// Ask for every line of their codes, the last node's first.
ask:
	MOVL  -4(DI)(R9*4), AX
	IMULQ R8, AX
	ADDQ  DX, AX
	MOVQ  R8, CX

line:
	PREFETCHT0 (AX)
	ADDQ       $64, AX
	SUBQ       $64, CX
	JG         line
	DECQ       R9
	JNZ        ask

done:
	RET
