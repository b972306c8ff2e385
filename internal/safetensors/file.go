package safetensors

import (
	"fmt"
	"path/filepath"

	"github.com/ragstone/ragstone/internal/disk"
)

// File is an open safetensors file.
type File struct {
	path     string        // empty when parsed from memory
	mapping  *disk.Mapping // nil when parsed from memory
	metadata map[string]string
	names    []string // in the order of their data
	tensors  map[string]Tensor
}

// Open maps the file at path and reads its header. The error is a
// [*FormatError] where the content is at fault. The caller closes the file.
func Open(path string) (*File, error) {
	m, err := disk.Map(path)
	if err != nil {
		return nil, fmt.Errorf("open model weights: %w", err)
	}
	f, err := parse(path, m.Bytes())
	if err != nil {
		m.Close()
		return nil, err
	}
	f.path, f.mapping = path, m
	return f, nil
}

// name is the file's name without its folder.
func (f *File) name() string { return filepath.Base(f.path) }

// Parse reads a file that is already in memory. The file keeps data, which
// must not change while it is used.
func Parse(data []byte) (*File, error) {
	return parse("the safetensors data", data)
}

// Close unmaps the file. Data of its tensors must not be touched afterwards.
// Closing twice, or a file that was parsed from memory, is fine.
func (f *File) Close() error { return f.mapping.Close() }

// Tensor returns the tensor with a name.
func (f *File) Tensor(name string) (Tensor, bool) {
	t, ok := f.tensors[name]
	return t, ok
}

// Names returns the names of all tensors in the order of their data. The
// caller must not change the slice.
func (f *File) Names() []string { return f.names }

// Metadata returns the free text that the writer left, by key; nil when there
// is none. The caller must not change the map.
func (f *File) Metadata() map[string]string { return f.metadata }

// FormatError says why the content of a file was refused.
type FormatError struct {
	Path   string // the file, or a phrase for data without a path
	Reason string
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("%s is not a usable safetensors file: %s", e.Path, e.Reason)
}
