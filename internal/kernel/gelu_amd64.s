//go:build !purego

#include "textflag.h"
#include "f32_amd64.h"

// x·Φ(x) with Φ(x) = ½ + x·P(x²)/Q(x²); see GELU.
//
// Registers
//	SI, CX   x, moving, and the elements left
//	Z0       x; Z1 x within the fit's range; Z2 its square; Z3 P; Z4 Q
//	Z16-Z28  in AVX-512, constants for the whole call: the bounds, P, Q, ½
//	Y14      in AVX2, a constant for the moment; Y15 the mask of the tail

DATA gelu<>+0(SB)/4, $0x40b16622  // 5.5437174, the end of the fit
DATA gelu<>+4(SB)/4, $0xc0b16622  // and its negative
DATA gelu<>+8(SB)/4, $0x32c11bf5  // P: 2.248087e-08 x¹⁰
DATA gelu<>+12(SB)/4, $0x36d5275b // 6.3524762e-06 x⁸
DATA gelu<>+16(SB)/4, $0x39334351 // 0.00017095848 x⁶
DATA gelu<>+20(SB)/4, $0x3b99ae04 // 0.0046899337 x⁴
DATA gelu<>+24(SB)/4, $0x3d0b938f // 0.03407627 x²
DATA gelu<>+28(SB)/4, $0x3ecc4228 // 0.39894223
DATA gelu<>+32(SB)/4, $0x359fae1a // Q: 1.1897093e-06 x¹⁰
DATA gelu<>+36(SB)/4, $0x389bbaba // 7.4257565e-05 x⁸
DATA gelu<>+40(SB)/4, $0x3af89565 // 0.0018965421 x⁶
DATA gelu<>+44(SB)/4, $0x3cebb195 // 0.028771201 x⁴
DATA gelu<>+48(SB)/4, $0x3e8110f1 // 0.25208238 x²
DATA gelu<>+52(SB)/4, $0x3f800000 // 1
DATA gelu<>+56(SB)/4, $0x3f000000 // ½
GLOBL gelu<>(SB), RODATA|NOPTR, $60

// GELU512 sets Z0 to its function. Where a bound meets NaN, the second source
// of VMINPS and VMAXPS, which is NaN, comes through.
#define GELU512 \
	VMINPS      Z0, Z16, Z1  \
	VMAXPS      Z1, Z17, Z1  \
	VMULPS      Z1, Z1, Z2   \
	VMOVAPS     Z18, Z3      \
	VMOVAPS     Z24, Z4      \
	VFMADD213PS Z19, Z2, Z3  \
	VFMADD213PS Z25, Z2, Z4  \
	VFMADD213PS Z20, Z2, Z3  \
	VFMADD213PS Z26, Z2, Z4  \
	VFMADD213PS Z21, Z2, Z3  \
	VFMADD213PS Z27, Z2, Z4  \
	VFMADD213PS Z22, Z2, Z3  \
	VFMADD213PS Z28, Z2, Z4  \
	VFMADD213PS Z23, Z2, Z3  \
	VFMADD213PS Z29, Z2, Z4  \
	VDIVPS      Z4, Z3, Z3   \
	VFMADD213PS Z30, Z1, Z3  \
	VMULPS      Z3, Z0, Z0

// func geluAVX512(x []float32)
TEXT ·geluAVX512(SB), NOSPLIT, $0-24
	MOVQ         x_base+0(FP), SI
	MOVQ         x_len+8(FP), CX
	VBROADCASTSS gelu<>+0(SB), Z16
	VBROADCASTSS gelu<>+4(SB), Z17
	VBROADCASTSS gelu<>+8(SB), Z18
	VBROADCASTSS gelu<>+12(SB), Z19
	VBROADCASTSS gelu<>+16(SB), Z20
	VBROADCASTSS gelu<>+20(SB), Z21
	VBROADCASTSS gelu<>+24(SB), Z22
	VBROADCASTSS gelu<>+28(SB), Z23
	VBROADCASTSS gelu<>+32(SB), Z24
	VBROADCASTSS gelu<>+36(SB), Z25
	VBROADCASTSS gelu<>+40(SB), Z26
	VBROADCASTSS gelu<>+44(SB), Z27
	VBROADCASTSS gelu<>+48(SB), Z28
	VBROADCASTSS gelu<>+52(SB), Z29
	VBROADCASTSS gelu<>+56(SB), Z30
	SUBQ         $16, CX
	JL           rest

whole:
	VMOVUPS (SI), Z0
	GELU512
	VMOVUPS Z0, (SI)
	ADDQ    $64, SI
	SUBQ    $16, CX
	JGE     whole

rest:
	ADDQ $16, CX
	JZ   done
	MASK512
	VMOVUPS.Z (SI), K1, Z0
	GELU512
	VMOVUPS   Z0, K1, (SI)

done:
	VZEROUPPER
	RET

// HORNER sets y to y·x² + the constant at an offset.
#define HORNER(offset, y) \
	VBROADCASTSS gelu<>+offset(SB), Y14 \
	VFMADD213PS  Y14, Y2, y

#define GELU256 \
	VBROADCASTSS gelu<>+0(SB), Y1   \
	VMINPS       Y0, Y1, Y1         \
	VBROADCASTSS gelu<>+4(SB), Y2   \
	VMAXPS       Y1, Y2, Y1         \
	VMULPS       Y1, Y1, Y2         \
	VBROADCASTSS gelu<>+8(SB), Y3   \
	VBROADCASTSS gelu<>+32(SB), Y4  \
	HORNER(12, Y3)                  \
	HORNER(36, Y4)                  \
	HORNER(16, Y3)                  \
	HORNER(40, Y4)                  \
	HORNER(20, Y3)                  \
	HORNER(44, Y4)                  \
	HORNER(24, Y3)                  \
	HORNER(48, Y4)                  \
	HORNER(28, Y3)                  \
	HORNER(52, Y4)                  \
	VDIVPS       Y4, Y3, Y3         \
	VBROADCASTSS gelu<>+56(SB), Y14 \
	VFMADD213PS  Y14, Y1, Y3        \
	VMULPS       Y3, Y0, Y0

// func geluAVX2(x []float32)
TEXT ·geluAVX2(SB), NOSPLIT, $0-24
	MOVQ x_base+0(FP), SI
	MOVQ x_len+8(FP), CX
	SUBQ $8, CX
	JL   rest

whole:
	VMOVUPS (SI), Y0
	GELU256
	VMOVUPS Y0, (SI)
	ADDQ    $32, SI
	SUBQ    $8, CX
	JGE     whole

rest:
	ADDQ $8, CX
	JZ   done
	MASK256
	VMASKMOVPS (SI), Y15, Y0
	GELU256
	VMASKMOVPS Y0, Y15, (SI)

done:
	VZEROUPPER
	RET
