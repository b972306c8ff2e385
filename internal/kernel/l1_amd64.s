//go:build !purego

#include "textflag.h"
#include "f32_amd64.h"

// Manhattan distances.
//
// Registers
//	SI, DI  the two vectors, moving
//	CX      elements left
//	Z0-Z1   accumulators (Y0-Y1 in the AVX2 function)
//	Z4-Z5   differences
//	Z7, Y7  the sign bit of every lane, cleared in Z4 and Z5
//	K1, Y15 mask of the tail

// func l1AVX512(a, b []float32) float32
TEXT ·l1AVX512(SB), NOSPLIT, $0-52
	MOVQ         a_base+0(FP), SI
	MOVQ         a_len+8(FP), CX
	MOVQ         b_base+24(FP), DI
	VXORPS       X0, X0, X0
	VXORPS       X1, X1, X1
	MOVL         $0x7fffffff, AX
	VPBROADCASTD AX, Z7
	SUBQ         $32, CX
	JL           ones

blocks:
	VMOVUPS (SI), Z4
	VMOVUPS 64(SI), Z5
	VSUBPS  (DI), Z4, Z4
	VSUBPS  64(DI), Z5, Z5
	VPANDD  Z7, Z4, Z4
	VPANDD  Z7, Z5, Z5
	VADDPS  Z4, Z0, Z0
	VADDPS  Z5, Z1, Z1
	ADDQ    $128, SI
	ADDQ    $128, DI
	SUBQ    $32, CX
	JGE     blocks

ones:
	ADDQ    $16, CX // CX is now the elements left, less 16
	JL      rest
	VMOVUPS (SI), Z4
	VSUBPS  (DI), Z4, Z4
	VPANDD  Z7, Z4, Z4
	VADDPS  Z4, Z0, Z0
	ADDQ    $64, SI
	ADDQ    $64, DI
	SUBQ    $16, CX

rest:
	ADDQ      $16, CX
	JZ        sum
	MASK512
	VMOVUPS.Z (SI), K1, Z4
	VMOVUPS.Z (DI), K1, Z5
	VSUBPS    Z5, Z4, Z4
	VPANDD    Z7, Z4, Z4
	VADDPS    Z4, Z0, Z0

sum:
	VADDPS Z1, Z0, Z0
	LANES512(Z0, Y0, X0, Y5, X5)
	VMOVSS X0, ret+48(FP)
	VZEROUPPER
	RET

// func l1AVX2(a, b []float32) float32
TEXT ·l1AVX2(SB), NOSPLIT, $0-52
	MOVQ         a_base+0(FP), SI
	MOVQ         a_len+8(FP), CX
	MOVQ         b_base+24(FP), DI
	VXORPS       X0, X0, X0
	VXORPS       X1, X1, X1
	VPCMPEQD     Y7, Y7, Y7
	VPSRLD       $1, Y7, Y7
	SUBQ         $16, CX
	JL           ones

blocks:
	VMOVUPS (SI), Y4
	VMOVUPS 32(SI), Y5
	VSUBPS  (DI), Y4, Y4
	VSUBPS  32(DI), Y5, Y5
	VANDPS  Y7, Y4, Y4
	VANDPS  Y7, Y5, Y5
	VADDPS  Y4, Y0, Y0
	VADDPS  Y5, Y1, Y1
	ADDQ    $64, SI
	ADDQ    $64, DI
	SUBQ    $16, CX
	JGE     blocks

ones:
	ADDQ    $8, CX // CX is now the elements left, less 8
	JL      rest
	VMOVUPS (SI), Y4
	VSUBPS  (DI), Y4, Y4
	VANDPS  Y7, Y4, Y4
	VADDPS  Y4, Y0, Y0
	ADDQ    $32, SI
	ADDQ    $32, DI
	SUBQ    $8, CX

rest:
	ADDQ       $8, CX
	JZ         sum
	MASK256
	VMASKMOVPS (SI), Y15, Y4
	VMASKMOVPS (DI), Y15, Y5
	VSUBPS     Y5, Y4, Y4
	VANDPS     Y7, Y4, Y4
	VADDPS     Y4, Y0, Y0

sum:
	VADDPS Y1, Y0, Y0
	LANES256(Y0, X0, X14)
	VMOVSS X0, ret+48(FP)
	VZEROUPPER
	RET
