package safetensors

import (
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ragstone/ragstone/internal/testenv"
)

// file lays out a safetensors file with a header and n bytes of data that
// count up.
func file(header string, n int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	b = append(b, header...)
	for i := range n {
		b = append(b, byte(i))
	}
	return b
}

func TestParseReadsTensorsInTheOrderOfTheirData(t *testing.T) {
	f, err := Parse(file(`{"b":{"dtype":"F32","shape":[2,1],"data_offsets":[3,11]},
		"__metadata__":{"format":"pt"},
		"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},
		"none":{"dtype":"F16","shape":[0,4],"data_offsets":[3,3]},
		"one":{"dtype":"I16","shape":[],"data_offsets":[11,13]}}   `, 13))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a", "none", "b", "one"}, f.Names()); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"format": "pt"}, f.Metadata()); diff != "" {
		t.Errorf("metadata (-want +got):\n%s", diff)
	}
	b, ok := f.Tensor("b")
	want := Tensor{Name: "b", DType: F32, Shape: []int{2, 1}, Data: []byte{3, 4, 5, 6, 7, 8, 9, 10}}
	if diff := cmp.Diff(want, b); !ok || diff != "" {
		t.Errorf("tensor b (-want +got):\n%s", diff)
	}
	if _, ok := f.Tensor("c"); ok {
		t.Error("there is a tensor c")
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

func TestParseRefusesWhatTheFormatForbids(t *testing.T) {
	tensor := func(s string) string { return `{"w":` + s + `}` }
	for name, c := range map[string]struct {
		data []byte
		want string // part of the reason
	}{
		"nothing":             {nil, "too few"},
		"a short length":      {[]byte{1, 2, 3}, "too few"},
		"a huge header":       {binary.LittleEndian.AppendUint64(nil, math.MaxUint64), "at most"},
		"a header cut off":    {file(`{}`, 0)[:9], "2 bytes and 1 follow"},
		"no object":           {file(`[]`, 0), "not a JSON object"},
		"half an object":      {file(`{"w":`, 0), "EOF"},
		"two objects":         {file(`{}{}`, 0), "follows"},
		"a name twice":        {file(`{"w":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"w":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}`, 0), "twice"},
		"metadata of numbers": {file(`{"__metadata__":{"a":1}}`, 0), "__metadata__"},
		"no offsets":          {file(tensor(`{"dtype":"U8","shape":[1]}`), 1), "0 numbers"},
		"three offsets":       {file(tensor(`{"dtype":"U8","shape":[1],"data_offsets":[0,1,2]}`), 1), "3 numbers"},
		"a negative offset":   {file(tensor(`{"dtype":"U8","shape":[1],"data_offsets":[-1,0]}`), 1), "data_offsets"},
		"offsets swapped":     {file(`{"v":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"w":{"dtype":"U8","shape":[1],"data_offsets":[1,0]}}`, 1), "bytes 1 to 0"},
		"data cut off":        {file(tensor(`{"dtype":"U8","shape":[2],"data_offsets":[0,2]}`), 1), "0 to 2 of 1"},
		"a gap":               {file(tensor(`{"dtype":"U8","shape":[1],"data_offsets":[1,2]}`), 2), "gap"},
		"an overlap":          {file(`{"v":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"w":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}`, 3), "overlap"},
		"bytes of nobody":     {file(tensor(`{"dtype":"U8","shape":[1],"data_offsets":[0,1]}`), 2), "1 of 2"},
		"a wrong size":        {file(tensor(`{"dtype":"F32","shape":[1],"data_offsets":[0,2]}`), 2), "takes 4 bytes, and it has 2"},
		"an unknown type":     {file(tensor(`{"dtype":"Q4","shape":[1],"data_offsets":[0,1]}`), 1), `"Q4"`},
		"a negative shape":    {file(tensor(`{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}`), 1), "out of range"},
		"a fraction":          {file(tensor(`{"dtype":"U8","shape":[1.5],"data_offsets":[0,1]}`), 1), "shape"},
		"a product too large": {file(tensor(`{"dtype":"U8","shape":[2147483647,2147483647,2147483647],"data_offsets":[0,1]}`), 1), "overflows"},
		"a product of zero":   {file(tensor(`{"dtype":"U8","shape":[2147483647,2147483647,2147483647,0],"data_offsets":[0,0]}`), 0), "overflows"},
		"many dimensions":     {file(tensor(`{"dtype":"U8","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,1]}`), 1), "dimensions"},
	} {
		_, err := Parse(c.data)
		var format *FormatError
		if !errors.As(err, &format) || !strings.Contains(format.Reason, c.want) {
			t.Errorf("%s: got %v, want a FormatError with %q", name, err, c.want)
		}
	}
}

func TestFloat32sDecodesEveryFloatType(t *testing.T) {
	for _, c := range []struct {
		dtype DType
		data  []byte
		want  []float32
	}{
		{F32, []byte{0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0}, []float32{1, -2}},
		{BF16, []byte{0x80, 0x3f, 0x00, 0xc0}, []float32{1, -2}},
		{F64, []byte{0, 0, 0, 0, 0, 0, 0xf0, 0x3f}, []float32{1}},
		{F16, []byte{0x00, 0x3c, 0x00, 0xc0, 0xff, 0x7b, 0x01, 0x00, 0xff, 0x83, 0x00, 0xfc},
			[]float32{1, -2, 65504, 1.0 / (1 << 24), -1023.0 / (1 << 24), float32(math.Inf(-1))}},
	} {
		got, err := Tensor{Name: "w", DType: c.dtype, Data: c.data}.Float32s()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.dtype, diff)
		}
	}
	if got := halfToFloat(0x8000); got != 0 || !math.Signbit(float64(got)) {
		t.Errorf("half -0: got %v", got)
	}
	if got := halfToFloat(0x7e00); got == got {
		t.Errorf("half NaN: got %v", got)
	}
	if err := BF16.Decode(make([]byte, 5), make([]float32, 2)); err == nil || !strings.Contains(err.Error(), "take 4 bytes, not 5") {
		t.Errorf("a byte too many: got %v", err)
	}
	if _, err := (Tensor{Name: "w", DType: I64}).Float32s(); err == nil || !strings.Contains(err.Error(), `"w": it holds I64`) {
		t.Errorf("integers: got %v", err)
	}
}

func TestOpenSaysWhichFileIsWrong(t *testing.T) {
	path := filepath.Join(t.TempDir(), "model.safetensors")
	if _, err := Open(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: got %v", err)
	}
	if err := os.WriteFile(path, []byte("<html>not a model</html>"), 0o600); err != nil {
		t.Fatal(err)
	}
	var format *FormatError
	if _, err := Open(path); !errors.As(err, &format) || format.Path != path {
		t.Errorf("a web page: got %v, want a FormatError with the path", err)
	}
}

func TestOpenReadsTheDefaultEmbedder(t *testing.T) {
	f, err := Open(testenv.Model(t, testenv.EmbedModel, "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	w, ok := f.Tensor("embeddings.word_embeddings.weight")
	if diff := cmp.Diff([]int{30522, 384}, w.Shape); !ok || diff != "" {
		t.Errorf("word embeddings (-want +got):\n%s", diff)
	}
	for range 2 {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(file(`{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F16","shape":[],"data_offsets":[8,10]}}`, 10))
	f.Add(file(`{}`, 0))
	f.Add(file(`{"a":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,18446744073709551615]}}`, 3))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Parse(data)
		if err != nil {
			return
		}
		total := 0
		for _, name := range file.Names() {
			tensor, ok := file.Tensor(name)
			if !ok {
				t.Fatalf("%q is listed and not there", name)
			}
			total += len(tensor.Data)
			if values, err := tensor.Float32s(); err == nil && len(values)*tensor.DType.Size() != len(tensor.Data) {
				t.Fatalf("%q: %d values of %d bytes", name, len(values), len(tensor.Data))
			}
		}
		if header := int(binary.LittleEndian.Uint64(data)); total+header+lengthBytes != len(data) {
			t.Fatalf("%d bytes of tensors, %d of header, %d of file", total, header, len(data))
		}
	})
}
