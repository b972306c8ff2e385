package grammar

// forced returns the tokens that have to follow c.
func (g *Compiled) forced(c *config, room int) []int32 {
	text, end, err := g.forcedText(c)
	if err != nil || len(text) == 0 {
		return nil
	}
	tokens := g.stable(g.vocabulary.tokenise(text), text, end)
	if len(tokens) == 0 {
		return nil
	}
	if !g.affords(c, tokens, room) {
		return nil
	}
	return tokens[:min(len(tokens), room)]
}

// forcedText returns the bytes that have to follow c, and where they lead.
func (g *Compiled) forcedText(c *config) ([]byte, *config, error) {
	var text []byte
	for len(text) < maxForced {
		b := g.machine.forcedByte(c)
		if b < 0 {
			break
		}
		next, err := g.machine.step(c, g.machine.class[b])
		if err != nil {
			return nil, nil, err
		}
		text, c = append(text, byte(b)), next
	}
	return text, c, nil
}

// stable returns the first of the tokens of a forced text, as far as they do
// not depend on what follows it: before the first token in whose place another
// could stand that reaches beyond the text.
func (g *Compiled) stable(tokens []int32, text []byte, end *config) []int32 {
	at := 0
	for i, id := range tokens {
		if g.reachesBeyond(text[at:], end) {
			return tokens[:i]
		}
		at += len(g.vocabulary.tokens[id])
	}
	return tokens
}

// reachesBeyond reports whether some token begins with text, is longer, and
// may stand where the text leads to end.
func (g *Compiled) reachesBeyond(text []byte, end *config) bool {
	t := &g.vocabulary.all
	from, to, ok := t.below(text)
	if !ok {
		return false
	}
	found := false
	err := g.walkPart(t, from, to, end, func(int32, *config) { found = true })
	return found || err != nil
}

// below returns the nodes that lie below the path that spells text.
func (t *trie) below(text []byte) (from, to int, ok bool) {
	to = len(t.nodes)
	for _, b := range text {
		for from < to && t.nodes[from].byte != b {
			from = int(t.nodes[from].after)
		}
		if from == to {
			return 0, 0, false
		}
		from, to = from+1, int(t.nodes[from].after)
	}
	return from, to, true
}

// tokenise returns tokens for a text: those of the tokenizer if they spell it.
func (v *Vocabulary) tokenise(text []byte) []int32 {
	if v.encode == nil {
		return v.longestTokens(text)
	}
	tokens := v.encode(string(text))
	at := 0
	for _, id := range tokens {
		if id < 0 || int(id) >= v.size || len(text)-at < len(v.tokens[id]) || len(v.tokens[id]) == 0 ||
			string(text[at:at+len(v.tokens[id])]) != string(v.tokens[id]) {
			return v.longestTokens(text)
		}
		at += len(v.tokens[id])
	}
	if at != len(text) {
		return v.longestTokens(text)
	}
	return tokens
}

// longestTokens takes the longest token at each place, as far as there is one.
func (v *Vocabulary) longestTokens(text []byte) []int32 {
	var tokens []int32
	for at := 0; at < len(text); {
		id := v.all.longest(text[at:])
		if id < 0 {
			break
		}
		tokens = append(tokens, id)
		at += len(v.tokens[id])
	}
	return tokens
}

// longest returns the longest token that text begins with, -1 if there is none.
func (t *trie) longest(text []byte) int32 {
	id := int32(-1)
	from, to := 0, len(t.nodes)
	for _, b := range text {
		for from < to && t.nodes[from].byte != b {
			from = int(t.nodes[from].after)
		}
		if from == to {
			break
		}
		if t.nodes[from].token >= 0 {
			id = t.nodes[from].token
		}
		from, to = from+1, int(t.nodes[from].after)
	}
	return id
}

// affords reports whether a text can be complete within room tokens also when
// it goes on with the tokens given, or cannot in any case.
func (g *Compiled) affords(c *config, tokens []int32, room int) bool {
	if room > int(c.exit) && room > len(tokens) {
		// Common, and cheap to tell: there is room for a token a byte.
		if last, err := g.afterTokens(c, tokens); err == nil && room-len(tokens) >= int(last.exit) {
			return true
		}
	}
	best, err := g.exit(c)
	if err != nil || int(best) > room {
		return true
	}
	last, err := g.afterTokens(c, tokens)
	if err != nil {
		return false
	}
	rest, err := g.exit(last)
	return err == nil && len(tokens)+int(rest) <= room
}

func (g *Compiled) afterTokens(c *config, tokens []int32) (*config, error) {
	for _, id := range tokens {
		var err error
		if c, err = g.after(c, g.vocabulary.tokens[id]); err != nil {
			return nil, err
		}
	}
	return c, nil
}
