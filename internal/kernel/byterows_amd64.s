//go:build !purego

#include "textflag.h"

// Rotation of rows by Hadamard matrices, and rounding to bytes.
//
// A butterfly of distance h replaces a pair (a, b) by (a+b, a−b). For h below the
// width of a register both are in one: the register is permuted so that each
// lane meets its partner, and gets partner + sign·own, with sign −1 in the upper
// lane of a pair. That is exact but for the sum's own rounding.
//
// Registers
//	DI, SI   out and x, moving
//	CX       blocks left
//	DX       the size of a block
//	Z0-Z7    a block of 128; of a smaller one, the first
//	Z16-Z19  the signs for distances 1, 2, 4 and 8
//	Z20      the mask of a magnitude's bits; Z21 the largest so far
//	Z8-Z15   scratch

DATA signs<>+0(SB)/8, $0xbf8000003f800000
DATA signs<>+8(SB)/8, $0xbf8000003f800000
DATA signs<>+16(SB)/8, $0xbf8000003f800000
DATA signs<>+24(SB)/8, $0xbf8000003f800000
DATA signs<>+32(SB)/8, $0xbf8000003f800000
DATA signs<>+40(SB)/8, $0xbf8000003f800000
DATA signs<>+48(SB)/8, $0xbf8000003f800000
DATA signs<>+56(SB)/8, $0xbf8000003f800000
DATA signs<>+64(SB)/8, $0x3f8000003f800000
DATA signs<>+72(SB)/8, $0xbf800000bf800000
DATA signs<>+80(SB)/8, $0x3f8000003f800000
DATA signs<>+88(SB)/8, $0xbf800000bf800000
DATA signs<>+96(SB)/8, $0x3f8000003f800000
DATA signs<>+104(SB)/8, $0xbf800000bf800000
DATA signs<>+112(SB)/8, $0x3f8000003f800000
DATA signs<>+120(SB)/8, $0xbf800000bf800000
DATA signs<>+128(SB)/8, $0x3f8000003f800000
DATA signs<>+136(SB)/8, $0x3f8000003f800000
DATA signs<>+144(SB)/8, $0xbf800000bf800000
DATA signs<>+152(SB)/8, $0xbf800000bf800000
DATA signs<>+160(SB)/8, $0x3f8000003f800000
DATA signs<>+168(SB)/8, $0x3f8000003f800000
DATA signs<>+176(SB)/8, $0xbf800000bf800000
DATA signs<>+184(SB)/8, $0xbf800000bf800000
DATA signs<>+192(SB)/8, $0x3f8000003f800000
DATA signs<>+200(SB)/8, $0x3f8000003f800000
DATA signs<>+208(SB)/8, $0x3f8000003f800000
DATA signs<>+216(SB)/8, $0x3f8000003f800000
DATA signs<>+224(SB)/8, $0xbf800000bf800000
DATA signs<>+232(SB)/8, $0xbf800000bf800000
DATA signs<>+240(SB)/8, $0xbf800000bf800000
DATA signs<>+248(SB)/8, $0xbf800000bf800000
GLOBL signs<>(SB), RODATA|NOPTR, $256

DATA bits<>+0(SB)/4, $0x7fffffff
GLOBL bits<>(SB), RODATA|NOPTR, $4

// INSIDE512 does the distances 1, 2, 4 and 8 of a register.
#define INSIDE512(z, t) \
	VPERMILPS   $0xb1, z, t    \
	VFMADD213PS t, Z16, z      \
	VPERMILPS   $0x4e, z, t    \
	VFMADD213PS t, Z17, z      \
	VSHUFF32X4  $0xb1, z, z, t \
	VFMADD213PS t, Z18, z      \
	VSHUFF32X4  $0x4e, z, z, t \
	VFMADD213PS t, Z19, z

// ACROSS512 does a butterfly of two registers.
#define ACROSS512(a, b, t) \
	VSUBPS  b, a, t \
	VADDPS  b, a, a \
	VMOVAPS t, b

// KEEP512 stores a register and remembers its largest magnitude.
#define KEEP512(z, offset, t) \
	VMOVUPS z, offset(DI)   \
	VPANDD  Z20, z, t       \
	VPMAXUD t, Z21, Z21

// func spreadAVX512(out, x *float32, blocks, size int) uint32
TEXT ·spreadAVX512(SB), NOSPLIT, $0-36
	MOVQ    out+0(FP), DI
	MOVQ    x+8(FP), SI
	MOVQ    blocks+16(FP), CX
	MOVQ    size+24(FP), DX
	VMOVUPS signs<>+0(SB), Z16
	VMOVUPS signs<>+64(SB), Z17
	VMOVUPS signs<>+128(SB), Z18
	VMOVUPS signs<>+192(SB), Z19
	VPBROADCASTD bits<>+0(SB), Z20
	VPXORD  Z21, Z21, Z21
	CMPQ    DX, $64
	JEQ     of64
	JLT     of32

of128:
	VMOVUPS (SI), Z0
	VMOVUPS 64(SI), Z1
	VMOVUPS 128(SI), Z2
	VMOVUPS 192(SI), Z3
	VMOVUPS 256(SI), Z4
	VMOVUPS 320(SI), Z5
	VMOVUPS 384(SI), Z6
	VMOVUPS 448(SI), Z7
	INSIDE512(Z0, Z8)
	INSIDE512(Z1, Z9)
	INSIDE512(Z2, Z10)
	INSIDE512(Z3, Z11)
	INSIDE512(Z4, Z12)
	INSIDE512(Z5, Z13)
	INSIDE512(Z6, Z14)
	INSIDE512(Z7, Z15)
	ACROSS512(Z0, Z1, Z8)
	ACROSS512(Z2, Z3, Z10)
	ACROSS512(Z4, Z5, Z12)
	ACROSS512(Z6, Z7, Z14)
	ACROSS512(Z0, Z2, Z8)
	ACROSS512(Z1, Z3, Z9)
	ACROSS512(Z4, Z6, Z12)
	ACROSS512(Z5, Z7, Z13)
	ACROSS512(Z0, Z4, Z8)
	ACROSS512(Z1, Z5, Z9)
	ACROSS512(Z2, Z6, Z10)
	ACROSS512(Z3, Z7, Z11)
	KEEP512(Z0, 0, Z8)
	KEEP512(Z1, 64, Z9)
	KEEP512(Z2, 128, Z10)
	KEEP512(Z3, 192, Z11)
	KEEP512(Z4, 256, Z12)
	KEEP512(Z5, 320, Z13)
	KEEP512(Z6, 384, Z14)
	KEEP512(Z7, 448, Z15)
	ADDQ $512, SI
	ADDQ $512, DI
	DECQ CX
	JNZ  of128
	JMP  largest

of64:
	VMOVUPS (SI), Z0
	VMOVUPS 64(SI), Z1
	VMOVUPS 128(SI), Z2
	VMOVUPS 192(SI), Z3
	INSIDE512(Z0, Z8)
	INSIDE512(Z1, Z9)
	INSIDE512(Z2, Z10)
	INSIDE512(Z3, Z11)
	ACROSS512(Z0, Z1, Z8)
	ACROSS512(Z2, Z3, Z10)
	ACROSS512(Z0, Z2, Z8)
	ACROSS512(Z1, Z3, Z9)
	KEEP512(Z0, 0, Z8)
	KEEP512(Z1, 64, Z9)
	KEEP512(Z2, 128, Z10)
	KEEP512(Z3, 192, Z11)
	ADDQ $256, SI
	ADDQ $256, DI
	DECQ CX
	JNZ  of64
	JMP  largest

of32:
	VMOVUPS (SI), Z0
	VMOVUPS 64(SI), Z1
	INSIDE512(Z0, Z8)
	INSIDE512(Z1, Z9)
	ACROSS512(Z0, Z1, Z8)
	KEEP512(Z0, 0, Z8)
	KEEP512(Z1, 64, Z9)
	ADDQ $128, SI
	ADDQ $128, DI
	DECQ CX
	JNZ  of32

largest:
	VEXTRACTI64X4 $1, Z21, Y0
	VPMAXUD Y0, Y21, Y0
	VEXTRACTI128 $1, Y0, X1
	VPMAXUD X1, X0, X0
	VPSHUFD $0x4e, X0, X1
	VPMAXUD X1, X0, X0
	VPSHUFD $0xb1, X0, X1
	VPMAXUD X1, X0, X0
	VMOVD   X0, AX
	MOVL    AX, ret+32(FP)
	VZEROUPPER
	RET

// func roundBytesAVX512(out *int8, x *float32, n int, scale float32) int32
TEXT ·roundBytesAVX512(SB), NOSPLIT, $0-36
	MOVQ         out+0(FP), DI
	MOVQ         x+8(FP), SI
	MOVQ         n+16(FP), CX
	VBROADCASTSS scale+24(FP), Z16
	VPXORD       Z0, Z0, Z0
	VPXORD       Z1, Z1, Z1

round:
	VMULPS    (SI), Z16, Z2
	VMULPS    64(SI), Z16, Z3
	VCVTPS2DQ Z2, Z2
	VCVTPS2DQ Z3, Z3
	VPADDD    Z2, Z0, Z0
	VPADDD    Z3, Z1, Z1
	VPMOVDB   Z2, (DI)
	VPMOVDB   Z3, 16(DI)
	ADDQ      $128, SI
	ADDQ      $32, DI
	SUBQ      $32, CX
	JNZ       round
	VPADDD    Z1, Z0, Z0
	VEXTRACTI64X4 $1, Z0, Y1
	VPADDD    Y1, Y0, Y0
	VEXTRACTI128 $1, Y0, X1
	VPADDD    X1, X0, X0
	VPSHUFD   $0x4e, X0, X1
	VPADDD    X1, X0, X0
	VPSHUFD   $0xb1, X0, X1
	VPADDD    X1, X0, X0
	VMOVD     X0, AX
	MOVL      AX, ret+32(FP)
	VZEROUPPER
	RET

// In AVX2 four registers, Y0-Y3, hold 32 numbers. Blocks of 64 and 128 go through
// memory once more for the distances 32 and 64. Y4-Y7 are scratch, Y12-Y14 the
// signs, Y15 the mask, Y11 the block's largest magnitude
// and Y10 the row's so far.

#define INSIDE256(y, t) \
	VPERMILPS   $0xb1, y, t    \
	VFMADD213PS t, Y12, y      \
	VPERMILPS   $0x4e, y, t    \
	VFMADD213PS t, Y13, y      \
	VPERM2F128  $0x01, y, y, t \
	VFMADD213PS t, Y14, y

#define ACROSS256(a, b, t) \
	VSUBPS  b, a, t \
	VADDPS  b, a, a \
	VMOVAPS t, b

#define KEEP256(y, place, t) \
	VMOVUPS y, place      \
	VPAND   Y15, y, t     \
	VPMAXUD t, Y11, Y11

// func spreadAVX2(out, x *float32, blocks, size int) uint32
TEXT ·spreadAVX2(SB), NOSPLIT, $0-36
	MOVQ    out+0(FP), DI
	MOVQ    x+8(FP), SI
	MOVQ    blocks+16(FP), CX
	MOVQ    size+24(FP), DX
	VMOVUPS signs<>+0(SB), Y12
	VMOVUPS signs<>+64(SB), Y13
	VMOVUPS signs<>+128(SB), Y14
	VPBROADCASTD bits<>+0(SB), Y15
	VPXOR   Y10, Y10, Y10

block:
	VPXOR Y11, Y11, Y11 // larger blocks' magnitudes count only once they are done
	MOVQ  DX, R8        // numbers of the block left
	MOVQ  DI, R9

thirtytwo:
	VMOVUPS (SI), Y0
	VMOVUPS 32(SI), Y1
	VMOVUPS 64(SI), Y2
	VMOVUPS 96(SI), Y3
	INSIDE256(Y0, Y4)
	INSIDE256(Y1, Y5)
	INSIDE256(Y2, Y6)
	INSIDE256(Y3, Y7)
	ACROSS256(Y0, Y1, Y4)
	ACROSS256(Y2, Y3, Y5)
	ACROSS256(Y0, Y2, Y6)
	ACROSS256(Y1, Y3, Y7)
	KEEP256(Y0, (R9), Y4)
	KEEP256(Y1, 32(R9), Y5)
	KEEP256(Y2, 64(R9), Y6)
	KEEP256(Y3, 96(R9), Y7)
	ADDQ $128, SI
	ADDQ $128, R9
	SUBQ $32, R8
	JNZ  thirtytwo
	CMPQ DX, $32
	JEQ  next
	VPXOR Y11, Y11, Y11
	MOVQ $4, R8 // registers in 32 numbers
	MOVQ DI, R9
	CMPQ DX, $64
	JEQ  two

four:
	VMOVUPS (R9), Y0
	VMOVUPS 128(R9), Y1
	VMOVUPS 256(R9), Y2
	VMOVUPS 384(R9), Y3
	ACROSS256(Y0, Y1, Y4)
	ACROSS256(Y2, Y3, Y5)
	ACROSS256(Y0, Y2, Y6)
	ACROSS256(Y1, Y3, Y7)
	KEEP256(Y0, (R9), Y4)
	KEEP256(Y1, 128(R9), Y5)
	KEEP256(Y2, 256(R9), Y6)
	KEEP256(Y3, 384(R9), Y7)
	ADDQ $32, R9
	DECQ R8
	JNZ  four
	JMP  next

two:
	VMOVUPS (R9), Y0
	VMOVUPS 128(R9), Y1
	ACROSS256(Y0, Y1, Y4)
	KEEP256(Y0, (R9), Y4)
	KEEP256(Y1, 128(R9), Y5)
	ADDQ $32, R9
	DECQ R8
	JNZ  two

next:
	LEAQ (DI)(DX*4), DI
	VPMAXUD Y11, Y10, Y10
	DECQ CX
	JNZ  block
	VEXTRACTI128 $1, Y10, X1
	VPMAXUD X1, X10, X0
	VPSHUFD $0x4e, X0, X1
	VPMAXUD X1, X0, X0
	VPSHUFD $0xb1, X0, X1
	VPMAXUD X1, X0, X0
	VMOVD   X0, AX
	MOVL    AX, ret+32(FP)
	VZEROUPPER
	RET

// func roundBytesAVX2(out *int8, x *float32, n int, scale float32) int32
TEXT ·roundBytesAVX2(SB), NOSPLIT, $0-36
	MOVQ         out+0(FP), DI
	MOVQ         x+8(FP), SI
	MOVQ         n+16(FP), CX
	VBROADCASTSS scale+24(FP), Y8
	VMOVDQU      order<>+0(SB), Y9
	VPXOR        Y0, Y0, Y0
	VPXOR        Y1, Y1, Y1

round:
	VMULPS    (SI), Y8, Y2
	VMULPS    32(SI), Y8, Y3
	VMULPS    64(SI), Y8, Y4
	VMULPS    96(SI), Y8, Y5
	VCVTPS2DQ Y2, Y2
	VCVTPS2DQ Y3, Y3
	VCVTPS2DQ Y4, Y4
	VCVTPS2DQ Y5, Y5
	VPADDD    Y2, Y0, Y0
	VPADDD    Y3, Y1, Y1
	VPADDD    Y4, Y0, Y0
	VPADDD    Y5, Y1, Y1
	VPACKSSDW Y3, Y2, Y2 // packing works on halves of a register:
	VPACKSSDW Y5, Y4, Y4
	VPACKSSWB Y4, Y2, Y2
	VPERMD    Y2, Y9, Y2 // fours of bytes back in order
	VMOVDQU   Y2, (DI)
	ADDQ      $128, SI
	ADDQ      $32, DI
	SUBQ      $32, CX
	JNZ       round
	VPADDD    Y1, Y0, Y0
	VEXTRACTI128 $1, Y0, X1
	VPADDD    X1, X0, X0
	VPSHUFD   $0x4e, X0, X1
	VPADDD    X1, X0, X0
	VPSHUFD   $0xb1, X0, X1
	VPADDD    X1, X0, X0
	VMOVD     X0, AX
	MOVL      AX, ret+32(FP)
	VZEROUPPER
	RET

DATA order<>+0(SB)/8, $0x0000000400000000
DATA order<>+8(SB)/8, $0x0000000500000001
DATA order<>+16(SB)/8, $0x0000000600000002
DATA order<>+24(SB)/8, $0x0000000700000003
GLOBL order<>(SB), RODATA|NOPTR, $32
