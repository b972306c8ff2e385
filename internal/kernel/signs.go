package kernel

import "fmt"

// SignSums are sums over the residual r of a vector and a centre.
type SignSums struct {
	Square   float32 // Σrᵢ²
	Absolute float32 // Σ|rᵢ|
	Centre   float32 // Σ±cᵢ, with the signs of r
}

// Signs looks at the residual of v and centre, of the same length, a multiple of
// 32: bit i mod 16 of signs[i/16] says that rᵢ is not negative. signs has
// len(v)/16 elements. The sums err as those of Dot.
func Signs(v, centre []float32, signs []uint16) SignSums {
	if len(v) != len(centre) || len(v)%32 != 0 || len(signs) != len(v)/16 {
		panic(fmt.Sprintf("kernel.Signs: %d numbers, a centre of %d and %d words of signs", len(v), len(centre), len(signs)))
	}
	if len(v) == 0 {
		return SignSums{}
	}
	return signSums(v, centre, signs)
}

// PutSigns writes what Signs found into a block of sign codes; see PutCode. The
// vector's place must be zero before.
func PutSigns(block []byte, vector int, signs []uint16) {
	at := vector & 15 * 4
	shift := vector >> 4 * 4
	for _, word := range signs {
		// A nibble a byte.
		x := uint32(word)
		x = (x | x<<8) & 0x00ff00ff
		x = (x | x<<4) & 0x0f0f0f0f
		x <<= shift
		line := block[at : at+4]
		line[0] |= byte(x)
		line[1] |= byte(x >> 8)
		line[2] |= byte(x >> 16)
		line[3] |= byte(x >> 24)
		at += 64
	}
}

// signSumsGeneric is the plain definition of Signs.
func signSumsGeneric(v, centre []float32, signs []uint16) (s SignSums) {
	clear(signs)
	for i, x := range v {
		c := centre[i]
		r := x - c
		s.Square += r * r
		if r < 0 {
			s.Absolute -= r
			s.Centre -= c
		} else {
			s.Absolute += r
			s.Centre += c
			signs[i/16] |= 1 << (i % 16)
		}
	}
	return s
}
