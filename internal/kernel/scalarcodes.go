package kernel

import "fmt"

// Scalar codes keep every number of a vector as a byte or as half of one, a step
// of the number's own range. What a code c stands for is low + step·c, number by
// number. The functions here score many codes, which lie one after another, with
// one query: with query − low and step they find distances, with query·step
// products.
//
// A code of bytes has as many as the query has numbers. A code of nibbles has
// half as many: its byte j has number j in the low half and number j + n/2 of the
// query given here in the high half, n being the query's length. So a query goes
// in as its even numbers followed by its odd ones where neighbours share a byte.

// L2Bytes sets out[i] to Σⱼ (q[j] − step[j]·c[j])², c being the i-th code. The error is at
// most (n+4)·2⁻²⁴·Σⱼ (|q[j]| + |step[j]·c[j]|)². It panics if the lengths do not fit.
func L2Bytes(q, step []float32, codes []byte, out []float32) {
	checkScalarCodes("L2Bytes", q, step, codes, len(q), len(out))
	whole := l2Bytes(q, step, codes, out)
	l2BytesGeneric(q, step, codes, out, whole)
}

// DotBytes sets out[i] to Σⱼ w[j]·c[j], c being the i-th code. The error is at most
// (n+2)·2⁻²⁴·Σⱼ |w[j]·c[j]|. It panics if the lengths do not fit.
func DotBytes(w []float32, codes []byte, out []float32) {
	checkScalarCodes("DotBytes", w, w, codes, len(w), len(out))
	whole := dotBytes(w, codes, out)
	dotBytesGeneric(w, codes, out, whole)
}

// L2Nibbles is L2Bytes for codes of nibbles.
func L2Nibbles(q, step []float32, codes []byte, out []float32) {
	checkNibbles("L2Nibbles", q, step, codes, len(out))
	whole := l2Nibbles(q, step, codes, out)
	l2NibblesGeneric(q, step, codes, out, whole)
}

// DotNibbles is DotBytes for codes of nibbles.
func DotNibbles(w []float32, codes []byte, out []float32) {
	checkNibbles("DotNibbles", w, w, codes, len(out))
	whole := dotNibbles(w, codes, out)
	dotNibblesGeneric(w, codes, out, whole)
}

func checkNibbles(caller string, q, step []float32, codes []byte, count int) {
	if len(q)%2 != 0 {
		panic(fmt.Sprintf("kernel.%s: %d numbers; want an even number of them", caller, len(q)))
	}
	checkScalarCodes(caller, q, step, codes, len(q)/2, count)
}

func checkScalarCodes(caller string, q, step []float32, codes []byte, size, count int) {
	if len(step) != len(q) || len(codes) != size*count {
		panic(fmt.Sprintf("kernel.%s: %d and %d numbers, %d bytes for %d codes of %d", caller, len(q), len(step), len(codes), count, size))
	}
}

// The plain definitions add what the bytes from a given one on of every code
// contribute. From 0 on they define everything; what assembly has added up to
// there is in out already.

func l2BytesGeneric(q, step []float32, codes []byte, out []float32, from int) {
	if from == len(q) && from > 0 {
		return
	}
	for i := range out {
		code, sum := codes[i*len(q):(i+1)*len(q)], startAt(out[i], from)
		for j := from; j < len(q); j++ {
			d := q[j] - step[j]*float32(code[j])
			sum += d * d
		}
		out[i] = sum
	}
}

func dotBytesGeneric(w []float32, codes []byte, out []float32, from int) {
	if from == len(w) && from > 0 {
		return
	}
	for i := range out {
		code, sum := codes[i*len(w):(i+1)*len(w)], startAt(out[i], from)
		for j := from; j < len(w); j++ {
			sum += w[j] * float32(code[j])
		}
		out[i] = sum
	}
}

func l2NibblesGeneric(q, step []float32, codes []byte, out []float32, from int) {
	size := len(q) / 2
	if from == size && from > 0 {
		return
	}
	for i := range out {
		code, sum := codes[i*size:(i+1)*size], startAt(out[i], from)
		for j := from; j < size; j++ {
			low, high := q[j]-step[j]*float32(code[j]&15), q[size+j]-step[size+j]*float32(code[j]>>4)
			sum += low*low + high*high
		}
		out[i] = sum
	}
}

func dotNibblesGeneric(w []float32, codes []byte, out []float32, from int) {
	size := len(w) / 2
	if from == size && from > 0 {
		return
	}
	for i := range out {
		code, sum := codes[i*size:(i+1)*size], startAt(out[i], from)
		for j := from; j < size; j++ {
			sum += w[j]*float32(code[j]&15) + w[size+j]*float32(code[j]>>4)
		}
		out[i] = sum
	}
}

// startAt returns what a sum over bytes from the given one on begins with.
func startAt(sum float32, from int) float32 {
	if from == 0 {
		return 0
	}
	return sum
}
