package document

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// tree makes a folder of files. A name that ends in "->" is a link to what its
// content says.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		link := strings.HasSuffix(name, "->")
		full := filepath.Join(root, filepath.FromSlash(strings.TrimSuffix(name, "->")))
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if link {
			if err := os.Symlink(filepath.FromSlash(content), full); err != nil {
				t.Skipf("this system makes no links: %v", err)
			}
			continue
		}
		if err := os.WriteFile(full, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// listing writes a Listing as lines: names, and names with reasons.
func listing(l *Listing) (files, skipped []string) {
	for _, f := range l.Files {
		files = append(files, f.Name)
	}
	for _, s := range l.Skipped {
		skipped = append(skipped, s.Name+": "+s.Reason)
	}
	return files, skipped
}

func TestWalk(t *testing.T) {
	for _, tt := range []struct {
		name                   string
		files                  map[string]string
		below                  string // the folder walked, "" the top
		exclude                []string
		wantFiles, wantSkipped []string
	}{
		{
			name: "formats, hidden files and empty ones",
			files: map[string]string{"b.md": "# B", "a/a.txt": "A", ".git/config": "x", ".env": "x", "e.txt": "",
				"p.png": "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "s.pptx": "PK\x03\x04\x00", "x": "\x00\x01"},
			wantFiles: []string{"a/a.txt", "b.md"},
			wantSkipped: []string{".env: hidden", ".git: hidden", "e.txt: it holds no text: the file is empty",
				"p.png: not supported: an image file", "s.pptx: not supported yet: .pptx", "x: not supported: a binary file"},
		},
		{
			name: "nested rules have the last word",
			files: map[string]string{".gitignore": "*.log\nbuild/\n", "a.log": "x", "build/a.md": "x", "d/.gitignore": "!b.log\nz.md\n",
				"d/b.log": "x", "d/z.md": "x", "z.md": "x"},
			wantFiles: []string{"d/b.log", "z.md"},
			wantSkipped: []string{".gitignore: hidden", "a.log: named by .gitignore", "build: named by .gitignore",
				"d/.gitignore: hidden", "d/z.md: named by d/.gitignore"},
		},
		{
			name:        "rules of the repository around the folder",
			files:       map[string]string{".git/HEAD": "x", ".gitignore": "docs/gen/\n", "docs/gen/a.md": "x", "docs/b.md": "x"},
			below:       "docs",
			wantFiles:   []string{"b.md"},
			wantSkipped: []string{"gen: named by ../.gitignore"},
		},
		{
			name:        "exclude patterns",
			files:       map[string]string{"a.md": "x", "old/b.md": "x", ".gitignore": "c.md", "c.md": "x"},
			exclude:     []string{"old/", "!c.md"},
			wantFiles:   []string{"a.md", "c.md"},
			wantSkipped: []string{".gitignore: hidden", "old: named by --exclude"},
		},
		{
			name: "links",
			files: map[string]string{"a.md": "x", "to-a.md->": "a.md", "up->": "..", "loop->": ".", "gone->": "nowhere",
				".data/b.md": "x", "b.md->": ".data/b.md", "data->": ".data"},
			wantFiles: []string{"a.md", "b.md"},
			wantSkipped: []string{".data: hidden", "data/b.md: the same file as b.md", "gone: a link that leads nowhere", "loop: a link to the folder itself, which is listed",
				"to-a.md: a link to a.md, which is listed", "up: a link out of the folder"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			root := tree(t, tt.files)
			l, err := Walk(t.Context(), filepath.Join(root, tt.below), WalkOptions{Exclude: tt.exclude})
			if err != nil {
				t.Fatal(err)
			}
			files, skipped := listing(l)
			if diff := cmp.Diff(tt.wantFiles, files); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.wantSkipped, skipped); diff != "" {
				t.Errorf("skipped (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWalkOneFile(t *testing.T) {
	root := tree(t, map[string]string{".hidden.md": "# Hidden, but named"})
	l, err := Walk(t.Context(), filepath.Join(root, ".hidden.md"), WalkOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if files, _ := listing(l); len(files) != 1 || files[0] != ".hidden.md" {
		t.Errorf("Walk of a file found %q, want it alone", files)
	}
}

func TestWalkLargeFile(t *testing.T) {
	root := tree(t, map[string]string{"big.txt": "x"})
	if err := os.Truncate(filepath.Join(root, "big.txt"), 100<<20); err != nil {
		t.Fatal(err)
	}
	l, err := Walk(t.Context(), root, WalkOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"big.txt: it is too large: 100 MB, and the limit is 64 MB"}
	if _, got := listing(l); !cmp.Equal(got, want) {
		t.Errorf("skipped %q, want %q", got, want)
	}
}

func TestWalkErrors(t *testing.T) {
	if _, err := Walk(t.Context(), filepath.Join(t.TempDir(), "none"), WalkOptions{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Walk of a missing folder: %v, want a not-exist error", err)
	}
	_, err := Walk(t.Context(), t.TempDir(), WalkOptions{Exclude: []string{"[a"}})
	if err == nil || !strings.Contains(err.Error(), `"[a"`) {
		t.Errorf("Walk with a malformed pattern: %v, want an error that names it", err)
	}
}
