package model

import (
	"math"
	"slices"
	"testing"

	"github.com/ragstone/ragstone/internal/gguf"
	"github.com/ragstone/ragstone/internal/kernel"
)

// unpacked is a model with its matrices written out as float32.
func (m *made) unpacked(t *testing.T) *made {
	t.Helper()
	out := &made{meta: m.meta}
	for _, tensor := range m.tensors {
		x, err := tensor.Float32s()
		if err != nil {
			t.Fatal(err)
		}
		tensor.Type, tensor.Data = gguf.F32, appendFormat(nil, kernel.F32, x)
		out.tensors = append(out.tensors, tensor)
	}
	return out
}

// A model in any format that a GGUF file can have computes what the same model
// does with its weights written out as float32, but for rounding that random layers
// amplify.
func TestEveryFormatComputesWithItsNumbers(t *testing.T) {
	const width, forward = 256, 512 // whole blocks of every format
	for _, f := range kernel.Formats() {
		kind, ok := ggufType(f)
		if !ok {
			t.Errorf("gguf has no type %v", f)
			continue
		}
		m := newMadeOf(kind, width, forward)
		logits := func(m *made) []float32 {
			d := m.load(t, 1)
			in := &Input{Cache: d.NewCache(), Tokens: arbitrary(d, 40), Rows: []int{39}}
			run(t, d, in)
			return in.Logits[0]
		}
		got, want := logits(m), logits(m.unpacked(t))
		var spread, worst float64
		for i := range want {
			spread = max(spread, math.Abs(float64(want[i])))
			worst = max(worst, math.Abs(float64(got[i]-want[i])))
		}
		if worst > 4e-3*spread || argmax(got) != argmax(want) {
			t.Errorf("%v: logits up to %.3f differ by up to %.6f; best %d, want %d", f, spread, worst, argmax(got), argmax(want))
		}
		t.Logf("%v: %.1e of the largest logit", f, worst/spread)
	}
}

// ggufType is the type of GGUF that a format is called.
func ggufType(f kernel.Format) (gguf.Type, bool) {
	for t := range gguf.Type(64) {
		if t.String() == f.String() {
			return t, true
		}
	}
	return 0, false
}

// Codebook types that the kernels do not know are refused by name.
func TestUnknownFormatsAreRefusedByName(t *testing.T) {
	m := newMadeOf(gguf.F32, 256, 512)
	for i := range m.tensors {
		if tensor := &m.tensors[i]; tensor.Name == "blk.1.ffn_up.weight" {
			_, size := gguf.IQ2XXS.Block()
			tensor.Type, tensor.Data = gguf.IQ2XXS, make([]byte, tensor.Values()/256*size)
		}
	}
	_, err := InspectDecoder(m.file(t), DecoderOptions{})
	const want = `inspect model: tensor "blk.1.ffn_up.weight": the type IQ2_XXS is not supported`
	if err == nil || err.Error() != want {
		t.Errorf("got error %v, want %s", err, want)
	}
}

// In eight bits a model's logits are near the exact ones, not equal, and do not
// depend on how the prompt is cut.
func TestEightBitsAreNear(t *testing.T) {
	f := newMade(gguf.Q4_1).file(t)
	logits := func(p Precision, chunks ...int) []float32 {
		d, err := LoadDecoder(f, DecoderOptions{Precision: p})
		if err != nil {
			t.Fatal(err)
		}
		tokens, c := arbitrary(d, 40), d.NewCache()
		for _, n := range chunks {
			run(t, d, &Input{Cache: c, Tokens: tokens[c.Len() : c.Len()+n]})
		}
		in := &Input{Cache: c, Tokens: tokens[c.Len():], Rows: []int{39 - c.Len()}}
		run(t, d, in)
		return in.Logits[0]
	}
	exact, near := logits(Exact), logits(Int8)
	var spread, worst float64
	for i := range exact {
		spread = max(spread, math.Abs(float64(exact[i])))
		worst = max(worst, math.Abs(float64(near[i]-exact[i])))
	}
	if worst == 0 || worst > 0.2*spread {
		t.Errorf("logits up to %.3f differ by up to %.4f in eight bits", spread, worst)
	}
	for _, chunks := range [][]int{{1}, {8, 1, 15}, {39}} {
		if got := logits(Int8, chunks...); !slices.Equal(got, near) {
			t.Errorf("after chunks of %v tokens the logits are others", chunks)
		}
	}
	if _, err := LoadDecoder(f, DecoderOptions{Precision: "f16"}); err == nil {
		t.Error(`the precision "f16" is accepted`)
	}
}
