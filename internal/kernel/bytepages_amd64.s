//go:build !purego

#include "textflag.h"

// Bytes times scales, in half precision: 32 rows of 32.
//
//	DI, SI  halves and bytes, moving
//	DX      scales
//	CX      rows left

// EIGHT turns the bytes at 'at' of the row into halves.
#define EIGHT(at, scale) \
	VPMOVSXBD at(SI), Y4             \
	VCVTDQ2PS Y4, Y4                 \
	VMULPS    scale, Y4, Y4          \
	VCVTPS2PH $0, Y4, (2*at)(DI)

// func widenRowsAVX2(dst *uint16, src *int8, scales *float32)
TEXT ·widenRowsAVX2(SB), NOSPLIT, $0-24
	MOVQ    dst+0(FP), DI
	MOVQ    src+8(FP), SI
	MOVQ    scales+16(FP), DX
	MOVQ    $32, CX
	VMOVUPS (DX), Y0
	VMOVUPS 32(DX), Y1
	VMOVUPS 64(DX), Y2
	VMOVUPS 96(DX), Y3

row:
	EIGHT(0, Y0)
	EIGHT(8, Y1)
	EIGHT(16, Y2)
	EIGHT(24, Y3)
	ADDQ $32, SI
	ADDQ $64, DI
	DECQ CX
	JNZ  row
	VZEROUPPER
	RET

// func widenUnitsAVX2(dst *uint16, src *int8, scales *float32)
TEXT ·widenUnitsAVX2(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ scales+16(FP), DX
	MOVQ $32, CX

row:
	VBROADCASTSS (DX), Y0
	EIGHT(0, Y0)
	EIGHT(8, Y0)
	EIGHT(16, Y0)
	EIGHT(24, Y0)
	ADDQ $4, DX
	ADDQ $32, SI
	ADDQ $64, DI
	DECQ CX
	JNZ  row
	VZEROUPPER
	RET
