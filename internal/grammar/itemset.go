package grammar

// itemSet is a set of items that is emptied often: a hash table with linear
// probing, whose slots count only with the stamp of the present round.
type itemSet struct {
	slots []itemSlot // a power of two of them
	count int
	round uint32
}

type itemSlot struct {
	state, node int32
	round       uint32
}

func newItemSet() itemSet { return itemSet{slots: make([]itemSlot, 64)} }

func (s *itemSet) clear() {
	s.count = 0
	if s.round++; s.round == 0 {
		clear(s.slots)
		s.round = 1
	}
}

// add reports whether an item is new, and adds it.
func (s *itemSet) add(state, node int32) bool {
	if 2*s.count >= len(s.slots) {
		s.grow()
	}
	mask := uint32(len(s.slots) - 1)
	at := (uint32(state)*0x9E3779B1 ^ uint32(node)*0x85EBCA6B) >> 7
	for {
		slot := &s.slots[at&mask]
		if slot.round != s.round {
			*slot = itemSlot{state, node, s.round}
			s.count++
			return true
		}
		if slot.state == state && slot.node == node {
			return false
		}
		at++
	}
}

func (s *itemSet) grow() {
	old := s.slots
	s.slots, s.count = make([]itemSlot, 2*len(old)), 0
	for _, slot := range old {
		if slot.round == s.round {
			s.add(slot.state, slot.node)
		}
	}
}
