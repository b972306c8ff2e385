package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ragstone/ragstone/internal/gguf"
	"github.com/ragstone/ragstone/llm"
)

func TestErrorsSayWhatToDo(t *testing.T) {
	home := t.TempDir()
	a := &app{}
	a.config.Home = home
	in := func(dir string, cause error) error {
		return fmt.Errorf("make index directory: %w", &fs.PathError{Op: "mkdir", Path: filepath.Join(dir, "index"), Err: cause})
	}
	for _, test := range []struct {
		name string
		err  error
		want string // in the advice; "" for none
	}{
		{"memory", fmt.Errorf("open model: %w", &llm.MemoryError{What: "the model", Need: 2, Limit: 1}), "RAGSTONE_MAX_MEMORY"},
		{"model", fmt.Errorf("open model: %w", &gguf.FormatError{Path: "m.gguf", Reason: "it is cut"}), "get it again"},
		{"settings", fmt.Errorf("serve: %w", &llm.OpenError{Path: "m.gguf", Kind: "model", Err: errors.New("the number of layers is 0\nthe context is 0")}), "name another"},
		{"no model there", &llm.OpenError{Path: "m.gguf", Kind: "model", Err: &fs.PathError{Op: "open", Path: "m.gguf", Err: fs.ErrNotExist}}, ""},
		{"full disk", in(home, syscall.ENOSPC), "Make room"},
		{"home is read-only", in(home, syscall.EROFS), "Set RAGSTONE_HOME"},
		{"home of somebody else", in(home, fs.ErrPermission), "Set RAGSTONE_HOME"},
		{"document of somebody else", in(t.TempDir(), fs.ErrPermission), ""},
		{"advised already", fmt.Errorf("pull: %w\nMake room.", in(home, syscall.ENOSPC)), ""},
		{"anything", errors.New("no such key"), ""},
	} {
		err := a.advise(test.err)
		advice := strings.TrimPrefix(err.Error(), test.err.Error())
		if !errors.Is(err, test.err) || (advice == "") != (test.want == "") || !strings.Contains(advice, test.want) {
			t.Errorf("%s: got advice %q, want one with %q", test.name, advice, test.want)
		}
	}
}
