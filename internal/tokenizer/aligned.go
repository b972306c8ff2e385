package tokenizer

// aligned is a text and where each of its bytes came from, which normalisers
// change and offsets need.
type aligned struct {
	text string
	base int      // where from is nil, text[i] is byte base+i of the original
	from []source // else what each byte stands for
}

// source is the part of the original text that something stands for; start
// is end for what was put in.
type source struct{ start, end int }

// part is a.text[i:j], still aligned.
func (a aligned) part(i, j int) aligned {
	if a.from == nil {
		return aligned{text: a.text[i:j], base: a.base + i}
	}
	return aligned{text: a.text[i:j], from: a.from[i:j]}
}

// source returns what a.text[i:j], which is not empty, stands for.
func (a aligned) source(i, j int) source {
	if a.from == nil {
		return source{a.base + i, a.base + j}
	}
	return source{a.from[i].start, a.from[j-1].end}
}

// start returns where the text begins in the original.
func (a aligned) start() int {
	if len(a.from) > 0 {
		return a.from[0].start
	}
	return a.base
}

// end returns where the text ends in the original.
func (a aligned) end() int {
	if n := len(a.from); n > 0 {
		return a.from[n-1].end
	}
	return a.base + len(a.text)
}

// rewriter builds the text that another one becomes.
type rewriter struct {
	old  aligned
	text []byte
	from []source
}

func rewrite(a aligned) *rewriter {
	return &rewriter{old: a, text: make([]byte, 0, len(a.text)+8), from: make([]source, 0, len(a.text)+8)}
}

// keep takes bytes i to j of the old text as they are.
func (w *rewriter) keep(i, j int) {
	w.text = append(w.text, w.old.text[i:j]...)
	if w.old.from != nil {
		w.from = append(w.from, w.old.from[i:j]...)
		return
	}
	for ; i < j; i++ {
		w.from = append(w.from, source{w.old.base + i, w.old.base + i + 1})
	}
}

// replace puts text in the place of bytes i to j of the old text. Where the
// two are equal this is keep; where i is j the new text stands for nothing.
func (w *rewriter) replace(i, j int, text string) {
	src := w.old.source(max(i-1, 0), max(i, 1))
	switch {
	case i < j && text == w.old.text[i:j]:
		w.keep(i, j)
		return
	case i < j:
		src = w.old.source(i, j)
	case i == 0:
		src.end = src.start
	default:
		src.start = src.end
	}
	w.text = append(w.text, text...)
	for range len(text) {
		w.from = append(w.from, src)
	}
}

func (w *rewriter) done() aligned {
	if len(w.text) == 0 {
		return aligned{base: w.old.start()}
	}
	return aligned{text: string(w.text), from: w.from}
}
