package vector

import (
	"flag"
	"math/rand/v2"
	"testing"
)

var benchPoints = flag.Int("points", 100_000, "points of the benchmarks")

// benchCollection is a durable collection of random vectors of 128 dimensions,
// which are scanned: what is measured is everything but the index.
func benchCollection(b *testing.B, dir string) (*DB, *Collection) {
	db, err := Open(dir, Options{})
	if err != nil {
		b.Fatal(err)
	}
	c, err := db.Collection("bench", Schema{
		Vectors: map[string]VectorSpec{"": {Dimensions: 128, Metric: L2, Index: Flat}},
		Payload: map[string]PayloadIndex{"n": NumberIndex},
	})
	if err != nil {
		b.Fatal(err)
	}
	return db, c
}

func fill(b *testing.B, c *Collection) {
	random := rand.New(rand.NewPCG(1, 1))
	points := make([]Point, 100)
	for from := 0; from < *benchPoints; from += len(points) {
		for i := range points {
			x := make([]float32, 128)
			for j := range x {
				x[j] = random.Float32()
			}
			points[i] = Point{ID: Num(uint64(from + i)), Vector: x, Payload: Payload{"n": from + i}}
		}
		if err := c.Upsert(b.Context(), points...); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDurableInsert writes points in batches of 100, each on the device
// before the next.
func BenchmarkDurableInsert(b *testing.B) {
	for b.Loop() {
		db, c := benchCollection(b, b.TempDir())
		fill(b, c)
		if err := db.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(*benchPoints*b.N)/b.Elapsed().Seconds(), "points/s")
}

// BenchmarkRestart opens a collection and counts its points.
func BenchmarkRestart(b *testing.B) {
	dir := b.TempDir()
	db, c := benchCollection(b, dir)
	fill(b, c)
	for b.Loop() {
		if err := db.Close(); err != nil {
			b.Fatal(err)
		}
		db, c = benchCollection(b, dir)
		if n, err := c.Count(b.Context(), "", nil); n != *benchPoints || err != nil {
			b.Fatalf("got %d points, %v, want %d", n, err, *benchPoints)
		}
	}
	if err := db.Close(); err != nil {
		b.Fatal(err)
	}
}
