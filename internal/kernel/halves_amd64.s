//go:build !purego

#include "textflag.h"
#include "f32_amd64.h"

// Half-precision vectors.
//
// The distances keep 64 partial sums, element i in sum i mod 64: four registers
// of sixteen at AVX512, eight of eight at AVX2, added in the same order.

// func putHalvesAVX2(dst []uint16, src []float32)
TEXT ·putHalvesAVX2(SB), NOSPLIT, $0-48
	MOVQ dst_base+0(FP), DI
	MOVQ src_base+24(FP), SI
	MOVQ src_len+32(FP), CX

eight:
	SUBQ      $8, CX
	JL        done
	VMOVUPS   (SI), Y0
	VCVTPS2PH $0, Y0, (DI) // to nearest, ties to even
	ADDQ      $32, SI
	ADDQ      $16, DI
	JMP       eight

done:
	VZEROUPPER
	RET

// func getHalvesAVX2(dst []float32, src []uint16)
TEXT ·getHalvesAVX2(SB), NOSPLIT, $0-48
	MOVQ dst_base+0(FP), DI
	MOVQ src_base+24(FP), SI
	MOVQ src_len+32(FP), CX

eight:
	SUBQ      $8, CX
	JL        done
	VCVTPH2PS (SI), Y0
	VMOVUPS   Y0, (DI)
	ADDQ      $16, SI
	ADDQ      $32, DI
	JMP       eight

done:
	VZEROUPPER
	RET

// func l2HalvesAVX512(q []float32, v []uint16, ahead int) float32
//
//	SI, DI  query and vector, moving
//	DX      what to prefetch, moving
//	CX      elements left
//	Z0-Z3   sums
//	Z4-Z7   differences
TEXT ·l2HalvesAVX512(SB), NOSPLIT, $0-60
	MOVQ   q_base+0(FP), SI
	MOVQ   q_len+8(FP), CX
	MOVQ   v_base+24(FP), DI
	MOVQ   ahead+48(FP), DX
	ADDQ   DI, DX
	VXORPS X0, X0, X0
	VXORPS X1, X1, X1
	VXORPS X2, X2, X2
	VXORPS X3, X3, X3
	SUBQ   $64, CX
	JL     rest

blocks:
	PREFETCHT1  (DX)
	PREFETCHT1  64(DX)
	VCVTPH2PS   (DI), Z4
	VCVTPH2PS   32(DI), Z5
	VCVTPH2PS   64(DI), Z6
	VCVTPH2PS   96(DI), Z7
	VSUBPS      (SI), Z4, Z4
	VSUBPS      64(SI), Z5, Z5
	VSUBPS      128(SI), Z6, Z6
	VSUBPS      192(SI), Z7, Z7
	VFMADD231PS Z4, Z4, Z0
	VFMADD231PS Z5, Z5, Z1
	VFMADD231PS Z6, Z6, Z2
	VFMADD231PS Z7, Z7, Z3
	ADDQ        $256, SI
	ADDQ        $128, DI
	ADDQ        $128, DX
	SUBQ        $64, CX
	JGE         blocks

rest:
	ADDQ        $64, CX
	JZ          sum
	PREFETCHT1  (DX)
	VCVTPH2PS   (DI), Z4
	VCVTPH2PS   32(DI), Z5
	VSUBPS      (SI), Z4, Z4
	VSUBPS      64(SI), Z5, Z5
	VFMADD231PS Z4, Z4, Z0
	VFMADD231PS Z5, Z5, Z1

sum:
	VADDPS Z1, Z0, Z0
	VADDPS Z3, Z2, Z2
	VADDPS Z2, Z0, Z0
	LANES512(Z0, Y0, X0, Y5, X5)
	VMOVSS X0, ret+56(FP)
	VZEROUPPER
	RET

// DIFFERENCE adds the squares of eight differences to a sum.
#define DIFFERENCE(at, sum, t) \
	VCVTPH2PS   at(DI), t     \
	VSUBPS      at*2(SI), t, t \
	VFMADD231PS t, t, sum

// func l2HalvesAVX2(q []float32, v []uint16, ahead int) float32
//
// As above, with sums in Y0-Y7 and differences in Y8-Y11.
TEXT ·l2HalvesAVX2(SB), NOSPLIT, $0-60
	MOVQ   q_base+0(FP), SI
	MOVQ   q_len+8(FP), CX
	MOVQ   v_base+24(FP), DI
	MOVQ   ahead+48(FP), DX
	ADDQ   DI, DX
	VXORPS X0, X0, X0
	VXORPS X1, X1, X1
	VXORPS X2, X2, X2
	VXORPS X3, X3, X3
	VXORPS X4, X4, X4
	VXORPS X5, X5, X5
	VXORPS X6, X6, X6
	VXORPS X7, X7, X7
	SUBQ   $64, CX
	JL     rest

blocks:
	PREFETCHT1 (DX)
	PREFETCHT1 64(DX)
	DIFFERENCE(0, Y0, Y8)
	DIFFERENCE(16, Y1, Y9)
	DIFFERENCE(32, Y2, Y10)
	DIFFERENCE(48, Y3, Y11)
	DIFFERENCE(64, Y4, Y8)
	DIFFERENCE(80, Y5, Y9)
	DIFFERENCE(96, Y6, Y10)
	DIFFERENCE(112, Y7, Y11)
	ADDQ       $256, SI
	ADDQ       $128, DI
	ADDQ       $128, DX
	SUBQ       $64, CX
	JGE        blocks

rest:
	ADDQ       $64, CX
	JZ         sum
	PREFETCHT1 (DX)
	DIFFERENCE(0, Y0, Y8)
	DIFFERENCE(16, Y1, Y9)
	DIFFERENCE(32, Y2, Y10)
	DIFFERENCE(48, Y3, Y11)

sum:
	VADDPS Y2, Y0, Y0 // sums 0-7 and 16-23
	VADDPS Y3, Y1, Y1 // 8-15 and 24-31
	VADDPS Y6, Y4, Y4
	VADDPS Y7, Y5, Y5
	VADDPS Y4, Y0, Y0
	VADDPS Y5, Y1, Y1
	VADDPS Y1, Y0, Y0 // the upper half of sixteen to the lower
	LANES256(Y0, X0, X14)
	VMOVSS X0, ret+56(FP)
	VZEROUPPER
	RET

// func prefetchLines(memory []byte)
TEXT ·prefetchLines(SB), NOSPLIT, $0-24
	MOVQ memory_base+0(FP), AX
	MOVQ memory_len+8(FP), CX
	ADDQ AX, CX

line:
	PREFETCHT1 (AX)
	ADDQ       $64, AX
	CMPQ       AX, CX
	JLT        line
	RET
