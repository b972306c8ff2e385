package llm

import "github.com/ragstone/ragstone/internal/chat"

// parts takes an answer apart while it is written: text, reasoning and calls.
type parts struct {
	parser *chat.Parser
	calls  int // that were begun and not taken back
}

// noTool is the name of no tool: a parser that knows only it finds no calls.
const noTool = "\x00"

func newParts(g *generation) *parts {
	names := []string{noTool}
	for _, t := range g.req.callable() {
		names = append(names, t.Name)
	}
	return &parts{parser: g.dialect.family.NewParser(g.promptText, names...)}
}

// read turns the text of a piece, which is as the model has written it, into
// what it means.
func (p *parts) read(d *Delta) {
	text := d.Text
	d.Text = ""
	p.fill(d, p.parser.Push(text))
}

// end is read for the last piece.
func (p *parts) end(d *Delta) {
	p.read(d)
	p.fill(d, p.parser.Close())
	if p.calls > 0 && d.FinishReason == FinishStop {
		d.FinishReason = FinishCalls
	}
}

func (p *parts) fill(d *Delta, events []chat.Event) {
	for _, e := range events {
		switch e.Kind {
		case chat.Text:
			d.Text += e.Text
		case chat.Reasoning:
			d.Reasoning += e.Text
		case chat.CallStart:
			p.calls++
			d.Calls = append(d.Calls, CallDelta{Index: e.Call, ID: e.ID, Name: e.Name})
		case chat.CallArguments:
			d.Calls = append(d.Calls, CallDelta{Index: e.Call, Arguments: e.Text})
		case chat.CallBroken:
			p.calls--
			d.Text += e.Text
			d.Calls = append(d.Calls, CallDelta{Index: e.Call, Broken: true})
		}
	}
}
