package kernel

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// Packing word by word writes what taking blocks apart writes.
func TestPackWordsWritesThePackedForm(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 1))
	quick := 0
	for _, f := range Formats() {
		if !f.layout().quantised() {
			continue
		}
		const rows, cols = 19, 768
		src := randomWeights(r, f, rows, cols)
		got, want := newMatrix(nil, f, rows, cols), newMatrix(nil, f, rows, cols)
		stride, _ := f.RowBytes(cols)
		for i := range rows {
			row := src[i*stride : (i+1)*stride]
			if !f.packWords(got.data[i/groupRows*got.group:], i%groupRows, row) {
				break
			}
			want.packParts(want.data[i/groupRows*want.group:], i%groupRows, row)
			if i == rows-1 {
				quick++
			}
		}
		if !bytes.Equal(got.data, want.data) {
			t.Errorf("%v: the packed form differs", f)
		}
	}
	if quick != 5 {
		t.Errorf("%d formats are packed word by word, want 5", quick)
	}
}

func BenchmarkPackRow(b *testing.B) {
	r := rand.New(rand.NewPCG(7, 2))
	for _, f := range []Format{Q4_0, Q4_1, Q8_0, Q4_K, Q5_0, Q6_K} {
		b.Run(f.String(), func(b *testing.B) {
			const cols = 1536
			src := randomWeights(r, f, 1, cols)
			m := newMatrix(nil, f, groupRows, cols)
			b.SetBytes(int64(len(src)))
			for i := range b.N {
				m.packRow(i%groupRows, src)
			}
		})
	}
}
