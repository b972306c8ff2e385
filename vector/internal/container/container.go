// Package container is a file of named, checksummed sections, written once from
// front to back and then read in place, usually from a memory map.
//
// Sections begin at multiples of 64 bytes, so that numbers in them can be used
// where they lie; a table at the end names them. docs/formats/vector.md draws
// the file. Open checks the table and the bounds of all sections, so a File
// never reaches outside its bytes; Verify checks a section's content, which a
// reader may leave out for sections it reads with bounds checks anyway.
//
// A File is immutable and safe for concurrent use.
package container

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

const (
	magic      = "RAGVEC\r\n"
	version    = 1
	headerSize = 64
	footerSize = 32
	align      = 64

	maxName = 1 << 12
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// ErrCorrupt reports bytes that are no container, or a damaged one.
var ErrCorrupt = errors.New("corrupt file")

func corrupt(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrCorrupt, fmt.Sprintf(format, args...))
}

// Writer writes a container. The sections are written one after another; an
// error sticks and comes back from Close.
type Writer struct {
	out   io.Writer
	at    uint64
	sum   uint32
	table []byte
	count uint32
	open  string // name of the section being written
	start uint64
	err   error
}

// NewWriter begins a container of the given kind, four bytes that tell one use
// from another. Writes are as small as the caller's: w should be buffered.
func NewWriter(w io.Writer, kind [4]byte) *Writer {
	c := &Writer{out: w}
	var header [headerSize]byte
	copy(header[:], magic)
	binary.LittleEndian.PutUint32(header[8:], version)
	copy(header[12:], kind[:])
	c.raw(header[:])
	return c
}

// Begin ends the section before and begins another. Names are not empty and
// not used twice.
func (c *Writer) Begin(name string) {
	c.end()
	if rest := c.at % align; rest != 0 {
		c.raw(make([]byte, align-rest))
	}
	c.open, c.start, c.sum = name, c.at, 0
}

// Write adds to the section.
func (c *Writer) Write(p []byte) (int, error) {
	c.sum = crc32.Update(c.sum, castagnoli, p)
	c.raw(p)
	return len(p), c.err
}

// Section writes a whole section.
func (c *Writer) Section(name string, content []byte) {
	c.Begin(name)
	c.Write(content)
}

func (c *Writer) raw(p []byte) {
	if c.err == nil {
		_, c.err = c.out.Write(p)
	}
	c.at += uint64(len(p))
}

func (c *Writer) end() {
	if c.open == "" {
		return
	}
	le := binary.LittleEndian
	c.table = le.AppendUint64(c.table, c.start)
	c.table = le.AppendUint64(c.table, c.at-c.start)
	c.table = le.AppendUint32(c.table, c.sum)
	c.table = le.AppendUint32(c.table, uint32(len(c.open)))
	c.table = append(c.table, c.open...)
	c.count++
	c.open = ""
}

// Close writes the table and the footer. It neither flushes nor closes what
// lies below.
func (c *Writer) Close() error {
	c.end()
	at := c.at
	c.raw(c.table)
	le := binary.LittleEndian
	var footer []byte
	footer = le.AppendUint64(footer, at)
	footer = le.AppendUint32(footer, uint32(len(c.table)))
	footer = le.AppendUint32(footer, c.count)
	footer = le.AppendUint32(footer, crc32.Checksum(c.table, castagnoli))
	footer = le.AppendUint32(footer, crc32.Checksum(footer, castagnoli))
	footer = append(footer, magic...)
	c.raw(footer)
	return c.err
}

// File is an open container.
type File struct {
	sections map[string]section
	names    []string
}

type section struct {
	data []byte
	sum  uint32
}

// Open reads the table of a container of the given kind. The bytes must not
// change while the File is in use.
func Open(data []byte, kind [4]byte) (*File, error) {
	le := binary.LittleEndian
	if len(data) < headerSize+footerSize || string(data[:8]) != magic {
		return nil, corrupt("no header")
	}
	if v := le.Uint32(data[8:]); v != version {
		return nil, fmt.Errorf("file has version %d: this program reads version %d", v, version)
	}
	if got := [4]byte(data[12:16]); got != kind {
		return nil, corrupt("kind is %q, want %q", got, kind)
	}
	body := data[:len(data)-footerSize]
	footer := data[len(body):]
	if string(footer[24:]) != magic || crc32.Checksum(footer[:20], castagnoli) != le.Uint32(footer[20:]) {
		return nil, corrupt("no footer: the end of the file is missing or damaged")
	}
	at, size := le.Uint64(footer), uint64(le.Uint32(footer[8:]))
	if at < headerSize || at > uint64(len(body)) || size != uint64(len(body))-at {
		return nil, corrupt("the table of sections lies outside the file")
	}
	table := body[at:]
	if crc32.Checksum(table, castagnoli) != le.Uint32(footer[16:]) {
		return nil, corrupt("the table of sections is damaged")
	}
	return parseTable(body[:at], table, le.Uint32(footer[12:]))
}

func parseTable(body, table []byte, count uint32) (*File, error) {
	le := binary.LittleEndian
	f := &File{sections: map[string]section{}}
	for i := range count {
		if len(table) < 24 {
			return nil, corrupt("the table ends in section %d of %d", i, count)
		}
		start, size, sum := le.Uint64(table), le.Uint64(table[8:]), le.Uint32(table[16:])
		length := le.Uint32(table[20:])
		if length == 0 || length > maxName || int(length) > len(table)-24 {
			return nil, corrupt("section %d has a name of %d bytes", i, length)
		}
		name := string(table[24 : 24+length])
		table = table[24+length:]
		if start%align != 0 || start > uint64(len(body)) || size > uint64(len(body))-start {
			return nil, corrupt("section %q lies outside the file", name)
		}
		if _, twice := f.sections[name]; twice {
			return nil, corrupt("section %q is there twice", name)
		}
		f.sections[name] = section{body[start : start+size : start+size], sum}
		f.names = append(f.names, name)
	}
	if len(table) > 0 {
		return nil, corrupt("%d bytes after the table", len(table))
	}
	return f, nil
}

// Names lists the sections in the order they were written.
func (f *File) Names() []string { return f.names }

// Section returns the content of a section, unchecked, nil if there is none.
func (f *File) Section(name string) []byte { return f.sections[name].data }

// Has reports whether there is a section of that name.
func (f *File) Has(name string) bool {
	_, ok := f.sections[name]
	return ok
}

// Verify compares sections with their checksums, all of them if none is named.
func (f *File) Verify(names ...string) error {
	if len(names) == 0 {
		names = f.names
	}
	for _, name := range names {
		s, ok := f.sections[name]
		if !ok {
			return corrupt("section %q is missing", name)
		}
		if got := crc32.Checksum(s.data, castagnoli); got != s.sum {
			return corrupt("section %q has the checksum %08x, want %08x", name, got, s.sum)
		}
	}
	return nil
}
