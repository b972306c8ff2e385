package vector_test

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/ragstone/ragstone/vector"
)

// TestTune wants settings that reach the recall, of every kind of index.
func TestTune(t *testing.T) {
	rows := clustered(rand.New(rand.NewPCG(5, 5)), 2050, 16)
	var queries []vector.Query
	for _, x := range rows[2000:] {
		queries = append(queries, vector.Query{Vector: x})
	}
	for kind, setting := range map[vector.IndexKind]string{
		vector.Graph: "ef=", "IVF32,PQ8": "nprobe=", "IVF32,Flat": "nprobe=", "SQ4": "rescore=", vector.Flat: "exact",
	} {
		t.Run(string(kind), func(t *testing.T) {
			c := factoryCollection(t, kind, vector.L2, rows[:2000])
			got, err := vector.Tune(t.Context(), c, queries, 0.9)
			if err != nil {
				t.Fatal(err)
			}
			if !got.Reached || got.Recall < 0.9 || got.Rows[0].Recall != 1 || !got.Rows[0].Params.Exact {
				t.Errorf("%+v", got)
			}
			if text := got.String(); !strings.Contains(text, setting) || !strings.Contains(text, got.Advice) {
				t.Errorf("no %q in\n%s", setting, text)
			}
			recall := 0.0
			for _, r := range got.Rows {
				if strings.HasPrefix(r.Params.String(), setting) && !strings.Contains(r.Params.String(), " ") {
					if r.Recall < recall-0.02 {
						t.Errorf("%v has recall %v, a narrower search %v", r.Params, r.Recall, recall)
					}
					recall = r.Recall
				}
			}
		})
	}
}

func TestTuneRefuses(t *testing.T) {
	c := factoryCollection(t, vector.Flat, vector.L2, [][]float32{{1}, {2}})
	for _, test := range []struct {
		queries []vector.Query
		recall  float64
	}{
		{nil, 0.9},
		{[]vector.Query{{Vector: []float32{1}}}, 1.5},
		{[]vector.Query{{Text: "word"}}, 0.9},
		{[]vector.Query{{Vector: []float32{1}, Using: "other"}}, 0.9},
	} {
		if _, err := vector.Tune(t.Context(), c, test.queries, test.recall); !errors.Is(err, vector.ErrInvalid) {
			t.Errorf("%v for %v: %v", test.queries, test.recall, err)
		}
	}
}
