package tokenizer

import (
	"math"
	"unicode/utf8"
)

// unigram is the unigram language model (Kudo 2018): of all ways to cut a word
// into tokens it takes the one with the highest sum of scores, which are
// log-probabilities, by Viterbi's algorithm.
type unigram struct {
	trie   trie
	scores []float64

	// unknown is the token of a character that no token starts and ends with,
	// and of a run of such; its score is unknownScore.
	unknown      int32
	unknownScore float64

	// bytes are the tokens of each byte, which stand in for the unknown token;
	// nil: they do not.
	bytes *[256]int32
}

// unknownPenalty is how much worse than the worst token an unknown character
// is, as in SentencePiece.
const unknownPenalty = 10

// newUnigram builds the model; usable says which tokens text may become.
func newUnigram(t *Tokenizer, scores []float64, unknown int32, worst float64, usable func(id int32) bool) *unigram {
	u := &unigram{scores: scores, unknown: unknown, unknownScore: worst - unknownPenalty}
	var entries []trieEntry
	for name, id := range t.ids {
		if usable(id) && name != "" {
			entries = append(entries, trieEntry{name, id})
		}
	}
	u.trie = newTrie(entries)
	return u
}

// latticeEnd is the best way to cut a word up to some place.
type latticeEnd struct {
	start int32 // of the last token
	id    int32
	score float64
}

func (u *unigram) word(s *scratch, w aligned) {
	from := len(s.pieces)
	best := u.solve(s, w.text)
	for end := int32(len(w.text)); end > 0; {
		b := best[end]
		src := w.source(int(b.start), int(end))
		last := len(s.pieces) - 1
		if b.id == none { // unknown, and there is no token for that
			end = b.start
			continue
		}
		if b.id == u.unknown && last >= from && s.pieces[last].ID == u.unknown {
			s.pieces[last].Start = src.start
		} else {
			s.pieces = append(s.pieces, Piece{b.id, src.start, src.end})
		}
		end = b.start
	}
	reverse(s.pieces[from:])
	if u.bytes != nil {
		u.fallBack(s, w, from)
	}
}

// solve finds the best way to every place of a word.
func (u *unigram) solve(s *scratch, text string) []latticeEnd {
	best := s.lattice[:0]
	for range len(text) + 1 {
		best = append(best, latticeEnd{start: -1, score: math.Inf(-1)})
	}
	s.lattice = best
	best[0].score = 0
	for at := 0; at < len(text); {
		_, n := utf8.DecodeRuneInString(text[at:])
		here := best[at].score
		single := false
		node := trieRoot
		for end := at; end < len(text); {
			node = u.trie.child(node, text[end])
			if node == trieNone {
				break
			}
			end++
			id := u.trie.value(node)
			if id == none {
				continue
			}
			single = single || end == at+n
			if score := here + u.scores[id]; best[end].start < 0 || score > best[end].score {
				best[end] = latticeEnd{int32(at), id, score}
			}
		}
		if end := at + n; !single {
			if score := here + u.unknownScore; best[end].start < 0 || score > best[end].score {
				best[end] = latticeEnd{int32(at), u.unknown, score}
			}
		}
		at += n
	}
	return best
}

// fallBack replaces the unknown pieces from s.pieces[from] on by those of their
// bytes in the word.
func (u *unigram) fallBack(s *scratch, w aligned, from int) {
	pieces := append([]Piece(nil), s.pieces[from:]...)
	s.pieces = s.pieces[:from]
	end := len(w.text)
	ends := make([]int, 0, len(pieces)) // in the word, from the last piece on
	for end > 0 {
		b := s.lattice[end]
		ends = append(ends, end)
		for end = int(b.start); end > 0 && b.id == u.unknown && s.lattice[end].id == u.unknown; {
			end = int(s.lattice[end].start)
		}
	}
	start := 0
	for i, p := range pieces {
		end := ends[len(ends)-1-i]
		if p.ID != u.unknown {
			s.pieces = append(s.pieces, p)
		} else {
			for ; start < end; start++ {
				src := w.source(start, start+1)
				s.pieces = append(s.pieces, Piece{u.bytes[w.text[start]], src.start, src.end})
			}
		}
		start = end
	}
}

func reverse(pieces []Piece) {
	for i, j := 0, len(pieces)-1; i < j; i, j = i+1, j-1 {
		pieces[i], pieces[j] = pieces[j], pieces[i]
	}
}
