package testenv

import (
	"encoding/binary"
	"encoding/json"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// WriteWeights writes a safetensors file with tensors of some names and shapes, for
// models whose weights a formula makes, so that none need be kept. It is the one of
// `weights` in test/oracle/encoders.py: uniform numbers, as wide as leaves the rows
// of a product about as large as they were; gains are around 1.
func WriteWeights(tb testing.TB, path string, shapes map[string][]int) {
	tb.Helper()
	type entry struct {
		DType   string `json:"dtype"`
		Shape   []int  `json:"shape"`
		Offsets [2]int `json:"data_offsets"`
	}
	header, data := map[string]entry{}, []byte(nil)
	for _, name := range slices.Sorted(maps.Keys(shapes)) {
		begin := len(data)
		for _, v := range hashedWeights(name, shapes[name]) {
			data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
		}
		header[name] = entry{"F32", shapes[name], [2]int{begin, len(data)}}
	}
	head, err := json.Marshal(header)
	if err != nil {
		tb.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		tb.Fatal(err)
	}
	file := slices.Concat(binary.LittleEndian.AppendUint64(nil, uint64(len(head))), head, data)
	if err := os.WriteFile(path, file, 0o600); err != nil {
		tb.Fatal(err)
	}
}

// hashedWeights are a tensor's elements: hashes of its name and of their numbers.
func hashedWeights(name string, shape []int) []float32 {
	seed := uint32(2166136261)
	for _, b := range []byte(name) {
		seed = (seed ^ uint32(b)) * 16777619
	}
	n := 1
	for _, d := range shape {
		n *= d
	}
	values := make([]float32, n)
	for i := range values {
		x := uint32(i)*0x9e3779b9 + seed
		x = (x ^ x>>16) * 0x7feb352d
		x = (x ^ x>>15) * 0x846ca68b
		x ^= x >> 16
		v := float64(x>>8)/(1<<23) - 1
		switch {
		case len(shape) > 1:
			v *= math.Sqrt(3 / float64(shape[1]))
		case strings.HasSuffix(name, "weight"):
			v = 1 + v/2
		default:
			v /= 2
		}
		values[i] = float32(v)
	}
	return values
}
