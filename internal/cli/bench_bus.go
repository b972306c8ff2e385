package cli

import (
	"encoding/binary"
	"time"

	"github.com/ragstone/ragstone/internal/kernel"
)

// memoryBus is memory to be read from end to end, as weights are for every token
// and on pages of the same size. How fast that goes bounds how fast a model that
// does not fit the processor's caches can decode.
type memoryBus struct {
	pool   *kernel.Pool
	slab   *kernel.Slab
	memory []byte
	sum    uint64 // keeps the reads from being dropped
}

// newMemoryBus makes and fills that much memory. Close it.
func newMemoryBus(bytes int64, pool *kernel.Pool) (*memoryBus, error) {
	slab, err := kernel.NewSlab(bytes)
	if err != nil {
		return nil, err
	}
	m := &memoryBus{pool: pool, slab: slab, memory: slab.Take(int(bytes))}
	for i := range m.memory {
		m.memory[i] = byte(i)
	}
	return m, nil
}

func (m *memoryBus) close() { m.slab.Free() }

// read reads all of it some times, on all threads, and returns the seconds each
// took.
func (m *memoryBus) read(times int) []float64 {
	const pieces = 64
	var sums [pieces]uint64
	var took []float64
	for range times {
		start := time.Now()
		m.pool.Run(pieces, func(i int) {
			sums[i] = sumWords(m.memory[i*len(m.memory)/pieces : (i+1)*len(m.memory)/pieces])
		})
		took = append(took, time.Since(start).Seconds())
	}
	for _, s := range sums {
		m.sum += s
	}
	return took
}

// sumWords reads memory in words, several streams of additions at a time.
func sumWords(b []byte) uint64 {
	var s0, s1, s2, s3 uint64
	for ; len(b) >= 64; b = b[64:] {
		line := b[:64]
		s0 += binary.LittleEndian.Uint64(line) + binary.LittleEndian.Uint64(line[8:])
		s1 += binary.LittleEndian.Uint64(line[16:]) + binary.LittleEndian.Uint64(line[24:])
		s2 += binary.LittleEndian.Uint64(line[32:]) + binary.LittleEndian.Uint64(line[40:])
		s3 += binary.LittleEndian.Uint64(line[48:]) + binary.LittleEndian.Uint64(line[56:])
	}
	return s0 + s1 + s2 + s3
}
