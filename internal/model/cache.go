package model

import (
	"fmt"
	"runtime"
	"slices"

	"github.com/ragstone/ragstone/internal/kernel"
)

// Cache holds the keys and values of one sequence: everything the model has to
// remember of it. It lies in blocks of 32 tokens, which forks share until one
// of them writes. The decoder's rule holds here too: one goroutine at a time.
type Cache struct {
	decoder *Decoder
	blocks  []*cacheBlock
	length  int
}

// cacheBlock is the keys and values of 32 tokens: a page for each layer and
// key-value head, layer after layer.
type cacheBlock struct {
	refs int // caches that hold the block; more than one means read-only
	data []uint16
}

// NewCache returns the cache of an empty sequence. It takes no memory yet.
func (d *Decoder) NewCache() *Cache { return &Cache{decoder: d} }

// Len returns the number of tokens.
func (c *Cache) Len() int { return c.length }

// Fork returns a cache with the same tokens, sharing their memory: a block is
// copied when one of the two appends to it while the other still holds it.
func (c *Cache) Fork() *Cache {
	f := &Cache{decoder: c.decoder, length: c.length, blocks: append([]*cacheBlock(nil), c.blocks...)}
	for _, b := range f.blocks {
		b.refs++
	}
	return f
}

// Truncate keeps the first n tokens; n must not be negative or more than Len.
func (c *Cache) Truncate(n int) {
	if n < 0 || n > c.length {
		panic(fmt.Sprintf("model.Cache.Truncate: %d of %d tokens", n, c.length))
	}
	c.length = n
	c.release((n + kernel.PageTokens - 1) / kernel.PageTokens)
}

// Free gives the cache's memory back. The cache is empty then and may be used
// again; freeing twice is fine.
func (c *Cache) Free() { c.Truncate(0) }

// release drops the blocks from the n-th on.
func (c *Cache) release(n int) {
	for i := n; i < len(c.blocks); i++ {
		b := c.blocks[i]
		c.blocks[i] = nil
		if b.refs--; b.refs == 0 {
			c.decoder.free = append(c.decoder.free, b)
		}
	}
	c.blocks = c.blocks[:min(n, len(c.blocks))]
}

// grow makes the next n tokens' places exist and be the cache's own to write.
// Len stays.
func (c *Cache) grow(n int) error {
	if last := c.length / kernel.PageTokens; last < len(c.blocks) && c.blocks[last].refs > 1 {
		shared := c.blocks[last]
		own, err := c.decoder.newBlock()
		if err != nil {
			return err
		}
		copy(own.data, shared.data)
		shared.refs--
		c.blocks[last] = own
	}
	for len(c.blocks)*kernel.PageTokens < c.length+n {
		b, err := c.decoder.newBlock()
		if err != nil {
			return err
		}
		c.blocks = append(c.blocks, b)
	}
	return nil
}

// cacheSlab is the least memory that is asked of the system for blocks at a
// time: a few huge pages.
const cacheSlab = 8 << 20

// newBlock takes a free block; if there is none, it makes a slab of them. Blocks
// stay with the decoder: what one sequence frees the next one uses.
func (d *Decoder) newBlock() (*cacheBlock, error) {
	if len(d.free) == 0 {
		numbers := d.config.blockNumbers()
		size := kernel.SlabSize(2 * int64(numbers))
		n := max(1, cacheSlab/size)
		slab, err := kernel.NewSlab(n * size)
		if err != nil {
			return nil, fmt.Errorf("make room for %d tokens: %w", n*kernel.PageTokens, err)
		}
		runtime.AddCleanup(d, (*kernel.Slab).Free, slab)
		for range n {
			d.free = append(d.free, &cacheBlock{data: slab.TakeHalves(numbers)})
		}
		slices.Reverse(d.free) // the last is taken first
	}
	last := len(d.free) - 1
	b := d.free[last]
	d.free = d.free[:last]
	b.refs = 1
	return b, nil
}

// page returns the page of a block for a layer and a key-value head.
func (d *Decoder) page(b *cacheBlock, layer, head int) []uint16 {
	size := d.config.pageSize()
	at := (layer*d.config.KVHeads + head) * size
	return b.data[at : at+size]
}
