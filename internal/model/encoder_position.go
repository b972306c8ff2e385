package model

import (
	"math"
	"sync"

	"github.com/ragstone/ragstone/internal/kernel"
)

// prepare computes what follows from the weights and the shape.
func (e *Encoder) prepare() {
	c := &e.config
	if c.Buckets > 0 {
		e.nearness = c.nearness(e.distances)
	}
	if c.Rotary != nil {
		e.rotary = map[float64]*rotaryTable{}
		for _, base := range c.Rotary {
			if e.rotary[base] == nil {
				e.rotary[base] = newRotaryTable(base, c.HeadSize)
			}
		}
	}
	if !c.RMSNorm && !c.biases.norm { // a layer normalisation's bias may be left out
		zero := make([]float32, c.Width)
		norms := []*layerNorm{&e.first, &e.final}
		for i := range e.layers {
			norms = append(norms, &e.layers[i].attended, &e.layers[i].output)
		}
		if e.head != nil {
			norms = append(norms, &e.head.norm)
		}
		for _, n := range norms {
			n.bias = zero
		}
	}
}

// nearness lists by head what attention adds at each distance j−i, from
// 1−Positions on, before it scales the scores.
func (c *EncoderConfig) nearness(distances []float32) [][]float32 {
	scale := float32(math.Sqrt(float64(c.HeadSize)))
	byHead := make([][]float32, c.Heads)
	for h := range byHead {
		byHead[h] = make([]float32, 2*c.Positions-1)
		for i := range byHead[h] {
			byHead[h][i] = distances[distanceBucket(i-c.Positions+1)*c.Heads+h] * scale
		}
	}
	return byHead
}

// distanceBucket returns the bucket of a distance, of 32 as T5 has them (Raffel
// et al. 2020, section 2.1): half for each direction; in each, distances up to 8
// have their own, and those up to 128 share the rest logarithmically. MPNet
// counts forward distances in the upper half.
func distanceBucket(distance int) int {
	const half, alone, farthest = 16, 8, 128
	bucket := 0
	if distance > 0 {
		bucket = half
	} else {
		distance = -distance
	}
	if distance < alone {
		return bucket + distance
	}
	// In float32, like the library that the models were trained with.
	share := float32(math.Log(float64(float32(distance)/alone))) / float32(math.Log(farthest/alone))
	return bucket + min(half-1, alone+int(share*(half-alone)))
}

// rotaryTable is the angles of rotary embeddings with one base. It grows with
// the longest sequence, and is safe for concurrent use.
type rotaryTable struct {
	frequencies []float64

	mu       sync.Mutex // guards what follows; slices handed out never change
	cos, sin []float32  // position after position
}

// newRotaryTable makes the table of heads of some size (Su et al. 2021, equation 15).
func newRotaryTable(base float64, size int) *rotaryTable {
	t := &rotaryTable{frequencies: make([]float64, size/2)}
	for i := range t.frequencies {
		t.frequencies[i] = math.Pow(base, -2*float64(i)/float64(size))
	}
	return t
}

// upTo returns the angles of at least the first count positions.
func (t *rotaryTable) upTo(count int) (cos, sin []float32) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := len(t.frequencies)
	if have := len(t.cos) / n; have < count {
		count = max(count, 2*have)
		cos, sin := make([]float32, count*n), make([]float32, count*n)
		copy(cos, t.cos)
		copy(sin, t.sin)
		for i := have; i < count; i++ {
			kernel.RotaryAngles(cos[i*n:][:n], sin[i*n:][:n], i, t.frequencies)
		}
		t.cos, t.sin = cos, sin
	}
	return t.cos, t.sin
}
