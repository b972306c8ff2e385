package grammar

import "container/heap"

// measureExits finds each state's shortest way to the end of its rule, which
// is never for a state that has none: Knuth's generalisation of Dijkstra's
// algorithm (1977), with rules as the superior functions.
func (p *program) measureExits(b *builder) {
	p.exit = make([]int32, len(b.states))
	for i := range p.exit {
		p.exit[i] = never
	}
	back := newBackEdges(b)
	ruleOf := make(map[int32][]int32, len(b.rules)) // rules by start
	for i, r := range b.rules {
		ruleOf[r.start] = append(ruleOf[r.start], int32(i))
	}
	var queue exitQueue
	improve := func(state, cost int32) {
		if cost < p.exit[state] {
			p.exit[state] = cost
			heap.Push(&queue, exitCost{state, cost})
		}
	}
	for _, r := range b.rules {
		improve(r.end, 0)
	}
	for len(queue) > 0 {
		top := heap.Pop(&queue).(exitCost)
		if top.cost > p.exit[top.state] {
			continue
		}
		for _, e := range back.into(top.state) {
			switch {
			case e.rule < 0:
				improve(e.from, addExits(top.cost, e.bytes))
			case p.exit[b.rules[e.rule].start] != never:
				improve(e.from, addExits(top.cost, p.exit[b.rules[e.rule].start]))
			}
		}
		for _, r := range ruleOf[top.state] { // a rule's own length is known now
			for _, c := range back.callers[r] {
				if after := p.exit[c.to]; after != never {
					improve(c.rule, addExits(after, top.cost)) // c.rule holds the calling state
				}
			}
		}
	}
}

// addExits adds two lengths of exits. Rules that call one another can make
// texts longer than any number: what is beyond use is all the same.
func addExits(a, b int32) int32 {
	if a == never || b == never {
		return never
	}
	return min(a+b, 1<<30)
}

// backEdge is an edge, skip or call seen from where it leads.
type backEdge struct{ from, bytes, rule int32 }

// backEdges are all transitions of a builder, by where they lead.
type backEdges struct {
	start   []int32
	edges   []backEdge
	callers [][]callEdge // by rule: calling state (in rule) and where it goes on
}

func newBackEdges(b *builder) *backEdges {
	back := &backEdges{start: make([]int32, len(b.states)+2), callers: make([][]callEdge, len(b.rules))}
	each := func(visit func(to int32, e backEdge)) {
		for from := range b.states {
			s, from := &b.states[from], int32(from)
			for _, e := range s.edges {
				visit(e.to, backEdge{from, 1, -1})
			}
			for _, to := range s.skips {
				visit(to, backEdge{from, 0, -1})
			}
			for _, c := range s.calls {
				visit(c.to, backEdge{from, 0, c.rule})
			}
		}
	}
	each(func(to int32, _ backEdge) { back.start[to+2]++ })
	for i := 2; i < len(back.start); i++ {
		back.start[i] += back.start[i-1]
	}
	back.edges = make([]backEdge, back.start[len(back.start)-1])
	each(func(to int32, e backEdge) {
		back.edges[back.start[to+1]] = e
		back.start[to+1]++
		if e.rule >= 0 {
			back.callers[e.rule] = append(back.callers[e.rule], callEdge{e.from, to})
		}
	})
	return back
}

func (back *backEdges) into(state int32) []backEdge {
	return back.edges[back.start[state]:back.start[state+1]]
}

// exitCost is a state in the queue of measureExits.
type exitCost struct{ state, cost int32 }

type exitQueue []exitCost

func (q exitQueue) Len() int           { return len(q) }
func (q exitQueue) Less(i, j int) bool { return q[i].cost < q[j].cost }
func (q exitQueue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *exitQueue) Push(x any)        { *q = append(*q, x.(exitCost)) }
func (q *exitQueue) Pop() any {
	old := *q
	x := old[len(old)-1]
	*q = old[:len(old)-1]
	return x
}
