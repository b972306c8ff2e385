//go:build !purego

#include "textflag.h"
#include "go_asm.h"

// func addFewCandidatesAVX512(c *Candidates, nodes *[32]uint32, distances *[32]float32, which uint32, seen []uint64) int
//
// For up to eight lines, which stay in registers over all insertions. Nothing
// branches on a distance or on what was seen: an entry that is not wanted gets the
// distance +∞, behind which everything stays as it is.
//
//	SI, DI   nodes, distances
//	DX       entries left to add
//	BX       seen
//	R8, R9   the array of distances and of nodes, behind the line of −∞
//	R10      padded capacity
//	R11      +∞
//	AX, CX   the entry's distance; its place, then node
//	R12      a word of seen
//	Z0, Z1   the new entry, in every lane
//	Z2, Z3   a line moved up by one place
//	Z4       the line of −∞
//	Z5       +∞
//	Z6       least distances added
//	Z8       the limit
//	Z16-Z23  distances; Z24-Z31 nodes

// LINE inserts into the line of d and n, above that of dbelow and nbelow:
// new[i] is old[i] where that is not above the new distance, else the new one
// where old[i-1] is not, else old[i-1].
#define LINE(d, n, dbelow, nbelow) \
	VALIGND   $15, dbelow, d, Z2 \
	VALIGND   $15, nbelow, n, Z3 \
	VCMPPS    $6, Z0, d, K1      \
	VCMPPS    $2, Z0, Z2, K2     \
	VMOVAPS   Z0, K2, Z2         \
	VMOVDQA32 Z1, K2, Z3         \
	VMOVAPS   Z2, K1, d          \
	VMOVDQA32 Z3, K1, n

// LOAD loads a line, STORE stores one; both end where there are no more.
#define LOAD(i, d, n) \
	VMOVAPS   i*64(R8), d \
	VMOVDQA32 i*64(R9), n \
	CMPQ      R10, $(i*16+16) \
	JLE       loaded

#define STORE(i, d, n) \
	VMOVAPS   d, i*64(R8)  \
	VMOVDQA32 n, i*64(R9)  \
	VCMPPS    $1, Z0, d, K1 \
	KMOVW     K1, CX       \
	POPCNTL   CX, CX       \
	ADDQ      CX, AX       \
	CMPQ      R10, $(i*16+16) \
	JLE       done

TEXT ·addFewCandidatesAVX512(SB), NOSPLIT, $0-64
	MOVQ         c+0(FP), AX
	MOVQ         nodes+8(FP), SI
	MOVQ         distances+16(FP), DI
	MOVL         which+24(FP), DX
	MOVQ         seen_base+32(FP), BX
	MOVQ         Candidates_distances(AX), R8
	MOVQ         Candidates_nodes(AX), R9
	MOVQ         Candidates_padded(AX), R10
	VMOVAPS      (R8), Z4
	ADDQ         $64, R8
	ADDQ         $64, R9
	MOVL         $0x7f800000, R11
	VPBROADCASTD R11, Z5
	VMOVAPS      Z5, Z6
	MOVQ         Candidates_capacity(AX), CX
	VBROADCASTSS -4(R8)(CX*4), Z8
	LOAD(0, Z16, Z24)
	LOAD(1, Z17, Z25)
	LOAD(2, Z18, Z26)
	LOAD(3, Z19, Z27)
	LOAD(4, Z20, Z28)
	LOAD(5, Z21, Z29)
	LOAD(6, Z22, Z30)
	LOAD(7, Z23, Z31)

loaded:
	TZCNTL DX, CX
	BLSRL  DX, DX
	MOVL   (DI)(CX*4), AX
	MOVL   (SI)(CX*4), CX
	TESTQ  BX, BX
	JZ     insert
	MOVL   CX, R12
	SHRL   $6, R12
	MOVQ   (BX)(R12*8), R12
	BTQ    CX, R12          // bit CX mod 64
	CMOVLCS R11, AX

insert:
	VPBROADCASTD AX, Z0
	VPBROADCASTD CX, Z1
	VCMPPS       $1, Z8, Z0, K1  // below the limit, and a number
	VBLENDMPS    Z0, Z5, K1, Z0
	VMINPS       Z0, Z6, Z6
	CMPQ         R10, $64
	JGT          many
	CMPQ         R10, $32
	JGT          three
	CMPQ         R10, $16
	JGT          line1
	JMP          line0

three:
	CMPQ R10, $48
	JGT  line3
	JMP  line2

many:
	CMPQ R10, $96
	JLE  line5
	LINE(Z23, Z31, Z22, Z30)
	LINE(Z22, Z30, Z21, Z29)

line5:
	LINE(Z21, Z29, Z20, Z28)
	LINE(Z20, Z28, Z19, Z27)

line3:
	LINE(Z19, Z27, Z18, Z26)

line2:
	LINE(Z18, Z26, Z17, Z25)

line1:
	LINE(Z17, Z25, Z16, Z24)

line0:
	LINE(Z16, Z24, Z4, Z4)
	TESTL DX, DX
	JNZ   loaded

	VMOVAPS Z6, Z0
	XORL    AX, AX
	STORE(0, Z16, Z24)
	STORE(1, Z17, Z25)
	STORE(2, Z18, Z26)
	STORE(3, Z19, Z27)
	STORE(4, Z20, Z28)
	STORE(5, Z21, Z29)
	STORE(6, Z22, Z30)
	STORE(7, Z23, Z31)

done:
	MOVQ AX, ret+56(FP)
	VZEROUPPER
	RET
