package lexical

import (
	"encoding/binary"
	"math"
)

// noDocument is where a cursor stands after its last posting.
const noDocument = math.MaxInt

// cursor walks the postings of one term in order of documents. It starts
// before the first.
type cursor struct {
	doc int // current document, or noDocument

	rest []byte // encoded blocks after the current one
	left int    // postings in rest
	size int    // documents in the index

	// The current block: its last document, the bound of its factors, and its
	// postings, decoded when the first of them is asked for.
	last    int
	bound   float32
	before  int    // last document of the block ahead
	payload []byte // not yet decoded; nil once it is
	n, at   int    // postings in the block, index of the current one
	docs    [blockSize]uint32
	tfs     [blockSize]uint32
}

func newCursor(x *Index, t int) *cursor {
	end := uint64(len(x.lists))
	if t+1 < len(x.terms) {
		end = x.terms[t+1].list
	}
	return &cursor{
		doc:  -1,
		last: -1,
		rest: x.lists[x.terms[t].list:end],
		left: int(x.terms[t].count),
		size: len(x.lengths),
	}
}

// tf returns how often the current document holds the term.
func (c *cursor) tf() uint32 { return c.tfs[c.at] }

// next moves to the next document.
func (c *cursor) next() { c.seek(c.doc + 1) }

// seek moves to the first document at or after target, which must not lie
// before the current one.
func (c *cursor) seek(target int) {
	if c.doc >= target {
		return
	}
	c.seekBlock(target)
	if c.doc == noDocument {
		return
	}
	if c.payload != nil && !c.decode() {
		c.end()
		return
	}
	for int(c.docs[c.at]) < target {
		c.at++
	}
	c.doc = int(c.docs[c.at])
}

// seekBlock moves to the block that holds the first document at or after
// target, without decoding it: last and bound are then that block's.
func (c *cursor) seekBlock(target int) {
	for c.last < target {
		if !c.nextBlock() {
			c.end()
			return
		}
	}
}

// end leaves the cursor after the last posting.
func (c *cursor) end() {
	c.doc, c.last, c.payload, c.bound = noDocument, noDocument, nil, 0
}

// nextBlock reads the header of the next block; false means there is none, or
// it is damaged.
func (c *cursor) nextBlock() bool {
	if c.left == 0 {
		return false
	}
	distance, n := binary.Uvarint(c.rest)
	if n <= 0 || distance == 0 || distance > uint64(c.size-1-c.last) {
		return false
	}
	size, m := binary.Uvarint(c.rest[n:])
	head := n + m + 4
	if m <= 0 || head > len(c.rest) || size > uint64(len(c.rest)-head) {
		return false
	}
	c.before = c.last
	c.last += int(distance)
	c.bound = math.Float32frombits(binary.LittleEndian.Uint32(c.rest[head-4:]))
	c.payload = c.rest[head : head+int(size)]
	c.rest = c.rest[head+int(size):]
	c.n = min(blockSize, c.left)
	c.left -= c.n
	c.at = 0
	return true
}

// decode unpacks the current block; false means it is damaged.
func (c *cursor) decode() bool {
	data, doc := c.payload, c.before
	for i := range c.n {
		distance, n := binary.Uvarint(data)
		if n <= 0 || distance>>1 == 0 || distance>>1 > uint64(c.last-doc) {
			return false
		}
		data = data[n:]
		doc += int(distance >> 1)
		tf := uint64(1)
		if distance&1 == 0 {
			if tf, n = binary.Uvarint(data); n <= 0 || tf == 0 || tf > math.MaxUint32 {
				return false
			}
			data = data[n:]
		}
		c.docs[i], c.tfs[i] = uint32(doc), uint32(tf)
	}
	c.payload = nil
	return len(data) == 0 && doc == c.last
}
