//go:build unix

package document

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// A walk never waits for the other end of a pipe, whatever its name.
func TestWalkOpensNoPipes(t *testing.T) {
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "a.txt"), []byte("words"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{".gitignore", "pipe.txt"} {
		if err := syscall.Mkfifo(filepath.Join(root, name), 0o644); err != nil {
			t.Skipf("make a pipe: %v", err)
		}
	}
	listing, err := Walk(t.Context(), root, WalkOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(listing.Files) != 1 || listing.Files[0].Name != "a.txt" {
		t.Errorf("listed %v, want a.txt alone", listing.Files)
	}
}
