package sdk

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The running server: its base URL, a key it made, and how to run the same
// program beside it.
var (
	baseURL, apiKey string
	beside          func(arguments ...string) (output string, err error)
)

func TestMain(m *testing.M) {
	code, err := runWithServer(m.Run)
	if err != nil {
		fmt.Fprintln(os.Stderr, "sdk:", err)
		os.Exit(1)
	}
	os.Exit(code)
}

// runWithServer builds and starts a server, runs the tests and stops it.
func runWithServer(run func() int) (code int, err error) {
	dir, err := os.MkdirTemp("", "ragstone-sdk-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "ragstone")
	build := exec.Command("go", "build", "-o", binary, "./cmd/ragstone")
	build.Dir, build.Stderr = filepath.Join("..", "..", ".."), os.Stderr
	if err := build.Run(); err != nil {
		return 0, fmt.Errorf("build ragstone: %w", err)
	}
	home := filepath.Join(dir, "home")
	if err := linkModels(binary, home); err != nil {
		return 0, err
	}
	environment := append(os.Environ(), "RAGSTONE_HOME="+home)
	beside = func(arguments ...string) (string, error) {
		c := exec.Command(binary, arguments...)
		c.Env = environment
		out, err := c.Output()
		return strings.TrimSpace(string(out)), err
	}
	server := exec.Command(binary, "serve", "--addr", "127.0.0.1:0")
	server.Env = environment
	stop, err := start(server)
	if err != nil {
		return 0, err
	}
	code = run()
	return code, stop()
}

// limitedKey makes a project that may embed 60 times a minute, and a key of it.
func limitedKey(t *testing.T) string {
	t.Helper()
	must := func(arguments ...string) string {
		t.Helper()
		out, err := beside(arguments...)
		if err != nil {
			t.Fatalf("ragstone %v: %v", arguments, err)
		}
		return out
	}
	project := must("projects", "create", "limited")
	must("limits", "set", "all-minilm-l6-v2", "--project", project, "--requests-per-minute", "60")
	return must("keys", "create", "--project", project)
}

// linkModels makes a home whose store holds links to the two default models.
func linkModels(binary, home string) error {
	listed, err := exec.Command(binary, "models", "--json").Output()
	if err != nil {
		return fmt.Errorf("ragstone models --json: %w", err)
	}
	var models struct {
		Models []struct{ Name, State, Path string }
	}
	if err := json.Unmarshal(listed, &models); err != nil {
		return fmt.Errorf("ragstone models --json: %w", err)
	}
	store := filepath.Join(home, "models")
	if err := os.MkdirAll(store, 0o755); err != nil {
		return err
	}
	wanted := map[string]bool{"smollm2-135m-instruct": true, "all-minilm-l6-v2": true}
	for _, model := range models.Models {
		if !wanted[model.Name] || model.State != "here" {
			continue
		}
		if err := os.Symlink(model.Path, filepath.Join(store, model.Name)); err != nil {
			return err
		}
		delete(wanted, model.Name)
	}
	for name := range wanted {
		return fmt.Errorf("model %s is not in the store: run `make models`", name)
	}
	return nil
}

// start runs the server, reads its address and key from what it prints, and
// returns how to stop it.
func start(server *exec.Cmd) (stop func() error, err error) {
	server.Stderr = io.Discard
	if testing.Testing() && os.Getenv("RAGSTONE_SDK_LOG") != "" {
		server.Stderr = os.Stderr
	}
	stdout, err := server.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := server.Start(); err != nil {
		return nil, err
	}
	stop = func() error {
		server.Process.Signal(syscall.SIGTERM)
		if err := server.Wait(); err != nil && server.ProcessState.ExitCode() != 130 {
			return fmt.Errorf("the server ended with %w", err)
		}
		return nil
	}
	deadline := time.AfterFunc(time.Minute, func() { server.Process.Kill() })
	defer deadline.Stop()
	url, key := regexp.MustCompile(`http://\S+/v1`), regexp.MustCompile(`sk-proj-\w+`)
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		if found := url.FindString(lines.Text()); found != "" {
			baseURL = found
		}
		if apiKey = key.FindString(lines.Text()); apiKey != "" {
			go io.Copy(io.Discard, stdout)
			return stop, nil
		}
	}
	return nil, fmt.Errorf("the server ended before it told its key: %v", server.Wait())
}
