package index

import "slices"

// near is a candidate for a link.
type near struct {
	distance float32
	node     uint32
}

// before orders by distance, equal ones by node.
func (a near) before(b near) bool {
	return a.distance < b.distance || a.distance == b.distance && a.node < b.node
}

func compareNear(a, b near) int {
	switch {
	case a.before(b):
		return -1
	case b.before(a):
		return 1
	}
	return 0
}

// pruner chooses a node's links among candidates. It serves one goroutine.
//
// The rule is that of the relative neighbourhood graph: a candidate is
// not needed if a chosen link lies nearer to it than the node does, for a walk
// would go there first. Most graphs stop there, with lists half empty. As a block
// of 32 is scored whether full or not, the rule is then relaxed in passes (a
// candidate must be nearer to a link by a growing factor) until the list is full.
type pruner struct {
	builder  *graphBuilder
	occluded []float32 // largest ratio of squared distances seen: to the node over to a link
	compared []int     // links a candidate was compared with
	chosen   []bool
}

var pruneFactors = [...]float32{1, 1.1, 1.2, 1.4, 1.7, 2, 3, 1e30}

// prune appends to links, which is empty, the chosen of candidates: at most as
// many as it has room for, and that many if there are. Candidates are sorted and
// differ.
func (p *pruner) prune(candidates []near, links []uint32) []uint32 {
	n := len(candidates)
	p.occluded = append(p.occluded[:0], make([]float32, n)...)
	p.compared = append(p.compared[:0], make([]int, n)...)
	p.chosen = append(p.chosen[:0], make([]bool, n)...)
	for _, factor := range pruneFactors {
		for i := 0; i < n && len(links) < cap(links); i++ {
			if p.chosen[i] || p.occluded[i] > factor || p.occludedBy(candidates, i, links, factor) {
				continue
			}
			p.chosen[i] = true
			links = append(links, candidates[i].node)
		}
	}
	return links
}

// occludedBy compares a candidate with the links it was not compared with yet.
func (p *pruner) occludedBy(candidates []near, i int, links []uint32, factor float32) bool {
	c := candidates[i]
	for ; p.compared[i] < len(links); p.compared[i]++ {
		if p.occluded[i] > factor {
			return true
		}
		between := p.builder.distance(c.node, links[p.compared[i]])
		p.occluded[i] = max(p.occluded[i], c.distance/max(between, 1e-30))
	}
	return p.occluded[i] > factor
}

// sortNear sorts and drops repeated nodes.
func sortNear(candidates []near) []near {
	slices.SortFunc(candidates, compareNear)
	return slices.CompactFunc(candidates, func(a, b near) bool { return a.node == b.node })
}
