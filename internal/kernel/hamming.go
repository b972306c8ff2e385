package kernel

import (
	"encoding/binary"
	"fmt"
	"math/bits"
)

// Hamming sets out[i] to the number of bits in which the i-th code differs from the
// query. Codes have as many bytes as the query and lie one after another. It is exact, and
// panics if the lengths do not fit.
func Hamming(query, codes []byte, out []uint32) {
	if len(codes) != len(query)*len(out) || len(query) == 0 {
		panic(fmt.Sprintf("kernel.Hamming: %d bytes are not %d codes of %d", len(codes), len(out), len(query)))
	}
	if len(out) > 0 {
		hamming(query, codes, out)
	}
}

// hammingGeneric is the plain definition of Hamming.
func hammingGeneric(query, codes []byte, out []uint32) {
	for i := range out {
		x, y, count := query, codes[i*len(query):(i+1)*len(query)], 0
		for len(x) >= 8 {
			count += bits.OnesCount64(binary.LittleEndian.Uint64(x) ^ binary.LittleEndian.Uint64(y))
			x, y = x[8:], y[8:]
		}
		for j, b := range x {
			count += bits.OnesCount8(b ^ y[j])
		}
		out[i] = uint32(count)
	}
}
