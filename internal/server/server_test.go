package server

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ragstone/ragstone/internal/config"
	"github.com/ragstone/ragstone/internal/platform/account"
	"github.com/ragstone/ragstone/internal/state"
)

// otherServer runs models for the server under test. It streams a
// word, waits to be let go, streams another, and ends.
type otherServer struct {
	*httptest.Server
	begun  chan struct{}
	letGo  chan struct{}
	called chan string // the names of models
}

func newUpstream(t *testing.T) *otherServer {
	u := &otherServer{begun: make(chan struct{}, 8), letGo: make(chan struct{}), called: make(chan string, 8)}
	u.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		u.called <- string(body)
		w.Header().Set("Content-Type", "text/event-stream")
		send := func(delta, finish string) {
			fmt.Fprintf(w, "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":%s,\"finish_reason\":%s}]}\n\n", delta, finish)
			http.NewResponseController(w).Flush()
		}
		send(`{"role":"assistant","content":"one"}`, "null")
		u.begun <- struct{}{}
		select {
		case <-u.letGo:
		case <-r.Context().Done():
			return
		}
		send(`{"content":" two"}`, "null")
		send(`{}`, `"stop"`)
		fmt.Fprint(w, "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2,\"total_tokens\":5}}\n\ndata: [DONE]\n\n")
	}))
	t.Cleanup(u.Close)
	return u
}

func testConfig(t *testing.T, home string) config.Config {
	t.Helper()
	return config.Config{Home: home, Addr: "127.0.0.1:0", RequestsPerMinute: 100, TokensPerMinute: 1_000_000}
}

func open(t *testing.T, c config.Config, o Options) *Server {
	t.Helper()
	s, err := Open(t.Context(), c, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(s.Close(), s.Close()); err != nil {
			t.Errorf("Close, twice: %v", err)
		}
	})
	return s
}

func TestTheFirstKeyIsShownOnce(t *testing.T) {
	home := t.TempDir()
	first := open(t, testConfig(t, home), Options{}).Notice()
	second := open(t, testConfig(t, home), Options{}).Notice()
	if !strings.HasPrefix(first.FirstKey, "sk-proj-") || second.FirstKey != "" {
		t.Errorf("first start shows %q, second %q; want a key and none", first.FirstKey, second.FirstKey)
	}
	if !strings.HasPrefix(first.URL, "http://127.0.0.1:") || !strings.HasSuffix(first.URL, "/v1") {
		t.Errorf("URL %q", first.URL)
	}
}

func TestListenRefuses(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	tests := []struct {
		name, addr string
		want       error
		says       string
	}{
		{"a busy port", taken.Addr().String(), ErrAddrInUse, "--addr"},
		{"every address without a key", ":0", ErrNoKey, "ragstone keys create"},
		{"every IPv4 address without a key", "0.0.0.0:0", ErrNoKey, "ragstone keys create"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			home := t.TempDir()
			c := testConfig(t, home)
			c.Addr = test.addr
			_, err := Open(t.Context(), c, Options{})
			if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.addr) || !strings.Contains(err.Error(), test.says) {
				t.Errorf("Open on %s = %v, want %v", test.addr, err, test.want)
			}
		})
	}
}

// A key that is made first opens the server to other machines; revoking the
// last one closes it again.
func TestOtherAddressesNeedAKeyInForce(t *testing.T) {
	home := t.TempDir()
	c := testConfig(t, home)
	c.Addr = "0.0.0.0:0"
	store, err := state.Open(t.Context(), StateDir(home))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	keys := account.NewKeys(store)
	key, err := keys.Create(t.Context(), account.KeyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if notice := open(t, c, Options{}).Notice(); notice.FirstKey != "" {
		t.Error("a second key was made")
	}
	if err := keys.Revoke(t.Context(), key.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), c, Options{}); !errors.Is(err, ErrNoKey) {
		t.Errorf("Open with revoked keys alone = %v, want ErrNoKey", err)
	}
}

func TestOpenNamesAModelItCannotLoad(t *testing.T) {
	c := testConfig(t, t.TempDir())
	c.ChatModel = "no/such/file.gguf"
	find := func(_ context.Context, ref string) (string, error) { return ref, nil }
	if _, err := Open(t.Context(), c, Options{FindModel: find}); err == nil || !strings.Contains(err.Error(), c.ChatModel) {
		t.Errorf("Open = %v, want an error that names %s", err, c.ChatModel)
	}
}

// streaming is a server that streams an answer of its upstream's.
type streaming struct {
	upstream *otherServer
	answer   *http.Response
	stop     context.CancelFunc
	served   chan error
	server   *Server
}

func startStreaming(t *testing.T, drain time.Duration) *streaming {
	t.Helper()
	x := &streaming{upstream: newUpstream(t), served: make(chan error, 1)}
	c := testConfig(t, t.TempDir())
	c.Upstream, c.DrainTimeout = x.upstream.URL, drain
	x.server = open(t, c, Options{})
	ctx, stop := context.WithCancel(t.Context())
	x.stop = stop
	go func() { x.served <- x.server.Serve(ctx) }()

	request, err := http.NewRequest("POST", x.server.Notice().URL+"/chat/completions", strings.NewReader(`{"model":"gpt-4o-mini","stream":true,"messages":[{"role":"user","content":"count"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+x.server.Notice().FirstKey)
	request.Header.Set("Content-Type", "application/json")
	if x.answer, err = http.DefaultTransport.RoundTrip(request); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.answer.Body.Close() })
	<-x.upstream.begun
	return x
}

func TestDrainLetsAnswersFinish(t *testing.T) {
	x := startStreaming(t, time.Minute)
	if got := x.answer.Header.Get("x-ragstone-model"); got != "gpt-4o-mini" {
		t.Errorf("x-ragstone-model %q: the upstream runs the name that was asked for", got)
	}
	if x.answer.Header.Get("x-ragstone-upstream") == "" {
		t.Error("the answer does not say which upstream ran it")
	}
	if body := <-x.upstream.called; !strings.Contains(body, `"gpt-4o-mini"`) {
		t.Errorf("the upstream was asked %s", body)
	}
	x.stop()
	<-x.server.draining
	close(x.upstream.letGo)
	text, err := io.ReadAll(x.answer.Body)
	if err != nil || !strings.Contains(string(text), " two") || !strings.HasSuffix(string(text), "data: [DONE]\n\n") {
		t.Errorf("the stream ended with %v:\n%s", err, text)
	}
	if err := <-x.served; err != nil {
		t.Errorf("Serve = %v", err)
	}
	if c, err := net.Dial("tcp", x.server.Addr().String()); err == nil {
		c.Close()
		t.Error("the address is still open")
	}
}

func TestDrainEndsWhatTakesTooLong(t *testing.T) {
	x := startStreaming(t, 10*time.Millisecond)
	x.stop()
	text, err := io.ReadAll(x.answer.Body)
	if err != nil || bytes.Contains(text, []byte("[DONE]")) || !bytes.Contains(text, []byte("server_is_shutting_down")) {
		t.Errorf("the stream ended with %v:\n%s", err, text)
	}
	if err := <-x.served; err != nil {
		t.Errorf("Serve = %v", err)
	}
}

// An upstream that dies mid-stream ends ours with an error event.
func TestBrokenUpstream(t *testing.T) {
	x := startStreaming(t, time.Minute)
	lines := bufio.NewScanner(x.answer.Body)
	for lines.Scan() && !strings.Contains(lines.Text(), "one") {
	}
	x.upstream.CloseClientConnections()
	var last string
	for lines.Scan() {
		if lines.Text() != "" {
			last = lines.Text()
		}
	}
	if !strings.HasPrefix(last, `data: {"error":{`) {
		t.Errorf("the stream ended with %q, want an error event", last)
	}
	x.stop()
	<-x.served
}

func TestIsLoopback(t *testing.T) {
	for addr, want := range map[string]bool{"127.0.0.1:1": true, "[::1]:1": true, "localhost:1": true, "127.9.9.9:0": true, ":8080": false, "0.0.0.0:1": false, "[::]:1": false, "10.0.0.1:1": false} {
		got, err := isLoopback(t.Context(), addr)
		if err != nil || got != want {
			t.Errorf("isLoopback(%q) = %v, %v; want %v", addr, got, err, want)
		}
	}
}
