package safetensors

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// The files of a checkpoint: one with all tensors, or several with an index.
const (
	wholeFile = "model.safetensors"
	indexFile = "model.safetensors.index.json"

	maxIndex  = maxHeader
	maxShards = 10_000
)

// Set is the tensors of a model, which lie in one file or in several. Like a
// File it is immutable and safe for concurrent use until Close.
type Set struct {
	files []*File
	names []string
	where map[string]*File
}

// OpenSet opens the checkpoint in a folder: model.safetensors, or the files
// that model.safetensors.index.json names. Every tensor of the index must be in
// the file that it says, and every tensor of the files in the index.
func OpenSet(folder string) (*Set, error) {
	whole := filepath.Join(folder, wholeFile)
	if _, err := os.Stat(whole); err == nil || !errors.Is(err, fs.ErrNotExist) {
		f, err := Open(whole)
		if err != nil {
			return nil, err
		}
		s := &Set{where: map[string]*File{}}
		s.add(f)
		return s, nil
	}
	path := filepath.Join(folder, indexFile)
	index, err := readIndex(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the folder %s has neither %s nor %s: %w", folder, wholeFile, indexFile, fs.ErrNotExist)
	} else if err != nil {
		return nil, err
	}
	s, err := openShards(folder, index)
	if err != nil {
		return nil, err
	}
	if err := s.compare(index); err != nil {
		s.Close()
		return nil, &FormatError{Path: path, Reason: err.Error()}
	}
	return s, nil
}

// readIndex reads which file each tensor is in.
func readIndex(path string) (map[string]string, error) {
	at, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if at.Size() > maxIndex {
		return nil, &FormatError{path, fmt.Sprintf("%d bytes; at most %d are accepted", at.Size(), maxIndex)}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var index struct {
		Files map[string]string `json:"weight_map"`
	}
	if err := json.Unmarshal(data, &index); err != nil {
		return nil, &FormatError{path, err.Error()}
	}
	if len(index.Files) == 0 {
		return nil, &FormatError{path, "it has no weight_map"}
	}
	return index.Files, nil
}

// openShards opens each file of an index once, in the order of their names. A
// name with a path in it could lead out of the folder and is refused.
func openShards(folder string, index map[string]string) (*Set, error) {
	var shards []string
	for _, name := range index {
		if !slices.Contains(shards, name) {
			shards = append(shards, name)
		}
		if len(shards) > maxShards {
			return nil, &FormatError{filepath.Join(folder, indexFile), fmt.Sprintf("it names more than %d files", maxShards)}
		}
	}
	slices.Sort(shards)
	s := &Set{where: make(map[string]*File, len(index))}
	for _, name := range shards {
		if !filepath.IsLocal(name) || filepath.Base(name) != name {
			s.Close()
			return nil, &FormatError{filepath.Join(folder, indexFile), fmt.Sprintf("%q is not the name of a file beside it", name)}
		}
		f, err := Open(filepath.Join(folder, name))
		if err != nil {
			s.Close()
			return nil, err
		}
		s.add(f)
	}
	return s, nil
}

// add takes a file in.
func (s *Set) add(f *File) {
	s.files = append(s.files, f)
	for _, name := range f.Names() {
		if s.where[name] == nil {
			s.where[name] = f
		}
		s.names = append(s.names, name)
	}
}

// compare checks the files against the index.
func (s *Set) compare(index map[string]string) error {
	if len(s.names) != len(s.where) {
		return fmt.Errorf("the files hold %d tensors of %d different names", len(s.names), len(s.where))
	}
	for _, name := range s.names {
		if _, ok := index[name]; !ok {
			return fmt.Errorf("it does not name the tensor %q, which a file holds", name)
		}
	}
	for name, file := range index {
		f := s.where[name]
		if f == nil || f.name() != file {
			return fmt.Errorf("the tensor %q is not in %s", name, file)
		}
	}
	return nil
}

// Release says that the data of a tensor, or a part of it, has been read and
// need not stay in memory for now. It may be read again.
func (s *Set) Release(data []byte) {
	for _, f := range s.files {
		f.mapping.Release(data)
	}
}

// Tensor returns the tensor with a name.
func (s *Set) Tensor(name string) (Tensor, bool) {
	f := s.where[name]
	if f == nil {
		return Tensor{}, false
	}
	return f.Tensor(name)
}

// Names returns the names of all tensors, file by file in the order of their
// data. The caller must not change the slice.
func (s *Set) Names() []string { return s.names }

// Close unmaps the files. Data of their tensors must not be touched afterwards.
// Closing twice is fine.
func (s *Set) Close() error {
	var errs []error
	for _, f := range s.files {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}
