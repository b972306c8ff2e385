package index

const (
	prunedCandidates = 256 // nearest candidates that links are chosen from
	reverseMost      = 512 // the same with links from others
)

// refine chooses every node's links anew, among what a search for it in the
// present graph reaches; then it adds the links' reverses and chooses again.
func (b *graphBuilder) refine() {
	g := b.graph
	forward := b.emptyLinks()
	b.each(g.nodes, func(from, to int) {
		s, p := g.newSearch(), pruner{builder: b}
		var candidates []near
		for node := from; node < to; node++ {
			candidates = b.candidates(s, uint32(node), candidates[:0])
			forward[node] = p.prune(candidates[:min(len(candidates), prunedCandidates)], forward[node])
		}
	})
	reverse := reversed(forward)
	b.links = b.emptyLinks()
	b.each(g.nodes, func(from, to int) {
		p := pruner{builder: b}
		var candidates []near
		for node := from; node < to; node++ {
			candidates = candidates[:0]
			for _, list := range [2][]uint32{forward[node], reverse[node]} {
				for _, other := range list {
					candidates = append(candidates, near{b.distance(uint32(node), other), other})
				}
			}
			candidates = sortNear(candidates)
			b.links[node] = p.prune(candidates[:min(len(candidates), reverseMost)], b.links[node])
		}
	})
}

// candidates appends what a search for a node reaches and its present links.
func (b *graphBuilder) candidates(s *graphSearch, node uint32, list []near) []near {
	copy(s.query, b.vector(node))
	s.prepare()
	s.walk(b.options.EFConstruction)
	for _, r := range s.reached {
		if r.node != node {
			list = append(list, near{r.distance, r.node})
		}
	}
	for _, other := range b.links[node] {
		if s.seen[other>>6]>>(other&63)&1 == 0 {
			list = append(list, near{b.distance(node, other), other})
		}
	}
	return sortNear(list)
}

// reversed returns for every node those that link to it, in order.
func reversed(links [][]uint32) [][]uint32 {
	counts := make([]int, len(links)+1)
	for _, list := range links {
		for _, to := range list {
			counts[to+1]++
		}
	}
	for i := range links {
		counts[i+1] += counts[i]
	}
	all := make([]uint32, counts[len(links)])
	reverse := make([][]uint32, len(links))
	for i := range reverse {
		reverse[i] = all[counts[i]:counts[i]:counts[i+1]]
	}
	for from, list := range links {
		for _, to := range list {
			reverse[to] = append(reverse[to], uint32(from))
		}
	}
	return reverse
}

// unreachable returns nodes from which a walk gets to all nodes that it does not
// get to from the sampled entries: one for each separate cluster.
func (b *graphBuilder) unreachable() (more []uint32) {
	reachedBy := make([]bool, b.graph.nodes)
	var stack []uint32
	visit := func(start uint32) {
		stack = append(stack[:0], start)
		reachedBy[start] = true
		for len(stack) > 0 {
			node := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			for _, next := range b.links[node] {
				if !reachedBy[next] {
					reachedBy[next] = true
					stack = append(stack, next)
				}
			}
		}
	}
	for _, entry := range b.sample() {
		if !reachedBy[entry] {
			visit(entry)
		}
	}
	for node := range reachedBy {
		if !reachedBy[node] {
			more = append(more, uint32(node))
			visit(uint32(node))
		}
	}
	return more
}
