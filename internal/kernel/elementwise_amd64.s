//go:build !purego

#include "textflag.h"

// Element-wise kernels at 256 bits, for AVX2 and AVX512 alike: beside the
// products they take too little time for wider registers to show.
//
// A length that is not a multiple of eight ends in one step under a mask: lanes
// beyond the end are neither read nor written.

// tailMask<>+32 − 4·n are n lanes of ones, then zeros.
DATA tailMask<>+0(SB)/8, $0xffffffffffffffff
DATA tailMask<>+8(SB)/8, $0xffffffffffffffff
DATA tailMask<>+16(SB)/8, $0xffffffffffffffff
DATA tailMask<>+24(SB)/8, $0xffffffffffffffff
DATA tailMask<>+32(SB)/8, $0
DATA tailMask<>+40(SB)/8, $0
DATA tailMask<>+48(SB)/8, $0
DATA tailMask<>+56(SB)/8, $0
GLOBL tailMask<>(SB), RODATA|NOPTR, $64

// Constants of exp, after Moshier's Cephes library, expf: the logarithm of two
// in two parts and a polynomial for exp(r) = 1 + r + r²·P(r), |r| ≤ ln 2/2.
DATA expf<>+0(SB)/4, $0xc2b00000  // −88: the smallest argument; exp gives 0
DATA expf<>+4(SB)/4, $0x42b20000  // 89: the largest; exp gives infinity
DATA expf<>+8(SB)/4, $0x3fb8aa3b  // 1/ln 2
DATA expf<>+12(SB)/4, $0x3f318000 // ln 2, upper part
DATA expf<>+16(SB)/4, $0xb95e8083 // ln 2, lower part
DATA expf<>+20(SB)/4, $0x39506967 // 1.9875691e-4
DATA expf<>+24(SB)/4, $0x3ab743ce // 1.3981999e-3
DATA expf<>+28(SB)/4, $0x3c088908 // 8.3334519e-3
DATA expf<>+32(SB)/4, $0x3d2aa9c1 // 4.1665796e-2
DATA expf<>+36(SB)/4, $0x3e2aaaaa // 1.6666666e-1
DATA expf<>+40(SB)/4, $0x3f000000 // 0.5
DATA expf<>+44(SB)/4, $0x3f800000 // 1
DATA expf<>+48(SB)/4, $0x0000007f // 127, the bias of an exponent
DATA expf<>+52(SB)/4, $0xff800000 // −∞
DATA expf<>+56(SB)/4, $0x80000000 // the sign bit
GLOBL expf<>(SB), RODATA|NOPTR, $60

// EXP_CONSTANTS loads what EXP wants in Y8 to Y15.
#define EXP_CONSTANTS \
	VBROADCASTSS expf<>+0(SB), Y8   \
	VBROADCASTSS expf<>+4(SB), Y9   \
	VBROADCASTSS expf<>+8(SB), Y10  \
	VBROADCASTSS expf<>+12(SB), Y11 \
	VBROADCASTSS expf<>+16(SB), Y12 \
	VBROADCASTSS expf<>+20(SB), Y13 \
	VBROADCASTSS expf<>+44(SB), Y14 \
	VPBROADCASTD expf<>+48(SB), Y15

// EXP sets Y0 to exp(Y0), using Y1 to Y3. The argument is the second source of
// the limits, which is what comes through where it is NaN.
#define EXP \
	VMAXPS       Y0, Y8, Y0         \
	VMINPS       Y0, Y9, Y0         \
	VMULPS       Y10, Y0, Y1        \
	VROUNDPS     $8, Y1, Y1         \ // n, to nearest
	VFNMADD231PS Y11, Y1, Y0        \
	VFNMADD231PS Y12, Y1, Y0        \ // r
	VMOVAPS      Y13, Y2            \
	VBROADCASTSS expf<>+24(SB), Y3  \
	VFMADD213PS  Y3, Y0, Y2         \
	VBROADCASTSS expf<>+28(SB), Y3  \
	VFMADD213PS  Y3, Y0, Y2         \
	VBROADCASTSS expf<>+32(SB), Y3  \
	VFMADD213PS  Y3, Y0, Y2         \
	VBROADCASTSS expf<>+36(SB), Y3  \
	VFMADD213PS  Y3, Y0, Y2         \
	VBROADCASTSS expf<>+40(SB), Y3  \
	VFMADD213PS  Y3, Y0, Y2         \ // P(r)
	VMULPS       Y0, Y0, Y3         \
	VFMADD213PS  Y0, Y3, Y2         \
	VADDPS       Y14, Y2, Y2        \ // exp(r)
	VCVTPS2DQ    Y1, Y1             \
	VPADDD       Y15, Y1, Y1        \
	VPSLLD       $23, Y1, Y1        \ // 2ⁿ
	VMULPS       Y1, Y2, Y0

// TAIL_MASK sets Y7 to a mask of CX lanes, 1 to 7.
#define TAIL_MASK \
	LEAQ    tailMask<>+32(SB), R8 \
	SHLQ    $2, CX                \
	SUBQ    CX, R8                \
	VMOVDQU (R8), Y7

// SUM_LANES sets X4 to the sum of Y4's lanes, halves first.
#define SUM_LANES \
	VEXTRACTF128 $1, Y4, X1     \
	VADDPS       X1, X4, X4     \
	VPERMILPS    $0x4e, X4, X1  \
	VADDPS       X1, X4, X4     \
	VPERMILPS    $0xb1, X4, X1  \
	VADDPS       X1, X4, X4

// MAX_LANES sets X4 to the largest of Y4's lanes.
#define MAX_LANES \
	VEXTRACTF128 $1, Y4, X1     \
	VMAXPS       X1, X4, X4     \
	VPERMILPS    $0x4e, X4, X1  \
	VMAXPS       X1, X4, X4     \
	VPERMILPS    $0xb1, X4, X1  \
	VMAXPS       X1, X4, X4

// func sumSquaresAVX2(x *float32, n int) float32
//
// AX x, CX numbers left, Y4 the sums of eight lanes, Y7 mask of the tail
TEXT ·sumSquaresAVX2(SB), NOSPLIT, $0-20
	MOVQ   x+0(FP), AX
	MOVQ   n+8(FP), CX
	VXORPS Y4, Y4, Y4
	SUBQ   $8, CX
	JLT    squaresTail

squaresLoop:
	VMOVUPS     (AX), Y0
	VFMADD231PS Y0, Y0, Y4
	ADDQ        $32, AX
	SUBQ        $8, CX
	JGE         squaresLoop

squaresTail:
	ADDQ        $8, CX
	JZ          squaresDone
	TAIL_MASK
	VMASKMOVPS  (AX), Y7, Y0
	VFMADD231PS Y0, Y0, Y4

squaresDone:
	SUM_LANES
	VMOVSS X4, ret+16(FP)
	VZEROUPPER
	RET

// func scaleByAVX2(out, x, weight *float32, n int, s float32)
//
// DX out, AX x, BX weight, CX numbers left, Y4 s, Y7 mask of the tail
TEXT ·scaleByAVX2(SB), NOSPLIT, $0-36
	MOVQ         out+0(FP), DX
	MOVQ         x+8(FP), AX
	MOVQ         weight+16(FP), BX
	MOVQ         n+24(FP), CX
	VBROADCASTSS s+32(FP), Y4
	SUBQ         $8, CX
	JLT          scaleTail

scaleLoop:
	VMULPS  (AX), Y4, Y0
	VMULPS  (BX), Y0, Y0
	VMOVUPS Y0, (DX)
	ADDQ    $32, AX
	ADDQ    $32, BX
	ADDQ    $32, DX
	SUBQ    $8, CX
	JGE     scaleLoop

scaleTail:
	ADDQ       $8, CX
	JZ         scaleDone
	TAIL_MASK
	VMASKMOVPS (AX), Y7, Y0
	VMASKMOVPS (BX), Y7, Y1
	VMULPS     Y0, Y4, Y0
	VMULPS     Y1, Y0, Y0
	VMASKMOVPS Y0, Y7, (DX)

scaleDone:
	VZEROUPPER
	RET

// SILU sets Y0 to Y5/(1+exp(−Y5))·Y6. The polynomial's first constant, Y13, and
// the others are EXP's.
#define SILU \
	VBROADCASTSS expf<>+56(SB), Y0 \
	VXORPS       Y5, Y0, Y0        \
	EXP                            \
	VADDPS       Y14, Y0, Y0       \
	VDIVPS       Y0, Y5, Y0        \
	VMULPS       Y6, Y0, Y0

// func siluMulAVX2(gate, up *float32, n int)
//
// AX gate, BX up, CX numbers left, Y5 gates, Y6 ups, Y7 mask of the tail
TEXT ·siluMulAVX2(SB), NOSPLIT, $0-24
	MOVQ gate+0(FP), AX
	MOVQ up+8(FP), BX
	MOVQ n+16(FP), CX
	EXP_CONSTANTS
	SUBQ $8, CX
	JLT  siluTail

siluLoop:
	VMOVUPS (AX), Y5
	VMOVUPS (BX), Y6
	SILU
	VMOVUPS Y0, (AX)
	ADDQ    $32, AX
	ADDQ    $32, BX
	SUBQ    $8, CX
	JGE     siluLoop

siluTail:
	ADDQ       $8, CX
	JZ         siluDone
	TAIL_MASK
	VMASKMOVPS (AX), Y7, Y5
	VMASKMOVPS (BX), Y7, Y6
	SILU
	VMASKMOVPS Y0, Y7, (AX)

siluDone:
	VZEROUPPER
	RET

// func maxAVX2(x *float32, n int) float32
//
// AX x, CX numbers left, Y4 the largest of each lane
TEXT ·maxAVX2(SB), NOSPLIT, $0-20
	MOVQ         x+0(FP), AX
	MOVQ         n+8(FP), CX
	VBROADCASTSS expf<>+52(SB), Y4
	SUBQ         $8, CX
	JLT          maxTail

maxLoop:
	VMAXPS (AX), Y4, Y4
	ADDQ   $32, AX
	SUBQ   $8, CX
	JGE    maxLoop

maxTail:
	ADDQ         $8, CX
	JZ           maxDone
	TAIL_MASK
	VMASKMOVPS   (AX), Y7, Y0
	VBROADCASTSS expf<>+52(SB), Y1
	VBLENDVPS    Y7, Y0, Y1, Y0
	VMAXPS       Y0, Y4, Y4

maxDone:
	MAX_LANES
	VMOVSS X4, ret+16(FP)
	VZEROUPPER
	RET

// func expSumAVX2(x, out *float32, n int, scale, shift float32) float32
//
// AX x, BX out, CX numbers left, Y4 the sum, Y5 scale, Y6 shift, Y7 mask of the
// tail
TEXT ·expSumAVX2(SB), NOSPLIT, $0-36
	MOVQ         x+0(FP), AX
	MOVQ         out+8(FP), BX
	MOVQ         n+16(FP), CX
	VBROADCASTSS scale+24(FP), Y5
	VBROADCASTSS shift+28(FP), Y6
	EXP_CONSTANTS
	VXORPS       Y4, Y4, Y4
	SUBQ         $8, CX
	JLT          expTail

expLoop:
	VMULPS  (AX), Y5, Y0
	VSUBPS  Y6, Y0, Y0
	EXP
	VMOVUPS Y0, (BX)
	VADDPS  Y0, Y4, Y4
	ADDQ    $32, AX
	ADDQ    $32, BX
	SUBQ    $8, CX
	JGE     expLoop

expTail:
	ADDQ       $8, CX
	JZ         expDone
	TAIL_MASK
	VMASKMOVPS (AX), Y7, Y0
	VMULPS     Y0, Y5, Y0
	VSUBPS     Y6, Y0, Y0
	EXP
	VANDPS     Y7, Y0, Y0
	VMASKMOVPS Y0, Y7, (BX)
	VADDPS     Y0, Y4, Y4

expDone:
	SUM_LANES
	VMOVSS X4, ret+32(FP)
	VZEROUPPER
	RET

// func storeKVAVX2(keys, values *uint16, key, value *float32, dim int)
//
// DI the slot's column of the transposed keys, 64 bytes a number; SI its row of
// the values; AX, BX key and value; CX numbers left, a multiple of eight
TEXT ·storeKVAVX2(SB), NOSPLIT, $0-40
	MOVQ keys+0(FP), DI
	MOVQ values+8(FP), SI
	MOVQ key+16(FP), AX
	MOVQ value+24(FP), BX
	MOVQ dim+32(FP), CX

storeLoop:
	VMOVUPS   (AX), Y0
	VMOVUPS   (BX), Y1
	VCVTPS2PH $0, Y0, X0
	VCVTPS2PH $0, Y1, X1
	VMOVDQU   X1, (SI)
	VPEXTRW   $0, X0, (DI)
	VPEXTRW   $1, X0, 64(DI)
	VPEXTRW   $2, X0, 128(DI)
	VPEXTRW   $3, X0, 192(DI)
	VPEXTRW   $4, X0, 256(DI)
	VPEXTRW   $5, X0, 320(DI)
	VPEXTRW   $6, X0, 384(DI)
	VPEXTRW   $7, X0, 448(DI)
	ADDQ      $32, AX
	ADDQ      $32, BX
	ADDQ      $16, SI
	ADDQ      $512, DI
	SUBQ      $8, CX
	JNZ       storeLoop
	VZEROUPPER
	RET

// func rotateAdjacentAVX2(x, cos, sin *float32, pairs int)
//
// AX x, BX cos, DX sin, CX pairs left, a multiple of four; Y0 the numbers, Y1
// with each pair swapped; Y2, Y3 cosines and sines, each twice
TEXT ·rotateAdjacentAVX2(SB), NOSPLIT, $0-32
	MOVQ x+0(FP), AX
	MOVQ cos+8(FP), BX
	MOVQ sin+16(FP), DX
	MOVQ pairs+24(FP), CX

rotateLoop:
	VMOVUPS   (AX), Y0
	VPERMILPS $0xb1, Y0, Y1
	VPMOVZXDQ (BX), Y2
	VPMOVZXDQ (DX), Y3
	VMOVSLDUP Y2, Y2
	VMOVSLDUP Y3, Y3
	VMULPS    Y2, Y0, Y0
	VMULPS    Y3, Y1, Y1
	VADDSUBPS Y1, Y0, Y0 // a·cos − b·sin, b·cos + a·sin
	VMOVUPS   Y0, (AX)
	ADDQ      $32, AX
	ADDQ      $16, BX
	ADDQ      $16, DX
	SUBQ      $4, CX
	JNZ       rotateLoop
	VZEROUPPER
	RET
