package upstream

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

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
