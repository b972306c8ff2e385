package kernel

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"testing"
)

// TestQuantizeRowEqualsTheReference compares byte for byte with what ggml's own
// Python package writes; test/oracle/gguf_quantize.py made the file.
func TestQuantizeRowEqualsTheReference(t *testing.T) {
	raw, err := os.ReadFile("testdata/quantized.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Rows                  int
		Numbers               []byte
		F16, BF16, Q8_0, Q4_0 []byte
	}
	if err := json.Unmarshal(raw, &golden); err != nil {
		t.Fatal(err)
	}
	numbers := make([]float32, len(golden.Numbers)/4)
	for i := range numbers {
		numbers[i] = math.Float32frombits(binary.LittleEndian.Uint32(golden.Numbers[4*i:]))
	}
	cols := len(numbers) / golden.Rows
	for f, want := range map[Format][]byte{F32: golden.Numbers, F16: golden.F16, BF16: golden.BF16, Q8_0: golden.Q8_0, Q4_0: golden.Q4_0} {
		size, _ := f.RowBytes(cols)
		for i := range golden.Rows {
			got := make([]byte, size)
			QuantizeRow(f, numbers[i*cols:(i+1)*cols], got)
			if !bytes.Equal(got, want[i*size:(i+1)*size]) {
				t.Errorf("%v, row %d: got %x, want %x", f, i, got, want[i*size:(i+1)*size])
			}
		}
	}
}

func TestQuantizeRowRefusesWhatDoesNotFit(t *testing.T) {
	panics(t, "too few bytes", func() { QuantizeRow(Q8_0, make([]float32, 32), make([]byte, 33)) })
	panics(t, "a partial block", func() { QuantizeRow(Q4_0, make([]float32, 31), make([]byte, 18)) })
	panics(t, "a format that nothing quantises to", func() { QuantizeRow(Q6_K, make([]float32, 256), make([]byte, 210)) })
}
