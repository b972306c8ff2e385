package grammar

import (
	"bytes"
	"slices"
	"unicode/utf8"
)

// Vocabulary is a tokenizer's tokens, laid out for masks. It is built once for
// a tokenizer, does not change, and is safe for concurrent use.
type Vocabulary struct {
	size   int
	tokens [][]byte
	encode func(text string) []int32

	all  trie // every token that has bytes
	rest trie // those that are not plain text
	// plain[n] are the tokens of at most n plain characters each, the last
	// entry all tokens of plain text.
	plain []Bitset
	// twins are tokens with the same bytes as another, which is first.
	twins [][2]int32
}

// NewVocabulary lays out the tokens below size. tokenBytes returns the bytes a
// token adds to a text, none for a control token; encode returns the tokens of
// a text as the tokenizer would, or nothing if it cannot. A nil encode takes
// the longest token at each place.
func NewVocabulary(size int, tokenBytes func(token int32) []byte, encode func(text string) []int32) *Vocabulary {
	v := &Vocabulary{size: size, tokens: make([][]byte, size), encode: encode}
	var ids, rest []int32
	longest := 0
	chars := make([]int, size)
	for id := range int32(size) {
		v.tokens[id] = tokenBytes(id)
		if len(v.tokens[id]) == 0 {
			continue
		}
		ids = append(ids, id)
		chars[id] = plainChars(v.tokens[id])
		longest = max(longest, min(chars[id], maxPlainChars))
		if chars[id] < 0 {
			rest = append(rest, id)
		}
	}
	slices.SortFunc(ids, v.compare)
	slices.SortFunc(rest, v.compare)
	v.all, v.rest = v.plant(ids, &v.twins), v.plant(rest, nil)
	v.plain = make([]Bitset, longest+2)
	for n := range v.plain {
		v.plain[n] = NewBitset(size)
	}
	for _, id := range ids {
		if chars[id] > 0 {
			for n := min(chars[id], longest+1); n < len(v.plain); n++ {
				v.plain[n].Add(id)
			}
		}
	}
	return v
}

// maxPlainChars bounds the tokens whose plain characters are counted; longer
// ones are plain only where plain text may go on for ever.
const maxPlainChars = 32

// plainForever as program.plain means that any number of plain characters may
// follow.
const plainForever = 255

// isPlain reports whether a character stands for itself in a JSON string.
func isPlain(r rune) bool { return r >= ' ' && r != '"' && r != '\\' }

// plainChars returns the number of characters of a token if all of them are
// whole and plain, else -1.
func plainChars(token []byte) int {
	n := 0
	for len(token) > 0 {
		r, size := utf8.DecodeRune(token)
		if r == utf8.RuneError && size <= 1 || !isPlain(r) {
			return -1
		}
		token = token[size:]
		n++
	}
	return n
}

// Size returns the number of tokens: every one is below it.
func (v *Vocabulary) Size() int { return v.size }

// compare orders tokens by their bytes, equal ones by id.
func (v *Vocabulary) compare(a, b int32) int {
	if c := bytes.Compare(v.tokens[a], v.tokens[b]); c != 0 {
		return c
	}
	return int(a - b)
}

// plainUpTo returns the tokens that may follow where n plain characters may,
// and whether those are all plain tokens.
func (v *Vocabulary) plainUpTo(n uint8) (Bitset, bool) {
	last := len(v.plain) - 1
	if n == plainForever || int(n) >= last && last <= maxPlainChars {
		return v.plain[last], true
	}
	return v.plain[min(int(n), last-1)], false
}

// plainText returns the tokens of plain text.
func (v *Vocabulary) plainText() Bitset { return v.plain[len(v.plain)-1] }

// trie holds the bytes of tokens as a tree, in depth-first order.
type trie struct {
	nodes []trieNode
	depth int // of the deepest node, which has depth-1
}

// trieNode is one byte of the tokens that begin with the bytes on its path.
type trieNode struct {
	token int32  // that ends here, or -1
	after int32  // index of the first node that is not below this one
	depth uint16 // 0 for a first byte
	byte  byte
}

// plant builds the trie of sorted tokens. Of tokens with equal bytes it holds
// the first; the others are added to twins.
func (v *Vocabulary) plant(ids []int32, twins *[][2]int32) trie {
	var t trie
	var path []int32 // indexes of the nodes from the root
	var last []byte
	for i, id := range ids {
		token := v.tokens[id]
		if i > 0 && bytes.Equal(token, last) {
			if first := t.nodes[len(t.nodes)-1].token; twins != nil {
				*twins = append(*twins, [2]int32{first, id})
			}
			continue
		}
		shared := 0
		for shared < len(path) && shared < len(token) && token[shared] == last[shared] {
			shared++
		}
		t.close(path[shared:])
		path = path[:shared]
		for depth := shared; depth < len(token); depth++ {
			path = append(path, int32(len(t.nodes)))
			t.nodes = append(t.nodes, trieNode{token: -1, depth: uint16(depth), byte: token[depth]})
		}
		t.nodes[len(t.nodes)-1].token = id
		t.depth = max(t.depth, len(token))
		last = token
	}
	t.close(path)
	return t
}

// close ends the nodes of a path where the trie ends now.
func (t *trie) close(path []int32) {
	for _, i := range path {
		t.nodes[i].after = int32(len(t.nodes))
	}
}
