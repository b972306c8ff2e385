package grammar

import (
	"slices"
)

// runeDFA is a deterministic automaton over characters. State 0 is the first;
// every state is on a way from there to one that accepts.
type runeDFA struct {
	chars  *charset
	next   [][]int32 // by state and class; none where nothing goes on
	accept []bool
}

const none = -1

// explore builds a runeDFA from its definition: the first state, where each
// class leads, and which states accept. A state is any comparable value.
func explore[S comparable](chars *charset, first S, next func(s S, class int32) (S, bool), accept func(s S) bool) (*runeDFA, error) {
	d := &runeDFA{chars: chars}
	ids := map[S]int32{first: 0}
	states := []S{first}
	for at := 0; at < len(states); at++ {
		if (at+1)*(chars.count+1) > maxRuneSteps {
			return nil, &LimitError{What: "transitions of a string's pattern and length", Limit: maxRuneSteps}
		}
		s := states[at]
		row := make([]int32, chars.count)
		for class := range row {
			to, ok := next(s, int32(class))
			if !ok {
				row[class] = none
				continue
			}
			id, known := ids[to]
			if !known {
				id = int32(len(states))
				ids[to] = id
				states = append(states, to)
			}
			row[class] = id
		}
		d.next = append(d.next, row)
		d.accept = append(d.accept, accept(s))
	}
	return d.prune()
}

// prune drops the states from which no accepting one can be reached.
func (d *runeDFA) prune() (*runeDFA, error) {
	back := make([][]int32, len(d.next))
	for s, row := range d.next {
		for _, to := range row {
			if to != none {
				back[to] = append(back[to], int32(s))
			}
		}
	}
	alive := slices.Clone(d.accept)
	var todo []int32
	for s, ok := range alive {
		if ok {
			todo = append(todo, int32(s))
		}
	}
	for len(todo) > 0 {
		s := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, from := range back[s] {
			if !alive[from] {
				alive[from] = true
				todo = append(todo, from)
			}
		}
	}
	if !alive[0] {
		return nil, ErrEmpty
	}
	return d.keep(alive), nil
}

// keep returns the automaton of the states marked.
func (d *runeDFA) keep(marked []bool) *runeDFA {
	ids := make([]int32, len(marked))
	kept := &runeDFA{chars: d.chars}
	for s, ok := range marked {
		ids[s] = none
		if ok {
			ids[s] = int32(len(kept.accept))
			kept.accept = append(kept.accept, d.accept[s])
		}
	}
	for s, ok := range marked {
		if !ok {
			continue
		}
		row := d.next[s]
		for class, to := range row {
			if to != none {
				row[class] = ids[to]
			}
		}
		kept.next = append(kept.next, row)
	}
	return kept
}

// free reports whether the automaton accepts every text.
func (d *runeDFA) free() bool {
	return len(d.next) == 1 && d.accept[0] && !slices.Contains(d.next[0], none)
}

// matches reports whether the automaton accepts a text.
func (d *runeDFA) matches(text string) bool {
	s := int32(0)
	for _, r := range text {
		if s = d.next[s][d.chars.of(r)]; s == none {
			return false
		}
	}
	return d.accept[s]
}

// both returns the automaton of the texts that a and b accept.
func both(a, b *runeDFA) (*runeDFA, error) {
	var bounds []rune
	bounds = append(append(bounds, a.chars.bounds...), b.chars.bounds...)
	chars := newCharset(bounds, a.chars.count+b.chars.count, func(set int, r rune) bool {
		if set < a.chars.count {
			return a.chars.of(r) == int32(set)
		}
		return b.chars.of(r) == int32(set-a.chars.count)
	})
	samples := chars.samples()
	return explore(chars, [2]int32{},
		func(s [2]int32, class int32) ([2]int32, bool) {
			r := samples[class]
			to := [2]int32{a.next[s[0]][a.chars.of(r)], b.next[s[1]][b.chars.of(r)]}
			return to, to[0] != none && to[1] != none
		},
		func(s [2]int32) bool { return a.accept[s[0]] && b.accept[s[1]] })
}

// anyChars divides nothing: all characters are one class.
func anyChars() *charset { return newCharset(nil, 0, nil) }

// ofLength returns the automaton of all texts of least to most characters.
func ofLength(least, most int) (*runeDFA, error) {
	if max(least, most)*2 > maxRuneSteps {
		return nil, &LimitError{What: "characters in a string's bounds", Limit: maxRuneSteps / 2}
	}
	return explore(anyChars(), 0,
		func(n int, _ int32) (int, bool) {
			if most == unbounded {
				return min(n+1, least), true
			}
			return n + 1, n < most
		},
		func(n int) bool { return n >= least })
}

// otherThan returns the automaton of all texts but the words given.
func otherThan(words []string) (*runeDFA, error) {
	var letters []rune
	var bounds []rune
	for _, w := range words {
		letters = append(letters, []rune(w)...)
	}
	slices.Sort(letters)
	letters = slices.Compact(letters)
	for _, r := range letters {
		bounds = append(bounds, r, r+1)
	}
	chars := newCharset(bounds, len(letters), func(set int, r rune) bool { return letters[set] == r })
	samples := chars.samples()
	// A state is the text so far while it begins one of the words.
	type state struct {
		text string
		free bool
	}
	begins, is := map[string]bool{}, map[string]bool{}
	for _, w := range words {
		is[w] = true
		for i := range w {
			begins[w[:i]] = true
		}
		begins[w] = true
	}
	return explore(chars, state{free: !begins[""]},
		func(s state, class int32) (state, bool) {
			text := s.text + string(samples[class])
			if s.free || !begins[text] {
				return state{free: true}, true
			}
			return state{text: text}, true
		},
		func(s state) bool { return s.free || !is[s.text] })
}
