package kernel

import "fmt"

// LookupSize is the number of entries of a table for a code's byte.
const LookupSize = 256

// Lookups sets out[i] to the sum of the entries that the i-th code selects: its byte j of
// the j-th table. Codes have size bytes and lie one after another; there are as many
// tables of LookupSize numbers (Jégou, Douze and Schmid 2011, "Product quantization for
// nearest neighbor search", section 3.2). The error is at most size·2⁻²⁴ times the sum of
// the entries' magnitudes. It panics if the lengths do not fit.
func Lookups(tables []float32, codes []byte, size int, out []float32) {
	if size < 1 || len(tables) != size*LookupSize || len(codes) != size*len(out) {
		panic(fmt.Sprintf("kernel.Lookups: %d numbers in tables, %d bytes for %d codes of %d", len(tables), len(codes), len(out), size))
	}
	if len(out) > 0 {
		lookups(tables, codes, size, out)
	}
}

// lookupsGeneric is the plain definition of Lookups.
func lookupsGeneric(tables []float32, codes []byte, size int, out []float32) {
	for i := range out {
		sum := float32(0)
		for j, c := range codes[i*size : (i+1)*size] {
			sum += tables[j*LookupSize+int(c)]
		}
		out[i] = sum
	}
}
