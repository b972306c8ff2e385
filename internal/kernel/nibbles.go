package kernel

import "fmt"

// A graph of which only codes are kept in memory scores the neighbours of a node
// wherever their codes lie. A code has a nibble a dimension; a line of 64 bytes
// has dimensions 0 to 63 in its low nibbles and 64 to 127 in the high ones.

// NibbleLine is the number of dimensions of a line, which those of a code are a
// multiple of.
const NibbleLine = 128

// NibbleTerms are the numbers of a query that its sums are turned into estimates with.
type NibbleTerms struct {
	Base  float32 // added to every result
	Step  float32 // of a sum's unit
	Low   float32 // added to every product of Step and a sum
	Limit float32 // results that are not below it are not wanted
}

// ScoreNibbles estimates up to 32 nodes: with sum = Σⱼ q[j]·c[j], c being the code of
// the i-th node, out[i] = (Base + a) + b·(Step·sum + Low), where a and b are the node's two
// factors. It returns the bits of those below Limit. Sums are exact, rounding differs between Levels.
// Code n is the n-th len(q)/2 bytes of codes, its factors numbers 2n and 2n+1 of factors. It
// panics if the lengths do not fit; every node must have a code.
func ScoreNibbles(q []int8, codes []byte, factors []float32, nodes []uint32, t *NibbleTerms, out *[BlockVectors]float32) uint32 {
	if len(q) == 0 || len(q)%NibbleLine != 0 || len(codes)*2%len(q) != 0 || len(factors)*len(q) != 4*len(codes) || len(nodes) > BlockVectors {
		panic(fmt.Sprintf("kernel.ScoreNibbles: a query of %d, %d bytes of codes, %d factors, %d nodes", len(q), len(codes), len(factors), len(nodes)))
	}
	if len(nodes) == 0 {
		return 0
	}
	return scoreNibbles(q, codes, factors, nodes, t, out)
}

// PutNibbles writes the code of so many nibbles as q of ScoreNibbles has.
func PutNibbles(code, nibbles []byte) {
	if len(nibbles)%NibbleLine != 0 || len(code) != len(nibbles)/2 {
		panic(fmt.Sprintf("kernel.PutNibbles: %d bytes for %d nibbles", len(code), len(nibbles)))
	}
	for at := 0; at < len(code); at += NibbleLine / 2 {
		line := nibbles[2*at:][:NibbleLine]
		for j := range NibbleLine / 2 {
			code[at+j] = line[j]&15 | line[j+NibbleLine/2]<<4
		}
	}
}

// nibbleSum is the plain definition of a sum.
func nibbleSum(q []int8, code []byte) (sum int32) {
	for at := 0; at < len(code); at += NibbleLine / 2 {
		line := q[2*at:][:NibbleLine]
		for j, c := range code[at:][:NibbleLine/2] {
			sum += int32(line[j])*int32(c&15) + int32(line[j+NibbleLine/2])*int32(c>>4)
		}
	}
	return sum
}

// scoreNibblesGeneric is the plain definition of ScoreNibbles.
func scoreNibblesGeneric(q []int8, codes []byte, factors []float32, nodes []uint32, t *NibbleTerms, out *[BlockVectors]float32) uint32 {
	size := len(q) / 2
	for i, n := range nodes {
		sum := nibbleSum(q, codes[int(n)*size:(int(n)+1)*size])
		out[i] = (t.Base + factors[2*n]) + factors[2*n+1]*(t.Step*float32(sum)+t.Low)
	}
	return below(out[:len(nodes)], t.Limit)
}

func below(x []float32, limit float32) (bits uint32) {
	for i, v := range x {
		if v < limit {
			bits |= 1 << i
		}
	}
	return bits
}

// Unseen writes those of up to 32 nodes whose bit in seen is not set to out, in order, sets
// their bits, and returns how many they are: a node that is there twice counts once. It
// also asks for their codes, of size bytes each, to be read soon. It panics if there are
// more nodes; every one must be within seen.
func Unseen(nodes []uint32, seen []uint64, codes []byte, size int, out *[BlockVectors]uint32) int {
	if len(nodes) > BlockVectors || len(seen) == 0 && len(nodes) > 0 {
		panic(fmt.Sprintf("kernel.Unseen: %d nodes, %d words of bits", len(nodes), len(seen)))
	}
	if len(nodes) == 0 {
		return 0
	}
	return unseen(nodes, seen, codes, size, out)
}

// unseenGeneric is the plain definition of Unseen.
func unseenGeneric(nodes []uint32, seen []uint64, out *[BlockVectors]uint32) (count int) {
	for _, n := range nodes {
		if word, bit := &seen[n>>6], uint64(1)<<(n&63); *word&bit == 0 {
			*word |= bit
			out[count] = n
			count++
		}
	}
	return count
}
