// Package testenv finds what tests need from outside the tree, the shared test
// data and models, and makes weights for tiny models. It is for tests only.
//
// Shared data lies in $RAGSTONE_SHARED, by default ../shared beside the
// repository. Models lie in Ragstone's own store. A test whose data or model is
// absent is skipped with a plain line that says where it is looked for or which
// command fetches it; where CI is set, as .ci/run does, it fails instead.
package testenv

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/ragstone/ragstone/internal/config"
)

// The default models, by catalog name and by their main file in the store.
const (
	ChatModel     = "smollm2-135m-instruct"
	ChatModelFile = "SmolLM2-135M-Instruct.Q4_1.gguf"
	EmbedModel    = "all-minilm-l6-v2"
)

// Shared returns the path of a file or folder of the shared test data. Without
// it the test ends.
func Shared(tb testing.TB, elem ...string) string {
	tb.Helper()
	root := os.Getenv("RAGSTONE_SHARED")
	if root == "" {
		root = filepath.Join(repository(), "..", "shared")
	}
	path := filepath.Join(append([]string{root}, elem...)...)
	if _, err := os.Stat(path); err != nil {
		absent(tb, "shared test data is absent: %s; set RAGSTONE_SHARED to its folder", path)
	}
	return path
}

// Model returns a file or, with no file given, the folder of a model in the
// store. Without it the test ends.
func Model(tb testing.TB, name string, file ...string) string {
	tb.Helper()
	path, ok := stored(tb, name, file)
	if !ok {
		absent(tb, "model %s is not in the store (%s): run `go run ./cmd/ragstone pull %s`", name, path, name)
	}
	return path
}

// OptionalModel is Model for one that CI need not have, for its size or its
// terms: without it the test is skipped there too.
func OptionalModel(tb testing.TB, name string, file ...string) string {
	tb.Helper()
	path, ok := stored(tb, name, file)
	if !ok {
		tb.Skipf("model %s is not in the store (%s): run `go run ./cmd/ragstone pull %s`", name, path, name)
	}
	return path
}

// stored is the path of a file of a model, and whether it is there.
func stored(tb testing.TB, name string, file []string) (string, bool) {
	tb.Helper()
	c, err := config.Load()
	if err != nil {
		tb.Fatal(err)
	}
	path := filepath.Join(append([]string{c.Home, "models", name}, file...)...)
	_, err = os.Stat(path)
	return path, err == nil
}

// absent ends a test that lacks something.
func absent(tb testing.TB, format string, args ...any) {
	tb.Helper()
	if os.Getenv("CI") != "" {
		tb.Fatalf(format, args...)
	}
	tb.Skipf(format, args...)
}

// repository is the root of the source tree, found from this file's own path.
func repository() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..")
}
