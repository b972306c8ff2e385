package grammar

import (
	"cmp"
	"encoding/binary"
	"slices"
)

// machine runs a program. It is not safe for concurrent use.
type machine struct {
	*program
	configs map[string]*config
	nodes   map[string]*node
	kept    int   // items in configs, to bound what is remembered
	ids     int32 // of nodes given out
	start   *config

	work   int // items visited since the last call of begin
	seen   itemSet
	list   []item  // the closure so far; those before at have been expanded
	frames []*node // by rule: the node of its calls in this closure
	called []int32 // rules that have a frame
	ended  bool    // the closure has reached acceptState
	key    []byte
}

func newMachine(p *program) (*machine, error) {
	m := &machine{program: p, seen: newItemSet(), frames: make([]*node, len(p.rules))}
	m.forget()
	bottom := &node{id: m.newID(), exit: 0}
	var err error
	m.begin()
	m.call(p.root, item{acceptState, bottom})
	m.start, err = m.finish()
	return m, err
}

// forget drops all configs that nobody holds.
func (m *machine) forget() {
	m.configs, m.nodes, m.kept = map[string]*config{}, map[string]*node{}, 0
}

func (m *machine) newID() int32 {
	m.ids++
	return m.ids
}

// step returns where a class of bytes leads from c, dead if nowhere.
func (m *machine) step(c *config, class uint8) (*config, error) {
	if next := c.next[class]; next != nil {
		return next, nil
	}
	b := m.sample[class]
	m.begin()
	for _, it := range c.items {
		for _, e := range m.edgesOf(it.state) {
			if e.lo <= b && b <= e.hi {
				m.push(item{e.to, it.calls})
			}
		}
	}
	next, err := m.finish()
	if err == nil {
		c.next[class] = next
	}
	return next, err
}

// begin starts a closure.
func (m *machine) begin() {
	m.seen.clear()
	m.list = m.list[:0]
	for _, r := range m.called {
		m.frames[r] = nil
	}
	m.called = m.called[:0]
	m.ended = false
}

// push adds an item to the closure.
func (m *machine) push(it item) {
	if it.state == acceptState {
		m.ended = true
		return
	}
	if m.seen.add(it.state, it.calls.id) {
		m.list = append(m.list, it)
	}
}

// call adds the start of a rule, to go on at back when it has ended.
func (m *machine) call(r int32, back item) {
	frame := m.frames[r]
	if frame == nil {
		m.called = append(m.called, r)
		frame = &node{id: -int32(len(m.called))}
		m.frames[r] = frame
		m.push(item{m.rules[r].start, frame})
	}
	frame.entries = append(frame.entries, back)
	if m.nullable[r] {
		m.push(back)
	}
}

// finish expands all items that have been pushed and returns their config.
func (m *machine) finish() (*config, error) {
	for at := 0; at < len(m.list); at++ {
		if at > maxItems {
			return nil, &LimitError{What: "ways to read the text so far", Limit: maxItems}
		}
		it := m.list[at]
		if m.endsRule[it.state] && it.calls.id >= 0 {
			// A rule that ends where it began is in call's hands.
			for _, back := range it.calls.entries {
				m.push(back)
			}
		}
		for _, to := range m.skipsOf(it.state) {
			m.push(item{to, it.calls})
		}
		for _, c := range m.callsOf(it.state) {
			m.enter(c, it.calls)
		}
	}
	m.work += len(m.list)
	if len(m.list) == 0 && !m.ended {
		return dead, nil
	}
	return m.intern(), nil
}

// enter calls a rule from within the calls given. A call that is the last
// thing its own rule does returns to that rule's callers at once, so that a
// list written as a recursion does not grow the stack.
func (m *machine) enter(c callEdge, calls *node) {
	if m.transports[c.to] && calls.id >= 0 {
		for _, back := range calls.entries {
			m.call(c.rule, back)
		}
		return
	}
	m.call(c.rule, item{c.to, calls})
}

// intern returns the config of the closure that has been finished.
func (m *machine) intern() *config {
	var items []item
	for _, it := range m.list {
		if m.edgesFrom[it.state] < m.edgesFrom[it.state+1] {
			items = append(items, item{it.state, m.settle(it.calls)})
		}
	}
	slices.SortFunc(items, compareItems)
	items = slices.Compact(items)
	m.key = append(m.key[:0], 0)
	if m.ended {
		m.key[0] = 1
	}
	m.key = appendItems(m.key, items)
	if c, ok := m.configs[string(m.key)]; ok {
		return c
	}
	c := &config{
		items:    items,
		next:     make([]*config, m.classes),
		complete: m.ended,
		exit:     never,
		forced:   forcedUnknown,
		tokens:   notMeasured,
		longest:  notMeasured,
	}
	if m.ended {
		c.exit = 0
	}
	for _, it := range items {
		exit := m.exitOf(it)
		c.exit = min(c.exit, exit)
		if n := m.plain[it.state]; n > c.plain {
			c.plain, c.plainExit = n, addExits(exit, m.plainRise[it.state])
		}
	}
	if m.kept > maxKept {
		m.forget()
	}
	m.kept += len(items) + m.classes
	m.configs[string(m.key)] = c
	return c
}

// settle returns the node that a node of a closure stands for.
func (m *machine) settle(n *node) *node {
	if n.id >= 0 {
		return n
	}
	if n.final != nil {
		return n.final
	}
	entries := n.entries
	for i, back := range entries {
		entries[i].calls = m.settle(back.calls)
	}
	slices.SortFunc(entries, compareItems)
	entries = slices.Compact(entries)
	key := string(appendItems(nil, entries))
	known, ok := m.nodes[key]
	if !ok {
		known = &node{id: m.newID(), entries: slices.Clone(entries), exit: never}
		for _, back := range entries {
			known.exit = min(known.exit, m.exitOf(back))
		}
		m.nodes[key] = known
		m.kept += len(entries)
	}
	n.final = known
	return known
}

// exitOf is the fewest bytes from an item to a complete text.
func (m *machine) exitOf(it item) int32 {
	if it.state == acceptState {
		return 0
	}
	return addExits(m.exit[it.state], it.calls.exit)
}

func compareItems(a, b item) int {
	return cmp.Or(cmp.Compare(a.state, b.state), cmp.Compare(a.calls.id, b.calls.id))
}

func appendItems(key []byte, items []item) []byte {
	for _, it := range items {
		key = binary.LittleEndian.AppendUint32(key, uint32(it.state))
		key = binary.LittleEndian.AppendUint32(key, uint32(it.calls.id))
	}
	return key
}

// forcedByte returns the only byte that may follow c, or forcedNothing if the
// text may end there or several bytes may follow.
func (m *machine) forcedByte(c *config) int16 {
	if c.forced == forcedUnknown {
		c.forced = m.findForced(c)
	}
	return c.forced
}

func (m *machine) findForced(c *config) int16 {
	only := int16(forcedNothing)
	if c.complete {
		return forcedNothing
	}
	for _, it := range c.items {
		for _, e := range m.edgesOf(it.state) {
			if e.lo != e.hi || only >= 0 && only != int16(e.lo) {
				return forcedNothing
			}
			only = int16(e.lo)
		}
	}
	return only
}

// loops reports whether every plain character leads from c back to it: c is
// where one state of a string leads that does so, and nothing else.
func (m *machine) loops(c *config) (bool, error) {
	if c.loop == loopUnknown {
		c.loop = loopsNot
		for _, it := range c.items {
			if !m.plainLoop[it.state] {
				continue
			}
			m.begin()
			m.push(it)
			same, err := m.finish()
			if err != nil {
				return false, err
			}
			if same == c {
				c.loop = loops
			}
		}
	}
	return c.loop == loops, nil
}
