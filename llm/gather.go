package llm

// gathering is a choice of which pieces are still to come.
type gathering struct {
	whole  Completion
	calls  []ToolCall
	broken map[int]bool // calls that were none
}

// add appends a piece.
func (g *gathering) add(d Delta) {
	g.whole.Text += d.Text
	g.whole.Reasoning += d.Reasoning
	g.whole.Tokens = append(g.whole.Tokens, d.Tokens...)
	if d.FinishReason != "" {
		g.whole.FinishReason = d.FinishReason
	}
	for _, piece := range d.Calls {
		for len(g.calls) <= piece.Index {
			g.calls = append(g.calls, ToolCall{})
		}
		call := &g.calls[piece.Index]
		call.ID += piece.ID
		call.Name += piece.Name
		call.Arguments += piece.Arguments
		if piece.Broken {
			if g.broken == nil {
				g.broken = map[int]bool{}
			}
			g.broken[piece.Index] = true
		}
	}
}

// completion returns the choice, without the calls that were none.
func (g *gathering) completion() Completion {
	c := g.whole
	for i, call := range g.calls {
		if !g.broken[i] {
			c.Calls = append(c.Calls, call)
		}
	}
	return c
}

// delta returns the choice as one piece.
func (g *gathering) delta(index int) Delta {
	c := g.completion()
	d := Delta{Index: index, Text: c.Text, Reasoning: c.Reasoning, Tokens: c.Tokens, FinishReason: c.FinishReason}
	for i, call := range c.Calls {
		d.Calls = append(d.Calls, CallDelta{Index: i, ID: call.ID, Name: call.Name, Arguments: call.Arguments})
	}
	return d
}
