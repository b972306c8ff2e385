package tokenizer

import "golang.org/x/text/unicode/norm"

// composed is a model that sees its text in Unicode's composed form, NFC.
type composed struct{ model }

func (c *composed) encode(s *scratch, text string, base int) {
	if norm.NFC.IsNormalString(text) {
		c.model.encode(s, text, base)
		return
	}
	var out []byte
	var from []source // for each byte of out
	var it norm.Iter
	it.InitString(norm.NFC, text)
	for !it.Done() {
		start := it.Pos()
		segment := it.Next()
		src := source{start, it.Pos()}
		out = append(out, segment...)
		for range segment {
			from = append(from, src)
		}
	}
	first := len(s.pieces)
	c.model.encode(s, string(out), 0)
	for i := first; i < len(s.pieces); i++ {
		p := &s.pieces[i]
		if p.Start == p.End { // a space put before the text
			p.Start, p.End = base, base
			continue
		}
		p.Start, p.End = base+from[p.Start].start, base+from[p.End-1].end
	}
}
