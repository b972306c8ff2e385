package model

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ragstone/ragstone/internal/gguf"
	"github.com/ragstone/ragstone/internal/kernel"
)

// oracle is a tiny model of a family, and what Hugging Face transformers and
// llama.cpp make of it; test/oracle/decoders.py makes the files and says what is
// in them.
type oracle struct {
	Name    string           `json:"name"`
	Config  json.RawMessage  `json:"config"`
	Shapes  map[string][]int `json:"tensors"`
	Tokens  []int32          `json:"tokens"`
	Context int              `json:"context"`
	Rows    []int            `json:"rows"`
	Logits  [][]float32      `json:"logits"`
	GGUF    *struct {
		Settings map[string][2]json.RawMessage `json:"settings"` // kind and value
		Tensors  [][3]json.RawMessage          `json:"tensors"`  // name, shape, and hash or numbers
	} `json:"gguf"`
	Greedy *struct {
		Prompt       int       `json:"prompt"` // tokens of it
		Continuation []int32   `json:"continuation"`
		Gaps         []float32 `json:"gaps"`
	} `json:"greedy"`

	modelType string
	weights   map[string][]float32
}

// oracles reads all golden files.
func oracles(t testing.TB) []*oracle {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", "decoders", "*.json"))
	if err != nil || len(paths) < len(families) {
		t.Fatalf("%d golden files (%v) for %d families", len(paths), err, len(families))
	}
	var all []*oracle
	for _, path := range paths {
		o := &oracle{weights: map[string][]float32{}}
		data, err := os.ReadFile(path)
		if err == nil {
			err = json.Unmarshal(data, o)
		}
		var c struct {
			Type string `json:"model_type"`
		}
		if err == nil {
			err = json.Unmarshal(o.Config, &c)
		}
		if err != nil {
			t.Fatal(path, err)
		}
		o.modelType = c.Type
		for name, shape := range o.Shapes {
			o.weights[name] = oracleWeight(c.Type, name, shape)
		}
		all = append(all, o)
	}
	return all
}

// oracleWeight is the tensor that the script's function weight makes.
func oracleWeight(modelType, name string, shape []int) []float32 {
	n := 1
	for _, d := range shape {
		n *= d
	}
	h := fnv.New64a()
	h.Write([]byte(name))
	seed := h.Sum64()
	x := make([]float32, n)
	for i := range x {
		z := seed + uint64(i+1)*0x9E3779B97F4A7C15
		z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
		z = (z ^ z>>27) * 0x94D049BB133111EB
		z ^= z >> 31
		u := float32(z>>40)/(1<<24) - 0.5
		switch {
		case strings.HasSuffix(name, "norm.weight"):
			u *= 0.5
			if !strings.HasPrefix(modelType, "gemma") {
				u++
			}
		case strings.HasSuffix(name, "embed_tokens.weight"):
			u *= 2
		case isRouter(name): // spread further than other matrices
		case len(shape) > 1 && shape[len(shape)-1] < 128:
			u *= 0.5
		case len(shape) > 1:
			u *= 0.25
		}
		x[i] = u
	}
	return x
}

// isRouter says whether a checkpoint's tensor scores experts.
func isRouter(name string) bool {
	return strings.HasSuffix(name, ".mlp.gate.weight") || strings.HasSuffix(name, ".block_sparse_moe.gate.weight")
}

// safetensorsFile is a file of some tensors, all float32.
func (o *oracle) safetensorsFile(names []string) []byte {
	header := map[string]any{}
	var body []byte
	for _, name := range names {
		begin := len(body)
		body = appendFormat(body, kernel.F32, o.weights[name])
		header[name] = map[string]any{"dtype": "F32", "shape": o.Shapes[name], "data_offsets": []int{begin, len(body)}}
	}
	return withHeader(header, body)
}

// withHeader is a safetensors file.
func withHeader(header map[string]any, body []byte) []byte {
	head, _ := json.Marshal(header)
	data := binary.LittleEndian.AppendUint64(nil, uint64(len(head)))
	return append(append(data, head...), body...)
}

// folder writes the model as a checkpoint of so many files.
func (o *oracle) folder(t testing.TB, shards int) string {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, data []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("config.json", o.Config)
	names := make([]string, 0, len(o.Shapes))
	for name := range o.Shapes {
		names = append(names, name)
	}
	slices.Sort(names)
	if shards == 1 {
		write("model.safetensors", o.safetensorsFile(names))
		return dir
	}
	index := map[string]string{}
	for i := range shards {
		file := fmt.Sprintf("model-%05d-of-%05d.safetensors", i+1, shards)
		some := names[i*len(names)/shards : (i+1)*len(names)/shards]
		for _, name := range some {
			index[name] = file
		}
		write(file, o.safetensorsFile(some))
	}
	data, _ := json.Marshal(map[string]any{"weight_map": index})
	write("model.safetensors.index.json", data)
	return dir
}

func (o *oracle) options(t testing.TB, threads int, q Quantization) DecoderOptions {
	pool := kernel.NewPool(threads)
	t.Cleanup(pool.Close)
	return DecoderOptions{Pool: pool, Quantize: q, Context: o.Context}
}

// load loads the checkpoint.
func (o *oracle) load(t testing.TB, shards, threads int, q Quantization) *Decoder {
	t.Helper()
	d, err := LoadDecoderFolder(o.folder(t, shards), o.options(t, threads, q))
	if err != nil {
		t.Fatalf("%s: %v", o.Name, err)
	}
	return d
}

// logits runs the whole sequence and returns the rows that are kept.
func (o *oracle) logits(t testing.TB, d *Decoder) [][]float32 {
	t.Helper()
	in := &Input{Cache: d.NewCache(), Tokens: o.Tokens, Rows: o.Rows}
	run(t, d, in)
	in.Cache.Free()
	return in.Logits
}

// file is the model as llama.cpp's converter writes it: its settings, and its
// tensors by their hashes.
func (o *oracle) file(t testing.TB) *gguf.File {
	t.Helper()
	return o.made(t).file(t)
}

// made is the same before it is written.
func (o *oracle) made(t testing.TB) *made {
	t.Helper()
	m := &made{}
	for _, key := range slices.Sorted(maps.Keys(o.GGUF.Settings)) {
		m.set(key, setting(t, o.GGUF.Settings[key][0], o.GGUF.Settings[key][1]))
	}
	for _, described := range o.GGUF.Tensors {
		var name string
		var shape []int
		unmarshal(t, described[0], &name)
		unmarshal(t, described[1], &shape)
		data := o.converted(t, name, described[2])
		m.tensors = append(m.tensors, gguf.Tensor{Name: name, Type: gguf.F32, Shape: shape, Data: data})
	}
	return m
}

func unmarshal(t testing.TB, data []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatalf("%s: %v", data, err)
	}
}

// setting is a metadata value.
func setting(t testing.TB, kind, value json.RawMessage) any {
	t.Helper()
	switch string(kind) {
	case `"UINT32"`:
		var v uint32
		unmarshal(t, value, &v)
		return v
	case `"FLOAT32"`:
		var v float32
		unmarshal(t, value, &v)
		return v
	case `"STRING"`:
		var v string
		unmarshal(t, value, &v)
		return v
	case `"BOOL"`:
		var v bool
		unmarshal(t, value, &v)
		return v
	}
	t.Fatalf("a setting of the kind %s", kind)
	return nil
}

// converted is a tensor as the converter makes it of the checkpoint's. Its hash
// must be that of the converter's own output.
func (o *oracle) converted(t testing.TB, name string, kept json.RawMessage) []byte {
	t.Helper()
	var numbers []float32
	if json.Unmarshal(kept, &numbers) == nil {
		return appendFormat(nil, kernel.F32, numbers)
	}
	data := appendFormat(nil, kernel.F32, o.convert(t, name))
	var want string
	unmarshal(t, kept, &want)
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:8]) != want {
		t.Fatalf("%s: tensor %s has the hash %x, the converter's has %s", o.Name, name, sum[:8], want)
	}
	return data
}

func (o *oracle) convert(t testing.TB, name string) []float32 {
	c, fam, _, err := parseHFConfig(o.Config, 0)
	if err != nil {
		t.Fatal(err)
	}
	part := strings.Split(name, ".")
	switch {
	case fam.gguf == "phi3" && strings.Contains(name, ".ffn_up."):
		name = strings.Replace(name, "ffn_up", "ffn_gate_up", 1)
	case strings.Contains(name, "_exps."):
		var all []float32
		for e := range c.Experts {
			one := fmt.Sprintf("blk.%s.%s.%d.weight", part[1], strings.TrimSuffix(part[2], "_exps"), e)
			all = append(all, o.weights[fam.hfName(one)]...)
		}
		return all
	}
	x := slices.Clone(o.weights[fam.hfName(name)])
	adjacent := fam.gguf == "llama" || fam.gguf == "granite" || fam.gguf == "smollm3"
	switch {
	case fam.offByOne && strings.HasSuffix(name, "norm.weight"):
		for i := range x {
			x[i]++
		}
	case adjacent && strings.Contains(name, ".attn_q."):
		x = paired(x, c.Heads, c.HeadSize)
	case adjacent && strings.Contains(name, ".attn_k."):
		x = paired(x, c.KVHeads, c.HeadSize)
	}
	return x
}

// paired puts the rows of each head that are turned together side by side.
func paired(x []float32, heads, size int) []float32 {
	width := len(x) / (heads * size)
	out := make([]float32, 0, len(x))
	for h := range heads {
		for i := range size / 2 {
			for half := range 2 {
				row := h*size + half*size/2 + i
				out = append(out, x[row*width:(row+1)*width]...)
			}
		}
	}
	return out
}

// Any setting of any family and any damage to its file make an error or a
// decoder that runs.
func FuzzLoadFamilies(f *testing.F) {
	var all []*made
	for _, o := range oracles(f) {
		if o.GGUF != nil {
			all = append(all, o.made(f))
		}
	}
	for i := range all {
		f.Add(uint8(i), uint8(3), uint64(1<<40), uint32(700), byte(0))
		f.Add(uint8(i), uint8(9), uint64(0), uint32(0), byte(1))
	}
	pool := kernel.NewPool(1)
	var b bytes.Buffer
	f.Fuzz(func(t *testing.T, which, key uint8, value uint64, at uint32, change byte) {
		base := all[int(which)%len(all)]
		m := &made{meta: slices.Clone(base.meta), tensors: base.tensors}
		if i := int(key); i < len(m.meta) {
			m.meta[i].Value = value
			if change%2 == 1 {
				m.meta[i].Value = math.Float32frombits(uint32(value))
			}
		}
		b.Reset()
		if err := gguf.Write(&b, m.meta, m.tensors); err != nil {
			t.Fatal(err)
		}
		data := bytes.Clone(b.Bytes())
		data[int(at)%len(data)] ^= change
		file, err := gguf.Parse(data)
		if err != nil {
			return
		}
		d, err := LoadDecoder(file, DecoderOptions{Pool: pool})
		if err != nil {
			return
		}
		in := &Input{Cache: d.NewCache(), Tokens: []int32{0, 1}, Rows: []int{1}}
		if err := d.Forward(t.Context(), []*Input{in}); err != nil && in.Cache.Len() != 0 {
			t.Errorf("after %v the cache has %d tokens", err, in.Cache.Len())
		}
	})
}
