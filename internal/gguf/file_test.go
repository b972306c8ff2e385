package gguf

import (
	"bytes"
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

// example is a small file with one value of every shape that matters.
func example(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	err := Write(&b, []KV{
		{"general.architecture", "llama"},
		{"llama.block_count", uint32(30)},
		{"llama.offset", int32(-7)},
		{"llama.big", uint64(math.MaxUint64)},
		{"llama.epsilon", float32(0.5)},
		{"llama.base", float64(1e5)},
		{"tokenizer.add_bos", true},
		{"tokenizer.tokens", []string{"a", "", "bc"}},
		{"tokenizer.types", []int32{1, -2, 3}},
		{"tokenizer.scores", []float32{0.25, -1}},
		{"tokenizer.flags", []bool{true, false}},
	}, []Tensor{
		{Name: "norm", Type: F32, Shape: []int{2}, Data: []byte{0, 0, 128, 63, 0, 0, 0, 64}},
		{Name: "weight", Type: Q8_0, Shape: []int{32, 2}, Data: make([]byte, 68)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.gguf")
	if err := os.WriteFile(path, example(t), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()

	check := func(key string, want any, get func() (any, error)) {
		t.Helper()
		got, err := get()
		if err != nil {
			t.Errorf("%s: %v", key, err)
		} else if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", key, diff)
		}
	}
	check("string", "llama", func() (any, error) { return f.String("general.architecture") })
	check("uint32", uint64(30), func() (any, error) { return f.Uint("llama.block_count") })
	check("uint64", uint64(math.MaxUint64), func() (any, error) { return f.Uint("llama.big") })
	check("float32", 0.5, func() (any, error) { return f.Float("llama.epsilon") })
	check("float64", 1e5, func() (any, error) { return f.Float("llama.base") })
	check("bool", true, func() (any, error) { return f.Bool("tokenizer.add_bos") })
	check("strings", []string{"a", "", "bc"}, func() (any, error) { return f.Strings("tokenizer.tokens") })
	check("ints", []int64{1, -2, 3}, func() (any, error) { return f.Ints("tokenizer.types") })
	check("floats", []float64{0.25, -1}, func() (any, error) { return f.Floats("tokenizer.scores") })
	check("bools", []bool{true, false}, func() (any, error) { return f.Bools("tokenizer.flags") })
	if got := len(f.Keys()); got != 11 {
		t.Errorf("file has %d keys, want 11", got)
	}

	norm, ok := f.Tensor("norm")
	if !ok {
		t.Fatal("tensor norm is missing")
	}
	check("norm", []float32{1, 2}, func() (any, error) { return norm.Float32s() })
	if w, _ := f.Tensor("weight"); !cmp.Equal(w.Shape, []int{32, 2}) || len(w.Data) != 68 {
		t.Errorf("tensor weight has shape %v and %d bytes, want [32 2] and 68", w.Shape, len(w.Data))
	}
}

func TestAccessorsSayWhatTheyFound(t *testing.T) {
	f, err := Parse(example(t))
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Uint("llama.rope.dimension_count")
	if !errors.Is(err, ErrMissing) {
		t.Errorf("absent key: got error %v, want one that wraps ErrMissing", err)
	}
	for want, get := range map[string]func() error{
		`metadata key "general.architecture" is string, want an unsigned integer`:          func() error { _, err := f.Uint("general.architecture"); return err },
		`metadata key "llama.offset" is -7, want an unsigned integer`:                      func() error { _, err := f.Uint("llama.offset"); return err },
		`metadata key "tokenizer.tokens" is an array of 3 string, want a string`:           func() error { _, err := f.String("tokenizer.tokens"); return err },
		`metadata key "tokenizer.scores" is an array of 2 float32, want an array of bools`: func() error { _, err := f.Bools("tokenizer.scores"); return err },
		`metadata key "llama.block_count" is uint32, want an array of strings`:             func() error { _, err := f.Strings("llama.block_count"); return err },
	} {
		if err := get(); err == nil || err.Error() != want {
			t.Errorf("got error %v\nwant      %s", err, want)
		}
	}
}

// head builds a broken file piece by piece.
type head struct{ bytes.Buffer }

func newHead(tensors, values uint64) *head {
	h := &head{}
	h.WriteString("GGUF")
	h.put(uint32(3), tensors, values)
	return h
}

func (h *head) put(values ...any) *head {
	for _, v := range values {
		if s, ok := v.(string); ok {
			binary.Write(h, binary.LittleEndian, uint64(len(s)))
			h.WriteString(s)
			continue
		}
		binary.Write(h, binary.LittleEndian, v)
	}
	return h
}

func (h *head) pad(n int) *head { h.Write(make([]byte, n)); return h }

func TestHostileFilesAreRefusedInOneSentence(t *testing.T) {
	const huge = uint64(1) << 62
	tensor := func(name string, typ Type, offset uint64, dims ...uint64) []any {
		out := []any{name, uint32(len(dims))}
		for _, d := range dims {
			out = append(out, d)
		}
		return append(out, uint32(typ), offset)
	}
	two := func(a, b []any) *head { return newHead(2, 0).put(a...).put(b...).pad(512) }
	for _, c := range []struct {
		name string
		file *head
		want string
	}{
		{"another format", &head{*bytes.NewBufferString("PK\x03\x04....")}, "does not start with the letters GGUF"},
		{"empty", &head{}, "truncated: the header needs bytes 0–4, the file has 0"},
		{"version", (&head{*bytes.NewBufferString("GGUF")}).put(uint32(1)), "its version is 1"},
		{"big-endian", (&head{*bytes.NewBufferString("GGUF")}).put(uint32(3 << 24)), "big-endian"},
		{"too many values", newHead(0, huge), "announces 4611686018427387904 metadata values in 0 bytes"},
		{"too many tensors", newHead(huge, 0), "announces 4611686018427387904 tensors in 0 bytes"},
		{"long key", newHead(0, 1).put(huge).pad(16), "the name of metadata value 0 is 4611686018427387904 bytes long"},
		{"key cut", newHead(0, 1).put(uint64(100)).pad(16), "truncated: the name of metadata value 0 needs bytes 32–132"},
		{"string past the end", newHead(0, 1).put("k", uint32(KindString), uint64(math.MaxUint64)).pad(8), `truncated: metadata value "k" needs bytes`},
		{"unknown kind", newHead(0, 1).put("k", uint32(77)).pad(8), `metadata value "k" has the unknown kind 77`},
		{"unknown kind under a long key", newHead(0, 1).put(strings.Repeat("k", 5000), uint32(77)).pad(8), strings.Repeat("k", 80) + `…" has the unknown kind 77`},
		{"bad bool", newHead(0, 1).put("k", uint32(KindBool), byte(2)).pad(8), "bool of value 2"},
		{"huge array", newHead(0, 1).put("k", uint32(KindArray), uint32(KindInt64), huge).pad(8), "announces 4611686018427387904 elements of kind int64"},
		{"array of nothing known", newHead(0, 1).put("k", uint32(KindArray), uint32(99), uint64(1)).pad(8), "array of the unknown kind 99"},
		{"deep array", newHead(0, 1).put("k", uint32(KindArray)).put(nested(9)...).pad(64), "nests arrays more than 4 deep"},
		{"twice a key", newHead(0, 2).put("k", uint32(KindUint8), byte(1), "k", uint32(KindUint8), byte(1)).pad(8), `metadata key "k" appears twice`},
		{"alignment kind", newHead(0, 1).put(alignmentKey, uint32(KindString), "32"), `"general.alignment" is string`},
		{"alignment zero", newHead(0, 1).put(alignmentKey, uint32(KindUint32), uint32(0)), "general.alignment is 0"},
		{"alignment odd", newHead(0, 1).put(alignmentKey, uint32(KindUint32), uint32(33)), "general.alignment is 33"},
		{"dimensions", newHead(1, 0).put(tensor("t", F32, 0, 1, 1, 1, 1, 1)...).pad(64), "has 5 dimensions"},
		{"zero dimension", newHead(1, 0).put(tensor("t", F32, 0, 4, 0)...).pad(64), "impossible dimension 0"},
		{"product overflow", newHead(1, 0).put(tensor("t", F32, 0, 1<<32, 1<<32)...).pad(64), "impossible dimension 4294967296"},
		{"size overflow", newHead(1, 0).put(tensor("t", F64, 0, 1<<62)...).pad(64), "cannot have shape [4611686018427387904]"},
		{"half a block", newHead(1, 0).put(tensor("t", Q8_0, 0, 33)...).pad(64), `tensor "t" cannot have shape [33] in type Q8_0`},
		{"unknown type", newHead(1, 0).put(tensor("t", 99, 0, 32)...).pad(64), `tensor "t" has the unknown type 99`},
		{"misaligned", newHead(1, 0).put(tensor("t", F32, 8, 1)...).pad(64), "offset 8, which is no multiple of the alignment 32"},
		{"offset past the end", newHead(1, 0).put(tensor("t", F32, 1<<40, 1)...).pad(64), `truncated: tensor "t" needs bytes 1099511627840–1099511627844`},
		{"offset overflow", newHead(1, 0).put(tensor("t", F32, math.MaxUint64-31, 1)...).pad(64), `truncated: tensor "t"`},
		{"cut data", newHead(1, 0).put(tensor("t", F32, 0, 100)...).pad(64), `truncated: tensor "t" needs bytes 64–464, the file has 121`},
		{"twice a tensor", two(tensor("t", F32, 0, 1), tensor("t", F32, 32, 1)), `tensor "t" appears twice`},
		{"overlap", two(tensor("a", F32, 32, 8), tensor("b", F32, 0, 9)), `tensors "b" and "a" overlap`},
	} {
		_, err := Parse(c.file.Bytes())
		var format *FormatError
		if !errors.As(err, &format) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got error %v\nwant one that says %q", c.name, err, c.want)
		}
	}
}

// nested is the inside of an array value of n levels.
func nested(n int) (out []any) {
	for range n {
		out = append(out, uint32(KindArray), uint64(1))
	}
	return append(out, uint32(KindUint8), uint64(0))
}

func TestEveryPrefixOfAFileIsTruncated(t *testing.T) {
	whole := example(t)
	data := len(whole) - 28 // the last tensor ends before its padding
	for n := range data {
		_, err := Parse(whole[:n])
		var format *FormatError
		if !errors.As(err, &format) {
			t.Fatalf("the first %d of %d bytes: got error %v, want a *FormatError", n, data, err)
		}
	}
	if _, err := Parse(whole[:data]); err != nil {
		t.Errorf("without the last padding: %v", err)
	}
}

func TestDefaultModelOpens(t *testing.T) {
	f, err := Open(testenv.Model(t, testenv.ChatModel, testenv.ChatModelFile))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if n, err := f.Uint("llama.block_count"); err != nil || n != 30 {
		t.Errorf("llama.block_count is %d (%v), want 30", n, err)
	}
	if w, ok := f.Tensor("blk.0.attn_q.weight"); !ok || w.Type != Q4_1 || !cmp.Equal(w.Shape, []int{576, 576}) {
		t.Errorf("blk.0.attn_q.weight is %s %v, want Q4_1 [576 576]", w.Type, w.Shape)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(example(f))
	f.Add(newHead(0, 1).put("k", uint32(KindArray)).put(nested(3)...).Bytes())
	f.Add(newHead(1, 0).put("t", uint32(1), uint64(4), uint32(F32), uint64(0)).pad(64).Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Parse(data)
		if err != nil {
			return
		}
		for _, key := range file.Keys() { // no accessor may panic
			file.String(key)
			file.Uint(key)
			file.Float(key)
			file.Bool(key)
			file.Strings(key)
			file.Ints(key)
			file.Floats(key)
			file.Bools(key)
		}
		for _, tensor := range file.Tensors() {
			if decoder(tensor.Type) == nil {
				continue
			}
			if _, err := tensor.Float32s(); err != nil {
				t.Errorf("tensor %q of type %s and shape %v: %v", tensor.Name, tensor.Type, tensor.Shape, err)
			}
		}
	})
}
