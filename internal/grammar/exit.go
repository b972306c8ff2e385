package grammar

import "slices"

// maskWithin sets dst to the tokens that may follow c, in view of the room for
// that and all further ones. It is narrowed if some that could be completed with
// more room are left out.
func (g *Compiled) maskWithin(dst Bitset, c *config, room int) (narrowed bool, err error) {
	mask, err := g.mask(c)
	if err != nil {
		return false, err
	}
	// In bytes first: a token has at least one.
	if room > int(c.farthest) || c.complete && len(c.items) == 0 {
		mask.fill(dst)
		return false, nil
	}
	g.exitWork = 0
	best, err := g.searchExit(c)
	if err != nil {
		return false, err
	}
	if c.longest == notMeasured {
		if c.longest, err = g.longestAfter(c); err != nil {
			return false, err
		}
	}
	if room > int(c.longest) || room < int(best) {
		mask.fill(dst)
		return false, nil
	}
	t, looping, err := g.branches(c)
	if err != nil {
		return false, err
	}
	clear(dst)
	if narrowed = looping && int(best) >= room; looping && !narrowed {
		copy(dst, g.vocabulary.plainText())
	}
	err = g.walk(t, c, func(token int32, after *config) {
		switch tokens := after.tokensAtMost(); {
		case int(tokens) < room:
			dst.Add(token)
		case tokens < never:
			narrowed = true
		}
	})
	g.addTwins(dst)
	return narrowed, err
}

// branches returns the tokens that may lead elsewhere from c, and whether the
// others, those of plain text, lead back to it.
func (g *Compiled) branches(c *config) (t *trie, looping bool, err error) {
	if looping, err = g.machine.loops(c); looping {
		return &g.vocabulary.rest, true, err
	}
	return &g.vocabulary.all, false, err
}

// longestAfter measures every config that a token leads to, and returns the
// most tokens that any of them needs.
func (g *Compiled) longestAfter(c *config) (int32, error) {
	nexts, err := g.nexts(c, never)
	longest := int32(0)
	for _, n := range nexts {
		var tokens int32
		if tokens, err = g.searchExit(n); err != nil {
			return 0, err
		}
		longest = max(longest, tokens)
	}
	return longest, err
}

// nexts returns the configs that one token leads to from c and whose exit is
// below a limit, each once.
func (g *Compiled) nexts(c *config, limit int32) ([]*config, error) {
	t, looping, err := g.branches(c)
	if err != nil {
		return nil, err
	}
	g.search++
	g.exitWork += searchCost
	search := g.search
	var nexts []*config
	add := func(after *config) {
		if g.exitWork++; after.search != search && after.exit < limit {
			after.search = search
			nexts = append(nexts, after)
		}
	}
	if looping {
		add(c)
	}
	err = g.walk(t, c, func(_ int32, after *config) { add(after) })
	return nexts, err
}

// tokensAtMost is tokens as far as they were sought, else one for each byte.
func (c *config) tokensAtMost() int32 {
	if c.tokens == notMeasured {
		return c.exit
	}
	return c.tokens
}

// searchCost is what a search costs besides the tokens it finds, in tokens.
const searchCost = 64

// exit returns the fewest tokens from c to a complete text, of those ways on
// which each token leaves fewer bytes to the nearest complete text than the
// one before. That misses a way out only if it takes fewer tokens by a detour
// in bytes. Where the search would be long it is a token for each byte, and
// never if no tokens spell a way out.
func (g *Compiled) exit(c *config) (int32, error) {
	g.exitWork = 0
	return g.searchExit(c)
}

func (g *Compiled) searchExit(c *config) (int32, error) {
	switch {
	case c.complete:
		c.tokens = 0
		return 0, nil
	case c.tokens != notMeasured:
		return c.tokens, nil
	case c.exit >= maxExit || g.exitWork > maxExitWork:
		return c.exit, nil
	}
	nexts, err := g.nexts(c, c.exit)
	if err != nil {
		return 0, err
	}
	// The nearest in bytes is most often the nearest in tokens.
	slices.SortStableFunc(nexts, func(a, b *config) int { return int(a.exit - b.exit) })
	best := int32(never)
	for _, n := range nexts {
		tokens, err := g.searchExit(n)
		if err != nil {
			return 0, err
		}
		best = min(best, addExits(tokens, 1))
		if best <= 1 {
			break
		}
	}
	c.tokens = best
	return best, nil
}
