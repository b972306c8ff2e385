package kernel

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

type candidate struct {
	distance float32
	node     uint32
	order    int
}

// nearest is what Candidates must hold after these were offered: in order of
// distance, of equal ones the first first, as if all had been let in.
func nearest(offered []candidate, capacity int) []candidate {
	sorted := slices.Clone(offered)
	slices.SortFunc(sorted, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.distance, b.distance), a.order-b.order)
	})
	return sorted[:min(capacity, len(sorted))]
}

func TestCandidatesKeepTheNearest(t *testing.T) {
	atEachLevel(t, func(t *testing.T) {
		r := newRand(t, 41)
		var c Candidates
		for _, capacity := range []int{1, 2, 15, 16, 17, 32, 40, 48, 64, 65, 90, 96, 100, 128, 129, 257} {
			c.Reset(capacity)
			if c.Limit() != inf {
				t.Fatalf("an empty set's limit is %v", c.Limit())
			}
			seen := make([]uint64, 1<<20/64)
			var offered []candidate
			for range 30 {
				nodes, distances, which := randomEntries(r)
				limit := c.Limit()
				var limited []candidate
				for i, node := range nodes {
					if which>>i&1 != 0 && distances[i] < limit && seen[node>>6]>>(node&63)&1 == 0 {
						limited = append(limited, candidate{distances[i], node, 0})
					}
				}
				c.Add(&nodes, &distances, which, seen)
				for _, e := range limited {
					if now := nearest(offered, capacity); len(now) == capacity && e.distance >= now[capacity-1].distance {
						continue
					}
					e.order = len(offered)
					offered = append(offered, e)
				}
				seen[nodes[0]>>6] |= 1 << (nodes[0] & 63)
			}
			want := nearest(offered, capacity)
			for i, w := range want {
				node, distance, ok := c.At(i)
				if !ok || node != w.node || distance != w.distance {
					t.Fatalf("capacity %d, entry %d: node %d at %v (%v), want %d at %v", capacity, i, node, distance, ok, w.node, w.distance)
				}
			}
			if _, _, ok := c.At(len(want)); ok {
				t.Errorf("capacity %d: more than %d entries", capacity, len(want))
			}
			if len(want) == capacity && c.Limit() != want[capacity-1].distance {
				t.Errorf("capacity %d: limit %v, want %v", capacity, c.Limit(), want[capacity-1].distance)
			}
		}
	})
}

func randomEntries(r *rand.Rand) (nodes [BlockVectors]uint32, distances [BlockVectors]float32, which uint32) {
	for i := range nodes {
		nodes[i] = r.Uint32N(1 << 20)
		distances[i] = float32(r.IntN(500)) // often equal
	}
	distances[r.IntN(BlockVectors)], distances[r.IntN(BlockVectors)] = inf, nan
	return nodes, distances, r.Uint32()
}

func TestCandidatesAreTakenNearestFirst(t *testing.T) {
	atEachLevel(t, func(t *testing.T) {
		var c Candidates
		c.Reset(3)
		add := func(node uint32, distance float32) {
			c.Add(&[BlockVectors]uint32{node}, &[BlockVectors]float32{distance}, 1, nil)
		}
		take := func(want string) {
			t.Helper()
			node, ok := c.Take()
			if got := fmt.Sprint(node, ok); got != want {
				t.Errorf("took %s, want %s", got, want)
			}
		}
		take("0 false")
		add(10, 1)
		add(30, 3)
		take("10 true")
		add(20, 2)
		take("20 true")
		add(5, 0.5) // pushes 30 to the end
		add(25, 2.5)
		take("5 true")
		take("0 false")
		add(7, 0.7)
		take("7 true")
		if node, distance, ok := c.At(0); node != 5 || distance != 0.5 || !ok {
			t.Errorf("the first is %d at %v, %v", node, distance, ok)
		}
	})
	panics(t, "no capacity", func() { new(Candidates).Reset(0) })
}

func TestCandidatesDoNotAllocate(t *testing.T) {
	atEachLevel(t, func(t *testing.T) {
		nodes, distances, which := randomEntries(newRand(t, 42))
		tables, block := make([]byte, 128), make([]byte, 128+factorsSize)
		var c Candidates
		c.Reset(64)
		if n := testing.AllocsPerRun(100, func() {
			c.Reset(64)
			c.Add(&nodes, &distances, which, nil)
			ScanBlock(block, tables, &ScanTerms{Limit: c.Limit()}, &distances, 0)
			c.Take()
		}); n != 0 {
			t.Errorf("%v allocations", n)
		}
	})
}

func BenchmarkCandidates(b *testing.B) {
	benchEachLevel(b, func(b *testing.B) {
		nodes, distances, _ := randomEntries(newRand(b, 43))
		var c Candidates
		for b.Loop() {
			c.Reset(64)
			for range 10 {
				c.Add(&nodes, &distances, 0xffff, nil)
			}
		}
	})
}
