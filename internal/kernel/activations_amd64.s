//go:build !purego

#include "textflag.h"

// packOrder undoes how the packing instructions interleave 128-bit halves.
DATA packOrder<>+0(SB)/8, $0x0000000400000000
DATA packOrder<>+8(SB)/8, $0x0000000500000001
DATA packOrder<>+16(SB)/8, $0x0000000600000002
DATA packOrder<>+24(SB)/8, $0x0000000700000003
GLOBL packOrder<>(SB), RODATA|NOPTR, $32

// zeroPoints are the zero points that a sum of quants is multiplied by.
DATA zeroPoints<>+0(SB)/4, $-128
DATA zeroPoints<>+4(SB)/4, $-16
DATA zeroPoints<>+8(SB)/4, $-8
DATA zeroPoints<>+12(SB)/4, $0
GLOBL zeroPoints<>(SB), RODATA|NOPTR, $16

DATA quantised<>+0(SB)/4, $0x7fffffff // all but the sign bit
DATA quantised<>+4(SB)/4, $0x38810204 // 1/16256
DATA quantised<>+8(SB)/4, $0x7fc00000 // NaN
DATA quantised<>+12(SB)/4, $0x00400040 // 64, twice 16 bits
GLOBL quantised<>(SB), RODATA|NOPTR, $16

// func quantizeAVX2(x *float32, out *block, blocks, shift int, largest float32)
//
// AX x, BX out, CX blocks left; Y0-Y3 the numbers, then their quants; Y4-Y8
// whatever is at hand; X6 scale; Y15 the magnitudes' bits; X13 1/16256, X12 largest;
// X9 shift; Y14 packOrder; Y11 64 in 16 bits; X10 zeroPoints; R8 the peak's bits
TEXT ·quantizeAVX2(SB), NOSPLIT, $0-36
	MOVQ         x+0(FP), AX
	MOVQ         out+8(FP), BX
	MOVQ         blocks+16(FP), CX
	VBROADCASTSS quantised<>+0(SB), Y15
	VMOVQ        shift+24(FP), X9
	VMOVSS       largest+32(FP), X12
	VMOVSS       quantised<>+4(SB), X13
	VPBROADCASTD quantised<>+12(SB), Y11
	VMOVDQU      packOrder<>(SB), Y14
	VMOVDQU      zeroPoints<>(SB), X10

quantBlock:
	VMOVUPS      (AX), Y0
	VMOVUPS      32(AX), Y1
	VMOVUPS      64(AX), Y2
	VMOVUPS      96(AX), Y3

	// Bits of magnitudes order like the magnitudes, NaN above all.
	VPAND        Y15, Y0, Y4
	VPAND        Y15, Y1, Y5
	VPAND        Y15, Y2, Y6
	VPAND        Y15, Y3, Y7
	VPMAXSD      Y5, Y4, Y4
	VPMAXSD      Y7, Y6, Y6
	VPMAXSD      Y6, Y4, Y4
	VEXTRACTI128 $1, Y4, X5
	VPMAXSD      X5, X4, X4
	VPSHUFD      $0x4e, X4, X5
	VPMAXSD      X5, X4, X4
	VPSHUFD      $0xb1, X4, X5
	VPMAXSD      X5, X4, X4
	VMOVD        X4, R8
	CMPL         R8, $0x7f800000
	JGE          quantNotFinite
	CMPL         R8, $0x0d800000           // 2⁻¹⁰⁰
	JLT          quantZero
	VDIVSS       X4, X12, X5
	VMULSS       X13, X4, X6
	VBROADCASTSS X5, Y5
	VBROADCASTSS X6, X6
	VMULPS       Y5, Y0, Y0
	VMULPS       Y5, Y1, Y1
	VMULPS       Y5, Y2, Y2
	VMULPS       Y5, Y3, Y3
	VCVTPS2DQ    Y0, Y0
	VCVTPS2DQ    Y1, Y1
	VCVTPS2DQ    Y2, Y2
	VCVTPS2DQ    Y3, Y3
	VPSLLD       X9, Y0, Y0
	VPSLLD       X9, Y1, Y1
	VPSLLD       X9, Y2, Y2
	VPSLLD       X9, Y3, Y3

	// X4: the sums of columns 0 to 15, of 16 to 31, and again.
	VPADDD       Y1, Y0, Y4
	VPADDD       Y3, Y2, Y5
	VPHADDD      Y5, Y4, Y4
	VEXTRACTI128 $1, Y4, X5
	VPADDD       X5, X4, X4
	VPHADDD      X4, X4, X4
	VPSHUFD      $0xb1, X4, X5
	VPADDD       X5, X4, X5                // the sum of all
	VCVTDQ2PS    X4, X7
	VMULPS       X6, X7, X7
	VCVTDQ2PS    X5, X8
	VMULPS       X6, X8, X8
	VMOVSS       X6, 64(BX)
	VMOVSS       X8, 68(BX)
	VMOVQ        X7, 72(BX)
	VPMULLD      X10, X5, X5
	VMOVDQU      X5, 80(BX)
	VPSLLD       $5, X4, X4
	VPXOR        X5, X5, X5
	VPSUBD       X4, X5, X4
	VMOVQ        X4, 92(BX)

	// The planes: high is (q + 64) >> 7, low what is left.
	VPACKSSDW    Y1, Y0, Y0
	VPACKSSDW    Y3, Y2, Y2
	VPADDW       Y11, Y0, Y1
	VPADDW       Y11, Y2, Y3
	VPSRAW       $7, Y1, Y1
	VPSRAW       $7, Y3, Y3
	VPACKSSWB    Y3, Y1, Y4
	VPERMD       Y4, Y14, Y4
	VMOVDQU      Y4, (BX)
	VPSLLW       $7, Y1, Y1
	VPSLLW       $7, Y3, Y3
	VPSUBW       Y1, Y0, Y0
	VPSUBW       Y3, Y2, Y2
	VPACKSSWB    Y2, Y0, Y0
	VPERMD       Y0, Y14, Y0
	VMOVDQU      Y0, 32(BX)

quantNext:
	ADDQ         $128, AX
	ADDQ         $128, BX
	DECQ         CX
	JNZ          quantBlock
	VZEROUPPER
	RET

quantNotFinite:
	MOVL         quantised<>+8(SB), R8
	JMP          quantConstant

quantZero:
	XORL         R8, R8

quantConstant:
	VPXOR        Y0, Y0, Y0
	VMOVDQU      Y0, (BX)
	VMOVDQU      Y0, 32(BX)
	VMOVDQU      Y0, 64(BX)
	VMOVDQU      X0, 84(BX)
	MOVL         R8, 64(BX)
	MOVL         R8, 68(BX)
	MOVL         R8, 72(BX)
	MOVL         R8, 76(BX)
	JMP          quantNext
