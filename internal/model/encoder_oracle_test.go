package model

import (
	"context"
	"encoding/json"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ragstone/ragstone/internal/kernel"
	"github.com/ragstone/ragstone/internal/testenv"
)

// oracleCase is a tiny model and what the transformers library makes of some
// sequences, as test/oracle/encoders.py wrote it.
type oracleCase struct {
	Name    string
	Small   map[string]string           // files
	Tensors map[string]map[string][]int // shapes, by file and name
	IDs     [][]int32
	Types   [][]int32
	Results [][]float32
}

func readOracleCases(t testing.TB) []oracleCase {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "encoders.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []oracleCase
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) < 16 {
		t.Fatalf("%d cases, want at least 16", len(cases))
	}
	return cases
}

// write makes the model's folder.
func (c *oracleCase) write(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range c.Small {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for file, shapes := range c.Tensors {
		testenv.WriteWeights(t, filepath.Join(dir, filepath.FromSlash(file)), shapes)
	}
	return dir
}

// run gives the model's own results: vectors, or scores.
func (c *oracleCase) run(t testing.TB, dir string, o EncoderOptions) [][]float32 {
	t.Helper()
	task := makeVectors
	if c.Small["modules.json"] == "" {
		task = scorePairs
	}
	e, err := loadEncoder(dir, task, o)
	if err != nil {
		t.Fatal(err)
	}
	sequences := make([]Sequence, len(c.IDs))
	for i, ids := range c.IDs {
		sequences[i].Tokens = ids
		if c.Types != nil {
			sequences[i].Types = c.Types[i]
		}
	}
	got, err := e.encode(context.Background(), sequences)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestEncodersEqualTransformers(t *testing.T) {
	pool := kernel.NewPool(2)
	defer pool.Close()
	for _, c := range readOracleCases(t) {
		t.Run(c.Name, func(t *testing.T) {
			dir := c.write(t)
			atEachLevel(t, func(t *testing.T) {
				got := c.run(t, dir, EncoderOptions{Pool: pool})
				worst := 0.0
				defer func() { t.Logf("off by %.1e", worst) }()
				for i, want := range c.Results {
					e := relativeError(got[i], want)
					if worst = max(worst, e); !(e <= 1e-4) {
						t.Errorf("sequence %d, %d tokens: relative error %.2g\ngot  %v\nwant %v", i, len(c.IDs[i]), e, got[i][:min(6, len(got[i]))], want[:min(6, len(want))])
					}
				}
			})
		})
	}
}

// relativeError is the largest difference, measured by the largest number.
func relativeError(got, want []float32) float64 {
	if len(got) != len(want) {
		return math.Inf(1)
	}
	var wrong, size float64
	for i, w := range want {
		wrong, size = max(wrong, math.Abs(float64(got[i]-w))), max(size, math.Abs(float64(w)))
	}
	return wrong / size
}

func TestEncodersInEightBitsAreNearTheExactOnes(t *testing.T) {
	for _, c := range readOracleCases(t) {
		if len(c.Results[0]) < 24 {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			got := c.run(t, c.write(t), EncoderOptions{Precision: Int8})
			worst := 1.0
			defer func() { t.Logf("cosine %.5f", worst) }()
			for i, want := range c.Results {
				cos := cosine(got[i], want)
				if worst = min(worst, cos); !(cos >= 0.999) {
					t.Errorf("sequence %d, %d tokens: cosine %.5f, want 0.999", i, len(c.IDs[i]), cos)
				}
			}
		})
	}
}

// The library spells out what a model's makers leave to their own code.
func TestNomicsFirstSettingsMeanTheSame(t *testing.T) {
	const first = `{"model_type": "nomic_bert", "n_embd": 64, "n_head": 4, "n_inner": 96, "n_layer": 4, "n_positions": 192,
		"layer_norm_epsilon": 1e-12, "activation_function": "swiglu", "rotary_emb_base": 1000, "rotary_emb_fraction": 1.0,
		"rotary_emb_interleaved": false, "rotary_scaling_factor": null, "prenorm": false, "parallel_block": false,
		"use_rms_norm": null, "qkv_proj_bias": false, "mlp_fc1_bias": false, "mlp_fc2_bias": false,
		"type_vocab_size": 2, "vocab_size": 61}`
	cases := readOracleCases(t)
	i := slices.IndexFunc(cases, func(c oracleCase) bool { return strings.HasPrefix(c.Name, "nomic") })
	c := cases[i]
	want := c.run(t, c.write(t), EncoderOptions{})
	c.Small = maps.Clone(c.Small)
	c.Small["config.json"] = first
	if got := c.run(t, c.write(t), EncoderOptions{}); !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("got %v\nwant %v", got[2][:6], want[2][:6])
	}
	for _, refused := range []string{"rotary_emb_interleaved", "prenorm", "qkv_proj_bias", "mlp_fc2_bias"} {
		c.Small["config.json"] = strings.Replace(first, `"`+refused+`": false`, `"`+refused+`": true`, 1)
		if _, err := LoadEncoder(c.write(t), EncoderOptions{}); err == nil || !strings.Contains(err.Error(), refused) {
			t.Errorf("%s: got %v, want an error that names it", refused, err)
		}
	}
}

// TestMiniLMInEightBits holds the fast precision to the exact one on real
// weights and every third text, the worst of all among them.
func TestMiniLMInEightBits(t *testing.T) {
	golden := readGoldenVectors(t)
	pool := kernel.NewPool(2)
	defer pool.Close()
	e, err := LoadEncoder(testenv.Model(t, testenv.EmbedModel), EncoderOptions{Pool: pool, Precision: Int8})
	if err != nil {
		t.Fatal(err)
	}
	const step = 3
	var ids [][]int32
	for i := 0; i < len(golden.IDs); i += step {
		ids = append(ids, golden.IDs[i])
	}
	vectors, err := e.Encode(context.Background(), ids)
	if err != nil {
		t.Fatal(err)
	}
	worst, sum := 1.0, 0.0
	for k, v := range vectors {
		i := k * step
		c := cosine(v, golden.vector(i))
		worst, sum = min(worst, c), sum+c
		if !(c >= 0.999) {
			t.Errorf("text %d (%+v), %d tokens: cosine %.6f, want 0.999", i, golden.Texts[i], len(golden.IDs[i]), c)
		}
	}
	t.Logf("%d texts, cosine %.6f at worst, %.6f on average", len(vectors), worst, sum/float64(len(vectors)))
}

func TestAnEncoderMayLieInSeveralFiles(t *testing.T) {
	cases := readOracleCases(t)
	c := cases[0]
	want := c.run(t, c.write(t), EncoderOptions{})
	const whole = "model.safetensors"
	parts := []map[string][]int{{}, {}}
	places := map[string]string{}
	files := []string{"model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"}
	for i, name := range slices.Sorted(maps.Keys(c.Tensors[whole])) {
		parts[i%2][name] = c.Tensors[whole][name]
		places[name] = files[i%2]
	}
	index, err := json.Marshal(map[string]any{"weight_map": places})
	if err != nil {
		t.Fatal(err)
	}
	c.Tensors = map[string]map[string][]int{files[0]: parts[0], files[1]: parts[1]}
	c.Small = maps.Clone(c.Small)
	c.Small[whole+".index.json"] = string(index)
	if got := c.run(t, c.write(t), EncoderOptions{}); !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("got %v\nwant %v", got[0][:6], want[0][:6])
	}
}

func TestAVectorDoesNotDependOnItsCompanyInAnyFamily(t *testing.T) {
	pool := kernel.NewPool(3)
	defer pool.Close()
	for _, c := range readOracleCases(t) {
		for _, p := range []Precision{Exact, Int8} {
			dir := c.write(t)
			together := c.run(t, dir, EncoderOptions{Pool: pool, Precision: p})
			for i := range c.IDs {
				one := c
				one.IDs = c.IDs[i : i+1]
				if c.Types != nil {
					one.Types = c.Types[i : i+1]
				}
				if alone := one.run(t, dir, EncoderOptions{Precision: p}); !slices.Equal(alone[0], together[i]) {
					t.Errorf("%s, %s, sequence %d: not the bits it has alone", c.Name, p, i)
				}
			}
		}
	}
}

func TestScoreRefusesTypesThatDoNotFit(t *testing.T) {
	cases := readOracleCases(t)
	c := cases[slices.IndexFunc(cases, func(c oracleCase) bool { return c.Name == "bert, scores" })]
	e, err := LoadCrossEncoder(c.write(t), EncoderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for want, pair := range map[string]Sequence{
		"the types of 1": {Tokens: []int32{1, 2}, Types: []int32{0}},
		"type 2":         {Tokens: []int32{1, 2}, Types: []int32{0, 2}},
		"type -1":        {Tokens: []int32{1, 2}, Types: []int32{-1, 0}},
	} {
		if _, err := e.Score(context.Background(), []Sequence{pair}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: got %v, want an error with %q", pair, err, want)
		}
	}
	if _, err := LoadEncoder(c.write(t), EncoderOptions{}); err == nil || !strings.Contains(err.Error(), "classifier") {
		t.Errorf("as an embedder: got %v, want an error that names the classifier", err)
	}
	vectors := cases[0]
	if _, err := LoadCrossEncoder(vectors.write(t), EncoderOptions{}); err == nil || !strings.Contains(err.Error(), "ForSequenceClassification") {
		t.Errorf("an embedder as a cross-encoder: got %v", err)
	}
}

// FuzzEncoderSettings gives models of every family other settings than theirs:
// they load or are refused, and what loads runs.
func FuzzEncoderSettings(f *testing.F) {
	cases := readOracleCases(f)
	for i, c := range cases {
		f.Add(uint8(i), []byte(c.Small["config.json"]), []byte(c.Small["modules.json"]))
	}
	f.Fuzz(func(t *testing.T, which uint8, config, modules []byte) {
		c := cases[int(which)%len(cases)]
		c.Small = maps.Clone(c.Small)
		c.Small["config.json"] = string(config)
		if len(modules) > 0 {
			c.Small["modules.json"] = string(modules)
		}
		dir := c.write(t)
		for _, task := range []encoderTask{makeVectors, scorePairs} {
			e, err := loadEncoder(dir, task, EncoderOptions{})
			if err != nil {
				continue
			}
			if got, err := e.encode(context.Background(), []Sequence{{Tokens: []int32{0}}}); err == nil && len(got[0]) == 0 {
				t.Error("a result without numbers")
			}
		}
	})
}
