package grammar

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/ragstone/ragstone/internal/testenv"
	"github.com/ragstone/ragstone/llm"
)

func openModel(t testing.TB) *llm.Local {
	t.Helper()
	m, err := llm.OpenLocal(t.Context(), testenv.Model(t, testenv.ChatModel, testenv.ChatModelFile), llm.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// What SmolLM2 really writes, at temperatures from cold to far too hot and
// with little room, satisfies the tool's schema.
func TestSmolLM2Validity(t *testing.T) {
	model := openModel(t)
	v := vocabulary(t)
	rng := rand.New(rand.NewPCG(11, 13))
	schemas := bfclSchemas(t)
	cut := 0
	const sample = 16
	for i := range sample {
		schema := schemas[i*len(schemas)/sample]
		constraint, err := llm.ConstrainSchema(schema)
		if err != nil {
			t.Fatal(err)
		}
		c, _, err := timedCompile(schema, v)
		if err != nil {
			t.Fatal(err)
		}
		least, _ := c.NewMatcher().Exit()
		temperature, seed := rng.Float64()*2.5, rng.Int64()
		choices, _, err := llm.Collect(model.Generate(t.Context(), llm.Request{
			Messages:    []llm.Message{{Role: "user", Content: "Call the tool with sensible arguments. They are described by " + string(schema)}},
			MaxTokens:   least + rng.IntN(40),
			Temperature: &temperature,
			Seed:        &seed,
			Constraint:  constraint,
		}))
		if err != nil {
			t.Fatalf("%s: %v", schema, err)
		}
		if choices[0].FinishReason == llm.FinishLength {
			cut++
		}
		s, err := validator(schema)
		if err != nil {
			t.Fatal(err)
		}
		if err := valid(s, []byte(choices[0].Text)); err != nil {
			t.Errorf("%s, temperature %.2f, seed %d: %s: %v", schema, temperature, seed, choices[0].Text, err)
		}
	}
	t.Logf("%d texts, %d of them ended by their cap", sample, cut)
}

// BenchmarkDecoding compares what a token costs with and without a mask, in
// processor time, in turns. The constraint is a JSON object of long strings:
// each token needs a mask of nearly the whole vocabulary.
func BenchmarkDecoding(b *testing.B) {
	model := openModel(b)
	schema, err := llm.ConstrainSchema(json.RawMessage(
		`{"type":"object","properties":{"story":{"type":"string","minLength":3000}},"required":["story"],"additionalProperties":false}`))
	if err != nil {
		b.Fatal(err)
	}
	const tokens = 128
	run := func(c *llm.Constraint, seed int64) time.Duration {
		before := processorTime(b)
		_, usage, err := llm.Collect(model.Generate(b.Context(), llm.Request{
			Messages:   []llm.Message{{Role: "user", Content: "Tell a story."}},
			MaxTokens:  tokens,
			IgnoreEnd:  true,
			Seed:       &seed,
			Constraint: c,
		}))
		if err != nil || usage.CompletionTokens != tokens {
			b.Fatalf("got %+v, %v", usage, err)
		}
		return processorTime(b) - before
	}
	run(nil, 0)
	run(schema, 0)
	var free, masked, ratios []float64
	for i := range b.N {
		x, y := run(nil, int64(i)), run(schema, int64(i))
		free, masked = append(free, x.Seconds()*1000/tokens), append(masked, y.Seconds()*1000/tokens)
		ratios = append(ratios, y.Seconds()/x.Seconds())
	}
	for _, m := range []struct {
		times []float64
		unit  string
	}{{free, "ms/token-free"}, {masked, "ms/token-masked"}, {ratios, "masked/free"}} {
		slices.Sort(m.times)
		b.ReportMetric(m.times[len(m.times)/2], m.unit)
	}
	b.Log(fmt.Sprintf("ratios %.3f", ratios))
}

func processorTime(tb testing.TB) time.Duration {
	tb.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
