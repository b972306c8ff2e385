package tokenizer

// merger holds the working memory of merging one word.
type merger struct {
	symbols []mergeSymbol
	queue   []candidate
}

// mergeSymbol is a symbol that covers word[start:end]. While it is in a list,
// next and prev link it, -1 at the ends; end == start marks a merged one.
type mergeSymbol struct {
	id         int32
	start, end int
	prev, next int
}

// shortWord is the longest word that is merged by scanning for the best pair
// each time, which is quadratic but quick; longer ones use a heap. The two
// give equal results.
const shortWord = 48

// merge merges the bytes of a word until no adjacent pair has a merge, the
// earliest-learned merge first and the leftmost of equal ones. The result is
// valid until the next call.
func (m *merger) merge(b *bpe, word string) []mergeSymbol {
	m.symbols = m.symbols[:0]
	if len(word) <= shortWord {
		return m.scan(b, word)
	}
	return m.heap(b, word)
}

// shortSymbol is a symbol of a short word. It starts where the one before
// ends; rank is that of its merge with the next one.
type shortSymbol struct {
	id, end int32
	rank    uint32
}

// scan merges a short word.
func (m *merger) scan(b *bpe, word string) []mergeSymbol {
	var symbols [shortWord]shortSymbol
	s := symbols[:len(word)]
	for i := range s {
		s[i] = shortSymbol{b.bytes[word[i]], int32(i + 1), noRank}
		if i > 0 {
			s[i-1].rank = b.pairs.find(s[i-1].id, s[i].id).rank
		}
	}
	for {
		best := 0
		for i := range s {
			if s[i].rank < s[best].rank {
				best = i
			}
		}
		if s[best].rank == noRank {
			break
		}
		s[best].id = b.pairs.find(s[best].id, s[best+1].id).merged
		s[best].end = s[best+1].end
		s = append(s[:best+1], s[best+2:]...)
		s[best].rank = noRank
		if best+1 < len(s) {
			s[best].rank = b.pairs.find(s[best].id, s[best+1].id).rank
		}
		if best > 0 {
			s[best-1].rank = b.pairs.find(s[best-1].id, s[best].id).rank
		}
	}
	start := 0
	for _, x := range s {
		m.symbols = append(m.symbols, mergeSymbol{id: x.id, start: start, end: int(x.end)})
		start = int(x.end)
	}
	return m.symbols
}

// candidate is a pair in the heap: the symbols at left and its next one, which
// merge to id if they still are what they were, which ends tells.
type candidate struct {
	rank          uint32
	id            int32
	left          int
	middle, right int // where the two symbols ended
}

func (c candidate) before(d candidate) bool {
	return c.rank < d.rank || c.rank == d.rank && c.left < d.left
}

// heap merges a word of any length in n·log n.
func (m *merger) heap(b *bpe, word string) []mergeSymbol {
	for i := range len(word) {
		m.symbols = append(m.symbols, mergeSymbol{id: b.bytes[word[i]], start: i, end: i + 1, prev: i - 1, next: i + 1})
	}
	s, pairs := m.symbols, &b.pairs
	s[len(s)-1].next = -1
	m.queue = m.queue[:0]
	for i := range s {
		m.offer(pairs, i)
	}
	for len(m.queue) > 0 {
		c := m.pop()
		left := &s[c.left]
		if left.next < 0 || left.end != c.middle || left.start == left.end || s[left.next].end != c.right {
			continue // one of the two has been merged since
		}
		right := &s[left.next]
		left.id, left.end, left.next = c.id, right.end, right.next
		right.end = right.start
		if left.next >= 0 {
			s[left.next].prev = c.left
		}
		m.offer(pairs, left.prev)
		m.offer(pairs, c.left)
	}
	out := s[:0]
	for i := 0; i >= 0; {
		next := s[i].next
		out = append(out, s[i])
		i = next
	}
	return out
}

// offer pushes the pair that starts at symbol i, if it has a merge.
func (m *merger) offer(pairs *pairTable, i int) {
	if i < 0 || m.symbols[i].next < 0 {
		return
	}
	left, right := &m.symbols[i], &m.symbols[m.symbols[i].next]
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
