package index

import (
	"math"

	"github.com/ragstone/ragstone/internal/kernel"
	"github.com/ragstone/ragstone/internal/quant"
)

// space is where a graph lives: one in which the nearest under squared Euclidean
// distance are the best under the metric. Vectors are shifted to their centre,
// scaled so that what is stored in half precision neither overflows nor vanishes,
// and rotated.
//
// Under Cosine they are first divided by their norm. Under Dot, and for zero
// vectors under Cosine, which have no direction, they get another dimension that
// brings all to one norm M: |q−x|² = M² + |q|² − 2⟨q, x⟩ (Bachrach et al. 2014,
// "Speeding up the Xbox recommender system", section 3).
type space struct {
	metric     Metric
	dimensions int
	augmented  bool    // there is one more dimension
	radius     float64 // M: 1 under Cosine
	centre     []float32
	scale      float32
	rotation   *quant.Rotation
}

// spaceReach is the norm that the farthest vector is scaled to. Squared
// distances between vectors are then at most 4·64², and the numbers a row holds
// stay far from 65,504; 2⁻²⁴, the smallest half, is 4·10⁻¹² of that square.
const spaceReach = 64

// negligible is the norm below which a vector has no direction.
const negligible = 1e-37

func norm(x []float32) float64 {
	square := 0.0
	for _, v := range x {
		square += float64(v) * float64(v)
	}
	return math.Sqrt(square)
}

// newSpace looks at all vectors; scale is set later, when they lie around the
// centre.
func newSpace(metric Metric, dimensions int, slab []float32, seed uint64) *space {
	s := &space{metric: metric, dimensions: dimensions, radius: 1, scale: 1}
	smallest, largest := math.Inf(1), 0.0
	if metric != L2 {
		for at := 0; at < len(slab); at += dimensions {
			length := norm(slab[at : at+dimensions])
			smallest, largest = min(smallest, length), max(largest, length)
		}
	}
	switch metric {
	case Cosine:
		s.augmented = smallest < negligible
	case Dot:
		s.augmented = smallest < largest*(1-1e-5)
		s.radius = largest
	}
	s.centre = make([]float32, s.width())
	s.rotation = quant.NewRotation(s.width(), seed)
	s.findCentre(slab)
	return s
}

// width returns the dimensions before rotation.
func (s *space) width() int {
	if s.augmented {
		return s.dimensions + 1
	}
	return s.dimensions
}

// padded returns the dimensions after rotation.
func (s *space) padded() int { return s.rotation.Dimensions() }

func (s *space) findCentre(slab []float32) {
	sums := make([]float64, s.width())
	lifted := make([]float32, s.padded())
	rows := len(slab) / s.dimensions
	for row := range rows {
		s.lift(slab[row*s.dimensions:(row+1)*s.dimensions], lifted)
		for i := range sums {
			sums[i] += float64(lifted[i])
		}
	}
	for i, sum := range sums {
		s.centre[i] = float32(sum / float64(max(rows, 1)))
	}
}

// lift writes x with norm and extra dimension to out, which has padded() numbers.
func (s *space) lift(x, out []float32) {
	copy(out, x)
	clear(out[s.dimensions:])
	if s.metric == L2 {
		return
	}
	length := norm(x)
	if s.metric == Cosine {
		if length < negligible {
			clear(out)
			length = 0
		} else {
			scaleBy(out[:s.dimensions], float32(1/length))
			length = 1
		}
	}
	if s.augmented {
		out[s.dimensions] = float32(math.Sqrt(max(0, s.radius*s.radius-length*length)))
	}
}

// place maps a vector of the slab, but for scale and rotation, which settle
// does.
func (s *space) place(x, out []float32) {
	s.lift(x, out)
	kernel.Axpy(-1, s.centre, out[:len(s.centre)])
}

// reach fixes the scale, given the largest norm that place left.
func (s *space) reach(largest float64) {
	s.scale = 1
	if largest > 0 {
		s.scale = float32(min(spaceReach/largest, math.MaxFloat32))
	}
}

// settle does the rest of place.
func (s *space) settle(placed []float32) {
	scaleBy(placed, s.scale)
	s.rotation.Apply(placed)
}

// ruler turns distances from one query in a space into scores: offset +
// factor·distance.
type ruler struct{ offset, factor float32 }

func (r ruler) score(distance float32) float32 { return r.offset + r.factor*distance }

// aim maps a query to out. Under Cosine and Dot its length does not matter to the
// order, so it is given that of the vectors.
func (s *space) aim(query, out []float32) ruler {
	copy(out, query)
	clear(out[s.dimensions:])
	square := float64(s.scale) * float64(s.scale)
	r := ruler{factor: float32(-1 / square)}
	if s.metric != L2 {
		length := norm(query)
		if length < negligible || s.radius == 0 {
			clear(out)
			return ruler{}
		}
		scaleBy(out[:s.dimensions], float32(s.radius/length))
		gain := 1.0 // from a query of the vectors' norm to this one
		if s.metric == Dot {
			gain = length / s.radius
		}
		r = ruler{float32(s.radius * s.radius * gain), float32(-gain / (2 * square))}
	}
	kernel.Axpy(-1, s.centre, out[:len(s.centre)])
	s.settle(out)
	return r
}

func scaleBy(x []float32, factor float32) {
	if factor == 1 {
		return
	}
	for i := range x {
		x[i] *= factor
	}
}
