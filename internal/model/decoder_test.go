package model

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/ragstone/ragstone/internal/kernel"
	"github.com/ragstone/ragstone/internal/testenv"
)

// atEachLevel runs a test once at every level of CPU instructions here.
func atEachLevel(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	for _, l := range kernel.Levels() {
		t.Run(l.String(), func(t *testing.T) {
			defer kernel.Use(l)()
			test(t)
		})
	}
}

// tiny loads the trained model of 656,000 parameters.
func tiny(t testing.TB, threads int) *Decoder {
	t.Helper()
	pool := kernel.NewPool(threads)
	t.Cleanup(pool.Close)
	d, err := LoadDecoderFolder(testenv.Shared(t, "data", "tinystories-656k"), DecoderOptions{Pool: pool})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// forward runs tokens and returns the logits of all of them.
func forward(t testing.TB, d *Decoder, c *Cache, tokens []int32) [][]float32 {
	t.Helper()
	in := &Input{Cache: c, Tokens: tokens, Rows: upTo(len(tokens))}
	if err := d.Forward(context.Background(), []*Input{in}); err != nil {
		t.Fatal(err)
	}
	return in.Logits
}

func upTo(n int) []int {
	rows := make([]int, n)
	for i := range rows {
		rows[i] = i
	}
	return rows
}

func argmax(logits []float32) int32 {
	best := 0
	for i, v := range logits {
		if v > logits[best] {
			best = i
		}
	}
	return int32(best)
}

// The golden tokens and logits are another implementation's, in double
// precision on the same weights.
func TestTinyEqualsItsGoldenFile(t *testing.T) {
	var golden struct {
		IDs   []int32 `json:"ids"`
		Steps []struct {
			Position int          `json:"pos"`
			Top      [][2]float64 `json:"top5"` // token, logit
		} `json:"steps"`
	}
	data, err := os.ReadFile(filepath.Join(testenv.Shared(t, "data", "tinystories-656k"), "golden_greedy.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &golden); err != nil {
		t.Fatal(err)
	}
	if len(golden.Steps) == 0 {
		t.Fatal("the golden file has no steps")
	}
	atEachLevel(t, func(t *testing.T) {
		d := tiny(t, 2)
		logits := forward(t, d, d.NewCache(), golden.IDs)
		for i := range len(golden.IDs) - 1 {
			if got := argmax(logits[i]); got != golden.IDs[i+1] {
				t.Errorf("after %d tokens: token %d, want %d", i+1, got, golden.IDs[i+1])
			}
		}
		// Keys and values are kept in half precision: 11 bits.
		const tolerance = 2e-2
		for _, s := range golden.Steps {
			for _, top := range s.Top {
				if got, want := float64(logits[s.Position][int(top[0])]), top[1]; math.Abs(got-want) > tolerance {
					t.Errorf("position %d, token %v: logit %.5f, want %.5f ± %g", s.Position, top[0], got, want, tolerance)
				}
			}
		}
	})
}
