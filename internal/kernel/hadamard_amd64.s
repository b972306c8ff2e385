//go:build !purego

#include "textflag.h"

// odd<>, upper<> and high<> negate the lanes that a butterfly subtracts: of
// neighbours, of pairs, of halves.
DATA odd<>+0(SB)/8, $0x8000000000000000
DATA odd<>+8(SB)/8, $0x8000000000000000
DATA odd<>+16(SB)/8, $0x8000000000000000
DATA odd<>+24(SB)/8, $0x8000000000000000
GLOBL odd<>(SB), RODATA|NOPTR, $32

DATA upper<>+0(SB)/8, $0
DATA upper<>+8(SB)/8, $0x8000000080000000
DATA upper<>+16(SB)/8, $0
DATA upper<>+24(SB)/8, $0x8000000080000000
GLOBL upper<>(SB), RODATA|NOPTR, $32

DATA high<>+0(SB)/8, $0
DATA high<>+8(SB)/8, $0
DATA high<>+16(SB)/8, $0x8000000080000000
DATA high<>+24(SB)/8, $0x8000000080000000
GLOBL high<>(SB), RODATA|NOPTR, $32

// func hadamardAVX2(x, signs []float32)
//
//	SI      x
//	R10     end of x
//	AX, BX  the two halves of a block, moving
//	R11     bytes of a half
//	CX      bytes left
//	Y10-Y12 odd, upper, high
TEXT ·hadamardAVX2(SB), NOSPLIT, $0-48
	MOVQ    x_base+0(FP), SI
	MOVQ    x_len+8(FP), R10
	MOVQ    signs_base+24(FP), DI
	VMOVUPS odd<>(SB), Y10
	VMOVUPS upper<>(SB), Y11
	VMOVUPS high<>(SB), Y12
	SHLQ    $2, R10
	ADDQ    SI, R10
	MOVQ    SI, AX

// Three stages inside a register: a becomes (swapped a) ± a.
inside:
	VMOVUPS    (AX), Y0
	VMULPS     (DI), Y0, Y0
	VPERMILPS  $0xb1, Y0, Y1
	VXORPS     Y10, Y0, Y0
	VADDPS     Y0, Y1, Y0
	VPERMILPS  $0x4e, Y0, Y1
	VXORPS     Y11, Y0, Y0
	VADDPS     Y0, Y1, Y0
	VPERM2F128 $1, Y0, Y0, Y1
	VXORPS     Y12, Y0, Y0
	VADDPS     Y0, Y1, Y0
	VMOVUPS    Y0, (AX)
	ADDQ       $32, AX
	ADDQ       $32, DI
	CMPQ       AX, R10
	JLT        inside

	MOVQ R10, R12
	SUBQ SI, R12 // bytes of x
	MOVQ $32, R11

stage:
	CMPQ R11, R12
	JGE  done
	MOVQ SI, AX

block:
	LEAQ (AX)(R11*1), BX
	MOVQ R11, CX

pair:
	VMOVUPS (AX), Y0
	VMOVUPS (BX), Y1
	VADDPS  Y1, Y0, Y2
	VSUBPS  Y1, Y0, Y3
	VMOVUPS Y2, (AX)
	VMOVUPS Y3, (BX)
	ADDQ    $32, AX
	ADDQ    $32, BX
	SUBQ    $32, CX
	JG      pair
	MOVQ    BX, AX
	CMPQ    AX, R10
	JLT     block
	SHLQ    $1, R11
	JMP     stage

done:
	VZEROUPPER
	RET
