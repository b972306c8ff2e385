package kernel

import "fmt"

// GELUTanhMul sets gate to gelu(gate)·up, element by element, with the
// approximation gelu(x) = ½·x·(1 + tanh(√(2/π)·(x + 0.044715·x³))) (Hendrycks
// and Gimpel 2016, section 2): the gated unit of Gemma. The error is at most
// 2⁻²⁰·|gate·up|; all levels give the same bits. A gate that is infinite or NaN
// makes NaN, but for +∞, which stays.
func GELUTanhMul(gate, up []float32) {
	if len(gate) != len(up) {
		panic(fmt.Sprintf("kernel.GELUTanhMul: lengths %d and %d differ", len(gate), len(up)))
	}
	// ½·(1 + tanh(y)) = 1/(1 + e⁻²ʸ): one exponential, taken many at a time.
	const linear, cubic = 1.5957691216057308, 1.5957691216057308 * 0.044715 // 2·√(2/π)
	var e [256]float32
	for len(gate) > 0 {
		n := min(len(gate), len(e))
		g, u := gate[:n], up[:n]
		for i, x := range g {
			square := float32(x * x)
			e[i] = x * (linear + float32(cubic*square))
		}
		expSum(e[:n], e[:n], -1, 0)
		for i, x := range g {
			g[i] = float32(x/(e[i]+1)) * u[i]
		}
		gate, up = gate[n:], up[n:]
	}
}
