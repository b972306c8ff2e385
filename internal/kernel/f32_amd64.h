// What the float32 kernels share: masks for the last, partial register of a
// slice, and the sum of a register's lanes. CX always counts elements left.

// tail<> holds eight words of ones, then eight of zeros. The 32 bytes that
// begin 4·(8-r) in select the first r lanes.
DATA tail<>+0(SB)/8, $-1
DATA tail<>+8(SB)/8, $-1
DATA tail<>+16(SB)/8, $-1
DATA tail<>+24(SB)/8, $-1
DATA tail<>+32(SB)/8, $0
DATA tail<>+40(SB)/8, $0
DATA tail<>+48(SB)/8, $0
DATA tail<>+56(SB)/8, $0
GLOBL tail<>(SB), RODATA|NOPTR, $64

// MASK512 sets K1 to the first CX lanes (0 ≤ CX < 16); clobbers AX.
#define MASK512 \
	MOVL  $1, AX \
	SHLL  CX, AX \
	DECL  AX     \
	KMOVW AX, K1

// MASK256 sets Y15 to the first CX lanes (0 ≤ CX < 8); clobbers AX, DX.
#define MASK256 \
	LEAQ    tail<>+32(SB), AX \
	MOVQ    CX, DX            \
	SHLQ    $2, DX            \
	SUBQ    DX, AX            \
	VMOVDQU (AX), Y15

// LANES256 adds the eight lanes of y into its lowest; x is its lower half, tx
// scratch. The order is halves, then pairs.
#define LANES256(y, x, tx) \
	VEXTRACTF128 $1, y, tx    \
	VADDPS       tx, x, x     \
	VPERMILPS    $0x4e, x, tx \
	VADDPS       tx, x, x     \
	VPERMILPS    $0xb1, x, tx \
	VADDSS       tx, x, x

// LANES512 adds the sixteen lanes of z; y and x are its lower parts.
#define LANES512(z, y, x, ty, tx) \
	VEXTRACTF64X4 $1, z, ty \
	VADDPS        ty, y, y  \
	LANES256(y, x, tx)
