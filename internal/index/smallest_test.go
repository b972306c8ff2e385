package index

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSmallest(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, width := range []int{1, 2, 10, 100} {
		for _, shown := range []int{0, 1, 9, 250, 5000} {
			s := smallest{width: width, limit: 1 << 30}
			var all []near
			for node := range uint32(shown) {
				x := near{float32(r.IntN(100)), node} // often equal
				all = append(all, x)
				if x.distance < s.limit {
					s.add(x)
				}
			}
			slices.SortFunc(all, compareNear)
			got := slices.SortedFunc(slices.Values(s.kept()), compareNear)
			var want, distances []float32
			for _, x := range all[:min(width, shown)] {
				want = append(want, x.distance)
			}
			for _, x := range got {
				distances = append(distances, x.distance)
			}
			if diff := cmp.Diff(want, distances); diff != "" {
				t.Errorf("%d of %d (-want +got):\n%s", width, shown, diff)
			}
		}
	}
}
