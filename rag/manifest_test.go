package rag

import (
	"bytes"
	"slices"
	"testing"

	"github.com/ragstone/ragstone/internal/disk"
)

func FuzzDecodeManifest(f *testing.F) {
	var seed bytes.Buffer
	if err := (&manifest{Version: manifestVersion, Database: 3}).encode(&seed); err != nil {
		f.Fatal(err)
	}
	f.Add(seed.String())
	f.Add(`{"crc32c": "", "manifest": null}`)
	f.Fuzz(func(t *testing.T, text string) {
		m, err := decodeManifest([]byte(text))
		if err != nil {
			return
		}
		var again bytes.Buffer
		if err := m.encode(&again); err != nil {
			t.Fatal(err)
		}
		if read, err := decodeManifest(again.Bytes()); err != nil || *read != *m {
			t.Errorf("%+v, written and read again, is %+v, %v", m, read, err)
		}
	})
}

func TestSweepingLeavesOneDatabaseAndForeignFiles(t *testing.T) {
	fsys := disk.NewMemFS()
	s := store{fsys, "/index"}
	write := func(name string) {
		t.Helper()
		if err := fsys.MkdirAll(s.path(name), 0o700); err != nil {
			t.Fatal(err)
		}
		f, err := fsys.OpenFile(s.path(name+"/file"), 0x41, 0o600) // write, create
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	for _, name := range []string{"000001.db", "000002.db", "1000000.db", "7.db", "notes.db", "000003.db.old"} {
		write(name)
	}
	if got, err := s.databases(); err != nil || !slices.Equal(got, []uint64{1, 2, 1000000}) {
		t.Errorf("databases are %v, %v; want 1, 2 and 1000000", got, err)
	}
	s.sweep(2)
	entries, err := fsys.ReadDir("/index")
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, e := range entries {
		left = append(left, e.Name())
	}
	if want := []string{"000002.db", "000003.db.old", "7.db", "notes.db"}; !slices.Equal(left, want) {
		t.Errorf("left are %v, want %v", left, want)
	}
}
