package cli

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/ragstone/ragstone/internal/gguf"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"ragstone": func() { os.Exit(Main(os.Args[1:])) },
	})
}

// TestScripts runs the command line as people do: each file below
// testdata/script is a session in an empty folder. Beside the usual commands
// ("go doc github.com/rogpeppe/go-internal/testscript") there is
//
//	exits CODE ragstone ARGS...   run it and want this exit code
//
// and there are $RAGSTONE_HOME, an empty store below the session's folder;
// $HUB, a model hub with the repository own/tiny, where nothing else is; $BIN,
// a PATH with ragstone and no other program; and tiny.gguf, a model file.
// Nothing reaches the network: RAGSTONE_HUB is an address that refuses, and the
// package index of pip is off.
func TestScripts(t *testing.T) {
	model := tinyModel(t)
	hub := newTinyHub(t, model)
	program, err := exec.LookPath("ragstone")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			for _, pair := range [][2]string{
				{"RAGSTONE_HOME", filepath.Join(env.WorkDir, "home")},
				{"RAGSTONE_HUB", "http://127.0.0.1:1"},
				{"PIP_NO_INDEX", "1"},
				{"HUB", hub.URL},
				{"BIN", filepath.Dir(program)},
				{"NO_PROXY", "127.0.0.1"},
			} {
				env.Setenv(pair[0], pair[1])
			}
			return os.WriteFile(filepath.Join(env.WorkDir, "tiny.gguf"), model, 0o644)
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exits": exits,
		},
	})
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARGS...")
	}
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := err.(*exec.ExitError)
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if want := args[0]; fmt.Sprint(got) != want {
		ts.Fatalf("exit code %d, want %s", got, want)
	}
}

// tinyModel is the smallest model file that the store accepts.
func tinyModel(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := gguf.Write(&b, []gguf.KV{{Key: "general.architecture", Value: "llama"}}, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// newTinyHub serves own/tiny/tiny.gguf as a model hub does, in one host.
func newTinyHub(t *testing.T, model []byte) *httptest.Server {
	t.Helper()
	sum := sha256.Sum256(model)
	hub := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/own/tiny/resolve/") || !strings.HasSuffix(r.URL.Path, "/tiny.gguf") {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("X-Linked-Etag", `"`+hex.EncodeToString(sum[:])+`"`)
		w.Header().Set("X-Linked-Size", fmt.Sprint(len(model)))
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(model))
	}))
	t.Cleanup(hub.Close)
	return hub
}

// TestPullInterrupted is what a user's Ctrl-C does to a download.
func TestPullInterrupted(t *testing.T) {
	started := make(chan struct{})
	stalled := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(started)
		<-r.Context().Done()
	}))
	defer stalled.Close()
	t.Setenv("RAGSTONE_HOME", t.TempDir())
	t.Setenv("RAGSTONE_HUB", stalled.URL)
	ctx, interrupt := context.WithCancel(t.Context())
	go func() {
		<-started
		interrupt()
	}()
	var out, errs bytes.Buffer
	code := run(ctx, []string{"pull", "smollm2-135m-instruct"}, &out, &errs)
	if code != exitInterrupted || out.Len() > 0 {
		t.Errorf("got exit code %d and %q, want %d and nothing; standard error:\n%s", code, &out, exitInterrupted, &errs)
	}
}
