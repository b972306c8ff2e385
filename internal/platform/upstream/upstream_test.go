package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ragstone/ragstone/internal/platform/upstream/upstreamtest"
)

// world plays all servers; the host of a URL says which one is meant.
type world struct {
	mu    sync.Mutex
	hosts map[string]http.HandlerFunc
	asked []string // hosts, in order
}

func (w *world) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	w.asked = append(w.asked, r.URL.Host)
	h := w.hosts[r.URL.Host]
	w.mu.Unlock()
	h(rw, r)
}

// calls returns who was asked since it was called last.
func (w *world) calls() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	asked := w.asked
	w.asked = nil
	return asked
}

// play makes a pool of servers that the handlers play. A server's URL is
// http://NAME/v1.
func play(t *testing.T, hosts map[string]http.HandlerFunc, servers ...Server) (*Pool, *world) {
	t.Helper()
	w := &world{hosts: hosts}
	for i := range servers {
		servers[i].URL = "http://" + servers[i].Name + "/v1"
		if servers[i].Models == nil && servers[i].Renames == nil {
			servers[i].Models = []string{"*"}
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	var mu sync.Mutex
	p, err := New(servers, Options{Transport: upstreamtest.Transport(w), Random: func() float64 {
		mu.Lock()
		defer mu.Unlock()
		return random.Float64()
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p, w
}

func chat(stream bool) *Request {
	return &Request{
		Path: "/chat/completions", Model: "m", Stream: stream, MaxBytes: 1 << 20,
		Body: func(model string) []byte { return fmt.Appendf(nil, `{"model":%q}`, model) },
	}
}

const wholeAnswer = `{"id":"c","choices":[{"index":0,"message":{"role":"assistant","content":"hi"}}]}`

func answers(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, wholeAnswer) }

func streams(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	io.WriteString(w, ": hello\n\ndata: {\"n\":1}\n\ndata: {\"n\":2}\r\n\r\ndata: [DONE]\n\n")
}

func says(status int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

func breaksOff(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// read is the rest of a stream: its events, and how it ended.
func read(a *Answer) (events []string, err error) {
	for {
		data, err := a.Next()
		if err == io.EOF && a.Finished() {
			return events, nil
		}
		if err != nil {
			return events, err
		}
		events = append(events, string(data))
	}
}

// Whatever a server does in place of answering, the caller gets either the next
// server's answer or one error that says what happened.
func TestFaults(t *testing.T) {
	silent := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	tests := []struct {
		name    string
		stream  bool
		server  http.HandlerFunc
		status  int // of the error
		message string
		asked   int  // times, where there is no other server
		final   bool // no other server is asked
	}{
		{name: "500", server: says(500, `{"error":{"message":"no luck"}}`), status: 500, message: "no luck", asked: 3},
		{name: "503 of a proxy", server: says(503, "<html>down</html>"), status: 503, message: "<html>down</html>", asked: 3},
		{name: "429", server: says(429, `{"error":{"message":"slow down"}}`), status: 429, message: "slow down", asked: 3},
		{name: "an empty account", server: says(429, `{"error":{"message":"pay","type":"insufficient_quota","code":"insufficient_quota"}}`), status: 429, message: "pay", asked: 1},
		{name: "a wrong key", server: says(401, `{"error":{"message":"bad key"}}`), status: 401, message: "bad key", asked: 1},
		{name: "no such model", server: says(404, `{"error":{"message":"no m"}}`), status: 404, message: "no m", asked: 1},
		{name: "no such address", server: says(404, "404 page not found"), status: 404, message: "404 page not found", asked: 1},
		{name: "a redirect", server: says(302, "", "Location", "http://elsewhere/"), status: 302, message: "it redirects, and nothing is sent elsewhere; give its final URL", asked: 1},
		{name: "a bad request", server: says(400, `{"error":{"message":"no","type":"t","code":"c","param":"p"}}`), status: 400, message: "no", asked: 1, final: true},
		{name: "too large a request", server: says(413, `{"error":"too large"}`), status: 413, message: "too large", asked: 1, final: true},
		{name: "a refused connection", server: breaksOff, message: "connection reset by peer", asked: 3},
		{name: "garbage", server: says(200, `{"choices":`), message: "its answer is not a JSON object", asked: 3},
		{name: "a page", server: says(200, "<html>welcome</html>"), message: "its answer is not a JSON object", asked: 3},
		{name: "a list", server: says(200, `[]`), message: "its answer is not a JSON object", asked: 3},
		{name: "an error with status 200", server: says(200, `{"error":{"message":"out of memory"}}`), message: "out of memory", asked: 3},
		{name: "a huge answer", server: says(200, `{"x":"`+strings.Repeat("x", 1<<20)+`"}`), message: "its answer is larger than what is read of one", asked: 3},
		{name: "silence", server: silent, message: "it has been silent for 3s", asked: 3},
		{name: "no stream", stream: true, server: says(200, wholeAnswer, "Content-Type", "application/json"), message: `it answered a request for a stream with "application/json"`, asked: 3},
		{name: "an empty stream", stream: true, server: says(200, "", "Content-Type", "text/event-stream"), message: "its stream ended before it began", asked: 3},
		{name: "a stream of nothing", stream: true, server: says(200, "data: [DONE]\n\n", "Content-Type", "text/event-stream"), message: "its stream ended before it began", asked: 3},
		{name: "an error event", stream: true, server: says(200, "data: {\"error\":{\"message\":\"oh\"}}\n\n", "Content-Type", "text/event-stream"), message: "oh", asked: 3},
		{name: "a refusal in a stream", stream: true, server: says(200, "data: {\"error\":{\"message\":\"no\",\"code\":400}}\n\n", "Content-Type", "text/event-stream"), status: 400, message: "no", asked: 1, final: true},
		{name: "an endless event", stream: true, server: says(200, "data: "+strings.Repeat("x", maxEventBytes+8192), "Content-Type", "text/event-stream"), message: "an event has more than 4194304 bytes", asked: 3},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				good := answers
				if test.stream {
					good = streams
				}
				hosts := map[string]http.HandlerFunc{"bad": test.server, "good": good}
				alone, w := play(t, hosts, Server{Name: "bad", FirstByteTimeout: 3 * time.Second})
				_, err := alone.Send(t.Context(), chat(test.stream))
				e, ok := errors.AsType[*Error](err)
				if !ok || e.Server != "bad" || e.Status != test.status || e.Message != test.message {
					t.Errorf("got %#v, want status %d and %q", err, test.status, test.message)
				}
				if got := len(w.calls()); got != test.asked {
					t.Errorf("it was asked %d times, want %d", got, test.asked)
				}
				pair, w := play(t, hosts, Server{Name: "bad", FirstByteTimeout: 3 * time.Second}, Server{Name: "good", Priority: 1})
				a, err := pair.Send(t.Context(), chat(test.stream))
				if test.final {
					if err == nil || len(w.calls()) != 1 {
						t.Errorf("another server was asked what the first had refused (%v)", err)
					}
					return
				}
				if err != nil || a.Server != "good" {
					t.Fatalf("with another server: %v", err)
				}
				if diff := cmp.Diff([]string{"bad", "good"}, w.calls()); diff != "" {
					t.Errorf("asked (-want +got):\n%s", diff)
				}
				a.Close()
			})
		})
	}
}

func TestAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		padded := func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "\n  \n"+wholeAnswer+"\n") }
		p, _ := play(t, map[string]http.HandlerFunc{"a": padded, "b": streams}, Server{Name: "a", Models: []string{"whole"}}, Server{Name: "b", Renames: map[string]string{"ours": "theirs"}})
		request := chat(false)
		request.Model = "whole"
		a, err := p.Send(t.Context(), request)
		if err != nil || string(a.Whole()) != wholeAnswer || a.Model != "whole" {
			t.Fatalf("got %v, %v", a, err)
		}
		a.Close()
		request = chat(true)
		request.Model = "ours"
		if a, err = p.Send(t.Context(), request); err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		events, err := read(a)
		if diff := cmp.Diff([]string{`{"n":1}`, `{"n":2}`}, events); diff != "" || err != nil || a.Model != "theirs" {
			t.Errorf("%s ran, %v, events (-want +got):\n%s", a.Model, err, diff)
		}
	})
}

// A stream that breaks is an error; it is not begun again elsewhere.
func TestBrokenStreams(t *testing.T) {
	begin := func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "text/event-stream")
		io.WriteString(w, "data: {\"n\":1}\n\n")
	}
	tests := []struct {
		name   string
		server http.HandlerFunc
		want   string
	}{
		{"reset", func(w http.ResponseWriter, _ *http.Request) { begin(w); panic(http.ErrAbortHandler) }, "upstream s: connection reset by peer"},
		{"ended early", func(w http.ResponseWriter, _ *http.Request) { begin(w) }, "EOF"},
		{"cut within an event", func(w http.ResponseWriter, _ *http.Request) { begin(w); io.WriteString(w, `data: {"n":`) }, "EOF"},
		{"an error event", func(w http.ResponseWriter, _ *http.Request) {
			begin(w)
			io.WriteString(w, "event: error\ndata: {\"error\":{\"message\":\"out of memory\"}}\n\n")
		}, "upstream s: out of memory"},
		{"silence", func(w http.ResponseWriter, r *http.Request) { begin(w); <-r.Context().Done() }, "upstream s: it has been silent for 5s"},
		{"endless comments", func(w http.ResponseWriter, r *http.Request) {
			begin(w)
			for r.Context().Err() == nil {
				io.WriteString(w, ": still here\n\n")
				select {
				case <-time.After(time.Second):
				case <-r.Context().Done():
				}
			}
		}, "upstream s: its answer took longer than 1m0s"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, w := play(t, map[string]http.HandlerFunc{"s": test.server, "other": streams},
					Server{Name: "s", IdleTimeout: 5 * time.Second, Timeout: time.Minute}, Server{Name: "other", Priority: 1})
				a, err := p.Send(t.Context(), chat(true))
				if err != nil {
					t.Fatal(err)
				}
				events, err := read(a)
				if err == nil || err.Error() != test.want || len(events) != 1 {
					t.Errorf("got %v after %d events, want %q after 1", err, len(events), test.want)
				}
				a.Close()
				if got := w.calls(); len(got) != 1 {
					t.Errorf("asked %v", got)
				}
			})
		})
	}
}

// Retry-After is honoured in all its forms; what a server asks for beyond our
// patience is the caller's to wait for.
func TestRetryAfter(t *testing.T) {
	tests := []struct {
		name    string
		headers func() []string
		want    time.Duration // to the second attempt; zero: there is none
	}{
		{"seconds", func() []string { return []string{"Retry-After", "7"} }, 7 * time.Second},
		{"a date", func() []string {
			return []string{"Retry-After", time.Now().Add(9 * time.Second).UTC().Format(http.TimeFormat)}
		}, 9 * time.Second},
		{"milliseconds", func() []string { return []string{"retry-after-ms", "1500", "Retry-After", "2"} }, 1500 * time.Millisecond},
		{"too long", func() []string { return []string{"Retry-After", "300"} }, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tried := 0
				p, w := play(t, map[string]http.HandlerFunc{"s": func(w http.ResponseWriter, r *http.Request) {
					if tried++; tried == 1 {
						says(429, `{"error":{"message":"slow down"}}`, test.headers()...)(w, r)
						return
					}
					answers(w, r)
				}}, Server{Name: "s"})
				began := time.Now()
				a, err := p.Send(t.Context(), chat(false))
				waited := time.Since(began)
				if test.want == 0 {
					e, ok := errors.AsType[*Error](err)
					if !ok || e.Status != 429 || e.RetryAfter != 5*time.Minute || waited != 0 {
						t.Errorf("got %#v after %v, want its 429 at once", err, waited)
					}
					// It is left alone until then.
					time.Sleep(time.Minute)
					w.calls()
					_, err = p.Send(t.Context(), chat(false))
					if u, ok := errors.AsType[*UnavailableError](err); !ok || !u.Limited || u.RetryAfter != 4*time.Minute || len(w.calls()) != 0 {
						t.Errorf("a minute later: %#v", err)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				a.Close()
				if waited < test.want || waited > test.want+time.Second {
					t.Errorf("waited %v, want %v", waited, test.want)
				}
			})
		})
	}
}

// The back-off's bound doubles from round to round; its length is drawn.
func TestBackOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Duration
		began := time.Now()
		p, _ := play(t, map[string]http.HandlerFunc{"s": func(w http.ResponseWriter, r *http.Request) {
			at = append(at, time.Since(began))
			says(200, "garbage")(w, r)
		}}, Server{Name: "s", Retries: 4})
		if _, err := p.Send(t.Context(), chat(false)); err == nil {
			t.Fatal("garbage was taken for an answer")
		}
		if len(at) != 5 {
			t.Fatalf("%d attempts, want 5", len(at))
		}
		for i := 1; i < len(at); i++ {
			if wait, most := at[i]-at[i-1], firstBackOff<<(i-1); wait <= 0 || wait > most {
				t.Errorf("before attempt %d it waited %v, want up to %v", i+1, wait, most)
			}
		}
	})
}

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

// A server that repeats what it was sent does not get its key out.
func TestSecretsStayHidden(t *testing.T) {
	const key, header = "sk-upstream-0123456789", "tenant-secret-9876"
	echo := func(r *http.Request) string {
		return r.Header.Get("Authorization") + " and " + r.Header.Get("X-Tenant")
	}
	asError := func(r *http.Request) string {
		return fmt.Sprintf(`{"error":{"message":%q,"type":%q,"code":%q,"param":%q}}`, echo(r), echo(r), echo(r), echo(r))
	}
	servers := map[string]http.HandlerFunc{
		"shaped":   func(w http.ResponseWriter, r *http.Request) { says(400, asError(r))(w, r) },
		"unshaped": func(w http.ResponseWriter, r *http.Request) { says(500, "<p>"+echo(r))(w, r) },
		"status 200": func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Accept") == "text/event-stream" {
				says(200, "data: "+asError(r)+"\n\n", "Content-Type", "text/event-stream")(w, r)
				return
			}
			says(200, asError(r))(w, r)
		},
		"content type": func(w http.ResponseWriter, r *http.Request) { says(200, "", "Content-Type", echo(r))(w, r) },
		"stream": func(w http.ResponseWriter, r *http.Request) {
			says(200, fmt.Sprintf("data: {\"n\":%q}\n\ndata: {\"n\":%q}\n\ndata: %s\n\n", echo(r), echo(r), asError(r)), "Content-Type", "text/event-stream", "x-request-id", echo(r))(w, r)
		},
	}
	for name, server := range servers {
		for _, stream := range []bool{false, true} {
			if !stream && (name == "content type" || name == "stream") {
				continue // nothing is repeated then
			}
			synctest.Test(t, func(t *testing.T) {
				p, _ := play(t, map[string]http.HandlerFunc{"s": server}, Server{Name: "s", Key: key, Headers: map[string]string{"X-Tenant": header}, Retries: -1})
				a, err := p.Send(t.Context(), chat(stream))
				said := fmt.Sprintf("%+v", err)
				if e, ok := errors.AsType[*Error](err); ok {
					said += fmt.Sprintf("%#v", e)
				}
				if err == nil {
					events, err := read(a)
					said = fmt.Sprint(events, err, a.Limits())
					a.Close()
				}
				if strings.Contains(said, key) || strings.Contains(said, header) || !strings.Contains(said, "[key]") {
					t.Errorf("%s: %s", name, said)
				}
			})
		}
	}
}

// Leaving ends the request and its waiting at once.
func TestLeaving(t *testing.T) {
	gone := errors.New("the caller has gone")
	for name, server := range map[string]http.HandlerFunc{
		"a silent server": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"a back-off":      says(429, "later", "Retry-After", "20"),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, _ := play(t, map[string]http.HandlerFunc{"s": server}, Server{Name: "s"})
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(time.Second, func() { cancel(gone) })
				began := time.Now()
				if _, err := p.Send(ctx, chat(false)); err != gone || time.Since(began) != time.Second {
					t.Errorf("Send = %v after %v", err, time.Since(began))
				}
			})
		})
	}
}

func TestModels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, w := play(t, map[string]http.HandlerFunc{
			"listed": says(200, `{"data":[{"id":"gpt-x","created":7,"owned_by":"them"},{"id":"whisper"},{"id":"gpt-x"}]}`),
			"broken": says(500, "down"),
		},
			Server{Name: "listed", Models: []string{"gpt-*", "plain"}, Renames: map[string]string{"ours": "gpt-x"}, ListModels: true},
			Server{Name: "broken", ListModels: true}, Server{Name: "unlisted"})
		want := []Model{{Name: "ours", OwnedBy: "listed"}, {Name: "plain", OwnedBy: "listed"}, {"gpt-x", 7, "them"}}
		for range 3 {
			if diff := cmp.Diff(want, p.Models(t.Context())); diff != "" {
				t.Errorf("models (-want +got):\n%s", diff)
			}
		}
		if got := len(w.calls()); got != 2 {
			t.Errorf("%d requests, want one to each listed server", got)
		}
		time.Sleep(listAgain + time.Second)
		if p.Models(t.Context()); len(w.calls()) != 1 {
			t.Error("the broken server is to be asked again, and the other is not")
		}
	})
}

func TestMatches(t *testing.T) {
	tests := []struct {
		pattern, name string
		want          bool
	}{
		{"gpt-4o", "gpt-4o", true},
		{"gpt-4o", "gpt-4o-mini", false},
		{"gpt-*", "gpt-4o-mini", true},
		{"*", "any/thing", true},
		{"*-mini", "gpt-4o-mini", true},
		{"gpt-*-mini", "gpt-4o-mini", true},
		{"gpt-*-mini", "gpt-mini", false},
		{"a*b*c", "a-b-b-c", true},
		{"a*b*c", "a-c", false},
		{"*a*", "bab", true},
		{"ab*ba", "aba", false},
	}
	for _, test := range tests {
		if got := matches(test.pattern, test.name); got != test.want {
			t.Errorf("matches(%q, %q) = %v", test.pattern, test.name, got)
		}
	}
}

func TestValidate(t *testing.T) {
	_, err := New([]Server{
		{Name: "a b", URL: "ftp://x", Models: []string{"*"}},
		{Name: "c", URL: "https://user:pass@x/v1", Headers: map[string]string{"Host": "y"}},
		{Name: "d", URL: "https://x/v1", Models: []string{"*"}, Weight: -1, Timeout: -1},
		{Name: "d", URL: "https://x/v1", Models: []string{"*"}},
	}, Options{})
	if err == nil {
		t.Fatal("New took all of them")
	}
	for _, want := range []string{`its name is "a b"`, "its URL is not one", "the key goes elsewhere", "serves no models", `the header "Host"`, "weight", "a time cannot", "there are two"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v\ndoes not say %q", err, want)
		}
	}
	if strings.Contains(err.Error(), "pass") {
		t.Errorf("%v\nshows a password", err)
	}
}
