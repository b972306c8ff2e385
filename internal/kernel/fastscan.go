package kernel

import (
	"fmt"
	"math"
	"unsafe"
)

// Fast scan (André, Kermarrec and Le Scouarnec, "Cache locality is not enough",
// VLDB 2015): 32 vectors are scored at once by looking their 4-bit codes up in
// tables that lie in registers.
//
// A vector's code is one nibble a group. In sign codes (Gao and Long, "RaBitQ",
// SIGMOD 2024) a group is four dimensions and a nibble holds their signs, the
// first in the lowest bit; in product codes a group is a subvector and its nibble
// the number of a centroid.
//
// A block holds 32 codes. Four groups make a line of 64 bytes: byte j of the
// line's dword i is group j of vector i in the low and of vector i+16 in the
// high nibble.

const (
	// BlockVectors is the number of vectors in a block.
	BlockVectors = 32
	// BlockGroups is what the number of groups is a multiple of.
	BlockGroups = 8
	// TableSize is the number of entries, of a byte each, that a group's table has.
	TableSize = 16
)

// CodesSize returns the bytes of a block's codes.
func CodesSize(groups int) int { return groups * BlockVectors / 2 }

// PutCode writes a vector's code, one nibble a group, into a block. It panics if
// the code is shorter than the block's.
func PutCode(block []byte, vector int, code []byte) {
	line := vector & 15 * 4
	shift := vector >> 4 * 4
	for g, nibble := range code[:len(block)*2/BlockVectors] {
		b := &block[g>>2*64+line+g&3]
		*b = *b&^(15<<shift) | nibble&15<<shift
	}
}

// GetCode reads what PutCode wrote; its arguments are as there.
func GetCode(block []byte, vector int, code []byte) {
	line := vector & 15 * 4
	shift := vector >> 4 * 4
	for g := range code[:len(block)*2/BlockVectors] {
		code[g] = block[g>>2*64+line+g&3] >> shift & 15
	}
}

// SignTables makes the tables for the inner products of q with vectors of signs
// s, each ±1: len(q) is a multiple of 32, tables has 4·len(q) bytes. If sum is
// what ScanSums finds for a code, then ⟨s, q⟩ is step·(2·sum−total), but for q
// being rounded to multiples of step. It is the same at every Level.
func SignTables(q []float32, tables []byte) (step float32, total int) {
	if len(q)%32 != 0 || len(tables) != 4*len(q) {
		panic(fmt.Sprintf("kernel.SignTables: %d numbers and %d bytes of tables", len(q), len(tables)))
	}
	if len(q) == 0 {
		return 0, 0
	}
	// Four rounded numbers exceed what their sum rounds to by two at most.
	const most = math.MaxUint8 - 2
	step = groupMax(q) / most
	inverse := 1 / step
	if step == 0 || step-step != 0 || inverse-inverse != 0 {
		clear(tables)
		return 0, 0
	}
	return step, signTables(q, tables, inverse)
}

// ScanSums sets sums[i] to the sum of the table entries that the i-th code of
// a block selects. There are a multiple of 8 groups, as many tables. It is exact.
func ScanSums(codes, tables []byte, sums *[BlockVectors]uint32) {
	checkScan("ScanSums", codes, tables, 0)
	if len(tables) == 0 {
		clear(sums[:])
		return
	}
	scanSums(codes, tables, sums)
}

// ScanTerms are the numbers of a query and of the place its block belongs to.
type ScanTerms struct {
	Base  float32 // added to every result
	Step  float32 // of a sum's unit
	Low   float32 // added to every product of Step and a sum
	Limit float32 // results that are not below it are not wanted
}

// ScanBlock sets out[i] = (Base + aᵢ) + bᵢ·(Step·sumᵢ + Low) for a block whose
// codes are followed by the half-precision numbers a₀…a₃₁ and b₀…b₃₁, with sums
// as ScanSums finds them, and returns the bits of those below Limit. Rounding
// differs between Levels; sums do not. Of ahead see L2Halves.
func ScanBlock(block, tables []byte, t *ScanTerms, out *[BlockVectors]float32, ahead int) uint32 {
	checkScan("ScanBlock", block, tables, factorsSize)
	if len(tables) == 0 {
		return finishScanGeneric(block, t, new([BlockVectors]uint32), out)
	}
	return scanBlock(block, tables, t, out, ahead)
}

// factorsSize is the size of the numbers behind a block's codes.
const factorsSize = 4 * BlockVectors

func checkScan(caller string, block, tables []byte, behind int) {
	groups := len(tables) / TableSize
	if groups%BlockGroups != 0 || len(tables)%TableSize != 0 || len(block) < CodesSize(groups)+behind {
		panic(fmt.Sprintf("kernel.%s: %d bytes of tables and a block of %d", caller, len(tables), len(block)))
	}
}

// groupMaxGeneric returns the largest sum of four absolute values.
func groupMaxGeneric(q []float32) (largest float32) {
	for i := 0; i+4 <= len(q); i += 4 {
		largest = max(largest, (abs32(q[i])+abs32(q[i+1]))+(abs32(q[i+2])+abs32(q[i+3])))
	}
	return largest
}

// signTablesGeneric is the plain definition of SignTables: entry b of a group is
// the sum of |qᵢ|, as an integer, over those i where bit i of b says the sign of
// qᵢ.
func signTablesGeneric(q []float32, tables []byte, inverse float32) (total int) {
	for g := 0; g*4 < len(q); g++ {
		table := tables[g*TableSize:][:TableSize]
		clear(table)
		for i, x := range q[g*4:][:4] {
			v := int(math.RoundToEven(float64(x * inverse)))
			for b := range table {
				if b>>i&1 == 1 {
					table[b] += byte(max(v, 0))
				} else {
					table[b] += byte(max(-v, 0))
				}
			}
			total += max(v, -v)
		}
	}
	return total
}

// scanSumsGeneric is the plain definition of ScanSums.
func scanSumsGeneric(codes, tables []byte, sums *[BlockVectors]uint32) {
	clear(sums[:])
	for g := range len(tables) / TableSize {
		table := tables[g*TableSize:][:TableSize]
		line := codes[g>>2*64+g&3:]
		for i := range BlockVectors / 2 {
			code := line[4*i]
			sums[i] += uint32(table[code&15])
			sums[i+16] += uint32(table[code>>4])
		}
	}
}

// finishScanGeneric is the plain definition of what ScanBlock does with sums.
// factors are the numbers behind the codes.
func finishScanGeneric(factors []byte, t *ScanTerms, sums *[BlockVectors]uint32, out *[BlockVectors]float32) (below uint32) {
	halves := unsafe.Slice((*uint16)(unsafe.Pointer(&factors[0])), 2*BlockVectors)
	for i, sum := range sums {
		a, b := Float16(halves[i]), Float16(halves[BlockVectors+i])
		out[i] = (t.Base + a) + b*(t.Step*float32(sum)+t.Low)
		if out[i] < t.Limit {
			below |= 1 << i
		}
	}
	return below
}
