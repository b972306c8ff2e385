//go:build !purego

#include "textflag.h"
#include "go_asm.h"

// func addCandidatesAVX512(c *Candidates, nodes *[32]uint32, distances *[32]float32, which uint32, seen []uint64) int
//
// An insertion shifts lines from the highest down to the one where the entry
// belongs: new[i] is old[i] where old[i] ≤ d, else d where old[i-1] ≤ d, else
// old[i-1].
//
//	SI, DI  nodes, distances
//	DX      entries left to add
//	BX      seen
//	R8, R9  the array of distances and of nodes, behind the line of −∞
//	R10     padded capacity
//	R11     capacity
//	R12     lowest place filled
//	CX      the line's place
//	X14     limit
//	Z0, Z1  the new entry, in every lane
//	Z2, Z4  the line's old distances and nodes; Z6, Z7 those of the line below
//	Z3, Z5  the same moved up by one place; then the new ones
TEXT ·addCandidatesAVX512(SB), NOSPLIT, $0-64
	MOVQ   c+0(FP), AX
	MOVQ   nodes+8(FP), SI
	MOVQ   distances+16(FP), DI
	MOVL   which+24(FP), DX
	MOVQ   seen_base+32(FP), BX
	MOVQ   Candidates_distances(AX), R8
	MOVQ   Candidates_nodes(AX), R9
	MOVQ   Candidates_padded(AX), R10
	MOVQ   Candidates_capacity(AX), R11
	ADDQ   $64, R8
	ADDQ   $64, R9
	MOVQ   R11, R12
	VMOVSS -4(R8)(R11*4), X14

entry:
	TESTL    DX, DX
	JZ       done
	TZCNTL   DX, AX
	BLSRL    DX, DX
	VMOVSS   (DI)(AX*4), X0
	VUCOMISS X0, X14
	JLS      entry           // not below the limit, or no number
	MOVL     (SI)(AX*4), AX
	TESTQ    BX, BX
	JZ       insert
	MOVL     AX, CX
	SHRL     $6, CX
	MOVQ     (BX)(CX*8), R13
	BTQ      AX, R13         // bit AX mod 64
	JCS      entry

insert:
	VBROADCASTSS X0, Z0
	VPBROADCASTD AX, Z1
	MOVQ         R10, CX
	VMOVAPS      -64(R8)(CX*4), Z2
	VMOVDQA32    -64(R9)(CX*4), Z4

line:
	SUBQ      $16, CX
	VMOVAPS   -64(R8)(CX*4), Z6
	VMOVDQA32 -64(R9)(CX*4), Z7
	VALIGND   $15, Z6, Z2, Z3
	VALIGND   $15, Z7, Z4, Z5
	VCMPPS    $2, Z0, Z2, K1  // old[i] ≤ d
	VCMPPS    $2, Z0, Z3, K2  // old[i-1] ≤ d
	VMOVAPS   Z0, K2, Z3
	VMOVDQA32 Z1, K2, Z5
	VMOVAPS   Z2, K1, Z3
	VMOVDQA32 Z4, K1, Z5
	VMOVAPS   Z3, (R8)(CX*4)
	VMOVDQA32 Z5, (R9)(CX*4)
	VMOVAPS   Z6, Z2
	VMOVDQA32 Z7, Z4
	KMOVW     K1, AX
	TESTL     AX, AX
	JNZ       placed          // some stay: the entry's place is here
	TESTQ     CX, CX
	JG        line

placed:
	POPCNTL AX, AX
	ADDQ    CX, AX
	CMPQ    AX, R12
	CMOVQLT AX, R12
	JMP     entry

done:
	MOVQ R12, ret+56(FP)
	VZEROUPPER
	RET
