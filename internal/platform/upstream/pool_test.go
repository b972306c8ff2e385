package upstream

import (
	"errors"
	"math"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

func TestWeightsAndPriorities(t *testing.T) {
	const draws = 20_000
	p, _ := play(t, nil,
		Server{Name: "one", Weight: 1}, Server{Name: "three", Weight: 3}, Server{Name: "six", Weight: 6},
		Server{Name: "spare", Weight: 1000, Priority: 1}, Server{Name: "other", Models: []string{"x"}})
	first := map[string]int{}
	for range draws {
		chosen := p.choose("m")
		first[chosen[0].Name]++
		if len(chosen) != 4 || chosen[3].Name != "spare" {
			t.Fatalf("chosen are %d, the last %s; want 4, the last the spare", len(chosen), chosen[len(chosen)-1].Name)
		}
	}
	for name, part := range map[string]float64{"one": 0.1, "three": 0.3, "six": 0.6} {
		deviation := math.Sqrt(draws * part * (1 - part))
		if got := float64(first[name]); math.Abs(got-draws*part) > 4*deviation {
			t.Errorf("%s was the first %v times of %d, want %v ± %.0f", name, got, draws, draws*part, 4*deviation)
		}
	}
}

// A server whose breaker is open leaves its part to the others.
func TestTheHealthyShareTheLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, w := play(t, map[string]http.HandlerFunc{"down": says(500, "down"), "a": answers, "b": answers},
			Server{Name: "down", Weight: 8}, Server{Name: "a"}, Server{Name: "b"})
		for range 400 {
			a, err := p.Send(t.Context(), chat(false))
			if err != nil {
				t.Fatal(err)
			}
			a.Close()
		}
		count := map[string]int{}
		for _, host := range w.calls() {
			count[host]++
		}
		if count["down"] != breakAfter || count["a"] < 140 || count["b"] < 140 {
			t.Errorf("asked %v; want down %d times, the others about 200 times each", count, breakAfter)
		}
	})
}

func TestConcurrencyIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := play(t, map[string]http.HandlerFunc{"s": streams}, Server{Name: "s", MaxConcurrent: 2})
		var running []*Answer
		for range 2 {
			a, err := p.Send(t.Context(), chat(true))
			if err != nil {
				t.Fatal(err)
			}
			running = append(running, a)
		}
		began := time.Now()
		_, err := p.Send(t.Context(), chat(true))
		if u, ok := errors.AsType[*UnavailableError](err); !ok || u.Limited || time.Since(began) != 0 {
			t.Errorf("a third request: %v after %v, want that it is refused at once", err, time.Since(began))
		}
		running[0].Close()
		running[0].Close()
		if a, err := p.Send(t.Context(), chat(true)); err != nil {
			t.Errorf("once one has ended: %v", err)
		} else {
			a.Close()
		}
		running[1].Close()
		if got := p.Health()[0].Running; got != 0 {
			t.Errorf("%d still run", got)
		}
	})
}
