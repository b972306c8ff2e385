package llm

import "math"

// blockTokens is the granularity at which the caches of two sequences share
// memory. It only matters to the accounting.
const blockTokens = 32

// prefixCache keeps the caches of recent prompts, so that a later prompt that
// begins with the same tokens starts where they part.
//
// An entry that was forked from another shares its blocks: it is charged only
// for what it adds and keeps its parent from being evicted, as in the radix
// tree of SGLang (Zheng et al. 2024, section 3). Entries are few, so a look-up
// compares with each instead of walking a tree.
type prefixCache struct {
	limit   int64 // bytes
	bytes   int64 // charged by entries
	entries []*prefixEntry
	clock   uint64
	evicted int64 // entries that gave way
	size    func(tokens int) int64
}

// prefixEntry is a sequence of tokens and its cache.
type prefixEntry struct {
	tokens []int32
	cache  cache
	parent *prefixEntry // whose blocks it shares, or nil
	charge int64
	refs   int    // children and running jobs; evicted only at zero
	used   uint64 // clock of the last use
}

// lookup returns the entry that has most of the first max tokens in common
// with these, and how many.
func (p *prefixCache) lookup(tokens []int32, most int) (*prefixEntry, int) {
	var best *prefixEntry
	longest := 0
	for _, e := range p.entries {
		if n := min(commonPrefix(e.tokens, tokens), most); n > longest {
			best, longest = e, n
		}
	}
	if best != nil {
		p.touch(best)
	}
	return best, longest
}

// touch marks an entry, and what it rests on, as just used.
func (p *prefixCache) touch(e *prefixEntry) {
	p.clock++
	for ; e != nil; e = e.parent {
		e.used = p.clock
	}
}

// insert keeps a fork of the cache of these tokens, which began as a fork of
// the first shared tokens of parent, and returns its entry: an earlier one
// that has all the tokens, or nil where there is no room. room is the memory
// that running jobs leave.
func (p *prefixCache) insert(tokens []int32, c cache, parent *prefixEntry, shared int, room int64) *prefixEntry {
	if e, n := p.lookup(tokens, len(tokens)); n == len(tokens) {
		return e
	}
	charge := p.size(len(tokens))
	if parent != nil {
		parent.refs++ // not to be evicted for its own child
		charge -= p.size(shared / blockTokens * blockTokens)
		defer func() { parent.refs-- }()
	}
	if !p.shrink(min(p.limit, room) - charge) {
		return nil
	}
	e := &prefixEntry{tokens: tokens, cache: c.Fork(), parent: parent, charge: charge}
	if parent != nil {
		parent.refs++
	}
	p.bytes += charge
	p.entries = append(p.entries, e)
	p.touch(e)
	return e
}

// shrink evicts the entries used longest ago until at most limit bytes are
// charged. It reports false, and evicts nothing, when it cannot get there.
func (p *prefixCache) shrink(limit int64) bool {
	if p.bytes <= limit {
		return true
	}
	if limit < p.heldBytes() {
		return false
	}
	for p.bytes > limit {
		p.evict(p.oldest())
	}
	return true
}

// heldBytes is the charge of the entries that running jobs keep from being
// evicted.
func (p *prefixCache) heldBytes() int64 {
	held := map[*prefixEntry]bool{}
	children := map[*prefixEntry]int{}
	for _, e := range p.entries {
		if e.parent != nil {
			children[e.parent]++
		}
	}
	for _, e := range p.entries {
		if e.refs > children[e] {
			for ; e != nil; e = e.parent {
				held[e] = true
			}
		}
	}
	var bytes int64
	for e := range held {
		bytes += e.charge
	}
	return bytes
}

// oldest returns the index of the evictable entry used longest ago.
func (p *prefixCache) oldest() int {
	at, used := -1, uint64(math.MaxUint64)
	for i, e := range p.entries {
		if e.refs == 0 && e.used < used {
			at, used = i, e.used
		}
	}
	return at
}

func (p *prefixCache) evict(at int) {
	e := p.entries[at]
	p.entries = append(p.entries[:at], p.entries[at+1:]...)
	p.bytes -= e.charge
	if e.parent != nil {
		e.parent.refs--
	}
	e.cache.Free()
	e.cache = nil
	p.evicted++
}

// commonPrefix returns the number of tokens with which both sequences begin.
func commonPrefix(a, b []int32) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}
