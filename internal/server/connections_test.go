package server

import (
	"bufio"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ragstone/ragstone/internal/platform/account"
	"github.com/ragstone/ragstone/internal/state"
)

func TestConnectionsBeyondTheLimitAreRefused(t *testing.T) {
	c := testConfig(t, t.TempDir())
	c.MaxConnections = 2
	s := open(t, c, Options{})
	serve(t, s)
	dial := func() (net.Conn, *bufio.Reader) {
		t.Helper()
		conn, err := net.Dial("tcp", s.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return conn, bufio.NewReader(conn)
	}
	ask := func(conn net.Conn, r *bufio.Reader) int {
		t.Helper()
		conn.Write([]byte("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"))
		answer, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		return answer.StatusCode
	}
	first, firstReader := dial()
	second, secondReader := dial()
	for _, status := range []int{ask(first, firstReader), ask(second, secondReader)} {
		if status != http.StatusOK {
			t.Errorf("status %d within the limit", status)
		}
	}
	_, thirdReader := dial()
	answer, err := http.ReadResponse(thirdReader, nil)
	if err != nil || answer.StatusCode != http.StatusServiceUnavailable || answer.Header.Get("retry-after") == "" {
		t.Fatalf("beyond the limit: %v, %v; want 503 with retry-after", answer, err)
	}

	// The place of one that goes is free again, as soon as the server sees it.
	first.Close()
	for begun := time.Now(); time.Since(begun) < time.Minute; {
		conn, r := dial()
		conn.Write([]byte("GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
		if answer, err := http.ReadResponse(r, nil); err == nil && answer.StatusCode == http.StatusOK {
			return
		}
		conn.Close()
	}
	t.Error("the place of a connection that was closed stays taken")
}

// An address of every interface cannot be called; what is shown can.
func TestURLsCanBeCalled(t *testing.T) {
	home := t.TempDir()
	store, err := state.Open(t.Context(), StateDir(home))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if _, err := account.NewKeys(store).Create(t.Context(), account.KeyOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, addr := range []string{"127.0.0.1:0", "localhost:0", "0.0.0.0:0", ":0"} {
		c := testConfig(t, home)
		c.Addr = addr
		s := open(t, c, Options{})
		serve(t, s)
		n := s.Notice()
		for _, url := range append(n.URLs, n.URL) {
			if strings.Contains(url, "0.0.0.0") || strings.Contains(url, "[::]") {
				t.Errorf("at %s the server says it is at %s", addr, url)
			}
		}
		answer, err := http.Get(strings.TrimSuffix(n.URL, "/v1") + "/healthz")
		if err != nil || answer.StatusCode != http.StatusOK {
			t.Errorf("at %s: GET %s: %v", addr, n.URL, err)
			continue
		}
		answer.Body.Close()
	}
}
