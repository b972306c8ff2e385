package llm

import (
	"cmp"
	"slices"
)

// scoreSequence is one item of a ScoreRequest in tokens: a prompt, and the
// tokens of the continuation that are scored.
type scoreSequence struct {
	item   int     // in the request
	tokens []int32 // prompt, then scored tokens
	prompt int     // how many are the prompt
	run    int     // how many have to be run for the logits wanted
}

// scoreNode is a stretch of tokens that some sequences have in common, with
// the same tokens before it. The nodes of a request form a tree whose leaves
// are the ends of single sequences; running every node once, each from a fork
// of its parent's cache, gives all the logits wanted.
type scoreNode struct {
	sequences []*scoreSequence // sorted; more than one in an inner node
	end       int              // the node ends before the end-th token
	children  []*scoreNode
}

// shareTokens is the least number of tokens worth a node of their own: a node
// costs a step more, in which its few tokens use the processor badly.
const shareTokens = 8

// scoreTree returns the topmost nodes for sequences, which it sorts.
func scoreTree(sequences []*scoreSequence) []*scoreNode {
	slices.SortStableFunc(sequences, func(a, b *scoreSequence) int {
		return cmp.Or(slices.Compare(a.tokens[:a.run], b.tokens[:b.run]), cmp.Compare(a.item, b.item))
	})
	return splitNodes(sequences, 0)
}

// splitNodes covers sorted sequences, which have their first start tokens in
// common, from there to their ends.
func splitNodes(sequences []*scoreSequence, start int) []*scoreNode {
	var nodes []*scoreNode
	for len(sequences) > 0 {
		first := sequences[0]
		n, common := 1, first.run
		for n < len(sequences) {
			next := sequences[n]
			shared := min(common, commonPrefix(first.tokens[:common], next.tokens[:next.run]))
			if shared < start+shareTokens && !(shared == first.run && shared == next.run) {
				break
			}
			common = shared
			n++
		}
		node := &scoreNode{sequences: sequences[:n], end: common}
		if n > 1 {
			longer := slices.IndexFunc(node.sequences, func(s *scoreSequence) bool { return s.run > common })
			if longer >= 0 {
				node.children = splitNodes(node.sequences[longer:], common)
			}
		}
		nodes = append(nodes, node)
		sequences = sequences[n:]
	}
	return nodes
}

// path returns the tokens up to the node's end.
func (n *scoreNode) path() []int32 { return n.sequences[0].tokens[:n.end] }

// minPrompt is the shortest prompt of the node's sequences. Logits before its
// last token are not wanted.
func (n *scoreNode) minPrompt() int {
	shortest := n.sequences[0].prompt
	for _, s := range n.sequences {
		shortest = min(shortest, s.prompt)
	}
	return shortest
}

// cacheNeed is the memory the caches of these nodes, which start at the
// start-th token, come to need when all live at once.
func (n *scoreNode) cacheNeed(model decoder, start int) int64 {
	need := model.CacheBytes(n.end - start + blockTokens)
	for _, child := range n.children {
		need += child.cacheNeed(model, n.end)
	}
	return need
}
