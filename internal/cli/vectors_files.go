package cli

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"

	"github.com/ragstone/ragstone/internal/disk"
	"github.com/ragstone/ragstone/vector"
)

// pointFile reads points from a file, one after another.
type pointFile struct {
	file *os.File
	in   *bufio.Reader
	path string
	size int64
	done int64 // bytes read
	next func() (vector.Point, error)
	n    uint64 // points so far
}

// openPoints opens a file of points; its name says what it is. Vectors without
// ids are numbered from firstID.
func openPoints(path string, firstID uint64) (*pointFile, error) {
	ext := filepath.Ext(path)
	if !slices.Contains([]string{".jsonl", ".ndjson", ".fvecs", ".faiss", ".index", ".npy"}, ext) {
		return nil, misuse("read %s: files ending in %q are not known: want .jsonl, .fvecs, .npy or .faiss", path, ext)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, misuse("%w", err)
	}
	at, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	p := &pointFile{file: f, path: path, size: at.Size(), n: firstID}
	p.in = bufio.NewReaderSize(countingReader{f, &p.done}, 1<<20)
	switch ext {
	case ".jsonl", ".ndjson":
		p.next = p.jsonLines()
	case ".fvecs":
		p.next = p.numbered(p.fvecs)
	case ".faiss", ".index":
		p.next, err = p.faissIndex()
	case ".npy":
		var row func() ([]float32, error)
		if row, err = p.npy(); err == nil {
			p.next = p.numbered(row)
		}
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return p, nil
}

// faissIndex takes the vectors with their ids out of an index of FAISS.
func (p *pointFile) faissIndex() (func() (vector.Point, error), error) {
	x, err := vector.ReadFAISS(p.path)
	if err != nil {
		return nil, err
	}
	points, err := x.Points()
	if err != nil {
		return nil, err
	}
	n := 0
	return func() (vector.Point, error) {
		if n == len(points) {
			p.done = p.size
			return vector.Point{}, io.EOF
		}
		n++
		p.done = p.size * int64(n) / int64(len(points))
		return points[n-1], nil
	}, nil
}

type countingReader struct {
	r io.Reader
	n *int64
}

func (c countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	*c.n += int64(n)
	return n, err
}

// Next returns the next point, io.EOF after the last.
func (p *pointFile) Next() (vector.Point, error) {
	point, err := p.next()
	if err != nil && err != io.EOF {
		err = fmt.Errorf("read %s: %w", p.path, err)
	}
	return point, err
}

// Done returns how many bytes have been read.
func (p *pointFile) Done() int64 { return p.done }

// Close closes the file.
func (p *pointFile) Close() error { return p.file.Close() }

// jsonLines reads points as package vector writes them.
func (p *pointFile) jsonLines() func() (vector.Point, error) {
	d := json.NewDecoder(p.in)
	n := 0
	return func() (point vector.Point, err error) {
		n++
		var line json.RawMessage
		if err = d.Decode(&line); err == io.EOF {
			return point, err
		}
		if err == nil {
			point, err = parsePoint(line)
		}
		if err != nil {
			return point, fmt.Errorf("point %d: %w", n, plainJSON(err))
		}
		return point, nil
	}
}

func parsePoint(line []byte) (point vector.Point, err error) {
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	d.DisallowUnknownFields()
	if err = d.Decode(&point); err == nil && bytes.Contains(line, []byte("null")) {
		err = refuseNulls(line)
	}
	return point, err
}

// refuseNulls looks for nulls among the numbers of a point's vectors, which
// encoding/json takes for zeros.
func refuseNulls(line []byte) error {
	var p struct {
		Vector  []*float32
		Vectors map[string][]*float32
		Multi   map[string][][]*float32
		Sparse  map[string]struct {
			Indices []*uint32
			Values  []*float32
		}
	}
	if err := json.Unmarshal(line, &p); err != nil {
		return err
	}
	found := slices.Contains(p.Vector, nil)
	for _, x := range p.Vectors {
		found = found || slices.Contains(x, nil)
	}
	for _, rows := range p.Multi {
		for _, x := range rows {
			found = found || slices.Contains(x, nil)
		}
	}
	for _, s := range p.Sparse {
		found = found || slices.Contains(s.Indices, nil) || slices.Contains(s.Values, nil)
	}
	if found {
		return errors.New("a vector has null where a number must be")
	}
	return nil
}

// numbered gives vectors ids.
func (p *pointFile) numbered(row func() ([]float32, error)) func() (vector.Point, error) {
	return func() (vector.Point, error) {
		x, err := row()
		if err != nil {
			return vector.Point{}, err
		}
		p.n++
		return vector.Point{ID: vector.Num(p.n - 1), Vector: x}, nil
	}
}

// fvecs reads a vector: its length and that many float32, little-endian.
func (p *pointFile) fvecs() ([]float32, error) {
	var head [4]byte
	if _, err := io.ReadFull(p.in, head[:]); err != nil {
		return nil, endOr(err, "the length of a vector")
	}
	d := binary.LittleEndian.Uint32(head[:])
	if d < 1 || d > vector.MaxDimensions {
		return nil, fmt.Errorf("vector %d has %d dimensions: this is no .fvecs file", p.n, d)
	}
	return p.floats(int(d), 4)
}

func endOr(err error, what string) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("it ends in the middle of %s", what)
	}
	return err
}

// floats reads d numbers of 4 or 8 bytes.
func (p *pointFile) floats(d, size int) ([]float32, error) {
	raw := make([]byte, d*size)
	if _, err := io.ReadFull(p.in, raw); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, endOr(err, "a vector")
	}
	x := make([]float32, d)
	for i := range x {
		if size == 8 {
			x[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(raw[8*i:])))
		} else {
			x[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
		}
	}
	return x, nil
}

// NumPy's format 1.0 to 3.0: a magic, a version, the length of a header, which is
// a Python dictionary as text, and the numbers.
const npyMagic = "\x93NUMPY"

var npyHeader = regexp.MustCompile(`'descr':\s*'<f([48])'.*'fortran_order':\s*False.*'shape':\s*\((\d+),\s*(\d+),?\s*\)`)

// npy reads the header and returns a reader of rows.
func (p *pointFile) npy() (func() ([]float32, error), error) {
	head := make([]byte, 10)
	if _, err := io.ReadFull(p.in, head); err != nil || string(head[:6]) != npyMagic {
		return nil, errors.New("it is no .npy file")
	}
	length := int(binary.LittleEndian.Uint16(head[8:]))
	if head[6] > 1 { // the length has four bytes
		more := make([]byte, 2)
		if _, err := io.ReadFull(p.in, more); err != nil {
			return nil, errors.New("it ends in its header")
		}
		length += int(binary.LittleEndian.Uint16(more)) << 16
	}
	if length > 1<<16 {
		return nil, fmt.Errorf("its header has %d bytes", length)
	}
	header := make([]byte, length)
	if _, err := io.ReadFull(p.in, header); err != nil {
		return nil, errors.New("it ends in its header")
	}
	m := npyHeader.FindSubmatch(header)
	if m == nil {
		return nil, fmt.Errorf("its header is %q: want an array of float32 or float64 with two dimensions, in C order", header)
	}
	size, _ := strconv.Atoi(string(m[1]))
	rows, err1 := strconv.ParseUint(string(m[2]), 10, 64)
	d, err2 := strconv.Atoi(string(m[3]))
	if err := errors.Join(err1, err2); err != nil || d < 1 || d > vector.MaxDimensions {
		return nil, fmt.Errorf("its shape is (%s, %s)", m[2], m[3])
	}
	last := p.n + rows
	return func() ([]float32, error) {
		if p.n == last {
			return nil, io.EOF
		}
		return p.floats(d, size)
	}, nil
}

// writePoints replaces a file by the points that all passes on; total is how
// many there will be.
func writePoints(path string, total int, all func(write func(vector.Point) error) error) error {
	ext := filepath.Ext(path)
	switch ext {
	case ".jsonl", ".ndjson", ".fvecs", ".npy":
	default:
		return misuse("write %s: files ending in %q are not known: want .jsonl, .fvecs or .npy", path, ext)
	}
	return disk.WriteFile(path, 0o644, func(w io.Writer) error {
		lines := json.NewEncoder(w)
		dimensions := 0
		return all(func(p vector.Point) error {
			if ext == ".jsonl" || ext == ".ndjson" {
				return lines.Encode(p)
			}
			if p.Vector == nil {
				return fmt.Errorf("point %v has no unnamed vector; .jsonl can hold it", p.ID)
			}
			var raw []byte
			switch {
			case ext == ".fvecs":
				raw = binary.LittleEndian.AppendUint32(raw, uint32(len(p.Vector)))
			case dimensions == 0:
				raw = npyHead(total, len(p.Vector))
			}
			dimensions = len(p.Vector)
			for _, v := range p.Vector {
				raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
			}
			_, err := w.Write(raw)
			return err
		})
	})
}

// npyHead is the header of an array of float32, padded to a multiple of 64 bytes.
func npyHead(rows, dimensions int) []byte {
	text := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d), }", rows, dimensions)
	for (len(npyMagic)+4+len(text)+1)%64 != 0 {
		text += " "
	}
	head := append([]byte(npyMagic), 1, 0)
	head = binary.LittleEndian.AppendUint16(head, uint16(len(text)+1))
	return append(head, text+"\n"...)
}
