package index

// insert links a new node whose vector is in place.
func (h *HNSW) insert(node uint32, level int) {
	entry, top := h.top()
	s := h.builder
	s.query = append(s.query[:0], h.store.vector(node)...)
	if top >= 0 {
		s.reset(h.Len() + 1)
		start := s.descend(entry, top, level)
		for l := min(top, level); l >= 0; l-- {
			start = h.connect(s, node, start, l)
		}
	}
	h.store.publish()
	if level > top {
		h.entry.Store(uint64(node)<<32 | uint64(level+1))
	}
}

// top returns the entry and its level, −1 if there is none.
func (h *HNSW) top() (entry uint32, level int) {
	e := h.entry.Load()
	return uint32(e >> 32), int(e&0xffffffff) - 1
}

// connect chooses a node's links on a level, links back, and returns the nearest
// node found.
func (h *HNSW) connect(s *hnswSearch, node uint32, start near, level int) near {
	s.walk(start, level, h.options.EFConstruction)
	candidates := h.kept[:0]
	for i := 0; ; i++ {
		other, distance, ok := s.candidates.At(i)
		if !ok {
			break
		}
		candidates = append(candidates, near{distance, other})
	}
	h.kept = candidates
	nearest := candidates[0]
	chosen := h.choose(candidates, h.options.M)
	h.store.links(node, level).set(chosen)
	for _, c := range chosen {
		h.linkBack(c, node, level)
	}
	return nearest
}

// choose keeps those candidates, sorted, that lie nearer to the node than to any
// chosen one; at most m. It works in place.
func (h *HNSW) choose(candidates []near, m int) []near {
	chosen := candidates[:0]
	for _, c := range candidates {
		if len(chosen) == m {
			break
		}
		if !h.occluded(c, chosen) {
			chosen = append(chosen, c)
		}
	}
	return chosen
}

func (h *HNSW) occluded(c near, chosen []near) bool {
	v := h.store.vector(c.node)
	for _, other := range chosen {
		if h.distance(v, h.store.vector(other.node)) < c.distance {
			return true
		}
	}
	return false
}

// linkBack adds a link to node to the list of c, and chooses anew if it is full.
func (h *HNSW) linkBack(c near, node uint32, level int) {
	links := h.store.links(c.node, level)
	if !links.full() {
		links.add(node)
		return
	}
	v := h.store.vector(c.node)
	all := append(make([]near, 0, len(links)), near{c.distance, node})
	for _, other := range links.read(nil) {
		all = append(all, near{h.distance(v, h.store.vector(other)), other})
	}
	links.set(h.choose(sortNear(all), len(links)-1))
}
