package upstream

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"

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
