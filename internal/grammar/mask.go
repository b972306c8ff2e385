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

// mask returns the tokens that may follow c.
func (g *Compiled) mask(c *config) (Bitset, error) {
	if c.mask != nil {
		return c.mask, nil
	}
	v := g.vocabulary
	plain, all := v.plainUpTo(c.plain)
	mask := slices.Clone(plain)
	rest := &v.all
	if all {
		rest = &v.rest
	}
	farthest := c.plainExit
	err := g.walk(rest, c, func(token int32, after *config) {
		mask.Add(token)
		farthest = max(farthest, after.exit)
	})
	if err != nil {
		return nil, err
	}
	g.addTwins(mask)
	g.remember(c, mask)
	c.farthest = farthest
	return mask, nil
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
func (g *Compiled) remember(c *config, mask Bitset) {
	if len(g.masked)*len(mask)*8 > maxMasks {
		for _, old := range g.masked {
			old.mask = nil
		}
		g.masked = g.masked[:0]
	}
	c.mask = mask
	g.masked = append(g.masked, c)
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
