package safetensors

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
)

const (
	lengthBytes = 8
	// maxHeader is the longest header the reference implementation accepts.
	maxHeader = 100_000_000
	// maxDims bounds the dimensions of a tensor; models use up to five.
	maxDims = 8
	// metadataKey is the one name in the header that is not a tensor.
	metadataKey = "__metadata__"
)

// entry is what the header says of one tensor.
type entry struct {
	DType   DType    `json:"dtype"`
	Shape   []int64  `json:"shape"`
	Offsets []uint64 `json:"data_offsets"` // begin and end in the data
	name    string
}

func parse(path string, data []byte) (*File, error) {
	f, err := read(data)
	if err != nil {
		return nil, &FormatError{Path: path, Reason: err.Error()}
	}
	return f, nil
}

// read checks everything the package comment promises.
func read(data []byte) (*File, error) {
	header, body, err := split(data)
	if err != nil {
		return nil, err
	}
	entries, metadata, err := readHeader(header)
	if err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	f := &File{metadata: metadata, tensors: make(map[string]Tensor, len(entries))}
	slices.SortStableFunc(entries, byOffset)
	var at uint64 // where the next tensor must begin
	for _, e := range entries {
		t, err := e.tensor(body, at)
		if err != nil {
			return nil, fmt.Errorf("tensor %q: %w", e.name, err)
		}
		at = e.Offsets[1]
		f.names = append(f.names, e.name)
		f.tensors[e.name] = t
	}
	if at != uint64(len(body)) {
		return nil, fmt.Errorf("tensors cover %d of %d bytes of data", at, len(body))
	}
	return f, nil
}

// split cuts a file into its header and its data.
func split(data []byte) (header, body []byte, err error) {
	if len(data) < lengthBytes {
		return nil, nil, fmt.Errorf("%d bytes are too few for the header's length", len(data))
	}
	n, rest := binary.LittleEndian.Uint64(data), data[lengthBytes:]
	switch {
	case n > maxHeader:
		return nil, nil, fmt.Errorf("the header claims %d bytes; at most %d are accepted", n, maxHeader)
	case n > uint64(len(rest)):
		return nil, nil, fmt.Errorf("the header claims %d bytes and %d follow", n, len(rest))
	}
	return rest[:n], rest[n:], nil
}

// readHeader reads the header's one JSON object. It goes name by name because
// decoding into a map would let the second of two equal names win unseen.
func readHeader(header []byte) (entries []entry, metadata map[string]string, err error) {
	d := json.NewDecoder(bytes.NewReader(header))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, nil, fmt.Errorf("not a JSON object")
	}
	seen := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, nil, err
		}
		name, _ := t.(string) // inside an object the decoder yields only string keys
		if seen[name] {
			return nil, nil, fmt.Errorf("%q is named twice", name)
		}
		seen[name] = true
		if name == metadataKey {
			if err := d.Decode(&metadata); err != nil {
				return nil, nil, fmt.Errorf("%s: %w", metadataKey, err)
			}
			continue
		}
		e := entry{name: name}
		if err := d.Decode(&e); err != nil {
			return nil, nil, fmt.Errorf("tensor %q: %w", name, err)
		}
		if len(e.Offsets) != 2 {
			return nil, nil, fmt.Errorf("tensor %q: data_offsets has %d numbers, want 2", name, len(e.Offsets))
		}
		entries = append(entries, e)
	}
	if _, err := d.Token(); err != nil { // the closing brace
		return nil, nil, err
	}
	if _, err := d.Token(); err != io.EOF { // spaces may follow, for alignment
		return nil, nil, fmt.Errorf("something follows the JSON object")
	}
	return entries, metadata, nil
}

// byOffset orders tensors by their data, empty ones before what begins at the
// same place.
func byOffset(a, b entry) int {
	return slices.Compare(a.Offsets, b.Offsets)
}

// tensor returns the tensor of an entry whose data must begin at a place.
func (e entry) tensor(body []byte, at uint64) (Tensor, error) {
	begin, end := e.Offsets[0], e.Offsets[1]
	switch {
	case begin != at:
		return Tensor{}, fmt.Errorf("its data begin at %d where %d was due: a gap or an overlap", begin, at)
	case end < begin || end > uint64(len(body)):
		return Tensor{}, fmt.Errorf("its data are bytes %d to %d of %d", begin, end, len(body))
	}
	shape, size, err := e.size()
	if err != nil {
		return Tensor{}, err
	}
	if size != end-begin {
		return Tensor{}, fmt.Errorf("%s of shape %v takes %d bytes, and it has %d", e.DType, e.Shape, size, end-begin)
	}
	return Tensor{Name: e.name, DType: e.DType, Shape: shape, Data: body[begin:end:end]}, nil
}

// size returns the shape as ints and the bytes that it takes.
func (e entry) size() (shape []int, bytes uint64, err error) {
	if e.DType.Size() == 0 {
		return nil, 0, fmt.Errorf("unknown dtype %q", e.DType)
	}
	if len(e.Shape) > maxDims {
		return nil, 0, fmt.Errorf("%d dimensions; at most %d are accepted", len(e.Shape), maxDims)
	}
	bytes = uint64(e.DType.Size())
	shape = make([]int, len(e.Shape))
	for i, d := range e.Shape {
		if d < 0 || d > math.MaxInt32 {
			return nil, 0, fmt.Errorf("shape %v has a dimension out of range", e.Shape)
		}
		if d > 0 && bytes > math.MaxInt64/uint64(d) {
			return nil, 0, fmt.Errorf("shape %v overflows", e.Shape)
		}
		bytes *= uint64(d)
		shape[i] = int(d)
	}
	return shape, bytes, nil
}
