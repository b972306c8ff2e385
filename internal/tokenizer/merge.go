package tokenizer

// merger holds the working memory of merging one word.
type merger struct {
	symbols []mergeSymbol
	links   []link
	queue   []candidate
	found   []wordToken
}

// mergeSymbol is a symbol that covers word[start:end]; rank is that of its
// merge with the next one, while a short word is merged.
type mergeSymbol struct {
	id         int32
	start, end int32
	rank       uint32
}

// shortWord is the longest word, in symbols, that is merged by scanning for the
// best pair each time, which is quadratic but quick; longer ones use a heap.
// The two give equal results.
const shortWord = 48

// merge merges m.symbols until no adjacent pair has a merge, the
// earliest-learned merge first and the leftmost of equal ones. The result is
// valid until the next call.
func (m *merger) merge(pairs *pairTable) []mergeSymbol {
	if len(m.symbols) < 2 {
		return m.symbols
	}
	if len(m.symbols) <= shortWord {
		return m.scan(pairs)
	}
	return m.heap(pairs)
}

// scan merges a short word.
func (m *merger) scan(pairs *pairTable) []mergeSymbol {
	s := m.symbols
	for i := range s[1:] {
		s[i].rank = pairs.find(s[i].id, s[i+1].id).rank
	}
	s[len(s)-1].rank = noRank
	for {
		best := 0
		for i := range s {
			if s[i].rank < s[best].rank {
				best = i
			}
		}
		if s[best].rank == noRank {
			return s
		}
		s[best].id = pairs.find(s[best].id, s[best+1].id).merged
		s[best].end = s[best+1].end
		s = append(s[:best+1], s[best+2:]...)
		s[best].rank = noRank
		if best+1 < len(s) {
			s[best].rank = pairs.find(s[best].id, s[best+1].id).rank
		}
		if best > 0 {
			s[best-1].rank = pairs.find(s[best-1].id, s[best].id).rank
		}
	}
}

// link chains the symbols of a long word, -1 at the ends. A symbol that has
// been merged into the one before it has end == start.
type link struct{ prev, next int32 }

// candidate is a pair in the heap: the symbols at left and its next one, which
// merge to id if they still are what they were, which ends tells.
type candidate struct {
	rank          uint32
	id            int32
	left          int32
	middle, right int32 // where the two symbols ended
}

func (c candidate) before(d candidate) bool {
	return c.rank < d.rank || c.rank == d.rank && c.left < d.left
}

// heap merges a word of any length in n·log n.
func (m *merger) heap(pairs *pairTable) []mergeSymbol {
	s := m.symbols
	m.links, m.queue = m.links[:0], m.queue[:0]
	for i := range s {
		m.links = append(m.links, link{int32(i - 1), int32(i + 1)})
	}
	m.links[len(s)-1].next = -1
	for i := range s {
		m.offer(pairs, int32(i))
	}
	for len(m.queue) > 0 {
		c := m.pop()
		left, after := &s[c.left], &m.links[c.left]
		if after.next < 0 || left.end != c.middle || left.start == left.end || s[after.next].end != c.right {
			continue // one of the two has been merged since
		}
		right := &s[after.next]
		left.id, left.end, after.next = c.id, right.end, m.links[after.next].next
		right.end = right.start
		if after.next >= 0 {
			m.links[after.next].prev = c.left
		}
		m.offer(pairs, after.prev)
		m.offer(pairs, c.left)
	}
	out := s[:0]
	for i := int32(0); i >= 0; i = m.links[i].next {
		out = append(out, s[i])
	}
	return out
}

// offer pushes the pair that starts at symbol i, if it has a merge.
func (m *merger) offer(pairs *pairTable, i int32) {
	if i < 0 || m.links[i].next < 0 {
		return
	}
	left, right := &m.symbols[i], &m.symbols[m.links[i].next]
	e := pairs.find(left.id, right.id)
	if e.rank == noRank {
		return
	}
	m.push(candidate{e.rank, e.merged, i, left.end, right.end})
}

func (m *merger) push(c candidate) {
	m.queue = append(m.queue, c)
	q := m.queue
	i := len(q) - 1
	for i > 0 {
		parent := (i - 1) / 2
		if !c.before(q[parent]) {
			break
		}
		q[i] = q[parent]
		i = parent
	}
	q[i] = c
}

func (m *merger) pop() candidate {
	q := m.queue
	top, last := q[0], q[len(q)-1]
	q = q[:len(q)-1]
	m.queue = q
	i := 0
	for {
		child := 2*i + 1
		if child >= len(q) {
			break
		}
		if child+1 < len(q) && q[child+1].before(q[child]) {
			child++
		}
		if !q[child].before(last) {
			break
		}
		q[i] = q[child]
		i = child
	}
	if len(q) > 0 {
		q[i] = last
	}
	return top
}
