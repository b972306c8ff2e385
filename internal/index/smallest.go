package index

// smallest collects the width smallest of the entries it is shown, unsorted: for many
// entries and a large width that is cheaper than keeping them sorted. Twice the width are kept
// and halved now and then.
type smallest struct {
	width int
	limit float32 // an entry that is not below it is not wanted
	list  []near
}

func (s *smallest) add(x near) {
	if s.list = append(s.list, x); len(s.list) >= 2*s.width {
		s.halve()
	}
}

// kept returns the smallest, in no order.
func (s *smallest) kept() []near {
	if len(s.list) > s.width {
		s.halve()
	}
	return s.list
}

// halve keeps the width smallest.
func (s *smallest) halve() {
	selectSmallest(s.list, s.width)
	s.list = s.list[:s.width]
	s.limit = s.list[0].distance
	for _, x := range s.list {
		s.limit = max(s.limit, x.distance)
	}
}

// selectSmallest moves the count smallest entries to the front (Hoare 1961, "Find").
func selectSmallest(list []near, count int) {
	low, high := 0, len(list)-1
	for low < high {
		pivot := list[(low+high)/2]
		i, j := low, high
		for i <= j {
			for list[i].before(pivot) {
				i++
			}
			for pivot.before(list[j]) {
				j--
			}
			if i <= j {
				list[i], list[j] = list[j], list[i]
				i, j = i+1, j-1
			}
		}
		switch {
		case count-1 <= j:
			high = j
		case count-1 >= i:
			low = i
		default:
			return
		}
	}
}
