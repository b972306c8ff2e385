package grammar

import (
	"fmt"
)

// Matcher follows one text, token by token. It is for one goroutine at a time;
// matchers of one Compiled may be used side by side.
type Matcher struct {
	compiled *Compiled
	at       *config
	narrowed bool
}

// Clone returns a matcher that has read the same and goes its own way.
func (m *Matcher) Clone() *Matcher {
	clone := *m
	return &clone
}

// Complete reports whether the text so far is in the language.
func (m *Matcher) Complete() bool { return m.at.complete }

// Done reports whether the text is complete and nothing can follow.
func (m *Matcher) Done() bool { return m.at.complete && len(m.at.items) == 0 }

// Accept reads a token. If it may not follow the error says so, and the
// matcher stays where it is.
func (m *Matcher) Accept(token int32) error {
	v := m.compiled.vocabulary
	if token < 0 || int(token) >= v.size || len(v.tokens[token]) == 0 {
		return fmt.Errorf("token %d adds no text: the grammar cannot read it", token)
	}
	return m.AcceptBytes(v.tokens[token])
}

// AcceptBytes reads text that need not end where a token does. If it may not
// follow the error says so, and the matcher stays where it is.
func (m *Matcher) AcceptBytes(text []byte) error {
	m.compiled.mu.Lock()
	defer m.compiled.mu.Unlock()
	c, err := m.compiled.after(m.at, text)
	if err != nil {
		return err
	}
	if c == dead {
		return fmt.Errorf("%q may not follow: the grammar forbids it", text)
	}
	m.at = c
	return nil
}

// Mask sets dst, which is for Vocabulary.Size tokens, to those that may follow.
// After each of them the text can still be completed, and in no more than
// room tokens, that one included, if it can be at all: as room runs out, what
// is left is the shortest way out. Tokens that end a text are not among them;
// they may follow where Complete says so. An error is a *LimitError: the
// grammar is too ambiguous to go on, and dst is empty.
func (m *Matcher) Mask(dst Bitset, room int) error {
	m.compiled.mu.Lock()
	defer m.compiled.mu.Unlock()
	narrowed, err := m.compiled.maskWithin(dst, m.at, room)
	if err != nil {
		clear(dst)
	}
	m.narrowed = narrowed
	return err
}

// Narrowed reports whether the last Mask left tokens out for want of room: of the
// ways on, some were too long.
func (m *Matcher) Narrowed() bool { return m.narrowed }

// Exit returns the number of tokens after which the text can be complete, and
// whether tokens can complete it at all. It may count too many where the way
// is thousands of tokens long or the grammar very ambiguous.
func (m *Matcher) Exit() (tokens int, ok bool) {
	m.compiled.mu.Lock()
	defer m.compiled.mu.Unlock()
	n, err := m.compiled.exit(m.at)
	return int(n), err == nil && n < never
}

// Forced returns tokens that have to follow, none where there is a choice. They
// are those that the tokenizer gives for the text that has to follow, less any
// at its end that another text might join with what comes after. There are at
// most room of them, and they never cost the text its end within room tokens.
// The matcher stays where it is.
func (m *Matcher) Forced(room int) []int32 {
	m.compiled.mu.Lock()
	defer m.compiled.mu.Unlock()
	return m.compiled.forced(m.at, room)
}
