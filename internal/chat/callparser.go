package chat

import (
	"slices"
	"strings"
)

// EventKind is what a part of a model's answer is.
type EventKind int

// The kinds of events.
const (
	// Text is for who asked.
	Text EventKind = iota

	// Reasoning is what the model thought.
	Reasoning

	// CallStart begins a call: the event has its number, its name, and its ID
	// where the model gave one before the arguments.
	CallStart

	// CallArguments is a further part of the arguments, as the model wrote
	// them: joined they are a JSON object.
	CallArguments

	// CallBroken ends a call whose arguments turned out not to be JSON, or were
	// cut off. Text has all that the model wrote of it, so that it can be
	// shown as text.
	CallBroken
)

// Event is a part of a model's answer.
type Event struct {
	Kind EventKind
	Text string // of the call's arguments in CallArguments
	Call int    // which call, from 0
	ID   string
	Name string
}

// Parser takes the answer of a model apart while it is written: text, reasoning
// and tool calls. However the answer is split into pushes, the events joined
// are the same. White space around calls and reasoning is dropped, but between
// two parts of the text; what looks like a call and is none stays text.
//
// A Parser is for one answer and one goroutine.
type Parser struct {
	syntax *syntax
	names  []string // of the functions; none: any

	buf    string // not yet looked at to its end
	step   func(final bool) bool
	events []Event

	space string // white space that is text if text follows
	edge  bool   // nothing but white space since a call or reasoning
	wrote bool   // there was text

	mark    mark   // what is being read
	raw     string // what was read of the call
	scan    jsonScan
	around  around
	calls   int
	opening bool // reasoning has not said anything yet
}

// NewParser returns a parser for an answer of a model of the family to a
// prompt, whose end may have begun reasoning or a call. A call of a function
// that is not among names is text, unless there are no names.
func (f Family) NewParser(prompt string, names ...string) *Parser {
	p := &Parser{syntax: f.syntax(), names: names}
	p.step = p.inText
	end := strings.TrimRight(prompt, " \t\r\n")
	if p.syntax.pending != "" && strings.HasSuffix(end, p.syntax.pending) {
		p.begin(p.syntax.find(p.syntax.pending))
		return p
	}
	if f == Harmony && strings.HasSuffix(end, "<|start|>assistant") {
		p.mark = p.syntax.find("<|start|>")
		p.step = p.inHeader
		return p
	}
	for _, m := range p.syntax.marks {
		if m.kind == beginsReasoning && strings.HasSuffix(end, m.text) {
			p.begin(m)
		}
	}
	return p
}

// find returns the mark with a spelling.
func (s *syntax) find(text string) mark {
	return s.marks[slices.IndexFunc(s.marks, func(m mark) bool { return m.text == text })]
}

// Push takes the next part of the answer and returns what is now certain. The
// slice is valid until the next call.
func (p *Parser) Push(text string) []Event {
	p.events = p.events[:0]
	p.buf += text
	for p.buf != "" && p.step(false) {
	}
	return p.events
}

// Close ends the answer and returns what was held back.
func (p *Parser) Close() []Event {
	p.events = p.events[:0]
	for p.step(true) {
	}
	if !p.edge {
		p.emit(Text, p.space)
	}
	p.space, p.buf = "", ""
	return p.events
}

// emit appends an event, or to the last one where that goes on.
func (p *Parser) emit(kind EventKind, text string) {
	if text == "" {
		return
	}
	if last := len(p.events) - 1; last >= 0 && p.events[last].Kind == kind {
		p.events[last].Text += text
		return
	}
	e := Event{Kind: kind, Text: text}
	if kind == CallArguments || kind == CallBroken {
		e.Call = p.calls - 1
	}
	p.events = append(p.events, e)
}

// text emits text, and holds the white space at its end.
func (p *Parser) text(s string) {
	solid := strings.TrimRight(s, " \t\r\n")
	if solid == "" {
		p.space += s
		return
	}
	trailing := len(s) - len(solid)
	if p.edge && !p.wrote {
		p.space, solid = "", strings.TrimLeft(solid, " \t\r\n")
	}
	p.emit(Text, p.space+solid)
	p.space, p.edge, p.wrote = s[len(s)-trailing:], false, true
}

// take cuts n bytes off the buffer.
func (p *Parser) take(n int) string {
	s := p.buf[:n]
	p.buf = p.buf[n:]
	return s
}

// inText looks for the next mark.
func (p *Parser) inText(final bool) bool {
	blank := true // only white space so far
	for i := range len(p.buf) {
		if p.syntax.firsts[p.buf[i]] {
			m, st := p.marked(p.buf[i:], blank, final)
			if st != no {
				p.text(p.take(i))
			}
			if st == more {
				return false
			}
			if st == yes {
				p.take(len(m.text))
				p.begin(m)
				return true
			}
		}
		blank = blank && strings.IndexByte(" \t\r\n", p.buf[i]) >= 0
	}
	p.text(p.take(len(p.buf)))
	return false
}

// marked finds the mark that s starts with; more if it may yet.
func (p *Parser) marked(s string, blank, final bool) (mark, status) {
	st := no
	for _, m := range p.syntax.marks {
		if m.where == first && (p.wrote || !blank) || m.kind == droppedAfter && !(p.edge && blank) {
			continue
		}
		if strings.HasPrefix(s, m.text) {
			return m, yes
		}
		if !final && strings.HasPrefix(m.text, s) {
			st = more
		}
	}
	return mark{}, st
}

// begin goes on behind a mark.
func (p *Parser) begin(m mark) {
	p.mark = m
	switch m.kind {
	case beginsCall:
		p.step = p.inHead
	case beginsReasoning:
		p.space, p.opening = "", true
		p.step = p.inReasoning
	case beginsHeader:
		p.space = ""
		p.step = p.inHeader
	case endsMessage, dropped, droppedAfter:
		p.space = ""
		p.step = p.inText
	}
}

// boundary goes on behind a call or reasoning.
func (p *Parser) boundary() {
	p.space, p.edge = "", true
	p.step = p.inText
}

// inReasoning passes reasoning on up to its closing mark.
func (p *Parser) inReasoning(final bool) bool {
	end := strings.Index(p.buf, p.mark.close)
	held := end
	if end < 0 {
		held = len(p.buf)
		if !final {
			held -= overlap(p.buf, p.mark.close)
		}
	}
	p.reason(p.take(held))
	if end < 0 {
		return false
	}
	p.take(len(p.mark.close))
	p.boundary()
	return true
}

// reason emits reasoning without the white space at its ends.
func (p *Parser) reason(s string) {
	if p.opening {
		s = strings.TrimLeft(s, " \t\r\n")
		p.opening = s == ""
	}
	solid := strings.TrimRight(s, " \t\r\n")
	if solid == "" {
		p.space += s
		return
	}
	p.emit(Reasoning, p.space+solid)
	p.space = s[len(solid):]
}

// overlap returns the length of the longest end of s that mark may go on from.
func overlap(s, mark string) int {
	for n := min(len(s), len(mark)-1); n > 0; n-- {
		if strings.HasSuffix(s, mark[:n]) {
			return n
		}
	}
	return 0
}

// headLimit is how long the head of a call may be before it counts as text.
const headLimit = 1 << 16

// inHead reads the name of a call, and all else before its arguments.
func (p *Parser) inHead(final bool) bool {
	if p.mark.text == recipientMark && p.toAll(final) {
		return true
	}
	h, st := p.mark.head(p.buf)
	if st == more && !final && len(p.buf) < headLimit {
		return false
	}
	if st != yes || !p.knows(h.name) {
		p.step = p.inText
		p.text(p.mark.text)
		return true
	}
	p.start(h)
	return true
}

// knows reports whether there is such a function.
func (p *Parser) knows(name string) bool {
	return name != "" && (len(p.names) == 0 || slices.Contains(p.names, name))
}

// start begins a call.
func (p *Parser) start(h head) {
	p.space = ""
	p.events = append(p.events, Event{Kind: CallStart, Call: p.calls, ID: h.id, Name: h.name})
	p.calls++
	p.raw = p.mark.text + p.take(h.at)
	p.around = h.around
	if h.whole != "" {
		p.emit(CallArguments, h.whole)
		p.step = p.inTail
		return
	}
	p.scan = jsonScan{}
	p.step = p.inArguments
}

// inArguments passes arguments on while they are JSON.
func (p *Parser) inArguments(final bool) bool {
	n, st := p.scan.feed(p.buf)
	text := p.take(n)
	p.raw += text
	p.emit(CallArguments, text)
	switch {
	case st == yes:
		p.step = p.inTail
		return true
	case st == no || final:
		p.events = append(p.events, Event{Kind: CallBroken, Call: p.calls - 1, Text: p.raw})
		p.boundary()
		return true
	}
	return false
}

// inTail reads what is around the arguments, as far as it is there.
func (p *Parser) inTail(final bool) bool {
	if p.around == aroundNothing {
		p.boundary()
		return true
	}
	c := cursor{s: p.buf, st: yes}
	for c.peek() == ',' {
		c.want(',')
		c.text()
		c.want(':')
		c.value()
	}
	if c.st == yes {
		c.want('}')
	}
	next := byte(0)
	if c.st == yes && p.around == aroundList {
		next = c.peek()
	}
	if c.st == more && !final && len(p.buf) < headLimit {
		return false
	}
	p.boundary()
	if c.st != yes {
		return true // whatever it is, it is not the rest of the call
	}
	if next == ',' || next == ']' {
		c.i++
	}
	p.take(c.i)
	if next == ',' {
		p.mark = mark{text: ",", kind: beginsCall, head: itemHead}
		p.step = p.inHead
	}
	return true
}

// itemHead is that of a further call in a list.
func itemHead(s string) (head, status) {
	h, st := objectHead(s)
	h.around = aroundList
	return h, st
}
