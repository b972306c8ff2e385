package catalog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ragstone/ragstone/internal/disk"
)

// Options say how a store pulls models. The zero value pulls without a token
// from the usual hub, silently, and refuses models with terms of use.
type Options struct {
	// HubURL is the model hub; default https://huggingface.co.
	HubURL string

	// HubToken is sent to HubURL, and nowhere else; default none.
	HubToken string

	// Progress is told what a pull does, from one goroutine at a time; it must
	// not block. May be nil.
	Progress func(Event)

	// AcceptTerms shows terms of use and reports whether the user accepts them.
	// Nil accepts none.
	AcceptTerms func(ctx context.Context, e Entry) (bool, error)

	// LookPath finds the programs that may run pip; default exec.LookPath.
	LookPath func(program string) (string, error)
}

// A Store is the folder where models lie: below its root, models/NAME holds the
// files of the model NAME.
type Store struct {
	root     string
	options  Options
	hub      *hub
	lookPath func(string) (string, error)
	patience patience
}

// Open returns the store below a root folder, which need not exist yet. It
// touches nothing.
func Open(root string, o Options) (*Store, error) {
	if o.HubURL == "" {
		o.HubURL = "https://huggingface.co"
	}
	if o.LookPath == nil {
		o.LookPath = exec.LookPath
	}
	h, err := newHub(o.HubURL, o.HubToken)
	if err != nil {
		return nil, err
	}
	return &Store{root: root, options: o, hub: h, lookPath: o.LookPath, patience: usualPatience}, nil
}

// dir is the folder of a model, and staging the folder of what is on its way to
// it.
func (s *Store) dir(name string) string     { return filepath.Join(s.root, "models", name) }
func (s *Store) staging(name string) string { return filepath.Join(s.root, "models", ".partial", name) }

// manifestName is the file in a model's folder that says what the folder must
// hold. It is written last.
const manifestName = ".ragstone.json"

// A manifest records how a model came into the store. docs/formats/models.md
// describes it.
type manifest struct {
	Format int       `json:"format"` // 1
	Name   string    `json:"name"`
	Ref    string    `json:"ref"`    // what was asked for
	Source string    `json:"source"` // what it was had from
	Terms  string    `json:"terms,omitempty"`
	Pulled time.Time `json:"pulled"`
	Files  []File    `json:"files"`
}

// readManifest returns the manifest of a model's folder; ok is false where there
// is none that can be read.
func readManifest(dir string) (m manifest, ok bool) {
	data, err := os.ReadFile(filepath.Join(dir, manifestName))
	if err != nil || json.Unmarshal(data, &m) != nil || m.Format != 1 {
		return manifest{}, false
	}
	for _, f := range m.Files {
		if !fs.ValidPath(f.Name) {
			return manifest{}, false
		}
	}
	return m, true
}

func (m manifest) write(dir string) error {
	return disk.WriteFile(filepath.Join(dir, manifestName), 0o644, func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(m)
	})
}

// A Model is a model in the store.
type Model struct {
	Name  string
	Dir   string
	Entry Entry  // of the catalog; where it has none, what can be told from the files
	Ref   string // what it was pulled as; "" where it was put there by hand
	Bytes int64

	// Missing lists files that are absent or have the wrong size. A model with
	// any is not ready.
	Missing []string
}

// Path returns the folder of a model that is in the store and complete.
func (s *Store) Path(name string) (dir string, ok bool) {
	m, ok := s.model(strings.ToLower(name))
	return m.Dir, ok && len(m.Missing) == 0
}

// Installed lists the models in the store by name. A store that does not exist
// is empty.
func (s *Store) Installed() ([]Model, error) {
	entries, err := os.ReadDir(filepath.Join(s.root, "models"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list the models: %w", err)
	}
	var models []Model
	for _, e := range entries {
		if m, ok := s.model(e.Name()); ok {
			models = append(models, m)
		}
	}
	return models, nil
}

// model looks at a folder of the store. It is none without a file of a model and
// without a manifest.
func (s *Store) model(name string) (Model, bool) {
	if !validName.MatchString(name) {
		return Model{}, false
	}
	m := Model{Name: name, Dir: s.dir(name), Entry: Entry{Name: name}}
	files, known := s.expected(name)
	if !known {
		files = foundByHand(m.Dir)
	}
	if e, ok := Find(name); ok {
		m.Entry = e
	}
	came, found := readManifest(m.Dir)
	m.Ref = came.Ref
	for _, f := range files {
		at, err := os.Stat(m.file(f.Name))
		found = found || err == nil
		if err != nil || at.Size() != f.Bytes {
			m.Missing = append(m.Missing, f.Name)
			continue
		}
		m.Bytes += f.Bytes
	}
	return m, found
}

func (m Model) file(name string) string { return filepath.Join(m.Dir, filepath.FromSlash(name)) }

// expected lists the files a model's folder must hold, by the catalog if it
// pins them all, else by the folder's manifest.
func (s *Store) expected(name string) (files []File, known bool) {
	e, ok := Find(name)
	if ok && !slices.ContainsFunc(e.Files, func(f File) bool { return f.SHA256 == "" }) {
		return e.Files, true
	}
	m, found := readManifest(s.dir(name))
	if found {
		return m.Files, true
	}
	return e.Files, ok
}

// foundByHand lists the files of a model that somebody copied into the store.
func foundByHand(dir string) []File {
	names, err := filesBelow(dir)
	if err != nil {
		return nil
	}
	names, err = modelFiles(names)
	if err != nil {
		return nil
	}
	var files []File
	for _, name := range names {
		if at, err := os.Stat(filepath.Join(dir, filepath.FromSlash(name))); err == nil {
			files = append(files, File{Name: name, Bytes: at.Size()})
		}
	}
	return files
}

// filesBelow lists the files in a folder and its folders, slash-separated.
// Links to files count as files: models are large.
func filesBelow(dir string) ([]string, error) {
	var names []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		names = append(names, filepath.ToSlash(name))
		return err
	})
	return names, err
}

// Verify hashes every file of a model and reports all that differ from what the
// catalog or the pull recorded, as *HashError or fs.ErrNotExist.
func (s *Store) Verify(ctx context.Context, name string) error {
	files, known := s.expected(name)
	if !known {
		return fmt.Errorf("verify %s: %w in the store that a hash is known of", name, ErrNotFound)
	}
	var problems []error
	for _, f := range files {
		sum, _, err := hashFile(ctx, filepath.Join(s.dir(name), filepath.FromSlash(f.Name)))
		if err == nil && f.SHA256 != "" && sum != f.SHA256 {
			err = fmt.Errorf("%s has SHA-256 %s, want %s", f.Name, sum, f.SHA256)
		}
		problems = append(problems, err)
	}
	if err := errors.Join(problems...); err != nil {
		return fmt.Errorf("verify %s: %w", name, err)
	}
	return nil
}
