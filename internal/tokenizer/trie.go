package tokenizer

import (
	"cmp"
	"slices"
)

// trie finds the tokens that a text starts with. The children of a node lie
// side by side, in the order of their bytes.
type trie struct {
	nodes []trieNode
	root  [256]int32 // the root's children
}

type trieNode struct {
	label    byte
	children uint16 // how many
	first    int32  // the first of them
	id       int32  // of the token that ends here; none if none does
}

const (
	trieRoot int32 = -1
	trieNone int32 = -2
)

type trieEntry struct {
	name string
	id   int32
}

// newTrie builds a trie of different names, none empty.
func newTrie(entries []trieEntry) trie {
	slices.SortFunc(entries, func(a, b trieEntry) int { return cmp.Compare(a.name, b.name) })
	var t trie
	for c := range t.root {
		t.root[c] = trieNone
	}
	// Each group is the entries below one node. Nodes are made level by level,
	// so that one long name costs no stack.
	queue := []trieGroup{{trieRoot, entries}}
	for depth := 0; len(queue) > 0; depth++ {
		var below []trieGroup
		for _, g := range queue {
			below = t.grow(below, g, depth)
		}
		queue = below
	}
	return t
}

// trieGroup is the entries, sorted, whose names go on below a node.
type trieGroup struct {
	node    int32
	entries []trieEntry
}

// grow adds the children of a node, for the bytes of its entries at depth, and
// appends their groups to below.
func (t *trie) grow(below []trieGroup, g trieGroup, depth int) []trieGroup {
	first := int32(len(t.nodes))
	for entries := g.entries; len(entries) > 0; {
		label := entries[0].name[depth]
		n := 1
		for n < len(entries) && entries[n].name[depth] == label {
			n++
		}
		group, node := entries[:n], trieNode{label: label, id: none}
		if len(group[0].name) == depth+1 {
			node.id = group[0].id
			group = group[1:]
		}
		t.nodes = append(t.nodes, node)
		if len(group) > 0 {
			below = append(below, trieGroup{int32(len(t.nodes) - 1), group})
		}
		entries = entries[n:]
	}
	if g.node != trieRoot {
		t.nodes[g.node].first, t.nodes[g.node].children = first, uint16(int32(len(t.nodes))-first)
		return below
	}
	for i, n := range t.nodes {
		t.root[n.label] = int32(i)
	}
	return below
}

// child returns the node that a byte leads to, trieNone if there is none.
func (t *trie) child(node int32, c byte) int32 {
	if node == trieRoot {
		return t.root[c]
	}
	n := &t.nodes[node]
	lo, hi := n.first, n.first+int32(n.children)
	for lo < hi {
		switch mid := (lo + hi) / 2; {
		case t.nodes[mid].label < c:
			lo = mid + 1
		case t.nodes[mid].label > c:
			hi = mid
		default:
			return mid
		}
	}
	return trieNone
}

// value returns the token that ends at a node below the root, or none.
func (t *trie) value(node int32) int32 { return t.nodes[node].id }
