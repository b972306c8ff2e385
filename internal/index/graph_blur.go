package index

// Vectors that lie closer together than half precision can tell are reached by a walk in
// no useful order: it ends with some of them, and the nearest may be among the others.

// halvesError is how far a vector is from its halves, at most about.
const halvesError = spaceReach * 0x1p-12

const (
	// blurReach is the distance below which nodes are not told apart, in halvesError.
	blurReach = 6
	// blurWidth is how much wider a walk is among such nodes.
	blurWidth = 4
)

// blurred reports whether a walk has found k rows that a filter admits closer to the query
// than half precision tells.
func (s *graphSearch) blurred(k int, f *Filter) bool {
	if s.stats.Strategy != StrategyGraph && s.stats.Strategy != StrategyFilteredGraph {
		return false
	}
	const limit = blurReach * blurReach * halvesError * halvesError
	for _, r := range s.reached {
		if r.distance < limit && s.graph.members.admits(r.node, f) {
			if k--; k <= 0 {
				return true
			}
		}
	}
	return false
}

// widen walks again, so much wider that more of such nodes are reached.
func (s *graphSearch) widen(k int, p Params) {
	g := s.graph
	width := int64(p.ef(k)) * blurWidth * int64(g.Len()) / int64(max(1, p.Filter.matches(g.Len())))
	s.forget()
	s.walk(int(min(width, int64(g.nodes))))
	if !s.reaches(min(k, g.nodes), p.Filter) {
		s.scan(g.members.nodes(p.Filter))
	}
}
