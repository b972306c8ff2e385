package disk

import (
	"fmt"
	"math"
	"os"
	"sync"
	"unsafe"
)

// A Mapping is a file's content as memory, read from the device as it is
// touched.
type Mapping struct {
	data  []byte
	close func() error
}

// Release tells the system that a part of a mapping's Bytes has been read and
// need not stay in the memory of this process: what whole pages it has are
// read again, from the system's cache as a rule, when they are touched again.
// Other memory, and a nil Mapping, are let be.
func (m *Mapping) Release(part []byte) {
	if m == nil || len(part) == 0 || len(m.data) == 0 {
		return
	}
	from := uintptr(unsafe.Pointer(&part[0])) - uintptr(unsafe.Pointer(&m.data[0]))
	if from >= uintptr(len(m.data)) || uintptr(len(part)) > uintptr(len(m.data))-from {
		return
	}
	page := uintptr(os.Getpagesize())
	first := (from + page - 1) / page * page
	if end := (from + uintptr(len(part))) / page * page; end > first {
		releasePages(m.data[first:end])
	}
}

// Map maps a whole file for reading. The file may be removed, or replaced by
// WriteFile, while it is mapped (Windows refuses both until Close): the mapping
// keeps the old content. It must not be cut or overwritten in place: touching
// what was cut off ends the program.
func Map(path string) (*Mapping, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("map: %w", err)
	}
	defer f.Close() // the mapping outlives the descriptor
	at, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("map: %w", err)
	}
	size := at.Size()
	switch {
	case !at.Mode().IsRegular():
		return nil, fmt.Errorf("map %s: not a regular file", path)
	case size > math.MaxInt:
		return nil, fmt.Errorf("map %s: %d bytes exceed the address space", path, size)
	case size == 0: // neither mmap nor MapViewOfFile maps nothing
		return &Mapping{close: func() error { return nil }}, nil
	}
	data, unmap, err := mapFile(f, int(size))
	if err != nil {
		return nil, fmt.Errorf("map %s: %w", path, err)
	}
	m := &Mapping{data: data}
	m.close = sync.OnceValue(func() error {
		m.data = nil
		return unmap()
	})
	return m, nil
}

// Bytes is the file's content. It is read-only memory: writing to it ends the
// program, and so does reading it after Close.
func (m *Mapping) Bytes() []byte { return m.data }

// Close unmaps the file. A second call does nothing, nor does closing a nil
// Mapping. It must not run while another goroutine reads Bytes.
func (m *Mapping) Close() error {
	if m == nil {
		return nil
	}
	return m.close()
}
