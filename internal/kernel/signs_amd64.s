//go:build !purego

#include "textflag.h"
#include "f32_amd64.h"

// RESIDUAL takes eight numbers; the signs of their residuals, 1 for negative,
// are left in bits.
#define RESIDUAL(at, square, absolute, along, bits) \
	VMOVUPS     at(DI), Y12          \
	VMOVUPS     at(SI), Y13          \
	VSUBPS      Y12, Y13, Y13        \
	VCMPPS      $1, Y15, Y13, Y11    \
	VMOVMSKPS   Y11, bits            \
	VANDPS      Y14, Y11, Y11        \
	VXORPS      Y11, Y12, Y12        \
	VXORPS      Y11, Y13, Y11        \
	VFMADD231PS Y13, Y13, square     \
	VADDPS      Y11, absolute, absolute \
	VADDPS      Y12, along, along

// func signSumsAVX2(v, centre []float32, signs []uint16) (square, absolute, along float32)
//
//	SI, DI      vector and centre, moving
//	DX          signs, moving
//	Y0, Y1      squares
//	Y2, Y3      absolute values
//	Y4, Y5      the centre with the residual's signs
//	Y11-Y13     scratch: mask and |residual|, centre, residual
//	Y14, Y15    sign bits, zero
TEXT ·signSumsAVX2(SB), NOSPLIT, $0-84
	MOVQ     v_base+0(FP), SI
	MOVQ     v_len+8(FP), CX
	MOVQ     centre_base+24(FP), DI
	MOVQ     signs_base+48(FP), DX
	VPCMPEQD Y14, Y14, Y14
	VPSLLD   $31, Y14, Y14
	VXORPS   X15, X15, X15
	VXORPS   X0, X0, X0
	VXORPS   X1, X1, X1
	VXORPS   X2, X2, X2
	VXORPS   X3, X3, X3
	VXORPS   X4, X4, X4
	VXORPS   X5, X5, X5

sixteen:
	RESIDUAL(0, Y0, Y2, Y4, AX)
	RESIDUAL(32, Y1, Y3, Y5, BX)
	SHLL $8, BX
	ORL  BX, AX
	NOTL AX
	MOVW AX, (DX)
	ADDQ $64, SI
	ADDQ $64, DI
	ADDQ $2, DX
	SUBQ $16, CX
	JG   sixteen

	VADDPS Y1, Y0, Y0
	VADDPS Y3, Y2, Y2
	VADDPS Y5, Y4, Y4
	LANES256(Y0, X0, X14)
	LANES256(Y2, X2, X14)
	LANES256(Y4, X4, X14)
	VMOVSS X0, square+72(FP)
	VMOVSS X2, absolute+76(FP)
	VMOVSS X4, along+80(FP)
	VZEROUPPER
	RET
