package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
)

// A session as an operator has it: serve makes a key and shows it once, another
// key is made and revoked beside the running server, and an interrupt ends it
// well.
func TestKeysBesideARunningServer(t *testing.T) {
	t.Setenv("RAGSTONE_HOME", t.TempDir())
	ctx, interrupt := context.WithCancel(t.Context())
	shown, out := io.Pipe()
	served := make(chan int, 1)
	var log bytes.Buffer
	go func() {
		served <- run(ctx, []string{"serve", "--addr", "127.0.0.1:0", "--model", "none", "--embedding-model", "none"}, out, &log)
		out.Close()
	}()
	lines := bufio.NewScanner(shown)
	next := func(prefix string) string {
		t.Helper()
		if !lines.Scan() || !strings.HasPrefix(lines.Text(), prefix) {
			t.Fatalf("serve shows %q, want a line that begins with %q", lines.Text(), prefix)
		}
		return strings.TrimPrefix(lines.Text(), prefix)
	}
	url := next("Ragstone serves the OpenAI API at ")
	first := next("API key: ")
	go io.Copy(io.Discard, shown)

	status := func(key string) int {
		t.Helper()
		request, err := http.NewRequest("GET", url+"/models", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+key)
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		return answer.StatusCode
	}
	keys := func(args ...string) []byte {
		t.Helper()
		var stdout, stderr bytes.Buffer
		if code := run(t.Context(), append([]string{"keys"}, args...), &stdout, &stderr); code != exitOK {
			t.Fatalf("keys %v: exit code %d: %s", args, code, &stderr)
		}
		return stdout.Bytes()
	}
	var second keyJSON
	if err := json.Unmarshal(keys("create", "--json"), &second); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{first, second.Key} {
		if got := status(key); got != http.StatusOK {
			t.Errorf("status %d with a key in force", got)
		}
	}
	keys("revoke", second.ID)
	if got := status(second.Key); got != http.StatusUnauthorized {
		t.Errorf("status %d with a key that was revoked beside the server", got)
	}
	if got := status(first); got != http.StatusOK {
		t.Errorf("status %d with the other key", got)
	}

	interrupt()
	if code := <-served; code != exitOK {
		t.Errorf("serve ended with exit code %d", code)
	}
	for _, secret := range []string{first, second.Key} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log holds a key:\n%s", &log)
		}
	}
}
