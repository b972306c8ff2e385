//go:build !purego

#include "textflag.h"

// Tables and scans of 4-bit codes; fastscan.go has the layout of a block.

// func groupMaxAVX2(q []float32) float32
//
//	Y7  absolute values' mask
//	Y2  largest sums so far
TEXT ·groupMaxAVX2(SB), NOSPLIT, $0-28
	MOVQ     q_base+0(FP), SI
	MOVQ     q_len+8(FP), CX
	VPCMPEQD Y7, Y7, Y7
	VPSRLD   $1, Y7, Y7
	VXORPS   X2, X2, X2

eight:
	VANDPS    (SI), Y7, Y0
	VPERMILPS $0xb1, Y0, Y1
	VADDPS    Y1, Y0, Y0 // sums of two
	VPERMILPS $0x4e, Y0, Y1
	VADDPS    Y1, Y0, Y0 // of four
	VMAXPS    Y0, Y2, Y2
	ADDQ      $32, SI
	SUBQ      $8, CX
	JG        eight

	VEXTRACTF128 $1, Y2, X1
	VMAXPS       X1, X2, X2
	VMOVSS       X2, ret+24(FP)
	VZEROUPPER
	RET

// first<> to fourth<> are word i of every lane's low half, sixteen times; sign1<>
// to sign8<> hold +1 where a table's index has bit i, else −1.
#define WORDS(name, v) \
	DATA name<>+0(SB)/8, v  \
	DATA name<>+8(SB)/8, v  \
	DATA name<>+16(SB)/8, v \
	DATA name<>+24(SB)/8, v \
	GLOBL name<>(SB), RODATA|NOPTR, $32

WORDS(first, $0x0100010001000100)
WORDS(second, $0x0302030203020302)
WORDS(third, $0x0504050405040504)
WORDS(fourth, $0x0706070607060706)
WORDS(sign1, $0x0001ffff0001ffff)
WORDS(sign2, $0x00010001ffffffff)

DATA sign4<>+0(SB)/8, $-1
DATA sign4<>+8(SB)/8, $0x0001000100010001
DATA sign4<>+16(SB)/8, $-1
DATA sign4<>+24(SB)/8, $0x0001000100010001
GLOBL sign4<>(SB), RODATA|NOPTR, $32

DATA sign8<>+0(SB)/8, $-1
DATA sign8<>+8(SB)/8, $-1
DATA sign8<>+16(SB)/8, $0x0001000100010001
DATA sign8<>+24(SB)/8, $0x0001000100010001
GLOBL sign8<>(SB), RODATA|NOPTR, $32

// ENTRY adds max(0, ±qᵢ) to the sixteen entries in Y1.
#define ENTRY(which, sign) \
	VPSHUFB which, Y0, Y2 \
	VPSIGNW sign, Y2, Y2  \
	VPMAXSW Y5, Y2, Y2    \
	VPADDW  Y2, Y1, Y1

// func signTablesAVX2(q []float32, tables []byte, inverse float32) int
//
//	Y0       the group's four numbers as words, in every quarter
//	Y1       the sixteen entries
//	Y4       sums of absolute values
//	Y5       zero
//	Y6       inverse
//	Y7       words of 1
//	Y8-Y15   first to fourth, sign1 to sign8
TEXT ·signTablesAVX2(SB), NOSPLIT, $0-64
	MOVQ         q_base+0(FP), SI
	MOVQ         q_len+8(FP), CX
	MOVQ         tables_base+24(FP), DI
	VBROADCASTSS inverse+48(FP), Y6
	VPXOR        Y4, Y4, Y4
	VPXOR        Y5, Y5, Y5
	VPCMPEQD     Y7, Y7, Y7
	VPSRLW       $15, Y7, Y7
	VMOVDQU      first<>(SB), Y8
	VMOVDQU      second<>(SB), Y9
	VMOVDQU      third<>(SB), Y10
	VMOVDQU      fourth<>(SB), Y11
	VMOVDQU      sign1<>(SB), Y12
	VMOVDQU      sign2<>(SB), Y13
	VMOVDQU      sign4<>(SB), Y14
	VMOVDQU      sign8<>(SB), Y15

group:
	VMULPS       (SI), X6, X0
	VCVTPS2DQ    X0, X0
	VPACKSSDW    X0, X0, X0
	VPBROADCASTQ X0, Y0
	VPABSW       X0, X3
	VPMADDWD     X7, X3, X3
	VPADDD       X3, X4, X4
	VPSHUFB      Y8, Y0, Y1
	VPSIGNW      Y12, Y1, Y1
	VPMAXSW      Y5, Y1, Y1
	ENTRY(Y9, Y13)
	ENTRY(Y10, Y14)
	ENTRY(Y11, Y15)
	VEXTRACTI128 $1, Y1, X2
	VPACKUSWB    X2, X1, X1
	VMOVDQU      X1, (DI)
	ADDQ         $16, SI
	ADDQ         $16, DI
	SUBQ         $4, CX
	JG           group

	VPSRLQ $32, X4, X3
	VPADDD X3, X4, X4
	VMOVD  X4, AX
	MOVQ   AX, ret+56(FP)
	VZEROUPPER
	RET

// byGroup<> gathers the bytes of one group in each quarter of a lane.
DATA byGroup<>+0(SB)/8, $0x0d0905010c080400
DATA byGroup<>+8(SB)/8, $0x0f0b07030e0a0602
DATA byGroup<>+16(SB)/8, $0x0d0905010c080400
DATA byGroup<>+24(SB)/8, $0x0f0b07030e0a0602
GLOBL byGroup<>(SB), RODATA|NOPTR, $32

// ADDENTRIES looks the nibbles in idx up and adds the entries as words: even
// ones, with 256 times their odd neighbours, to all; odd ones to odd.
#define ADDENTRIES(idx, table, all, odd, t) \
	VPSHUFB idx, table, t \
	VPADDW  t, all, all   \
	VPSRLW  $8, t, t      \
	VPADDW  t, odd, odd

// TWOGROUPS takes the codes of two groups, sixteen vectors each in u.
#define TWOGROUPS(u, at) \
	VPERMQ  $0xd8, u, u           \
	VMOVDQU at(DX), Y8            \
	VPAND   Y14, u, Y9            \
	VPSRLW  $4, u, u              \
	VPAND   Y14, u, u             \
	ADDENTRIES(Y9, Y8, Y0, Y1, Y10) \
	ADDENTRIES(u, Y8, Y2, Y3, Y11)

// LINE takes a line of 64 bytes: four groups. Unpacking puts the codes of two
// groups side by side; the vectors come in the order 0-3, 8-11, 4-7, 12-15.
#define LINE(at) \
	VMOVDQU    at(SI), Y4      \
	VMOVDQU    at+32(SI), Y5   \
	VPSHUFB    Y15, Y4, Y4     \
	VPSHUFB    Y15, Y5, Y5     \
	VPUNPCKLDQ Y5, Y4, Y6      \
	VPUNPCKHDQ Y5, Y4, Y7      \
	TWOGROUPS(Y6, at)          \
	TWOGROUPS(Y7, at+32)

// WIDEN turns all and odd into 32-bit sums of sixteen vectors and adds them to
// those at off(DI).
#define WIDEN(all, odd, xall, xodd, off) \
	VPSLLW       $8, odd, Y4     \
	VPSUBW       Y4, all, all    \
	VPMOVZXWD    xall, Y4        \
	VEXTRACTI128 $1, all, X5     \
	VPMOVZXWD    X5, Y5          \
	VPADDD       Y5, Y4, Y4      \
	VPMOVZXWD    xodd, Y5        \
	VEXTRACTI128 $1, odd, X6     \
	VPMOVZXWD    X6, Y6          \
	VPADDD       Y6, Y5, Y5      \
	VPUNPCKLDQ   Y5, Y4, Y6      \
	VPUNPCKHDQ   Y5, Y4, Y7      \
	VPADDD       off(DI), Y6, Y6 \
	VPADDD       off+32(DI), Y7, Y7 \
	VMOVDQU      Y6, off(DI)     \
	VMOVDQU      Y7, off+32(DI)

// func scanSumsAVX2(codes, tables []byte, sums *[32]uint32, ahead int)
//
//	SI      codes, moving
//	DX      tables, moving
//	CX      bytes of tables left
//	R8      what to prefetch, moving
//	Y0, Y1  words of vectors 0-15: even with 256·odd, odd
//	Y2, Y3  the same of vectors 16-31
//	Y14     low nibbles
//	Y15     byGroup
TEXT ·scanSumsAVX2(SB), NOSPLIT, $0-64
	MOVQ         codes_base+0(FP), SI
	MOVQ         tables_base+24(FP), DX
	MOVQ         tables_len+32(FP), CX
	MOVQ         sums+48(FP), DI
	MOVQ         ahead+56(FP), R8
	ADDQ         SI, R8
	MOVL         $0x0f0f0f0f, AX
	VMOVD        AX, X14
	VPBROADCASTD X14, Y14
	VMOVDQU      byGroup<>(SB), Y15
	VPXOR        Y0, Y0, Y0
	VPXOR        Y1, Y1, Y1
	VPXOR        Y2, Y2, Y2
	VPXOR        Y3, Y3, Y3

lines:
	PREFETCHT1 (R8)
	PREFETCHT1 64(R8)
	LINE(0)
	LINE(64)
	ADDQ       $128, SI
	ADDQ       $128, DX
	ADDQ       $128, R8
	SUBQ       $128, CX
	JG         lines

	PREFETCHT1 (R8)
	PREFETCHT1 64(R8)
	PREFETCHT1 128(R8)
	PREFETCHT1 192(R8)
	WIDEN(Y0, Y1, X0, X1, 0)
	WIDEN(Y2, Y3, X2, X3, 64)
	VZEROUPPER
	RET

// FINISH computes eight results and leaves the bits of those below the limit in
// AX.
#define FINISH(i) \
	VCVTDQ2PS   i*4(DX), Y0        \
	VFMADD213PS Y6, Y5, Y0         \
	VCVTPH2PS   i*2(SI), Y1        \
	VADDPS      Y4, Y1, Y1         \
	VCVTPH2PS   i*2+64(SI), Y2     \
	VFMADD213PS Y1, Y2, Y0         \
	VMOVUPS     Y0, i*4(DI)        \
	VCMPPS      $1, Y7, Y0, Y0     \
	VMOVMSKPS   Y0, AX

// func finishScanAVX2(factors []byte, t *ScanTerms, sums *[32]uint32, out *[32]float32) uint32
TEXT ·finishScanAVX2(SB), NOSPLIT, $0-52
	MOVQ         factors_base+0(FP), SI
	MOVQ         t+24(FP), R8
	MOVQ         sums+32(FP), DX
	MOVQ         out+40(FP), DI
	VBROADCASTSS 0(R8), Y4
	VBROADCASTSS 4(R8), Y5
	VBROADCASTSS 8(R8), Y6
	VBROADCASTSS 12(R8), Y7
	FINISH(0)
	MOVL         AX, CX
	FINISH(8)
	SHLL         $8, AX
	ORL          AX, CX
	FINISH(16)
	SHLL         $16, AX
	ORL          AX, CX
	FINISH(24)
	SHLL         $24, AX
	ORL          AX, CX
	MOVL         CX, ret+48(FP)
	VZEROUPPER
	RET

// tableOfByte<> selects for byte j of a dword the table of group j.
DATA tableOfByte<>+0(SB)/4, $0x30201000
GLOBL tableOfByte<>(SB), RODATA|NOPTR, $4

// LINE512 takes a line of codes and its four tables, 64 bytes each: VPERMB looks
// sixteen vectors' four nibbles up, VPDPBUSD adds the four entries.
#define LINE512(at, low, high) \
	VMOVDQU64  at(AX), Z4          \
	VMOVDQU64  at(BX), Z6          \
	VPSRLD     $4, Z4, Z5          \
	VPTERNLOGD $0xea, Z9, Z8, Z4   \
	VPTERNLOGD $0xea, Z9, Z8, Z5   \
	VPERMB     Z6, Z4, Z4          \
	VPERMB     Z6, Z5, Z5          \
	VPDPBUSD   Z10, Z4, low        \
	VPDPBUSD   Z10, Z5, high

// SCANSETUP loads constants and clears the sums.
//
//	AX      codes, moving
//	BX      tables, moving
//	CX      bytes of tables left
//	Z0, Z2  sums of vectors 0-15, of every other line
//	Z1, Z3  of vectors 16-31
//	Z8      low nibbles
//	Z9      tableOfByte
//	Z10     bytes of 1
#define SCANSETUP \
	MOVL         $0x0f0f0f0f, DX        \
	VPBROADCASTD DX, Z8                 \
	VPBROADCASTD tableOfByte<>(SB), Z9  \
	MOVL         $0x01010101, DX        \
	VPBROADCASTD DX, Z10                \
	VPXORD       Z0, Z0, Z0             \
	VPXORD       Z1, Z1, Z1             \
	VPXORD       Z2, Z2, Z2             \
	VPXORD       Z3, Z3, Z3

// func scanSumsVBMI(codes, tables []byte, sums *[32]uint32)
TEXT ·scanSumsVBMI(SB), NOSPLIT, $0-56
	MOVQ codes_base+0(FP), AX
	MOVQ tables_base+24(FP), BX
	MOVQ tables_len+32(FP), CX
	MOVQ sums+48(FP), DI
	SCANSETUP

lines:
	LINE512(0, Z0, Z1)
	LINE512(64, Z2, Z3)
	ADDQ $128, AX
	ADDQ $128, BX
	SUBQ $128, CX
	JG   lines

	VPADDD    Z2, Z0, Z0
	VPADDD    Z3, Z1, Z1
	VMOVDQU32 Z0, (DI)
	VMOVDQU32 Z1, 64(DI)
	VZEROUPPER
	RET

// func scanBlockVBMI(block, tables []byte, t *ScanTerms, out *[32]float32, ahead int) uint32
//
// As above; SI is what to prefetch, moving.
TEXT ·scanBlockVBMI(SB), NOSPLIT, $0-76
	MOVQ block_base+0(FP), AX
	MOVQ tables_base+24(FP), BX
	MOVQ tables_len+32(FP), CX
	MOVQ t+48(FP), R8
	MOVQ out+56(FP), DI
	MOVQ ahead+64(FP), SI
	ADDQ AX, SI
	SCANSETUP
	SUBQ $256, CX
	JL   rest

lines:
	PREFETCHT1 (SI)
	PREFETCHT1 64(SI)
	PREFETCHT1 128(SI)
	PREFETCHT1 192(SI)
	LINE512(0, Z0, Z1)
	LINE512(64, Z2, Z3)
	LINE512(128, Z0, Z1)
	LINE512(192, Z2, Z3)
	ADDQ       $256, AX
	ADDQ       $256, BX
	ADDQ       $256, SI
	SUBQ       $256, CX
	JGE        lines

rest:
	ADDQ       $256, CX
	JZ         finish
	PREFETCHT1 (SI)
	PREFETCHT1 64(SI)
	LINE512(0, Z0, Z1)
	LINE512(64, Z2, Z3)
	ADDQ       $128, AX
	ADDQ       $128, SI

finish:
	PREFETCHT1   (SI)
	PREFETCHT1   64(SI)
	PREFETCHT1   128(SI)
	PREFETCHT1   192(SI)
	VPADDD       Z2, Z0, Z0
	VPADDD       Z3, Z1, Z1
	VCVTDQ2PS    Z0, Z0
	VCVTDQ2PS    Z1, Z1
	VBROADCASTSS 0(R8), Z4
	VBROADCASTSS 4(R8), Z5
	VBROADCASTSS 8(R8), Z6
	VBROADCASTSS 12(R8), Z7
	VFMADD213PS  Z6, Z5, Z0 // Step·sum + Low
	VFMADD213PS  Z6, Z5, Z1
	VCVTPH2PS    (AX), Z8
	VCVTPH2PS    32(AX), Z9
	VCVTPH2PS    64(AX), Z10
	VCVTPH2PS    96(AX), Z11
	VADDPS       Z4, Z8, Z8
	VADDPS       Z4, Z9, Z9
	VFMADD213PS  Z8, Z10, Z0
	VFMADD213PS  Z9, Z11, Z1
	VMOVUPS      Z0, (DI)
	VMOVUPS      Z1, 64(DI)
	VCMPPS       $1, Z7, Z0, K1
	VCMPPS       $1, Z7, Z1, K2
	KMOVW        K1, AX
	KMOVW        K2, BX
	SHLL         $16, BX
	ORL          BX, AX
	MOVL         AX, ret+72(FP)
	VZEROUPPER
	RET
