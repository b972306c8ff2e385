package vector

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/RoaringBitmap/roaring/v2"
)

// bitmapRows returns the rows of a set.
func bitmapRows(w rowSet) (rows []uint32) {
	selection{words: w}.each(64*len(w), func(row int) bool {
		rows = append(rows, uint32(row))
		return true
	})
	return rows
}

func TestStoredBitmapsAreReadAsTheLibraryDoes(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for name, fill := range map[string]func(b *roaring.Bitmap){
		"empty":    func(*roaring.Bitmap) {},
		"one":      func(b *roaring.Bitmap) { b.Add(70_000) },
		"few":      func(b *roaring.Bitmap) { b.AddMany([]uint32{0, 63, 64, 65_535, 65_536, 199_999}) },
		"arrays":   func(b *roaring.Bitmap) { addRandom(b, random, 0.01) },
		"bit maps": func(b *roaring.Bitmap) { addRandom(b, random, 0.4) },
		"all":      func(b *roaring.Bitmap) { b.AddRange(0, 200_000) },
		"runs":     func(b *roaring.Bitmap) { b.AddRange(5, 1000); b.AddRange(65_500, 140_000); b.Add(150_000) },
		"everything": func(b *roaring.Bitmap) {
			addRandom(b, random, 0.3)
			b.AddRange(66_000, 131_000)
			b.AddRange(140_000, 140_064)
		},
	} {
		for _, compact := range []bool{false, true} {
			b := roaring.New()
			fill(b)
			if compact {
				b.RunOptimize()
			}
			data, err := b.ToBytes()
			if err != nil {
				t.Fatal(err)
			}
			w := newRowSet(200_000)
			if err := w.addStored(data); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if got, want := bitmapRows(w), b.ToArray(); !slices.Equal(got, want) {
				t.Errorf("%s, runs %v: %d rows, want %d", name, compact, len(got), len(want))
			}
			for cut := 0; cut < len(data); cut += 1 + len(data)/50 {
				if newRowSet(200_000).addStored(data[:cut]) == nil {
					t.Errorf("%s: cut to %d of %d bytes: no error", name, cut, len(data))
				}
			}
		}
	}
}

func addRandom(b *roaring.Bitmap, random *rand.Rand, share float64) {
	for row := range uint32(200_000) {
		if random.Float64() < share {
			b.Add(row)
		}
	}
}

// FuzzStoredBitmap reads bytes that may be anything: where the library reads a bitmap of them, the
// rows are the same.
func FuzzStoredBitmap(f *testing.F) {
	for _, rows := range [][]uint32{{}, {1, 2, 3}, {0, 65_536, 1 << 20}} {
		b := roaring.BitmapOf(rows...)
		b.AddRange(100, 9000)
		b.RunOptimize()
		data, _ := b.ToBytes()
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		w := newRowSet(1 << 17)
		err := w.addStored(data)
		b, libraryErr := readBitmap(data)
		if libraryErr != nil {
			return
		}
		if err != nil {
			t.Fatalf("the library reads %d rows, and we: %v", b.GetCardinality(), err)
		}
		b.RemoveRange(1<<17, 1<<32)
		if got, want := bitmapRows(w), b.ToArray(); !slices.Equal(got, want) {
			t.Fatalf("%d rows, want %d", len(got), len(want))
		}
	})
}

func TestKeepRange(t *testing.T) {
	for _, r := range [][2]int{{0, 200}, {0, 0}, {5, 5}, {63, 64}, {64, 128}, {1, 199}, {130, 131}, {128, 200}} {
		w := allRows(200)
		w.keepRange(r[0], r[1])
		added := newRowSet(200)
		added.addRange(r[0], r[1])
		rows := bitmapRows(w)
		if len(rows) != r[1]-r[0] || len(rows) > 0 && (int(rows[0]) != r[0] || int(rows[len(rows)-1]) != r[1]-1) {
			t.Errorf("keepRange(%d, %d) keeps %v", r[0], r[1], rows)
		}
		if !slices.Equal(w, added) {
			t.Errorf("addRange(%d, %d) adds %v", r[0], r[1], bitmapRows(added))
		}
	}
}
