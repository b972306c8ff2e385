//go:build !purego

#include "textflag.h"

// func largestAbsoluteAVX2(x []float32) float32
//
//	SI, CX  numbers, how many are left
//	Y0-Y3   the largest so far
//	Y7      all bits but the sign
TEXT ·largestAbsoluteAVX2(SB), NOSPLIT, $0-28
	MOVQ     x_base+0(FP), SI
	MOVQ     x_len+8(FP), CX
	VPCMPEQD Y7, Y7, Y7
	VPSRLD   $1, Y7, Y7
	VXORPS   Y0, Y0, Y0
	VXORPS   Y1, Y1, Y1
	VXORPS   Y2, Y2, Y2
	VXORPS   Y3, Y3, Y3

largest:
	VANDPS (SI), Y7, Y4
	VMAXPS Y4, Y0, Y0
	VANDPS 32(SI), Y7, Y5
	VMAXPS Y5, Y1, Y1
	VANDPS 64(SI), Y7, Y4
	VMAXPS Y4, Y2, Y2
	VANDPS 96(SI), Y7, Y5
	VMAXPS Y5, Y3, Y3
	ADDQ   $128, SI
	SUBQ   $32, CX
	JNZ    largest

	VMAXPS       Y1, Y0, Y0
	VMAXPS       Y3, Y2, Y2
	VMAXPS       Y2, Y0, Y0
	VEXTRACTF128 $1, Y0, X1
	VMAXPS       X1, X0, X0
	VPERMILPS    $0x4e, X0, X1
	VMAXPS       X1, X0, X0
	VPERMILPS    $0xb1, X0, X1
	VMAXPS       X1, X0, X0
	VMOVSS       X0, ret+24(FP)
	VZEROUPPER
	RET
