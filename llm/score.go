package llm

import (
	"bytes"
	"context"
	"math"
	"slices"

	"github.com/ragstone/ragstone/internal/tokenizer"
)

// scoring is the work of (a part of) one Score request.
type scoring struct {
	roots   []*scoreNode
	ends    []int32 // tokens of ScoreRequest.End; nil for none
	results []Scored
	ended   chan error // gets one value
	usage   Usage

	engine *engine
	job    *job
}

func (s *scoring) path() []int32 { return s.roots[0].path() }

func (s *scoring) start(e *engine, j *job) []strand {
	s.engine, s.job = e, j
	var strands []strand
	for _, root := range s.roots {
		strands = append(strands, s.begin(root, nil)...)
	}
	return strands
}

func (s *scoring) end(err error) { s.ended <- err }

// spent counts a token once, however many sequences have it in common.
func (s *scoring) spent() Usage { return s.usage }

// begin returns the strands that run a node, given that of its parent, which
// has been run, or nil. A node that is among the kept prefixes as a whole has
// nothing to run: its children begin.
func (s *scoring) begin(n *scoreNode, parent *scoreStrand) []strand {
	begun := &scoreStrand{s: s, node: n}
	begun.cache, begun.entry = s.engine.open(s.job, n.path(), min(n.end, n.minPrompt()-1))
	if parent != nil && begun.cache.Len() < parent.node.end {
		begun.cache.Free()
		begun.cache, begun.entry = parent.cache.Fork(), parent.entry
	}
	begun.shared = begun.cache.Len()
	begun.todo = n.path()[begun.shared:]
	s.usage.PromptTokens += len(begun.todo)
	if len(begun.todo) > 0 {
		return []strand{begun}
	}
	defer begun.cache.Free()
	return begun.beginChildren()
}

// scoreStrand runs one node.
type scoreStrand struct {
	feed
	s      *scoring
	node   *scoreNode
	entry  *prefixEntry // its cache began as a fork of
	shared int          // so many tokens of
}

// position returns the index in the whole sequence of todo[i].
func (t *scoreStrand) position(i int) int { return t.node.end - len(t.todo) + i }

func (t *scoreStrand) wants(i int) bool { return t.position(i) >= t.node.minPrompt()-1 }

// read takes the log-probabilities wanted of the token that follows todo[i]:
// of the next token of every sequence, and of the end where a token of the
// continuation has just been read.
func (t *scoreStrand) read(i int, logits []float32, _ *scratch) error {
	norm, err := logSumExp(logits)
	if err != nil {
		return err
	}
	at := t.position(i) + 1
	end := math.NaN() // computed when first wanted
	for _, seq := range t.node.sequences {
		result := t.s.results[seq.item].Tokens
		next := at - seq.prompt
		if next >= 0 && next < len(result) {
			result[next].LogProb = float64(logits[seq.tokens[at]]) - norm
		}
		if next > 0 && t.s.ends != nil {
			if math.IsNaN(end) {
				end = logProbOfAny(logits, t.s.ends, norm)
			}
			result[next-1].EndLogProb = end
		}
	}
	return nil
}

// logProbOfAny is the log-probability that the next token is one of ids.
func logProbOfAny(logits []float32, ids []int32, norm float64) float64 {
	sum := 0.0
	for _, id := range ids {
		sum += math.Exp(float64(logits[id]) - norm)
	}
	return math.Log(sum)
}

func (t *scoreStrand) next() []strand {
	last := t.node.sequences[0].prompt
	if len(t.node.children) > 0 || last > t.shared {
		if entry := t.s.engine.keep(t.s.job, t.node.path(), t.cache, t.entry, t.shared); entry != nil {
			t.entry = entry
		}
	}
	return t.beginChildren()
}

func (t *scoreStrand) beginChildren() []strand {
	var strands []strand
	for _, child := range t.node.children {
		strands = append(strands, t.s.begin(child, t)...)
	}
	return strands
}

// score runs sequences, whose results have their places already, a group
// after the other so that the memory in use stays bounded.
func (e *engine) score(ctx context.Context, req *ScoreRequest, sequences []*scoreSequence, ends []int32, results []Scored) error {
	nodes := scoreTree(sequences)
	limit := min(e.limits.cacheBytes, e.model.CacheBytes(scoreTokens))
	for first := true; len(nodes) > 0; first = false {
		var need int64
		n := 0
		for ; n < len(nodes); n++ {
			more := nodes[n].cacheNeed(e.model, 0)
			if n > 0 && need+more > limit {
				break
			}
			need += more
		}
		if need > limit && len(nodes[0].sequences) > 1 {
			nodes = append(halve(nodes[0]), nodes[1:]...)
			continue
		}
		if err := e.scoreGroup(&job{ctx: ctx, tenant: req.Tenant, need: need, queued: !first}, nodes[:n], ends, results); err != nil {
			return err
		}
		nodes = nodes[n:]
	}
	return nil
}

// scoreTokens bounds the tokens a group of scored sequences may have in caches.
const scoreTokens = 16384

// halve returns the trees of the two halves of a node's sequences.
func halve(n *scoreNode) []*scoreNode {
	half := len(n.sequences) / 2
	return append(splitNodes(n.sequences[:half], 0), splitNodes(n.sequences[half:], 0)...)
}

// scoreGroup runs the trees of some sequences as one job.
func (e *engine) scoreGroup(j *job, nodes []*scoreNode, ends []int32, results []Scored) error {
	work := &scoring{roots: nodes, ends: ends, results: results, ended: make(chan error, 1)}
	j.work = work
	if err := e.submit(j); err != nil {
		return err
	}
	// Results are written until the job has ended, so its end is waited for.
	return <-work.ended
}

// endTokens returns the tokens that begin text: its own first token, and every
// token whose text begins with it.
func endTokens(v vocabulary, text string) []int32 {
	ids := v.Encode(text, tokenizer.Options{})
	ids = ids[:min(1, len(ids))]
	for id := range int32(v.Size()) {
		if !slices.Contains(ids, id) && bytes.HasPrefix(v.TokenBytes(id), []byte(text)) {
			ids = append(ids, id)
		}
	}
	return ids
}
