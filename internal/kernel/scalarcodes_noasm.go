//go:build !amd64 || purego

package kernel

// These return how many bytes of every code they have dealt with: none.

func l2Bytes(q, step []float32, codes []byte, out []float32) int   { return 0 }
func dotBytes(w []float32, codes []byte, out []float32) int        { return 0 }
func l2Nibbles(q, step []float32, codes []byte, out []float32) int { return 0 }
func dotNibbles(w []float32, codes []byte, out []float32) int      { return 0 }
