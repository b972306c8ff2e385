package cli

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/ragstone/ragstone/internal/index"
)

// vectorData is what an index is measured with. Vectors are compared by L2.
type vectorData struct {
	dimensions    int
	base, queries []float32
	truth         [][]int32 // of every query, nearest first
}

func (d *vectorData) rows() int  { return len(d.base) / d.dimensions }
func (d *vectorData) count() int { return len(d.queries) / d.dimensions }

// read reads the files; truth may be empty.
func (d *vectorData) read(base, queries, truth string, k int) (err error) {
	var dimensions int
	if d.base, d.dimensions, err = readVectors(base, math.Float32frombits); err != nil {
		return err
	}
	if d.queries, dimensions, err = readVectors(queries, math.Float32frombits); err != nil {
		return err
	}
	if dimensions != d.dimensions {
		return fmt.Errorf("%s has %d dimensions and %s has %d", base, d.dimensions, queries, dimensions)
	}
	if truth == "" {
		return nil
	}
	numbers, depth, err := readVectors(truth, func(bits uint32) int32 { return int32(bits) })
	if err != nil {
		return err
	}
	if depth < k || len(numbers)/depth < d.count() {
		return fmt.Errorf("%s has %d lists of %d; want %d of at least %d", truth, len(numbers)/depth, depth, d.count(), k)
	}
	for i := range d.count() {
		d.truth = append(d.truth, numbers[i*depth:i*depth+k])
	}
	return nil
}

// readVectors reads a file of vectors: each is its length, a little-endian 32-bit
// number, and that many numbers of 32 bits. All have the same length.
func readVectors[T any](path string, number func(bits uint32) T) (numbers []T, dimensions int, err error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, misuse("%w", err)
	}
	if err != nil {
		return nil, 0, err
	}
	if len(raw) < 4 {
		return nil, 0, fmt.Errorf("read %s: it has no vectors", path)
	}
	dimensions = int(binary.LittleEndian.Uint32(raw))
	size := 4 + 4*dimensions
	if dimensions < 1 || len(raw)%size != 0 {
		return nil, 0, fmt.Errorf("read %s: %d bytes are not vectors of %d dimensions", path, len(raw), dimensions)
	}
	numbers = make([]T, 0, len(raw)/size*dimensions)
	for at := 0; at < len(raw); at += size {
		if got := int(binary.LittleEndian.Uint32(raw[at:])); got != dimensions {
			return nil, 0, fmt.Errorf("read %s: vector %d has %d dimensions, the first has %d", path, at/size, got, dimensions)
		}
		for i := range dimensions {
			numbers = append(numbers, number(binary.LittleEndian.Uint32(raw[at+4+4*i:])))
		}
	}
	return numbers, dimensions, nil
}

// findTruth computes the nearest rows that a filter admits.
func (d *vectorData) findTruth(k int, filter *index.Filter) {
	flat := index.NewFlat(index.L2, d.dimensions, d.base)
	d.truth = make([][]int32, d.count())
	for i := range d.truth {
		hits, _ := flat.Search(d.queries[i*d.dimensions:(i+1)*d.dimensions], k, index.Params{Filter: filter})
		for _, h := range hits {
			d.truth[i] = append(d.truth[i], int32(h.Row))
		}
	}
}

// recall returns the share of the k nearest rows that answers hold.
func (d *vectorData) recall(answers [][]index.Hit, k int) float64 {
	found, wanted := 0, 0
	for i, hits := range answers {
		near := make(map[int]bool, k)
		for _, row := range d.truth[i] {
			near[int(row)] = true
		}
		wanted += len(near)
		for _, h := range hits {
			if near[h.Row] {
				found++
			}
		}
	}
	if wanted == 0 {
		return 1
	}
	return float64(found) / float64(wanted)
}

// residentMB returns the memory this process occupies, 0 where the system does not
// say.
func residentMB() float64 {
	debug.FreeOSMemory()
	raw, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(raw))
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseFloat(fields[1], 64)
	return pages * float64(os.Getpagesize()) / 1e6
}
