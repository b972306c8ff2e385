package kernel

import (
	"math"
	"testing"
)

func TestFloat16RoundTrips(t *testing.T) {
	for h := range 1 << 16 {
		f := Float16(uint16(h))
		if f != f {
			continue
		}
		if got := ToFloat16(f); got != uint16(h) {
			t.Fatalf("%04x is %v, which becomes %04x", h, f, got)
		}
	}
}

// Between two neighbours the nearer one is taken, and in the middle the even
// one.
func TestToFloat16RoundsToNearestEven(t *testing.T) {
	for h := range uint16(0x7c00) {
		a, b := float64(Float16(h)), float64(Float16(h+1))
		if h == 0x7bff {
			b = 65536
		}
		middle := float32((a + b) / 2)
		even := h + h&1
		for _, c := range []struct {
			x    float32
			want uint16
		}{
			{math.Nextafter32(middle, 0), h}, {middle, even}, {math.Nextafter32(middle, 1e9), h + 1},
		} {
			if got := ToFloat16(c.x); got != c.want {
				t.Fatalf("%v becomes %04x, want %04x", c.x, got, c.want)
			}
			if got := ToFloat16(-c.x); got != c.want|0x8000 {
				t.Fatalf("%v becomes %04x, want %04x", -c.x, got, c.want|0x8000)
			}
		}
	}
	if got := ToFloat16(inf); got != 0x7c00 {
		t.Errorf("infinity becomes %04x", got)
	}
	if got := Float16(ToFloat16(nan)); got == got {
		t.Errorf("NaN becomes %v", got)
	}
}
