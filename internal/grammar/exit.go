package grammar

import "slices"

// maskWithin sets dst to the tokens that may follow c, in view of the room for
// that and all further ones.
func (g *Compiled) maskWithin(dst Bitset, c *config, room int) error {
	mask, err := g.mask(c)
	if err != nil {
		return err
	}
	// In bytes first: a token has at least one.
	if room > int(c.farthest) || c.complete && len(c.items) == 0 {
		mask.fill(dst)
		return nil
	}
	best, err := g.exit(c)
	if err != nil {
		return err
	}
	if c.longest == notMeasured {
		if c.longest, err = g.longestAfter(c); err != nil {
			return err
		}
	}
	if room > int(c.longest) || room < int(best) || best >= maxExit {
		mask.fill(dst)
		return nil
	}
	clear(dst)
	err = g.walk(&g.vocabulary.all, c, func(token int32, after *config) {
		if after.tokens != notMeasured && int(after.tokens) < room {
			dst.Add(token)
		}
	})
	g.addTwins(dst)
	return err
}

// longestAfter measures every config that a token leads to, and returns the
// most tokens that any of them needs.
func (g *Compiled) longestAfter(c *config) (int32, error) {
	nexts, err := g.nexts(c, never)
	longest := int32(0)
	for _, n := range nexts {
		var tokens int32
		if tokens, err = g.exit(n.config); err != nil {
			return 0, err
		}
		longest = max(longest, tokens)
	}
	return longest, err
}

// reached is a config and a token that leads to it.
type reached struct {
	config *config
	token  int32
}

// nexts returns the configs that one token leads to from c and whose exit is
// below a limit, each once.
func (g *Compiled) nexts(c *config, limit int32) ([]reached, error) {
	var nexts []reached
	g.search++
	search := g.search
	err := g.walk(&g.vocabulary.all, c, func(token int32, after *config) {
		if g.exitWork++; after.search != search && after.exit < limit {
			after.search = search
			nexts = append(nexts, reached{after, token})
		}
	})
	return nexts, err
}

// exit returns the fewest tokens from c to a complete text, of those ways on
// which each token leaves fewer bytes to the nearest complete text than the
// one before. That misses a way out only if it takes fewer tokens by a detour
// in bytes. It is maxExit where the search would be long.
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
		return maxExit, nil
	}
	nexts, err := g.nexts(c, c.exit)
	if err != nil {
		return 0, err
	}
	// The nearest in bytes is most often the nearest in tokens.
	slices.SortStableFunc(nexts, func(a, b reached) int { return int(a.config.exit - b.config.exit) })
	best := int32(maxExit)
	for _, n := range nexts {
		tokens, err := g.searchExit(n.config)
		if err != nil {
			return 0, err
		}
		best = min(best, tokens+1)
		if best <= 1 {
			break
		}
	}
	if g.exitWork <= maxExitWork || best < maxExit {
		c.tokens = best
	}
	return best, nil
}
