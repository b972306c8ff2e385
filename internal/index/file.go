package index

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"unsafe"
)

// What the files of indexes share: little-endian numbers, sections that begin at a
// multiple of 64 bytes, and a trailer of 64 bytes that begins with the CRC-32C of
// everything before it. docs/formats/ has a page for each.

// FormatError says that bytes are not an index, or not one this version reads.
type FormatError struct {
	Index  string // what was being opened
	Reason string
}

func (e *FormatError) Error() string { return fmt.Sprintf("open %s: %s", e.Index, e.Reason) }

const (
	fileAlign   = 64
	trailerSize = 64
	maxWidth    = 65536 // dimensions of a vector, before anything is added
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func alignUp(n uint64) uint64 { return (n + fileAlign - 1) &^ (fileAlign - 1) }

// fileWriter writes sections and sums them up.
type fileWriter struct {
	w       io.Writer
	written int64
	sum     uint32
	err     error
}

// section writes b and zeros up to the next multiple of 64.
func (f *fileWriter) section(b []byte) {
	f.write(b)
	f.write(make([]byte, alignUp(uint64(len(b)))-uint64(len(b))))
}

func (f *fileWriter) write(b []byte) {
	if f.err != nil {
		return
	}
	n, err := f.w.Write(b)
	f.written += int64(n)
	f.sum = crc32.Update(f.sum, castagnoli, b[:n])
	f.err = err
}

// finish writes the trailer.
func (f *fileWriter) finish() (int64, error) {
	trailer := make([]byte, trailerSize)
	binary.LittleEndian.PutUint32(trailer, f.sum)
	f.write(trailer)
	return f.written, f.err
}

// sectionReader cuts a file into sections. The first problem stays.
type sectionReader struct {
	index string
	data  []byte // what is left, without the trailer
	err   error
}

// openSections checks magic, version and checksum, and returns the file's header and
// the rest.
func openSections(name, magic string, version uint32, headerSize int, data []byte) (header []byte, r *sectionReader, err error) {
	r = &sectionReader{index: name}
	switch {
	case len(data) < headerSize+trailerSize:
		r.fail("%d bytes are too few", len(data))
	case string(data[:len(magic)]) != magic:
		r.fail("it does not begin with %q", magic)
	case binary.LittleEndian.Uint32(data[len(magic):]) != version:
		r.fail("it is of version %d, and this program reads version %d", binary.LittleEndian.Uint32(data[len(magic):]), version)
	case uintptr(unsafe.Pointer(&data[0]))%8 != 0:
		r.fail("its bytes do not begin at a multiple of 8 in memory: copy or map them")
	}
	if r.err != nil {
		return nil, nil, r.err
	}
	body := data[:len(data)-trailerSize]
	if want, got := binary.LittleEndian.Uint32(data[len(body):]), crc32.Checksum(body, castagnoli); want != got {
		r.fail("its checksum is %08x, and the file says %08x: it is damaged", got, want)
		return nil, nil, r.err
	}
	r.data = body[headerSize:]
	return body[:headerSize], r, nil
}

func (r *sectionReader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = &FormatError{r.index, fmt.Sprintf(format, args...)}
	}
}

// section takes count elements of size bytes. It allocates nothing.
func (r *sectionReader) section(what string, count, size uint64) []byte {
	if r.err != nil {
		return nil
	}
	left := uint64(len(r.data))
	if size != 0 && count > left/size || alignUp(count*size) > left {
		r.fail("%s: %d times %d bytes are more than the %d left", what, count, size, left)
		return nil
	}
	b := r.data[: count*size : count*size]
	r.data = r.data[alignUp(count*size):]
	return b
}

// end checks that nothing is left.
func (r *sectionReader) end() error {
	if len(r.data) > 0 {
		r.fail("%d bytes are left over", len(r.data))
	}
	return r.err
}

// floatsOf views bytes as numbers.
func floatsOf(b []byte) []float32 {
	return unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/4)
}

// wordsOf views bytes as 32-bit words, and wordBytes the other way round.
func wordsOf(b []byte) []uint32 {
	return unsafe.Slice((*uint32)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/4)
}

func wordBytes(x []uint32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x))), 4*len(x))
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
