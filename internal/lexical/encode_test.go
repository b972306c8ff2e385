package lexical_test

import (
	"encoding/binary"
	"errors"
	"flag"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/ragstone/ragstone/internal/lexical"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// sample is the index of testdata/v1.lex.
func sample(t testing.TB) *lexical.Index {
	return build(t, "Every new hire has 25 days of leave.", "", "leaveDays is set in handbook.go; leave it.")
}

func TestVersion1IsStillRead(t *testing.T) {
	path := filepath.Join("testdata", "v1.lex")
	if *update {
		if err := os.WriteFile(path, sample(t).Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	index, err := lexical.Load(data)
	if err != nil {
		t.Fatal(err)
	}
	if err := index.Verify(); err != nil {
		t.Error(err)
	}
	got := index.Search(index.Query("How many days of leave?"), 5)
	if len(got) != 2 || got[0].Doc != 2 || got[1].Doc != 0 {
		t.Errorf("got %v, want documents 2 and 0", got)
	}
	if !slices.Equal(data, sample(t).Bytes()) {
		t.Error("the same documents are now encoded otherwise: a change of format or analyser wants a new version")
	}
}

func TestEveryDamagedByteIsFound(t *testing.T) {
	data := sample(t).Bytes()
	for i := range data {
		damaged := slices.Clone(data)
		damaged[i] ^= 0x20
		if _, err := lexical.Load(damaged); err == nil {
			t.Errorf("byte %d of %d changed, and Load says nothing", i, len(data))
		}
		if _, err := lexical.Load(data[:i]); !errors.Is(err, lexical.ErrCorrupt) {
			t.Errorf("cut to %d bytes: Load = %v, want ErrCorrupt", i, err)
		}
	}
}

// FuzzLoad gives Load what it must survive: any bytes under a right checksum.
func FuzzLoad(f *testing.F) {
	f.Add(sample(f).Bytes())
	f.Add(build(f).Bytes())
	f.Add(build(f, "one", "one one", "two").Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) >= 4 {
			body := data[:len(data)-4]
			sum := crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli))
			data = binary.LittleEndian.AppendUint32(slices.Clone(body), sum)
		}
		index, err := lexical.Load(data)
		if err != nil {
			return
		}
		_ = index.Verify()
		q := index.Query("leave days two one hire handbook")
		index.Search(q, 3)
		index.Scores(q, []int{index.Len() - 1, 0})
	})
}
