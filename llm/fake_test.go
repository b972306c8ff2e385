package llm

import (
	"context"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ragstone/ragstone/internal/chat"
	"github.com/ragstone/ragstone/internal/tokenizer"
)

// The tokens of byteVocabulary beyond the 256 bytes.
const (
	tokenBegin      int32 = 256 + iota // <|begin|>, before every text
	tokenEnd                           // <|end|>, ends an answer
	tokenTurn                          // <|turn|>, begins a turn
	tokenTwoLines                      // two newlines in one token
	vocabularyBytes = 260
)

// byteVocabulary is a tokenizer whose tokens are bytes, two newlines, and three
// control tokens.
type byteVocabulary struct{ addsBegin bool }

var controlNames = map[int32]string{tokenBegin: "<|begin|>", tokenEnd: "<|end|>", tokenTurn: "<|turn|>"}

func (v byteVocabulary) EncodeOffsets(text string, o tokenizer.Options) []tokenizer.Piece {
	var pieces []tokenizer.Piece
	if o.AddSpecial && v.addsBegin {
		pieces = append(pieces, tokenizer.Piece{ID: tokenBegin})
	}
	for i := 0; i < len(text); {
		id, n := int32(text[i]), 1
		if strings.HasPrefix(text[i:], "\n\n") {
			id, n = tokenTwoLines, 2
		}
		for control, name := range controlNames {
			if o.Special && strings.HasPrefix(text[i:], name) && !reachesInto(i, i+len(name), o.Verbatim) {
				id, n = control, len(name)
			}
		}
		pieces = append(pieces, tokenizer.Piece{ID: id, Start: i, End: i + n})
		i += n
	}
	return pieces
}

func reachesInto(start, end int, spans []tokenizer.Span) bool {
	return slices.ContainsFunc(spans, func(s tokenizer.Span) bool { return start < s.End && s.Start < end })
}

func (v byteVocabulary) Encode(text string, o tokenizer.Options) []int32 {
	var ids []int32
	for _, p := range v.EncodeOffsets(text, o) {
		ids = append(ids, p.ID)
	}
	return ids
}

func (v byteVocabulary) Decode(ids []int32) string {
	var s strings.Builder
	for _, id := range ids {
		s.Write(v.TokenBytes(id))
	}
	return s.String()
}

func (byteVocabulary) TokenBytes(id int32) []byte {
	switch {
	case id < 256:
		return []byte{byte(id)}
	case id == tokenTwoLines:
		return []byte("\n\n")
	}
	return nil
}

func (byteVocabulary) EndTokens() []int32 { return []int32{tokenEnd} }
func (byteVocabulary) BOS() (int32, bool) { return tokenBegin, true }
func (byteVocabulary) Size() int          { return vocabularyBytes }

func (byteVocabulary) ID(name string) (int32, bool) {
	for id, control := range controlNames {
		if control == name {
			return id, true
		}
	}
	return 0, false
}

// scriptedDecoder is a language model whose logits are a function of the
// tokens before them. It checks how it is used and remembers its steps.
type scriptedDecoder struct {
	script  func(tokens []int32) []float32
	context int
	fail    func(batch []*input) error // nil: nothing fails

	live  atomic.Int64 // caches that have not been freed
	ran   atomic.Int64 // tokens run
	steps [][]int      // tokens of each input, by step; for tests that run alone
}

const cacheBytesPerToken = 100

func (d *scriptedDecoder) Context() int    { return d.context }
func (d *scriptedDecoder) Vocabulary() int { return vocabularyBytes }
func (d *scriptedDecoder) CacheBytes(tokens int) int64 {
	return int64(tokens) * cacheBytesPerToken
}

func (d *scriptedDecoder) NewCache() cache {
	d.live.Add(1)
	return &scriptedCache{owner: d}
}

func (d *scriptedDecoder) Forward(_ context.Context, batch []*input) error {
	if d.fail != nil {
		if err := d.fail(batch); err != nil {
			return err
		}
	}
	var step []int
	for _, in := range batch {
		c := in.cache.(*scriptedCache)
		c.mustLive()
		if len(in.tokens) == 0 || len(in.rows) != len(in.logits) {
			panic("scriptedDecoder: a malformed input")
		}
		before := len(c.tokens)
		c.tokens = append(c.tokens, in.tokens...)
		if len(c.tokens) > d.context {
			panic("scriptedDecoder: a sequence beyond the context")
		}
		for i, row := range in.rows {
			copy(in.logits[i], d.script(c.tokens[:before+row+1]))
		}
		d.ran.Add(int64(len(in.tokens)))
		step = append(step, len(in.tokens))
	}
	d.steps = append(d.steps, step)
	return nil
}

type scriptedCache struct {
	owner  *scriptedDecoder
	tokens []int32
	freed  bool
}

func (c *scriptedCache) mustLive() {
	if c.freed {
		panic("scriptedCache: used after it was freed")
	}
}

func (c *scriptedCache) Len() int { c.mustLive(); return len(c.tokens) }

func (c *scriptedCache) Fork() cache {
	c.mustLive()
	c.owner.live.Add(1)
	return &scriptedCache{owner: c.owner, tokens: append([]int32(nil), c.tokens...)}
}

func (c *scriptedCache) Truncate(n int) {
	c.mustLive()
	if n > len(c.tokens) {
		panic(fmt.Sprintf("scriptedCache: truncate %d tokens to %d", len(c.tokens), n))
	}
	c.tokens = c.tokens[:n]
}

func (c *scriptedCache) Free() {
	c.mustLive()
	c.freed = true
	c.owner.live.Add(-1)
}

// arbitrary is a script of logits that differ wherever one token before does.
func arbitrary(tokens []int32) []float32 {
	h := fnv.New64a()
	for _, id := range tokens {
		h.Write([]byte{byte(id), byte(id >> 8)})
	}
	rng := rand.New(rand.NewPCG(h.Sum64(), 0))
	logits := make([]float32, vocabularyBytes)
	for i := range logits {
		logits[i] = float32(rng.NormFloat64() * 2)
	}
	logits[tokenEnd] -= 1
	return logits
}

// saying is a script that continues any prompt, whose end is marked by the
// token after, with a text and then ends.
func saying(after int32, text string) func(tokens []int32) []float32 {
	answer := append(byteVocabulary{}.Encode(text, tokenizer.Options{}), tokenEnd)
	return func(tokens []int32) []float32 {
		logits := make([]float32, vocabularyBytes)
		at := len(tokens) - 1
		for at > 0 && tokens[at] != after {
			at--
		}
		if said := len(tokens) - 1 - at; said < len(answer) {
			logits[answer[said]] = 10
		}
		return logits
	}
}

// testLimits are small, so that tests meet them.
func testLimits() engineLimits {
	return engineLimits{
		running:     4,
		queue:       8,
		cacheBytes:  2000 * cacheBytesPerToken,
		keepBytes:   800 * cacheBytesPerToken,
		stepTokens:  64,
		stepGuesses: 6,
		stepRows:    16,
	}
}

// renderTurns is a chat template.
func renderTurns(r *Request) (string, []tokenizer.Span, error) {
	var text string
	var given []tokenizer.Span
	for _, m := range r.Messages {
		text += "<|turn|>" + m.Role + "\n"
		given = append(given, tokenizer.Span{Start: len(text), End: len(text) + len(m.Content)})
		text += m.Content
	}
	return text + "<|turn|>", given, nil
}

// openScripted returns a Local on a scripted decoder. When the test ends it is
// closed, and must have freed every cache.
func openScripted(t *testing.T, d *scriptedDecoder, change ...func(*engineLimits)) *Local {
	t.Helper()
	limits := testLimits()
	for _, f := range change {
		f(&limits)
	}
	if d.context == 0 {
		d.context = 1000
	}
	l := newLocal(Info{Context: d.context}, d, newPrompter(byteVocabulary{addsBegin: true}, &dialect{render: renderTurns, family: chat.Hermes}), limits)
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if n := d.live.Load(); n != 0 {
			t.Errorf("%d caches have not been freed", n)
		}
		if l.engine.reserved != 0 || l.engine.load != 0 || l.engine.prefixes.bytes != 0 {
			t.Errorf("left behind: %d bytes reserved, load %d, %d bytes of prefixes",
				l.engine.reserved, l.engine.load, l.engine.prefixes.bytes)
		}
	})
	return l
}

// definition writes one choice the slow way: a sampler on the script, no
// batch, no cache.
func definition(script func([]int32) []float32, prompt []int32, req Request, choice int) []int32 {
	s := newSampler(&req, prompt, valueOrZero(req.Seed), choice)
	tokens := append([]int32(nil), prompt...)
	for len(tokens) < len(prompt)+req.MaxTokens {
		id, err := s.next(script(tokens), allowance{}, &scratch{})
		if err != nil || id == tokenEnd && !req.IgnoreEnd {
			break
		}
		tokens = append(tokens, id)
		s.saw(id)
	}
	return tokens[len(prompt):]
}

func valueOrZero(p *int64) int64 {
	if p == nil {
		return 0
	}
	return *p
}

// logSoftmax is the definition, in float64.
func logSoftmax(logits []float32, id int32) float64 {
	sum := 0.0
	for _, x := range logits {
		sum += math.Exp(float64(x))
	}
	return float64(logits[id]) - math.Log(sum)
}
