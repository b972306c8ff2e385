package gguf

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"testing"
)

// TestDecodingEqualsTheReference compares bit for bit with the numbers that
// ggml's own Python package decodes; test/oracle/gguf_blocks.py made the file.
func TestDecodingEqualsTheReference(t *testing.T) {
	raw, err := os.ReadFile("testdata/blocks.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Type   string
		Blocks []byte
		Values []byte
	}
	if err := json.Unmarshal(raw, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) != 15 {
		t.Fatalf("the golden file has %d types, want 15", len(cases))
	}
	for _, c := range cases {
		typ := typeNamed(t, c.Type)
		got := make([]float32, len(c.Values)/4)
		if err := Dequantize(typ, c.Blocks, got); err != nil {
			t.Errorf("%s: %v", c.Type, err)
			continue
		}
		for i, g := range got {
			want := binary.LittleEndian.Uint32(c.Values[4*i:])
			if math.Float32bits(g) != want {
				t.Errorf("%s: number %d is %v, want %v", c.Type, i, g, math.Float32frombits(want))
				break
			}
		}
	}
}

func typeNamed(t *testing.T, name string) Type {
	t.Helper()
	for typ, l := range layouts {
		if l.name == name {
			return typ
		}
	}
	t.Fatalf("no type is called %s", name)
	return 0
}

func TestDequantizeRefusesWhatDoesNotFit(t *testing.T) {
	for _, c := range []struct {
		typ    Type
		src    int
		dst    int
		reason string
	}{
		{IQ2XXS, 66, 256, "decoding IQ2_XXS is not supported"},
		{Type(99), 1, 1, "decoding tensor type 99 is not supported"},
		{Q8_0, 34, 31, "31 numbers are no whole number of Q8_0 blocks, which hold 32"},
		{Q8_0, 33, 32, "32 numbers of type Q8_0 take 34 bytes, not 33"},
	} {
		err := Dequantize(c.typ, make([]byte, c.src), make([]float32, c.dst))
		if err == nil || err.Error() != c.reason {
			t.Errorf("%s, %d bytes into %d numbers: got error %v, want %q", c.typ, c.src, c.dst, err, c.reason)
		}
	}
}

func TestHalfDecodesEveryPattern(t *testing.T) {
	for bits := range 1 << 16 {
		got := half([]byte{byte(bits), byte(bits >> 8)})
		sign, e, f := 1-2*float64(bits>>15), bits>>10&31, float64(bits&1023)
		want := sign * math.Ldexp(1+f/1024, e-15)
		switch {
		case e == 0:
			want = sign * math.Ldexp(f, -24)
		case e == 31 && f == 0:
			want = math.Inf(int(sign))
		case e == 31:
			if got == got {
				t.Fatalf("binary16 %#04x decodes to %v, want NaN", bits, got)
			}
			continue
		}
		if float64(got) != want || math.Signbit(float64(got)) != (bits>>15 == 1) {
			t.Fatalf("binary16 %#04x decodes to %v, want %v", bits, got, want)
		}
	}
}
