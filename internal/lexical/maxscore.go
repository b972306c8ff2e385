package lexical

import (
	"cmp"
	"slices"
)

// maxScore is one search. Its sources are sorted by bound, lowest first. While
// the k-th best score so far is at least reach[i], a document that holds only
// terms of sources 0 to i cannot enter, so only the others, from essential on,
// bring up candidates.
type maxScore struct {
	sources   []source
	reach     []float64 // reach[i] is the sum of bounds of sources 0 to i
	essential int
	norms     []float64
	parts     []float64 // contributions to the current document, by place in the question

	k         int
	best      []Hit
	threshold float64 // a score must exceed it to enter; documents come in order, so ties lose
}

// slack covers the rounding of sums taken in different orders: bounds are
// raised by it, so that pruning never drops a document exact scoring keeps.
const slack = 1 + 1e-9

func newMaxScore(sources []source, norms []float64, k int) *maxScore {
	s := &maxScore{sources: sources, norms: norms, k: k, parts: make([]float64, len(sources))}
	slices.SortFunc(s.sources, func(a, b source) int {
		return cmp.Or(cmp.Compare(a.bound, b.bound), cmp.Compare(a.order, b.order))
	})
	sum := 0.0
	for _, source := range s.sources {
		source.next()
		sum += source.bound * slack
		s.reach = append(s.reach, sum)
	}
	return s
}

// nextCandidate returns the first document at which an essential source
// stands.
func (s *maxScore) nextCandidate() int {
	doc := noDocument
	for _, source := range s.sources[s.essential:] {
		doc = min(doc, source.doc)
	}
	return doc
}

// consider scores a document, gives up as soon as it cannot enter, and moves
// the essential sources past it.
func (s *maxScore) consider(doc int) {
	clear(s.parts)
	sum := 0.0
	for i := s.essential; i < len(s.sources); i++ {
		if source := &s.sources[i]; source.doc == doc {
			sum += s.add(source)
			source.next()
		}
	}
	for i := s.essential - 1; i >= 0; i-- {
		if sum*slack+s.reach[i] <= s.threshold {
			return
		}
		source := &s.sources[i]
		source.seekBlock(doc)
		others := 0.0
		if i > 0 {
			others = s.reach[i-1]
		}
		if (sum+source.raised*float64(source.cursor.bound))*slack+others <= s.threshold {
			return
		}
		if source.seek(doc); source.doc == doc {
			sum += s.add(source)
		}
	}
	s.enter(doc)
}

// add notes and returns the contribution of a source to its current document.
func (s *maxScore) add(source *source) float64 {
	part := source.weight * factor(source.tf(), s.norms[source.doc])
	s.parts[source.order] = part
	return part
}

// enter puts a document among the best if its score is high enough.
func (s *maxScore) enter(doc int) {
	score := 0.0
	for _, part := range s.parts {
		score += part
	}
	if score <= s.threshold {
		return
	}
	hit := Hit{doc, score}
	at, _ := slices.BinarySearchFunc(s.best, hit, compareHits)
	if len(s.best) == s.k {
		s.best = s.best[:s.k-1]
	}
	s.best = slices.Insert(s.best, at, hit)
	if len(s.best) < s.k {
		return
	}
	s.threshold = s.best[s.k-1].Score
	for s.essential < len(s.sources) && s.reach[s.essential] <= s.threshold {
		s.essential++
	}
}
