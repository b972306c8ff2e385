//go:build !purego

#include "textflag.h"
#include "go_asm.h"

// upwards<> moves every lane up by one place, the last to the first.
DATA upwards<>+0(SB)/8, $0x0000000000000007
DATA upwards<>+8(SB)/8, $0x0000000200000001
DATA upwards<>+16(SB)/8, $0x0000000400000003
DATA upwards<>+24(SB)/8, $0x0000000600000005
GLOBL upwards<>(SB), RODATA|NOPTR, $32

// func addCandidatesAVX2(c *Candidates, nodes *[32]uint32, distances *[32]float32, which uint32, seen []uint64) int
//
// As addCandidatesAVX512, in lines of eight.
//
//	SI, DI    nodes, distances
//	DX        entries left to add
//	BX        seen
//	R8, R9    the array of distances and of nodes, behind the line of −∞
//	R10       padded capacity
//	R12       lowest place filled
//	CX        the line's place
//	X14       limit
//	Y15       upwards
//	Y0, Y1    the new entry, in every lane
//	Y2, Y4    the line's old distances and nodes, moved up by one place in Y6, Y7
//	Y8-Y11    the same of the line below
//	Y3, Y5    the new line
//	Y12, Y13  where old[i] ≤ d, where old[i-1] ≤ d
TEXT ·addCandidatesAVX2(SB), NOSPLIT, $0-64
	MOVQ    c+0(FP), AX
	MOVQ    nodes+8(FP), SI
	MOVQ    distances+16(FP), DI
	MOVL    which+24(FP), DX
	MOVQ    seen_base+32(FP), BX
	MOVQ    Candidates_distances(AX), R8
	MOVQ    Candidates_nodes(AX), R9
	MOVQ    Candidates_padded(AX), R10
	MOVQ    Candidates_capacity(AX), R12
	ADDQ    $64, R8
	ADDQ    $64, R9
	VMOVSS  -4(R8)(R12*4), X14
	VMOVDQU upwards<>(SB), Y15

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
	VBROADCASTSS X0, Y0
	VMOVD        AX, X1
	VPBROADCASTD X1, Y1
	MOVQ         R10, CX
	VMOVAPS      -32(R8)(CX*4), Y2
	VMOVDQA      -32(R9)(CX*4), Y4
	VPERMPS      Y2, Y15, Y6
	VPERMD       Y4, Y15, Y7

line:
	SUBQ      $8, CX
	VMOVAPS   -32(R8)(CX*4), Y8
	VMOVDQA   -32(R9)(CX*4), Y9
	VPERMPS   Y8, Y15, Y10
	VPERMD    Y9, Y15, Y11
	VBLENDPS  $1, Y10, Y6, Y3
	VPBLENDD  $1, Y11, Y7, Y5
	VCMPPS    $2, Y0, Y2, Y12
	VCMPPS    $2, Y0, Y3, Y13
	VBLENDVPS Y13, Y0, Y3, Y3
	VBLENDVPS Y13, Y1, Y5, Y5
	VBLENDVPS Y12, Y2, Y3, Y3
	VBLENDVPS Y12, Y4, Y5, Y5
	VMOVAPS   Y3, (R8)(CX*4)
	VMOVDQA   Y5, (R9)(CX*4)
	VMOVAPS   Y8, Y2
	VMOVDQA   Y9, Y4
	VMOVAPS   Y10, Y6
	VMOVDQA   Y11, Y7
	VMOVMSKPS Y12, AX
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
