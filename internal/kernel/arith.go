package kernel

import "math"

// The plain definitions below do step by step what the assembly's instructions
// do, lane by lane, so that every level gives the same bits.

// lanes is how many partial sums the element-wise reductions keep.
const lanes = 8

// fma32 is a·b + c rounded once, as the fused instruction does it. The product
// is exact in double precision; the sum is rounded there first, which matters
// only where that lands it halfway between two float32.
func fma32(a, b, c float32) float32 {
	s := float64(a)*float64(b) + float64(c)
	if math.Float64bits(s)<<35 == 1<<63 {
		return fmaHalfway(a, b, c)
	}
	return float32(s)
}

// fmaHalfway is fma32 where the sum seems to lie halfway: what the first
// rounding lost (Knuth, TAOCP 4.2.2) decides the second.
func fmaHalfway(a, b, c float32) float32 {
	p, z := float64(a)*float64(b), float64(c)
	s := p + z
	t := s - p
	lost := (p - (s - t)) + (z - t)
	bits := math.Float64bits(s)
	switch {
	case lost == 0:
	case lost > 0 == (s > 0):
		s = math.Float64frombits(bits + 1)
	default:
		s = math.Float64frombits(bits - 1)
	}
	return float32(s)
}

// sumLanes adds the lanes, halves first.
func sumLanes(l *[lanes]float32) float32 {
	a, b, c, d := l[0]+l[4], l[1]+l[5], l[2]+l[6], l[3]+l[7]
	return (a + c) + (b + d)
}

// sumSquaresGeneric is the definition of a sum of squares.
func sumSquaresGeneric(x []float32) float32 {
	var l [lanes]float32
	addSquares(x, &l)
	return sumLanes(&l)
}

// addSquares adds the squares to the lanes, in turn.
func addSquares(x []float32, l *[lanes]float32) {
	for i, v := range x {
		l[i%lanes] = fma32(v, v, l[i%lanes])
	}
}

// exp32 is eˣ with a relative error below 2⁻²² from −87 to 88.3; from 88.4 on it
// is infinity, from −88 down 0. After Moshier's
// Cephes library, expf: eˣ = 2ⁿ·eʳ with n = x/ln 2 to the nearest integer, and
// eʳ = 1 + r + r²·P(r).
func exp32(x float32) float32 {
	switch {
	case x != x:
		return x
	case x < -88:
		x = -88
	case x > 89:
		x = 89
	}
	n := float32(math.RoundToEven(float64(float32(x * 1.442695041))))
	r := fma32(-n, 0.693359375, x)
	r = fma32(-n, -2.12194440e-4, r)
	p := float32(1.9875691500e-4)
	for _, c := range [...]float32{1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1} {
		p = fma32(p, r, c)
	}
	p = fma32(p, float32(r*r), r)
	return (p + 1) * math.Float32frombits(uint32(int32(n)+127)<<23)
}

// maxGeneric is the definition of the largest number; of NaNs it says nothing.
func maxGeneric(x []float32) float32 {
	largest := float32(math.Inf(-1))
	for _, v := range x {
		if v > largest {
			largest = v
		}
	}
	return largest
}

// expSumGeneric is the definition of out = exp(scale·x − shift), and their sum.
func expSumGeneric(x, out []float32, scale, shift float32) float32 {
	var l [lanes]float32
	addExp(x, out, scale, shift, &l)
	return sumLanes(&l)
}

// addExp computes the exponentials and adds them to the lanes, in turn.
func addExp(x, out []float32, scale, shift float32, l *[lanes]float32) {
	for i, v := range x {
		out[i] = exp32(float32(v*scale) - shift)
		l[i%lanes] += out[i]
	}
}
