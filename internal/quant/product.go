package quant

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/ragstone/ragstone/internal/kernel"
)

// Product cuts a vector into parts and keeps, of each, the number of the nearest of 256
// or 16 centroids: Jégou, Douze and Schmid 2011, "Product quantization for nearest
// neighbor search". The parts' centroids are learned.
type Product struct {
	dimensions, parts, bits int
	centroids               []float32 // part after part: 2^bits of dimensions/parts numbers
}

// NewProduct returns a codec with centroids: of each part in turn, its 2^bits centroids
// one after another. bits is 8 or 4. It keeps the slice.
func NewProduct(dimensions, parts, bits int, centroids []float32) (*Product, error) {
	if err := checkProduct(dimensions, parts, bits); err != nil {
		return nil, err
	}
	if len(centroids) != dimensions<<bits {
		return nil, fmt.Errorf("product quantisation: %d numbers in centroids; want %d", len(centroids), dimensions<<bits)
	}
	for i, v := range centroids {
		if v-v != 0 {
			return nil, fmt.Errorf("product quantisation: number %d of the centroids is %v", i, v)
		}
	}
	return &Product{dimensions, parts, bits, centroids}, nil
}

func checkProduct(dimensions, parts, bits int) error {
	if bits != 4 && bits != 8 || parts < 1 || dimensions < 1 || dimensions%parts != 0 {
		return fmt.Errorf("product quantisation: %d parts of %d bits for %d dimensions; the parts must divide the dimensions, the bits be 4 or 8", parts, bits, dimensions)
	}
	return nil
}

const (
	productRounds  = 12
	productSamples = 256 // vectors a centroid
)

// TrainProduct learns a codec of so many parts from vectors.
func TrainProduct(parts, bits, dimensions int, slab []float32, seed uint64, threads int) (*Product, error) {
	if err := checkProduct(dimensions, parts, bits); err != nil {
		return nil, err
	}
	sample := Sample(dimensions, slab, productSamples<<bits, seed)
	rows, width := len(sample)/dimensions, dimensions/parts
	centroids := make([]float32, 0, dimensions<<bits)
	part := make([]float32, rows*width)
	for p := range parts {
		for row := range rows {
			copy(part[row*width:(row+1)*width], sample[row*dimensions+p*width:])
		}
		centroids = append(centroids, KMeans(width, part, 1<<bits, productRounds, seed+uint64(p), threads)...)
	}
	return NewProduct(dimensions, parts, bits, centroids)
}

// Sample returns at most so many of a slab's vectors, drawn at random, in a slab of
// their own; the slab itself if it has no more.
func Sample(dimensions int, slab []float32, most int, seed uint64) []float32 {
	n := len(slab) / dimensions
	if n <= most {
		return slab
	}
	sample := make([]float32, 0, most*dimensions)
	for _, row := range rand.New(rand.NewPCG(seed, 6)).Perm(n)[:most] {
		sample = append(sample, slab[row*dimensions:(row+1)*dimensions]...)
	}
	return sample
}

// Name returns "pq", the parts, "x" and the bits.
func (c *Product) Name() string { return fmt.Sprintf("pq%dx%d", c.parts, c.bits) }

// Dimensions implements Codec.
func (c *Product) Dimensions() int { return c.dimensions }

// Parts returns how many parts a vector is cut into.
func (c *Product) Parts() int { return c.parts }

// Bits returns the bits that a part's number takes: 8 or 4.
func (c *Product) Bits() int { return c.bits }

// Centroids returns what NewProduct was given; it must not be changed.
func (c *Product) Centroids() []float32 { return c.centroids }

// CodeSize implements Codec.
func (c *Product) CodeSize() int { return (c.parts*c.bits + 7) / 8 }

func (c *Product) width() int { return c.dimensions / c.parts }

// part returns the centroids of a part.
func (c *Product) part(p int) []float32 {
	size := c.width() << c.bits
	return c.centroids[p*size : (p+1)*size]
}

// Numbers writes the number of every part's centroid to numbers.
func (c *Product) Numbers(x []float32, numbers []byte) {
	checkVector(c, x)
	w := c.width()
	for p := range c.parts {
		numbers[p] = nearestCentroid(x[p*w:(p+1)*w], c.part(p))
	}
}

// nearestCentroid returns the number of the centroid nearest to x.
func nearestCentroid(x, centroids []float32) byte {
	best, at := float32(math.Inf(1)), 0
	for c := 0; c*len(x) < len(centroids); c++ {
		sum := float32(0)
		for i, v := range centroids[c*len(x) : (c+1)*len(x)] {
			d := x[i] - v
			sum += d * d
		}
		if sum < best {
			best, at = sum, c
		}
	}
	return byte(at)
}

// Encode implements Codec. Of two numbers of four bits the first is in the low half
// of a byte.
func (c *Product) Encode(x []float32, code []byte) {
	checkCode(c, code)
	if c.bits == 8 {
		c.Numbers(x, code)
		return
	}
	numbers := make([]byte, c.parts)
	c.Numbers(x, numbers)
	clear(code)
	for p, n := range numbers {
		code[p/2] |= n << (p % 2 * 4)
	}
}

// number returns the centroid of part p in a code.
func (c *Product) number(code []byte, p int) int {
	if c.bits == 8 {
		return int(code[p])
	}
	return int(code[p/2] >> (p % 2 * 4) & 15)
}

// Spread writes the number of every part's centroid in a code to numbers.
func (c *Product) Spread(code, numbers []byte) {
	for p := range c.parts {
		numbers[p] = byte(c.number(code, p))
	}
}

// Decode implements Codec.
func (c *Product) Decode(code []byte, x []float32) {
	checkCode(c, code)
	w := c.width()
	for p := range c.parts {
		n := c.number(code, p)
		copy(x[p*w:(p+1)*w], c.part(p)[n*w:])
	}
}

// productScorer adds up what every part contributes.
type productScorer struct {
	codec  *Product
	tables []float32 // of each part, for each centroid
}

// Scorer implements Codec.
func (c *Product) Scorer(query []float32, by Similarity) Scorer {
	return &productScorer{c, c.tables(query, by)}
}

// tables computes the similarity of every part of a query with its centroids.
func (c *Product) tables(query []float32, by Similarity) []float32 {
	checkVector(c, query)
	w, size := c.width(), 1<<c.bits
	tables := make([]float32, c.parts*size)
	for p := range c.parts {
		fill := fillProducts
		if by == ByL2 {
			fill = fillDistances
		}
		fill(query[p*w:(p+1)*w], c.part(p), tables[p*size:(p+1)*size])
	}
	return tables
}

// fillProducts sets out[i] to the product of x with the i-th centroid. Parts are so short that
// a loop over their numbers takes longer than the arithmetic: two and four go by themselves.
func fillProducts(x, centroids, out []float32) {
	switch len(x) {
	case 2:
		for i := range out {
			c := centroids[2*i : 2*i+2]
			out[i] = x[0]*c[0] + x[1]*c[1]
		}
	case 4:
		for i := range out {
			c := centroids[4*i : 4*i+4]
			out[i] = x[0]*c[0] + x[1]*c[1] + x[2]*c[2] + x[3]*c[3]
		}
	default:
		for i := range out {
			sum := float32(0)
			for j, v := range centroids[i*len(x) : (i+1)*len(x)] {
				sum += x[j] * v
			}
			out[i] = sum
		}
	}
}

// fillDistances sets out[i] to the negated squared distance of x and the i-th centroid.
func fillDistances(x, centroids, out []float32) {
	switch len(x) {
	case 2:
		for i := range out {
			c := centroids[2*i : 2*i+2]
			a, b := x[0]-c[0], x[1]-c[1]
			out[i] = -(a*a + b*b)
		}
	case 4:
		for i := range out {
			c := centroids[4*i : 4*i+4]
			a, b, d, e := x[0]-c[0], x[1]-c[1], x[2]-c[2], x[3]-c[3]
			out[i] = -(a*a + b*b + d*d + e*e)
		}
	default:
		for i := range out {
			sum := float32(0)
			for j, v := range centroids[i*len(x) : (i+1)*len(x)] {
				d := x[j] - v
				sum += d * d
			}
			out[i] = -sum
		}
	}
}

func (s *productScorer) Score(codes []byte, scores []float32) {
	c := s.codec
	size := c.CodeSize()
	if c.bits == 8 {
		kernel.Lookups(s.tables, codes, size, scores)
		return
	}
	for i := range scores {
		code, sum := codes[i*size:(i+1)*size], float32(0)
		for p := range c.parts {
			sum += s.tables[p<<c.bits+c.number(code, p)]
		}
		scores[i] = sum
	}
}

// ByteTables makes tables for kernel.ScanBlock from a codec of 4 bits: groups, a
// multiple of 8 that is at least Parts, of 16 bytes. A sum of entries s means a
// similarity of about −(step·s + low).
func (c *Product) ByteTables(query []float32, by Similarity, tables []byte) (step, low float32) {
	if c.bits != 4 || len(tables) < c.parts*kernel.TableSize {
		panic(fmt.Sprintf("quant: byte tables of %d bytes for %s", len(tables), c.Name()))
	}
	clear(tables)
	exact := c.tables(query, by)
	highest := make([]float32, c.parts)
	widest := float32(0)
	for p := range highest {
		least, most := extremes(exact[p*16 : p*16+16])
		highest[p], widest, low = most, max(widest, most-least), low-most
	}
	step = widest / math.MaxUint8
	inverse := 1 / step
	if inverse > math.MaxFloat32 { // all alike, to the last bits
		return 0, low
	}
	for p, most := range highest {
		table := tables[p*kernel.TableSize : (p+1)*kernel.TableSize]
		for n, v := range exact[p*16 : p*16+16] {
			table[n] = byte(int32(min(math.MaxUint8, (most-v)*inverse+0.5)))
		}
	}
	return step, low
}

func extremes(x []float32) (least, most float32) {
	least, most = x[0], x[0]
	for _, v := range x {
		least, most = min(least, v), max(most, v)
	}
	return least, most
}
