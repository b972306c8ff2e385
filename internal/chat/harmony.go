package chat

import "strings"

// recipientMark is how Functionary 3.2 names who a part is for: ">>>all" is for
// the user, ">>>name" calls a function.
const recipientMark = ">>>"

// toAll takes the name of the user, if it is there.
func (p *Parser) toAll(final bool) bool {
	const user = "all\n"
	rest, ok := strings.CutPrefix(p.buf, user)
	if !ok && !(final && p.buf == "all") {
		return false
	}
	p.buf = rest
	if !ok {
		p.buf = ""
	}
	p.space = ""
	p.step = p.inText
	return true
}

// The format of gpt-oss ("harmony") is a row of messages, each a header and a
// body: <|start|>assistant<|channel|>analysis<|message|>…<|end|>. The channel
// "analysis" is reasoning, a header with to=functions.name is a call whose body
// is the arguments, everything else is for the user.
const (
	messageMark    = "<|message|>"
	headerLimit    = 1 << 10
	functionPrefix = "to=functions."
)

// inHeader reads a header up to its <|message|>.
func (p *Parser) inHeader(final bool) bool {
	header, _, found := strings.Cut(p.buf, messageMark)
	if !found && !final && len(p.buf) < headerLimit {
		return false
	}
	if !found {
		p.step = p.inText
		if p.mark.text == "<|channel|>" || p.calls == 0 && !p.wrote {
			p.text(p.mark.text)
		}
		return p.buf != ""
	}
	p.raw = p.mark.text + p.take(len(header)+len(messageMark))
	if p.mark.text == "<|channel|>" {
		header = p.mark.text + header
	}
	if _, to, ok := strings.Cut(header, functionPrefix); ok {
		name, _, _ := strings.Cut(to, " ")
		name, _, _ = strings.Cut(name, "<|")
		p.recipient(strings.TrimSpace(name))
		return true
	}
	_, channel, _ := strings.Cut(header, "<|channel|>")
	p.step = p.inText
	if strings.HasPrefix(channel, "analysis") {
		p.mark = mark{close: "<|end|>"}
		p.opening = true
		p.step = p.inReasoning
	}
	return true
}

// recipient begins a call of a function, or leaves its message as text.
func (p *Parser) recipient(name string) {
	if !p.knows(name) {
		p.step = p.inText
		p.text(p.raw)
		return
	}
	raw := p.raw
	p.mark = mark{}
	p.start(head{name: name})
	p.raw = raw
}
