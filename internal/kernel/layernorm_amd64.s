//go:build !purego

#include "textflag.h"
#include "f32_amd64.h"

// The three passes of LayerNorm.
//
// Registers
//	SI, CX  x, moving, and the elements left
//	DI, BX  gain and bias, moving
//	Z0      the sum (Y0); two more, Z1, where the additions wait on each other
//	Z2      the mean in every lane, Z3 the scale
//	Z4, Z5  elements

// func sumAVX512(x []float32) float32
TEXT ·sumAVX512(SB), NOSPLIT, $0-28
	MOVQ   x_base+0(FP), SI
	MOVQ   x_len+8(FP), CX
	VXORPS X0, X0, X0
	VXORPS X1, X1, X1
	SUBQ   $32, CX
	JL     single

pair:
	VADDPS (SI), Z0, Z0
	VADDPS 64(SI), Z1, Z1
	ADDQ   $128, SI
	SUBQ   $32, CX
	JGE    pair

single:
	ADDQ   $16, CX // the elements left, less 16
	JL     rest
	VADDPS (SI), Z0, Z0
	ADDQ   $64, SI
	SUBQ   $16, CX

rest:
	ADDQ $16, CX
	JZ   total
	MASK512
	VMOVUPS.Z (SI), K1, Z4
	VADDPS    Z4, Z1, Z1

total:
	VADDPS Z1, Z0, Z0
	LANES512(Z0, Y0, X0, Y5, X5)
	VMOVSS X0, ret+24(FP)
	VZEROUPPER
	RET

// func sumAVX2(x []float32) float32
TEXT ·sumAVX2(SB), NOSPLIT, $0-28
	MOVQ   x_base+0(FP), SI
	MOVQ   x_len+8(FP), CX
	VXORPS X0, X0, X0
	VXORPS X1, X1, X1
	SUBQ   $16, CX
	JL     single

pair:
	VADDPS (SI), Y0, Y0
	VADDPS 32(SI), Y1, Y1
	ADDQ   $64, SI
	SUBQ   $16, CX
	JGE    pair

single:
	ADDQ   $8, CX // the elements left, less 8
	JL     rest
	VADDPS (SI), Y0, Y0
	ADDQ   $32, SI
	SUBQ   $8, CX

rest:
	ADDQ $8, CX
	JZ   total
	MASK256
	VMASKMOVPS (SI), Y15, Y4
	VADDPS     Y4, Y1, Y1

total:
	VADDPS Y1, Y0, Y0
	LANES256(Y0, X0, X5)
	VMOVSS X0, ret+24(FP)
	VZEROUPPER
	RET

// func deviationAVX512(x []float32, mean float32) float32
TEXT ·deviationAVX512(SB), NOSPLIT, $0-36
	MOVQ         x_base+0(FP), SI
	MOVQ         x_len+8(FP), CX
	VBROADCASTSS mean+24(FP), Z2
	VXORPS       X0, X0, X0
	VXORPS       X1, X1, X1
	SUBQ         $32, CX
	JL           single

pair:
	VMOVUPS     (SI), Z4
	VMOVUPS     64(SI), Z5
	VSUBPS      Z2, Z4, Z4
	VSUBPS      Z2, Z5, Z5
	VFMADD231PS Z4, Z4, Z0
	VFMADD231PS Z5, Z5, Z1
	ADDQ        $128, SI
	SUBQ        $32, CX
	JGE         pair

single:
	ADDQ        $16, CX
	JL          rest
	VMOVUPS     (SI), Z4
	VSUBPS      Z2, Z4, Z4
	VFMADD231PS Z4, Z4, Z0
	ADDQ        $64, SI
	SUBQ        $16, CX

rest:
	ADDQ $16, CX
	JZ   total
	MASK512
	VMOVUPS.Z   (SI), K1, Z4
	VSUBPS.Z    Z2, Z4, K1, Z4
	VFMADD231PS Z4, Z4, Z1

total:
	VADDPS Z1, Z0, Z0
	LANES512(Z0, Y0, X0, Y5, X5)
	VMOVSS X0, ret+32(FP)
	VZEROUPPER
	RET

// func deviationAVX2(x []float32, mean float32) float32
TEXT ·deviationAVX2(SB), NOSPLIT, $0-36
	MOVQ         x_base+0(FP), SI
	MOVQ         x_len+8(FP), CX
	VBROADCASTSS mean+24(FP), Y2
	VXORPS       X0, X0, X0
	VXORPS       X1, X1, X1
	SUBQ         $16, CX
	JL           single

pair:
	VMOVUPS     (SI), Y4
	VMOVUPS     32(SI), Y5
	VSUBPS      Y2, Y4, Y4
	VSUBPS      Y2, Y5, Y5
	VFMADD231PS Y4, Y4, Y0
	VFMADD231PS Y5, Y5, Y1
	ADDQ        $64, SI
	SUBQ        $16, CX
	JGE         pair

single:
	ADDQ        $8, CX
	JL          rest
	VMOVUPS     (SI), Y4
	VSUBPS      Y2, Y4, Y4
	VFMADD231PS Y4, Y4, Y0
	ADDQ        $32, SI
	SUBQ        $8, CX

rest:
	ADDQ $8, CX
	JZ   total
	MASK256
	VMASKMOVPS  (SI), Y15, Y4
	VSUBPS      Y2, Y4, Y4
	VANDPS      Y15, Y4, Y4
	VFMADD231PS Y4, Y4, Y1

total:
	VADDPS Y1, Y0, Y0
	LANES256(Y0, X0, X5)
	VMOVSS X0, ret+32(FP)
	VZEROUPPER
	RET

// func normaliseAVX512(x, gain, bias []float32, mean, scale float32)
TEXT ·normaliseAVX512(SB), NOSPLIT, $0-80
	MOVQ         x_base+0(FP), SI
	MOVQ         x_len+8(FP), CX
	MOVQ         gain_base+24(FP), DI
	MOVQ         bias_base+48(FP), BX
	VBROADCASTSS mean+72(FP), Z2
	VBROADCASTSS scale+76(FP), Z3
	SUBQ         $16, CX
	JL           rest

whole:
	VMOVUPS     (SI), Z4
	VMOVUPS     (BX), Z5
	VSUBPS      Z2, Z4, Z4
	VMULPS      Z3, Z4, Z4
	VFMADD231PS (DI), Z4, Z5
	VMOVUPS     Z5, (SI)
	ADDQ        $64, SI
	ADDQ        $64, DI
	ADDQ        $64, BX
	SUBQ        $16, CX
	JGE         whole

rest:
	ADDQ $16, CX
	JZ   done
	MASK512
	VMOVUPS.Z   (SI), K1, Z4
	VMOVUPS.Z   (BX), K1, Z5
	VMOVUPS.Z   (DI), K1, Z6
	VSUBPS      Z2, Z4, Z4
	VMULPS      Z3, Z4, Z4
	VFMADD231PS Z6, Z4, Z5
	VMOVUPS     Z5, K1, (SI)

done:
	VZEROUPPER
	RET

// func normaliseAVX2(x, gain, bias []float32, mean, scale float32)
TEXT ·normaliseAVX2(SB), NOSPLIT, $0-80
	MOVQ         x_base+0(FP), SI
	MOVQ         x_len+8(FP), CX
	MOVQ         gain_base+24(FP), DI
	MOVQ         bias_base+48(FP), BX
	VBROADCASTSS mean+72(FP), Y2
	VBROADCASTSS scale+76(FP), Y3
	SUBQ         $8, CX
	JL           rest

whole:
	VMOVUPS     (SI), Y4
	VMOVUPS     (BX), Y5
	VSUBPS      Y2, Y4, Y4
	VMULPS      Y3, Y4, Y4
	VFMADD231PS (DI), Y4, Y5
	VMOVUPS     Y5, (SI)
	ADDQ        $32, SI
	ADDQ        $32, DI
	ADDQ        $32, BX
	SUBQ        $8, CX
	JGE         whole

rest:
	ADDQ $8, CX
	JZ   done
	MASK256
	VMASKMOVPS  (SI), Y15, Y4
	VMASKMOVPS  (BX), Y15, Y5
	VMASKMOVPS  (DI), Y15, Y6
	VSUBPS      Y2, Y4, Y4
	VMULPS      Y3, Y4, Y4
	VFMADD231PS Y6, Y4, Y5
	VMASKMOVPS  Y5, Y15, (SI)

done:
	VZEROUPPER
	RET
