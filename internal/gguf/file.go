package gguf

import (
	"fmt"

	"github.com/ragstone/ragstone/internal/disk"
)

// Tensor is one named array of numbers.
type Tensor struct {
	Name string
	Type Type

	// Shape is in the file's order: Shape[0] is the length of a row. Its
	// product times the type's size is len(Data).
	Shape []int

	// Data is the stored form, in blocks of Type. It belongs to the file.
	Data []byte
}

// Values returns how many numbers the tensor holds.
func (t Tensor) Values() int {
	n := 1
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

// Float32s decodes the whole tensor into a new slice; see [Dequantize].
func (t Tensor) Float32s() ([]float32, error) {
	out := make([]float32, t.Values())
	if err := Dequantize(t.Type, t.Data, out); err != nil {
		return nil, fmt.Errorf("tensor %q: %w", t.Name, err)
	}
	return out, nil
}

// File is an open GGUF file.
type File struct {
	mapping *disk.Mapping // nil when parsed from memory
	keys    []string      // in the file's order
	meta    map[string]value
	tensors []Tensor       // in the file's order
	byName  map[string]int // index into tensors
}

// Open maps the file at path and reads its head. The error is a
// [*FormatError] where the content is at fault. The caller closes the file.
func Open(path string) (*File, error) {
	m, err := disk.Map(path)
	if err != nil {
		return nil, fmt.Errorf("open model file: %w", err)
	}
	f, err := parse(path, m.Bytes())
	if err != nil {
		m.Close()
		return nil, err
	}
	f.mapping = m
	return f, nil
}

// Parse reads a file that is already in memory. The file keeps data, which
// must not change while it is used.
func Parse(data []byte) (*File, error) {
	return parse("the GGUF data", data)
}

// Close unmaps the file. Data of its tensors must not be touched afterwards.
// Closing twice, or a file that was parsed from memory, is fine.
func (f *File) Close() error { return f.mapping.Close() }

// Release says that the data of a tensor, or a part of it, has been read and
// need not stay in memory for now. It may be read again.
func (f *File) Release(data []byte) { f.mapping.Release(data) }

// Tensor returns the tensor with a name.
func (f *File) Tensor(name string) (Tensor, bool) {
	i, ok := f.byName[name]
	if !ok {
		return Tensor{}, false
	}
	return f.tensors[i], true
}

// Tensors returns all tensors in the file's order. The caller must not change
// the slice.
func (f *File) Tensors() []Tensor { return f.tensors }

// FormatError says why the content of a file was refused.
type FormatError struct {
	Path      string // the file, or a phrase for data without a path
	Truncated bool   // the file ends before what it announces
	Reason    string
}

func (e *FormatError) Error() string {
	if e.Truncated {
		return fmt.Sprintf("%s is truncated: %s", e.Path, e.Reason)
	}
	return fmt.Sprintf("%s is not a usable GGUF file: %s", e.Path, e.Reason)
}
