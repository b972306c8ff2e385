package grammar

import "slices"

// after returns where a text leads from c, dead if nowhere.
func (g *Compiled) after(c *config, text []byte) (*config, error) {
	m := g.machine
	for _, b := range text {
		var err error
		if c, err = m.step(c, m.class[b]); err != nil || c == dead {
			return c, err
		}
	}
	return c, nil
}

// tokenSet is a mask as it is kept: most are a few tokens, or those of plain
// text and a few more.
type tokenSet struct {
	base Bitset // shared with the vocabulary; nil for none
	more []int32
}

// fill sets dst to the tokens of the set.
func (s *tokenSet) fill(dst Bitset) {
	if s.base == nil {
		clear(dst)
	} else {
		copy(dst, s.base)
	}
	for _, token := range s.more {
		dst.Add(token)
	}
}

// mask returns the tokens that may follow c.
func (g *Compiled) mask(c *config) (*tokenSet, error) {
	if c.mask != nil {
		return c.mask, nil
	}
	v := g.vocabulary
	plain, all := v.plainUpTo(c.plain)
	rest := &v.all
	if all {
		rest = &v.rest
	}
	farthest := c.plainExit
	g.found = g.found[:0]
	err := g.walk(rest, c, func(token int32, after *config) {
		g.found = append(g.found, token)
		farthest = max(farthest, after.exit)
	})
	if err != nil {
		return nil, err
	}
	c.farthest = farthest
	g.remember(c, g.newTokenSet(plain))
	return c.mask, nil
}

// newTokenSet is the tokens found by a walk, and those of plain.
func (g *Compiled) newTokenSet(plain Bitset) *tokenSet {
	if len(g.found) <= 2*len(plain) && len(g.vocabulary.twins) == 0 {
		return &tokenSet{plain, slices.Clone(g.found)}
	}
	all := slices.Clone(plain) // shorter than a list
	for _, token := range g.found {
		all.Add(token)
	}
	g.addTwins(all)
	return &tokenSet{base: all}
}

// addTwins adds the tokens whose bytes are those of one in the mask.
func (g *Compiled) addTwins(mask Bitset) {
	for _, twin := range g.vocabulary.twins {
		if mask.Has(twin[0]) {
			mask.Add(twin[1])
		}
	}
}

// remember keeps a mask for the next time, and no more of them than maxMasks
// bytes hold.
func (g *Compiled) remember(c *config, mask *tokenSet) {
	if g.maskBytes > maxMasks {
		for _, old := range g.masked {
			old.mask = nil
		}
		g.masked, g.maskBytes = g.masked[:0], 0
	}
	c.mask = mask
	g.masked = append(g.masked, c)
	g.maskBytes += 4*len(mask.more) + 8*len(mask.base)
}

// walk calls found for every token of a trie that may follow c, with the
// config after it.
func (g *Compiled) walk(t *trie, c *config, found func(token int32, after *config)) error {
	return g.walkPart(t, 0, len(t.nodes), c, found)
}

// walkPart is walk over the nodes from one index to another, which are all
// that lie below one node; c is the config after that.
func (g *Compiled) walkPart(t *trie, from, to int, c *config, found func(token int32, after *config)) error {
	if from == to {
		return nil
	}
	m, path := g.machine, g.path
	m.work = 0
	defer func() { g.exitWork += m.work }()
	path[t.nodes[from].depth] = c
	for i := from; i < to; {
		n := &t.nodes[i]
		class := m.class[n.byte]
		next := path[n.depth].next[class]
		if next == nil {
			var err error
			if next, err = m.step(path[n.depth], class); err != nil {
				return err
			}
			if m.work > maxWork {
				return &LimitError{What: "steps for one token", Limit: maxWork}
			}
		}
		if next == dead {
			i = int(n.after)
			continue
		}
		path[n.depth+1] = next
		if n.token >= 0 {
			found(n.token, next)
		}
		i++
	}
	return nil
}
