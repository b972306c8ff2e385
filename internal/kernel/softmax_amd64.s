//go:build !purego

#include "textflag.h"
#include "f32_amd64.h"

// Softmax in three passes: the largest element, the exponentials and their
// sum, the division.
//
// eˣ = 2ⁿ·eʳ with n = round(x/ln 2) and |r| ≤ ln 2/2. n·ln 2 is subtracted in
// two parts, the first exact (Cody and Waite 1980, chapter 6), and
// eʳ = 1 + r + r²·P(r), P of degree four from a minimax fit with a relative
// error of 3·10⁻⁹.
//
// Registers
//	SI, CX   x, moving, and the elements left
//	DI, R8   x's start and the elements in whole registers
//	R9       elements in the tail; K1 or Y15 is its mask in all three passes
//	Z0       the element, then r; Z1 n; Z2 P; Z3 r²
//	Z5       the sum; Z6 the largest in every lane; Z7 the scale
//	Z16-Z25  in AVX-512, constants for the whole call
//	Y14      in AVX2, a constant for the moment

DATA exp<>+0(SB)/4, $0xc2ac0000  // −86: below it 2ⁿ would leave the normal numbers
DATA exp<>+4(SB)/4, $0x3fb8aa3b  // 1/ln 2
DATA exp<>+8(SB)/4, $0x3f318000  // ln 2, upper part: 0.693359375
DATA exp<>+12(SB)/4, $0xb95e8083 // lower part: -0.00021219444
DATA exp<>+16(SB)/4, $0x3ab5121a // P: 0.0013814599 r⁴
DATA exp<>+20(SB)/4, $0x3c091cf2 // 0.0083687175 r³
DATA exp<>+24(SB)/4, $0x3d2aac79 // 0.04166839 r²
DATA exp<>+28(SB)/4, $0x3e2aaa49 // 0.16666521 r
DATA exp<>+32(SB)/4, $0x3efffffe // 0.49999994
DATA exp<>+36(SB)/4, $0x3f800000 // 1
DATA exp<>+40(SB)/4, $0xff800000 // −∞
GLOBL exp<>(SB), RODATA|NOPTR, $44

// EXP512 sets Z2 to exp((Z0 − largest)·scale). Where the bound meets NaN, the
// second source of VMAXPS, which is NaN, comes through.
#define EXP512 \
	VSUBPS       Z6, Z0, Z0  \
	VMULPS       Z7, Z0, Z0  \
	VMAXPS       Z0, Z16, Z0 \
	VMULPS       Z17, Z0, Z1 \
	VRNDSCALEPS  $8, Z1, Z1  \
	VFNMADD231PS Z18, Z1, Z0 \
	VFNMADD231PS Z19, Z1, Z0 \
	VMULPS       Z0, Z0, Z3  \
	VMOVAPS      Z20, Z2     \
	VFMADD213PS  Z21, Z0, Z2 \
	VFMADD213PS  Z22, Z0, Z2 \
	VFMADD213PS  Z23, Z0, Z2 \
	VFMADD213PS  Z24, Z0, Z2 \
	VFMADD213PS  Z0, Z3, Z2  \
	VADDPS       Z25, Z2, Z2 \
	VSCALEFPS    Z1, Z2, Z2

// func softmaxAVX512(x []float32, scale float32)
TEXT ·softmaxAVX512(SB), NOSPLIT, $0-28
	MOVQ         x_base+0(FP), DI
	MOVQ         x_len+8(FP), R8
	VBROADCASTSS scale+24(FP), Z7
	VBROADCASTSS exp<>+0(SB), Z16
	VBROADCASTSS exp<>+4(SB), Z17
	VBROADCASTSS exp<>+8(SB), Z18
	VBROADCASTSS exp<>+12(SB), Z19
	VBROADCASTSS exp<>+16(SB), Z20
	VBROADCASTSS exp<>+20(SB), Z21
	VBROADCASTSS exp<>+24(SB), Z22
	VBROADCASTSS exp<>+28(SB), Z23
	VBROADCASTSS exp<>+32(SB), Z24
	VBROADCASTSS exp<>+36(SB), Z25
	VBROADCASTSS exp<>+40(SB), Z6
	VXORPS       X5, X5, X5

	MOVQ  R8, CX
	ANDQ  $15, CX
	MOVQ  CX, R9
	MASK512
	ANDQ  $-16, R8
	MOVQ  DI, SI
	MOVQ  R8, CX
	SUBQ  $16, CX
	JL    maxrest

max:
	VMAXPS (SI), Z6, Z6
	ADDQ   $64, SI
	SUBQ   $16, CX
	JGE    max

maxrest:
	TESTQ         R9, R9
	JZ            maxlanes
	VBROADCASTSS  exp<>+40(SB), Z0
	VMOVUPS       (SI), K1, Z0
	VMAXPS        Z0, Z6, Z6

maxlanes:
	VEXTRACTF64X4 $1, Z6, Y0
	VMAXPS        Y0, Y6, Y6
	VEXTRACTF128  $1, Y6, X0
	VMAXPS        X0, X6, X6
	VPERMILPS     $0x4e, X6, X0
	VMAXPS        X0, X6, X6
	VPERMILPS     $0xb1, X6, X0
	VMAXPS        X0, X6, X6
	VBROADCASTSS  X6, Z6
	MOVQ          DI, SI
	MOVQ          R8, CX
	SUBQ          $16, CX
	JL            exprest

exponentials:
	VMOVUPS (SI), Z0
	EXP512
	VMOVUPS Z2, (SI)
	VADDPS  Z2, Z5, Z5
	ADDQ    $64, SI
	SUBQ    $16, CX
	JGE     exponentials

exprest:
	TESTQ     R9, R9
	JZ        total
	VMOVUPS.Z (SI), K1, Z0
	EXP512
	VMOVUPS   Z2, K1, (SI)
	VADDPS    Z2, Z5, K1, Z5

total:
	LANES512(Z5, Y5, X5, Y0, X0)
	VDIVSS       X5, X25, X5
	VBROADCASTSS X5, Z5
	MOVQ         DI, SI
	MOVQ         R8, CX
	SUBQ         $16, CX
	JL           divrest

divide:
	VMULPS  (SI), Z5, Z0
	VMOVUPS Z0, (SI)
	ADDQ    $64, SI
	SUBQ    $16, CX
	JGE     divide

divrest:
	TESTQ     R9, R9
	JZ        done
	VMOVUPS.Z (SI), K1, Z0
	VMULPS    Z0, Z5, Z0
	VMOVUPS   Z0, K1, (SI)

done:
	VZEROUPPER
	RET

// EXP256 is EXP512 in sixteen registers; 2ⁿ is added to the exponent's bits.
#define EXP256 \
	VSUBPS       Y6, Y0, Y0         \
	VMULPS       Y7, Y0, Y0         \
	VMAXPS       Y0, Y8, Y0         \
	VMULPS       Y9, Y0, Y1         \
	VROUNDPS     $8, Y1, Y1         \
	VFNMADD231PS Y10, Y1, Y0        \
	VFNMADD231PS Y11, Y1, Y0        \
	VMULPS       Y0, Y0, Y3         \
	VBROADCASTSS exp<>+16(SB), Y2   \
	VBROADCASTSS exp<>+20(SB), Y14  \
	VFMADD213PS  Y14, Y0, Y2        \
	VBROADCASTSS exp<>+24(SB), Y14  \
	VFMADD213PS  Y14, Y0, Y2        \
	VBROADCASTSS exp<>+28(SB), Y14  \
	VFMADD213PS  Y14, Y0, Y2        \
	VBROADCASTSS exp<>+32(SB), Y14  \
	VFMADD213PS  Y14, Y0, Y2        \
	VFMADD213PS  Y0, Y3, Y2         \
	VADDPS       Y12, Y2, Y2        \
	VCVTPS2DQ    Y1, Y1             \
	VPSLLD       $23, Y1, Y1        \
	VPADDD       Y1, Y2, Y2

// func softmaxAVX2(x []float32, scale float32)
TEXT ·softmaxAVX2(SB), NOSPLIT, $0-28
	MOVQ         x_base+0(FP), DI
	MOVQ         x_len+8(FP), R8
	VBROADCASTSS scale+24(FP), Y7
	VBROADCASTSS exp<>+0(SB), Y8
	VBROADCASTSS exp<>+4(SB), Y9
	VBROADCASTSS exp<>+8(SB), Y10
	VBROADCASTSS exp<>+12(SB), Y11
	VBROADCASTSS exp<>+36(SB), Y12
	VBROADCASTSS exp<>+40(SB), Y6
	VMOVAPS      Y6, Y13            // −∞ for the lanes beyond the tail
	VXORPS       X5, X5, X5
	MOVQ         R8, CX
	ANDQ         $7, CX
	MOVQ         CX, R9
	MASK256
	ANDQ         $-8, R8
	MOVQ         DI, SI
	MOVQ         R8, CX
	SUBQ         $8, CX
	JL           maxrest

max:
	VMAXPS (SI), Y6, Y6
	ADDQ   $32, SI
	SUBQ   $8, CX
	JGE    max

maxrest:
	TESTQ        R9, R9
	JZ           maxlanes
	VMASKMOVPS   (SI), Y15, Y0
	VBLENDVPS    Y15, Y0, Y13, Y0
	VMAXPS       Y0, Y6, Y6

maxlanes:
	VEXTRACTF128 $1, Y6, X0
	VMAXPS       X0, X6, X6
	VPERMILPS    $0x4e, X6, X0
	VMAXPS       X0, X6, X6
	VPERMILPS    $0xb1, X6, X0
	VMAXPS       X0, X6, X6
	VBROADCASTSS X6, Y6
	MOVQ         DI, SI
	MOVQ         R8, CX
	SUBQ         $8, CX
	JL           exprest

exponentials:
	VMOVUPS (SI), Y0
	EXP256
	VMOVUPS Y2, (SI)
	VADDPS  Y2, Y5, Y5
	ADDQ    $32, SI
	SUBQ    $8, CX
	JGE     exponentials

exprest:
	TESTQ      R9, R9
	JZ         total
	VMASKMOVPS (SI), Y15, Y0
	EXP256
	VMASKMOVPS Y2, Y15, (SI)
	VANDPS     Y15, Y2, Y2
	VADDPS     Y2, Y5, Y5

total:
	LANES256(Y5, X5, X0)
	VDIVSS       X5, X12, X5
	VBROADCASTSS X5, Y5
	MOVQ         DI, SI
	MOVQ         R8, CX
	SUBQ         $8, CX
	JL           divrest

divide:
	VMULPS  (SI), Y5, Y0
	VMOVUPS Y0, (SI)
	ADDQ    $32, SI
	SUBQ    $8, CX
	JGE     divide

divrest:
	TESTQ      R9, R9
	JZ         done
	VMASKMOVPS (SI), Y15, Y0
	VMULPS     Y0, Y5, Y0
	VMASKMOVPS Y0, Y15, (SI)

done:
	VZEROUPPER
	RET
