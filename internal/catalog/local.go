package catalog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/ragstone/ragstone/internal/disk"
	"github.com/ragstone/ragstone/internal/gguf"
	"github.com/ragstone/ragstone/internal/safetensors"
)

// A localSource is files of this machine.
type localSource struct {
	path  string            // as the user gave it
	files map[string]string // where each file of the model is
	link  bool

	// packages, when set, are archives in the folder archives that have the
	// files inside.
	packages *PackageSource
	archives string
}

// localEntry makes an entry of a file or folder. Where its contents are those
// of a catalog model, it is that model.
func (s *Store) localEntry(ctx context.Context, path string, link bool) (Entry, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return Entry{}, err
	}
	if e, ok := packagesEntry(abs, path); ok && !link {
		return e, nil
	}
	dir, names := filepath.Dir(abs), []string{filepath.Base(abs)}
	at, err := os.Stat(abs)
	if err != nil {
		return Entry{}, err
	}
	if at.IsDir() {
		if dir = abs; err == nil {
			names, err = filesBelow(dir)
		}
		if err != nil {
			return Entry{}, err
		}
	}
	names, err = modelFiles(names)
	if err != nil {
		return Entry{}, err
	}
	e := Entry{Name: modelName(strings.TrimSuffix(filepath.Base(abs), ".gguf"))}
	source := &localSource{path: path, files: map[string]string{}, link: link}
	for _, name := range names {
		from := filepath.Join(dir, filepath.FromSlash(name))
		if err := checkFormat(from, name); err != nil {
			return Entry{}, err
		}
		if s.options.Progress != nil {
			s.options.Progress(Event{Model: e.Name, Stage: Verifying, File: name})
		}
		sum, size, err := hashFile(ctx, from)
		if err != nil {
			return Entry{}, err
		}
		source.files[name] = from
		e.Files = append(e.Files, File{Name: name, Bytes: size, SHA256: sum})
	}
	if known, ok := sameInCatalog(e, source); ok {
		e = known
	}
	e.Sources = []Source{{local: source}}
	return e, nil
}

// sameInCatalog finds the catalog model whose files are all among e's, whatever
// they are called here, and points the source at them.
func sameInCatalog(e Entry, source *localSource) (Entry, bool) {
	from := map[string]string{} // by hash
	for _, f := range e.Files {
		from[f.SHA256] = source.files[f.Name]
	}
	for _, known := range List() {
		files := map[string]string{}
		for _, f := range known.Files {
			if path, ok := from[f.SHA256]; ok && f.SHA256 != "" {
				files[f.Name] = path
			}
		}
		if len(files) == len(known.Files) {
			source.files = files
			return known.clone(), true
		}
	}
	return Entry{}, false
}

// packagesEntry recognises the Python packages of a catalog model: one archive,
// or a folder that has all of them.
func packagesEntry(abs, path string) (Entry, bool) {
	dir, single := abs, ""
	if at, err := os.Stat(abs); err == nil && !at.IsDir() {
		dir, single = filepath.Dir(abs), filepath.Base(abs)
	}
	for _, e := range List() {
		for _, src := range e.Sources {
			if src.Packages == nil || !src.Packages.allIn(dir) {
				continue
			}
			if single != "" && !src.Packages.includes(single) {
				continue
			}
			e = e.clone()
			e.Sources = []Source{{local: &localSource{path: path, packages: src.Packages, archives: dir}}}
			return e, true
		}
	}
	return Entry{}, false
}

func (p PackageSource) allIn(dir string) bool {
	for _, pkg := range p.Packages {
		if _, ok := findArchive(dir, pkg.Requirement); !ok {
			return false
		}
	}
	return true
}

func (p PackageSource) includes(archive string) bool {
	for _, pkg := range p.Packages {
		if isArchiveOf(archive, pkg.Requirement) {
			return true
		}
	}
	return false
}

// checkFormat opens a file of weights as the model runtime will, so that a file
// that is none is refused at once. Its name says what it should be.
func checkFormat(path, name string) error {
	var f io.Closer
	var err error
	switch filepath.Ext(name) {
	case ".gguf":
		f, err = gguf.Open(path)
	case ".safetensors":
		f, err = safetensors.Open(path)
	default:
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s is not a model file: %w", name, err)
	}
	return f.Close()
}

// fetchLocal copies or links the missing files.
func (p *pull) fetchLocal(ctx context.Context, src *localSource) error {
	if src.packages != nil {
		return p.unpack(ctx, src.packages, src.archives)
	}
	for _, f := range p.missing() {
		var err error
		if src.link {
			err = p.link(src.files[f.Name], f)
		} else {
			err = p.copy(ctx, src.files[f.Name], f)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *pull) link(from string, f File) error {
	to := p.file(f.Name)
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return inStore(err)
	}
	if err := os.Symlink(from, to); err != nil {
		return inStore(err)
	}
	p.have[f.Name] = f
	return inStore(disk.OS{}.SyncDir(filepath.Dir(to)))
}

func (p *pull) copy(ctx context.Context, from string, f File) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	want, _ := f.digest()
	part, err := openPart(ctx, p.partPath(f.Name), f.Name, want, p.grew(Copying, f))
	if err != nil {
		return err
	}
	defer part.close()
	if _, err := in.Seek(part.n, io.SeekStart); err != nil {
		return err
	}
	_, err = io.Copy(part, readerWithContext{ctx, in})
	if err != nil && !errors.Is(err, errTooLong) { // the file grew: its hash decides
		return err
	}
	return p.commit(part)
}
