package kernel

import "fmt"

// RoundBytes rounds numbers to whole multiples of a step, −127 to 127 of them, to nearest, ties to
// even, and returns the step and the sum of the multiples. There are a multiple of 32 numbers, as
// many in out. It is the same at every Level.
func RoundBytes(x []float32, out []int8) (step float32, sum int) {
	if len(x)%32 != 0 || len(out) != len(x) {
		panic(fmt.Sprintf("kernel.RoundBytes: %d numbers into %d bytes", len(x), len(out)))
	}
	if len(x) == 0 {
		return 0, 0
	}
	largest := largestAbsolute(x)
	step = largest / 127
	inverse := 127 / largest
	if step == 0 || step-step != 0 || inverse-inverse != 0 {
		clear(out)
		return 0, 0
	}
	return step, int(roundBytes(out, x, inverse))
}

// largestAbsoluteGeneric returns the largest absolute value.
func largestAbsoluteGeneric(x []float32) (largest float32) {
	for _, v := range x {
		largest = max(largest, abs32(v))
	}
	return largest
}
