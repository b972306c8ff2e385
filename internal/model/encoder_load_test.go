package model

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/ragstone/ragstone/internal/kernel"
)

// encoderFiles is an encoder's folder in memory.
type encoderFiles struct {
	config  map[string]any
	small   map[string]string // other files by name
	tensors map[string]*testTensor
	dtype   string // what the tensors are stored as
	prefix  string // before their names
}

type testTensor struct {
	shape  []int
	values []float32
}

// tinyFiles is a BERT of two layers with random weights that three and a half
// bits hold exactly, so that every float type stores the same model.
func tinyFiles() *encoderFiles {
	const vocab, positions, types, layers, width, inner = 10, 8, 2, 2, 12, 20
	f := &encoderFiles{
		config: map[string]any{
			"model_type": "bert", "hidden_act": "gelu", "vocab_size": vocab, "max_position_embeddings": positions,
			"type_vocab_size": types, "num_hidden_layers": layers, "hidden_size": width, "num_attention_heads": 3,
			"intermediate_size": inner, "layer_norm_eps": 1e-12,
		},
		small:   map[string]string{},
		tensors: map[string]*testTensor{},
		dtype:   "F32",
	}
	r := rand.New(rand.NewPCG(3, 4))
	add := func(name string, shape ...int) {
		n := 1
		for _, d := range shape {
			n *= d
		}
		values := make([]float32, n)
		for i := range values {
			values[i] = float32(r.IntN(17)-8) / 8
		}
		f.tensors[name] = &testTensor{shape, values}
	}
	linear := func(name string, out, in int) {
		add(name+".weight", out, in)
		add(name+".bias", out)
	}
	add("embeddings.word_embeddings.weight", vocab, width)
	add("embeddings.position_embeddings.weight", positions, width)
	add("embeddings.token_type_embeddings.weight", types, width)
	linear("embeddings.LayerNorm", width, 0)
	for i := range layers {
		at := fmt.Sprintf("encoder.layer.%d.", i)
		for _, name := range []string{"attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"} {
			linear(at+name, width, width)
		}
		linear(at+"intermediate.dense", inner, width)
		linear(at+"output.dense", width, inner)
		linear(at+"attention.output.LayerNorm", width, 0)
		linear(at+"output.LayerNorm", width, 0)
	}
	for name, t := range f.tensors {
		if strings.HasSuffix(name, "LayerNorm.weight") {
			t.shape, t.values = []int{width}, slices.Clone(f.tensors["embeddings.word_embeddings.weight"].values[:width])
		}
	}
	return f
}

// write makes the folder.
func (f *encoderFiles) write(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	config, err := json.Marshal(f.config)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{"config.json": config, "model.safetensors": f.safetensors(t)}
	for name, text := range f.small {
		files[name] = []byte(text)
	}
	for name, data := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func (f *encoderFiles) safetensors(t testing.TB) []byte {
	t.Helper()
	header := map[string]any{}
	var data []byte
	for _, name := range slices.Sorted(maps.Keys(f.tensors)) {
		tensor, begin := f.tensors[name], len(data)
		for _, v := range tensor.values {
			switch bits := math.Float32bits(v); f.dtype {
			case "F16":
				data = binary.LittleEndian.AppendUint16(data, kernel.ToFloat16(v))
			case "BF16":
				data = binary.LittleEndian.AppendUint16(data, uint16(bits>>16))
			default:
				data = binary.LittleEndian.AppendUint32(data, bits)
			}
		}
		header[f.prefix+name] = map[string]any{"dtype": f.dtype, "shape": tensor.shape, "data_offsets": []int{begin, len(data)}}
	}
	head, err := json.Marshal(header)
	if err != nil {
		t.Fatal(err)
	}
	return slices.Concat(binary.LittleEndian.AppendUint64(nil, uint64(len(head))), head, data)
}

func tinyEncoder(t testing.TB, f *encoderFiles, threads int) *Encoder {
	t.Helper()
	pool := kernel.NewPool(threads)
	t.Cleanup(pool.Close)
	e, err := LoadEncoder(f.write(t), EncoderOptions{Pool: pool})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func encodeOne(t testing.TB, e *Encoder, ids ...int32) []float32 {
	t.Helper()
	v, err := e.Encode(context.Background(), [][]int32{ids})
	if err != nil {
		t.Fatal(err)
	}
	return v[0]
}

// near says whether two vectors differ by rounding only.
func near(a, b []float32) bool {
	for i := range a {
		if math.Abs(float64(a[i]-b[i])) > 1e-4 {
			return false
		}
	}
	return len(a) == len(b)
}

// encodeSlowly is BERT in float64 and in the plainest words: the oracle for
// every way a tiny model can be stored. Rows are of the last layer.
func encodeSlowly(f *encoderFiles, ids []int32) (rows [][]float64) {
	const width, heads, size = 12, 3, 4
	get := func(name string) []float32 { return f.tensors[name].values }
	linear := func(x []float64, name string) []float64 {
		out := make([]float64, len(get(name+".bias")))
		for i := range out {
			out[i] = float64(get(name + ".bias")[i])
			for j, v := range x {
				out[i] += v * float64(get(name + ".weight")[i*len(x)+j])
			}
		}
		return out
	}
	norm := func(x []float64, name string) []float64 {
		mean, variance := 0.0, 0.0
		for _, v := range x {
			mean += v / width
		}
		for _, v := range x {
			variance += (v - mean) * (v - mean) / width
		}
		out := make([]float64, width)
		for i, v := range x {
			out[i] = (v-mean)/math.Sqrt(variance+1e-12)*float64(get(name + ".weight")[i]) + float64(get(name + ".bias")[i])
		}
		return out
	}
	add := func(a, b []float64) []float64 {
		sum := slices.Clone(a)
		for i, v := range b {
			sum[i] += v
		}
		return sum
	}
	for i, id := range ids {
		x := make([]float64, width)
		for j := range x {
			x[j] = float64(get("embeddings.word_embeddings.weight")[int(id)*width+j]) +
				float64(get("embeddings.position_embeddings.weight")[i*width+j]) +
				float64(get("embeddings.token_type_embeddings.weight")[j])
		}
		rows = append(rows, norm(x, "embeddings.LayerNorm"))
	}
	for layer := range 2 {
		at := fmt.Sprintf("encoder.layer.%d.", layer)
		var q, k, v [][]float64
		for _, x := range rows {
			q, k, v = append(q, linear(x, at+"attention.self.query")), append(k, linear(x, at+"attention.self.key")), append(v, linear(x, at+"attention.self.value"))
		}
		next := make([][]float64, len(rows))
		for i := range rows {
			mixed := make([]float64, width)
			for h := range heads {
				weights, sum := make([]float64, len(rows)), 0.0
				for j := range rows {
					dot := 0.0
					for c := h * size; c < (h+1)*size; c++ {
						dot += q[i][c] * k[j][c]
					}
					weights[j] = math.Exp(dot / math.Sqrt(size))
					sum += weights[j]
				}
				for j := range rows {
					for c := h * size; c < (h+1)*size; c++ {
						mixed[c] += weights[j] / sum * v[j][c]
					}
				}
			}
			x := norm(add(rows[i], linear(mixed, at+"attention.output.dense")), at+"attention.output.LayerNorm")
			inner := linear(x, at+"intermediate.dense")
			for c, v := range inner {
				inner[c] = v / 2 * (1 + math.Erf(v/math.Sqrt2))
			}
			next[i] = norm(add(x, linear(inner, at+"output.dense")), at+"output.LayerNorm")
		}
		rows = next
	}
	return rows
}

func TestEncoderReadsEveryWayAModelIsStored(t *testing.T) {
	ids := []int32{1, 7, 3, 9, 0}
	rows := encodeSlowly(tinyFiles(), ids)
	mean, first := make([]float32, len(rows[0])), make([]float32, len(rows[0]))
	for c := range mean {
		for _, row := range rows {
			mean[c] += float32(row[c] / float64(len(rows)))
		}
		first[c] = float32(rows[0][c])
	}
	unit := slices.Clone(mean)
	scaleVector(unit, float32(1/math.Sqrt(float64(kernel.Dot(mean, mean)))))
	const modules = `[{"path":"","type":"sentence_transformers.models.Transformer"},
		{"path":"1_Pooling","type":"sentence_transformers.models.Pooling"},
		{"path":"2_Normalize","type":"sentence_transformers.models.Normalize"}]`
	for name, c := range map[string]struct {
		change func(f *encoderFiles)
		want   []float32
	}{
		"float32 alone": {func(*encoderFiles) {}, mean},
		"float16":       {func(f *encoderFiles) { f.dtype = "F16" }, mean},
		"bfloat16":      {func(f *encoderFiles) { f.dtype = "BF16" }, mean},
		"with a prefix": {func(f *encoderFiles) { f.prefix = "bert." }, mean},
		"with heads":    {func(f *encoderFiles) { f.tensors["pooler.dense.bias"] = &testTensor{[]int{1}, []float32{1}} }, mean},
		"mean, unit":    {func(f *encoderFiles) { f.modules(modules, `{"pooling_mode_mean_tokens": true}`) }, unit},
		"CLS, no length": {func(f *encoderFiles) {
			f.modules(modules[:strings.LastIndex(modules, ",\n")]+"]", `{"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false}`)
		}, first},
	} {
		t.Run(name, func(t *testing.T) {
			files := tinyFiles()
			c.change(files)
			e := tinyEncoder(t, files, 2)
			atEachLevel(t, func(t *testing.T) {
				if got := encodeOne(t, e, ids...); !near(got, c.want) {
					t.Errorf("got %v\nwant %v", got, c.want)
				}
			})
		})
	}
}

func (f *encoderFiles) modules(modules, pooling string) {
	f.small["modules.json"], f.small["1_Pooling/config.json"] = modules, pooling
}

func TestLoadEncoderRefusesWhatItCannotRun(t *testing.T) {
	set := func(key string, value any) func(*encoderFiles) {
		return func(f *encoderFiles) { f.config[key] = value }
	}
	module := func(text string) func(*encoderFiles) {
		return func(f *encoderFiles) { f.modules(text, `{"pooling_mode_mean_tokens": true}`) }
	}
	pooling := func(text string) func(*encoderFiles) {
		return func(f *encoderFiles) {
			f.modules(`[{"path":"","type":"Transformer"},{"path":"1_Pooling","type":"Pooling"}]`, text)
		}
	}
	for name, c := range map[string]struct {
		change func(f *encoderFiles)
		want   string
	}{
		"another family":       {set("model_type", "llama"), `"llama" is not an encoder`},
		"a decoder":            {set("is_decoder", true), "is_decoder"},
		"another activation":   {set("hidden_act", "quick_gelu"), `hidden_act is "quick_gelu"`},
		"relative positions":   {set("position_embedding_type", "relative_key"), "position_embedding_type"},
		"no heads":             {set("num_attention_heads", 0), "number of heads is 0"},
		"uneven heads":         {set("num_attention_heads", 5), "12 numbers cannot be shared by 5 heads"},
		"no layers":            {set("num_hidden_layers", 0), "number of layers is 0"},
		"a billion layers":     {set("num_hidden_layers", 1_000_000_000), "number of layers is 1000000000"},
		"layers not there":     {set("num_hidden_layers", 3), `"encoder.layer.2.`},
		"layers left over":     {set("num_hidden_layers", 1), "does not use"},
		"a negative width":     {set("hidden_size", -12), "width is -12"},
		"a width too large":    {set("hidden_size", 24), "its shape is"},
		"a vocabulary too big": {set("vocab_size", 11), "word_embeddings"},
		"an odd epsilon":       {set("layer_norm_eps", -1), "epsilon"},
		"a wrong type":         {set("hidden_size", "wide"), "config.json"},
		"a window too large":   {func(f *encoderFiles) { f.small["sentence_bert_config.json"] = `{"max_seq_length": 9}` }, "max_seq_length is 9 and the model has 8"},
		"a window of zero":     {func(f *encoderFiles) { f.small["sentence_bert_config.json"] = `{"max_seq_length": 0}` }, "max_seq_length is 0"},
		"a dense module":       {module(`[{"path":"","type":"Transformer"},{"path":"1_Pooling","type":"Pooling"},{"path":"2_Dense","type":"Dense"}]`), "Dense"},
		"a path out":           {module(`[{"path":"","type":"Transformer"},{"path":"../..","type":"Pooling"}]`), "leads out"},
		"max pooling":          {pooling(`{"pooling_mode_max_tokens": true}`), `"max_tokens" is not supported`},
		"two poolings":         {pooling(`{"pooling_mode_max_tokens": true, "pooling_mode_cls_token": true}`), "2 pooling modes"},
		"no tensor": {func(f *encoderFiles) {
			delete(f.tensors, "encoder.layer.1.output.dense.bias")
		}, `"encoder.layer.1.output.dense.bias" is missing`},
		"a tensor too many": {func(f *encoderFiles) { f.tensors["adapter.weight"] = &testTensor{[]int{1}, []float32{1}} }, `"adapter.weight"`},
		"a tensor reshaped": {func(f *encoderFiles) { f.tensors["embeddings.LayerNorm.bias"].shape = []int{3, 4} }, "its shape is [3 4]"},
	} {
		files := tinyFiles()
		c.change(files)
		_, err := LoadEncoder(files.write(t), EncoderOptions{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
	if _, err := LoadEncoder(t.TempDir(), EncoderOptions{}); err == nil || !strings.Contains(err.Error(), "config.json") {
		t.Errorf("an empty folder: got %v", err)
	}
}

func TestInspectEncoderKnowsTheMemory(t *testing.T) {
	dir := tinyFiles().write(t)
	info, err := InspectEncoder(dir, EncoderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	e, err := LoadEncoder(dir, EncoderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	numbers := 0
	for _, tensor := range tinyFiles().tensors {
		numbers += len(tensor.values)
	}
	if info.Bytes != int64(4*numbers) || e.Bytes() != info.Bytes || !reflect.DeepEqual(e.Config(), info.Config) {
		t.Errorf("inspected %+v; loaded %+v, %d bytes; want %d", info, e.Config(), e.Bytes(), 4*numbers)
	}
}

// FuzzEncoderConfig holds that no settings file makes loading panic.
func FuzzEncoderConfig(f *testing.F) {
	dir := tinyFiles().write(f)
	config, err := os.ReadFile(filepath.Join(dir, "config.json"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(config, []byte(`[{"path":"","type":"Transformer"},{"path":"1_Pooling","type":"Pooling"}]`), []byte(`{"pooling_mode_cls_token":true}`))
	f.Add([]byte(`{"model_type":"bert"}`), []byte(`[{}]`), []byte(`{}`))
	f.Fuzz(func(t *testing.T, config, modules, pooling []byte) {
		dir := t.TempDir()
		if err := os.Mkdir(filepath.Join(dir, "1_Pooling"), 0o700); err != nil {
			t.Fatal(err)
		}
		for name, data := range map[string][]byte{
			"config.json": config, "modules.json": modules, "1_Pooling/config.json": pooling,
			"model.safetensors": tinyFiles().safetensors(t),
		} {
			if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		e, err := LoadEncoder(dir, EncoderOptions{})
		if err != nil {
			return
		}
		if v := encodeOne(t, e, 1, 2, 3); len(v) != e.config.Width {
			t.Errorf("%d numbers of a model %d wide", len(v), e.config.Width)
		}
	})
}
