package kernel

import (
	"fmt"
	"sync/atomic"
	"unsafe"
)

// Slab is a stretch of zeroed memory outside the Go heap, which the garbage
// collector neither scans nor counts. Where the system has them it lies on huge
// pages: weights are read from end to end for every token, and on pages of 4 kB
// the processor looks up addresses half of that time.
//
// Decoding SmolLM2-135M on one busy Zen 4 core took 7.5 ms of CPU a token on
// small pages and 4.2 ms on huge ones.
type Slab struct {
	memory  []byte // from the first multiple of hugePage on
	mapping []byte // what the system gave
	used    atomic.Int64
}

// hugePage is the size and alignment of a huge page on amd64 and arm64.
const hugePage = 2 << 20

// slabAlign is the alignment of what Take returns: a cache line, and a vector
// register.
const slabAlign = 64

// NewSlab asks the system for memory. The caller frees it.
func NewSlab(bytes int64) (*Slab, error) {
	if bytes < 0 || bytes > 1<<46 {
		return nil, fmt.Errorf("map %d bytes of memory: no such amount", bytes)
	}
	mapping, err := mapMemory(int(bytes) + hugePage)
	if err != nil {
		return nil, fmt.Errorf("map %d bytes of memory: %w", bytes, err)
	}
	skip := int(-uintptr(unsafe.Pointer(&mapping[0])) & (hugePage - 1))
	s := &Slab{mapping: mapping, memory: mapping[skip : skip+int(bytes)]}
	if bytes >= hugePage {
		adviseHugePages(s.memory)
	}
	return s, nil
}

// SlabSize returns what Take(n) uses up of a slab.
func SlabSize(n int64) int64 { return (n + slabAlign - 1) &^ (slabAlign - 1) }

// Take returns the next n bytes, at a multiple of 64. It panics when the slab is
// used up. Safe for concurrent use.
func (s *Slab) Take(n int) []byte {
	end := s.used.Add(SlabSize(int64(n)))
	start := end - SlabSize(int64(n))
	if n < 0 || end > SlabSize(int64(len(s.memory))) || start+int64(n) > int64(len(s.memory)) {
		panic(fmt.Sprintf("kernel.Slab.Take: %d bytes at %d of %d", n, start, len(s.memory)))
	}
	return s.memory[start : start+int64(n) : start+int64(n)]
}

// TakeHalves is Take for n half-precision numbers.
func (s *Slab) TakeHalves(n int) []uint16 {
	if n == 0 {
		return nil
	}
	b := s.Take(2 * n)
	return unsafe.Slice((*uint16)(unsafe.Pointer(&b[0])), n)
}

// Free returns the memory to the system: whatever was taken of it must not be
// touched any more. Freeing twice is fine.
func (s *Slab) Free() {
	if s.mapping != nil {
		unmapMemory(s.mapping)
	}
	s.mapping, s.memory = nil, nil
}
