package index

import (
	"sync/atomic"
	"unsafe"
)

// nodeStore holds nodes in chunks that never move, so that readers need no lock:
// a reader sees a node only after everything of it was written, because its number
// reaches the reader through an atomic word (a link, the entry or the length).
type nodeStore struct {
	dimensions, m int
	chunks        atomic.Pointer[[]*nodeChunk] // replaced whole when one is added
	length        atomic.Int64
	bytes         atomic.Int64
}

const (
	chunkBits  = 10
	chunkNodes = 1 << chunkBits
)

// nodeChunk is what belongs to 1024 nodes.
type nodeChunk struct {
	vectors []float32
	base    []uint32             // links on level 0: a count, then room for 2m, a node
	upper   [chunkNodes][]uint32 // links on higher levels, from 1 up: a count, then room for m
	gone    [chunkNodes / 32]atomic.Uint32
}

func (s *nodeStore) shape(dimensions, m int) {
	s.dimensions, s.m = dimensions, m
	s.chunks.Store(new([]*nodeChunk))
}

func (s *nodeStore) len() int { return int(s.length.Load()) }

func (s *nodeStore) chunk(node uint32) (*nodeChunk, int) {
	return (*s.chunks.Load())[node>>chunkBits], int(node & (chunkNodes - 1))
}

// grow makes room for a node without links. Its number counts only once publish
// was called.
func (s *nodeStore) grow(level int) uint32 {
	node := uint32(s.len())
	if node&(chunkNodes-1) == 0 {
		s.addChunk(make([]float32, chunkNodes*s.dimensions))
		s.bytes.Add(4 * int64(chunkNodes*s.dimensions))
	}
	s.setLevel(node, level)
	return node
}

// addChunk adds a chunk over these vectors.
func (s *nodeStore) addChunk(vectors []float32) {
	c := &nodeChunk{vectors: vectors, base: make([]uint32, chunkNodes*(2*s.m+1))}
	s.bytes.Add(4*int64(len(c.base)) + int64(unsafe.Sizeof(*c)))
	old := *s.chunks.Load()
	chunks := append(old[:len(old):len(old)], c)
	s.chunks.Store(&chunks)
}

func (s *nodeStore) setLevel(node uint32, level int) {
	if level > 0 {
		c, i := s.chunk(node)
		c.upper[i] = make([]uint32, level*(s.m+1))
		s.bytes.Add(4 * int64(len(c.upper[i])))
	}
}

// publish makes the last node count.
func (s *nodeStore) publish() { s.length.Add(1) }

func (s *nodeStore) vector(node uint32) []float32 {
	c, i := s.chunk(node)
	return c.vectors[i*s.dimensions : (i+1)*s.dimensions : (i+1)*s.dimensions]
}

func (s *nodeStore) level(node uint32) int {
	c, i := s.chunk(node)
	return len(c.upper[i]) / (s.m + 1)
}

// linkList is a node's links on one level: a count and room. One goroutine writes;
// others read at the same time, and may see a list that is half old, half new.
type linkList []uint32

func (s *nodeStore) links(node uint32, level int) linkList {
	c, i := s.chunk(node)
	if level == 0 {
		size := 2*s.m + 1
		return c.base[i*size : (i+1)*size]
	}
	size := s.m + 1
	if level*size > len(c.upper[i]) {
		return nil // a reader that came by a link of another level: cannot be
	}
	return c.upper[i][(level-1)*size : level*size]
}

// read appends the links to a slice.
func (l linkList) read(to []uint32) []uint32 {
	if len(l) == 0 {
		return to
	}
	for i := range l[1 : 1+min(int(atomic.LoadUint32(&l[0])), len(l)-1)] {
		to = append(to, atomic.LoadUint32(&l[1+i]))
	}
	return to
}

func (l linkList) len() int   { return int(l[0]) }
func (l linkList) full() bool { return l.len() == len(l)-1 }

// add appends a link to a list that is not full.
func (l linkList) add(node uint32) {
	atomic.StoreUint32(&l[1+l.len()], node)
	atomic.StoreUint32(&l[0], l[0]+1)
}

// set replaces the links by these.
func (l linkList) set(links []near) {
	for i, x := range links {
		atomic.StoreUint32(&l[1+i], x.node)
	}
	atomic.StoreUint32(&l[0], uint32(len(links)))
}

func (s *nodeStore) deleted(node uint32) bool {
	c, i := s.chunk(node)
	return c.gone[i/32].Load()>>(i%32)&1 != 0
}

// markDeleted reports whether the node was not deleted before.
func (s *nodeStore) markDeleted(node uint32) bool {
	c, i := s.chunk(node)
	bit := uint32(1) << (i % 32)
	return c.gone[i/32].Or(bit)&bit == 0
}
