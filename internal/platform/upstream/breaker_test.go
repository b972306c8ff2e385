package upstream

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

func TestBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		healthy := false
		p, w := play(t, map[string]http.HandlerFunc{"s": func(w http.ResponseWriter, r *http.Request) {
			if healthy {
				answers(w, r)
				return
			}
			says(500, "down")(w, r)
		}}, Server{Name: "s", Retries: -1})
		try := func() error {
			a, err := p.Send(t.Context(), chat(false))
			if err == nil {
				a.Close()
			}
			return err
		}
		expect := func(when string, asked int, state string) {
			t.Helper()
			if got := len(w.calls()); got != asked || p.Health()[0].Breaker != state {
				t.Errorf("%s: asked %d times, %s; want %d, %s", when, got, p.Health()[0].Breaker, asked, state)
			}
		}
		for range 10 {
			try()
		}
		expect("ten requests while it is down", breakAfter, "open")
		if u, ok := errors.AsType[*UnavailableError](try()); !ok || u.Limited || u.RetryAfter != breakFor {
			t.Errorf("while it is open: %#v", u)
		}
		time.Sleep(breakFor + time.Millisecond)
		expect("after a while", 0, "half-open")
		try()
		expect("a trial that fails", 1, "open")
		time.Sleep(breakFor + time.Millisecond)
		healthy = true
		if err := try(); err != nil {
			t.Errorf("the trial: %v", err)
		}
		expect("a trial that succeeds", 1, "closed")
	})
}

// What a caller does wrong, how busy a server is and who leaves early say
// nothing of its health; a stream that breaks does.
func TestWhatTheBreakerCounts(t *testing.T) {
	tests := []struct {
		name   string
		server http.HandlerFunc
		leave  bool
		want   string
	}{
		{"bad requests", says(400, `{"error":{"message":"no"}}`), false, "closed"},
		{"rate limits", says(429, `{"error":{"message":"no"}}`), false, "closed"},
		{"callers who leave", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, true, "closed"},
		{"a wrong key", says(401, `{"error":{"message":"no"}}`), false, "open"},
		{"streams that break", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			io.WriteString(w, "data: {}\n\n")
			panic(http.ErrAbortHandler)
		}, false, "closed"}, // each began well: no five failures in a row
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, _ := play(t, map[string]http.HandlerFunc{"s": test.server}, Server{Name: "s", Retries: -1})
				for range breakAfter + 1 {
					ctx, cancel := context.WithCancel(t.Context())
					if test.leave {
						time.AfterFunc(time.Second, cancel)
					}
					if a, err := p.Send(ctx, chat(test.name == "streams that break")); err == nil {
						read(a)
						a.Close()
					}
					cancel()
				}
				if got := p.Health()[0]; got.Breaker != test.want || got.Running != 0 {
					t.Errorf("got %+v, want %s and nothing running", got, test.want)
				}
			})
		})
	}
}

// Half of the streams of a minute breaking off opens the breaker too.
func TestBreakingStreamsOpenTheBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := play(t, map[string]http.HandlerFunc{"s": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			io.WriteString(w, "data: {}\n\n")
			panic(http.ErrAbortHandler)
		}}, Server{Name: "s", Retries: -1})
		for range breakLeast {
			if a, err := p.Send(t.Context(), chat(true)); err == nil {
				read(a)
				a.Close()
			}
		}
		if got := p.Health()[0].Breaker; got != "open" {
			t.Errorf("after %d streams that broke off it is %s", breakLeast, got)
		}
	})
}

// With a probe it is no caller's request that finds out that a server is well
// again.
func TestProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, w := play(t, map[string]http.HandlerFunc{"s": func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet {
				says(200, `{"data":[]}`)(w, r)
				return
			}
			says(500, "down")(w, r)
		}}, Server{Name: "s", Retries: -1, Probe: 10 * time.Second})
		for range breakAfter {
			p.Send(t.Context(), chat(false))
		}
		w.calls()
		time.Sleep(2 * breakFor)
		synctest.Wait()
		if got := p.Health()[0].Breaker; got != "closed" || len(w.calls()) == 0 {
			t.Errorf("after its probe it is %s", got)
		}
	})
}
