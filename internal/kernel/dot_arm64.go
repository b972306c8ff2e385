//go:build !purego

package kernel

// wholeNEON is how many of n numbers the assembly takes: blocks of 16.
func wholeNEON(n int) int {
	if useNEON {
		return n &^ 15
	}
	return 0
}

func dot(a, b []float32) float32 {
	n := wholeNEON(len(a))
	rest := dotGeneric(a[n:], b[n:])
	if n == 0 {
		return rest
	}
	return dotNEON(&a[0], &b[0], n/16) + rest
}

func l2(a, b []float32) float32 {
	n := wholeNEON(len(a))
	rest := l2Generic(a[n:], b[n:])
	if n == 0 {
		return rest
	}
	return l2NEON(&a[0], &b[0], n/16) + rest
}

func dotRows(q, rows, out []float32) {
	for i := range out {
		out[i] = dot(q, rows[i*len(q):(i+1)*len(q)])
	}
}

func axpy(s float32, x, y []float32) {
	n := wholeNEON(len(x))
	if n > 0 {
		axpyNEON(s, &x[0], &y[:n][0], n/16)
	}
	axpyGeneric(s, x[n:], y[n:])
}
