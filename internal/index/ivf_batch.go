package index

import (
	"fmt"
	"runtime"
	"slices"
)

// SearchBatch is Search for queries that lie one after another. Queries that look into the same
// list do so one after another, while its codes are in the processor's caches.
func (x *IVF) SearchBatch(queries []float32, k int, p Params) [][]Hit {
	d := x.dimensions
	if len(queries)%d != 0 {
		panic(fmt.Sprintf("index: %d numbers are not queries of %d dimensions", len(queries), d))
	}
	found := make([][]Hit, len(queries)/d)
	piece := max(smallBatch, (len(found)+runtime.GOMAXPROCS(0)-1)/runtime.GOMAXPROCS(0))
	if p.Filter != nil || p.Exact || !x.layout.blocked {
		piece = 1
	}
	parallel(runtime.GOMAXPROCS(0), len(found), piece, func(from, to int) {
		if to-from >= smallBatch && k > 0 && x.Len() > k*defaultRescore {
			x.searchTogether(queries[from*d:to*d], min(k, x.Len()), p, found[from:to])
			return
		}
		for i := from; i < to; i++ {
			found[i], _ = x.Search(queries[i*d:(i+1)*d], k, p)
		}
	})
	return found
}

// ownLists is how many lists a query scans before it takes turns with others: the nearest fill
// its candidates, so that most of what comes later is turned away at once.
const ownLists = 2

// visit is a query's turn at a list.
type visit struct {
	list  near
	query int
}

func (x *IVF) searchTogether(queries []float32, k int, p Params, found [][]Hit) {
	d := x.dimensions
	searches := make([]*ivfSearch, len(found))
	var visits []visit
	for i := range searches {
		s := x.borrow()
		searches[i] = s
		s.aim(queries[i*d:(i+1)*d], x.width(k, p))
		for n, list := range s.probe.nearest(x.coarse, p.nprobe()) {
			if n < ownLists {
				s.scanList(list, nil)
			} else {
				visits = append(visits, visit{list, i})
			}
		}
	}
	for _, v := range byList(visits, x.Lists()) {
		searches[v.query].scanList(v.list, nil)
	}
	for i, s := range searches {
		if s.found < k && p.nprobe() < x.Lists() {
			s.scanRest(k, slices.Clone(s.probe.found[:p.nprobe()]), nil)
		}
		found[i] = s.finish(queries[i*d:(i+1)*d], k, p)
		x.pool.Put(s)
	}
}

// byList sorts visits by list, by counting.
func byList(visits []visit, lists int) []visit {
	starts := make([]int, lists+1)
	for _, v := range visits {
		starts[v.list.node+1]++
	}
	for i := range lists {
		starts[i+1] += starts[i]
	}
	sorted := make([]visit, len(visits))
	for _, v := range visits {
		sorted[starts[v.list.node]] = v
		starts[v.list.node]++
	}
	return sorted
}
