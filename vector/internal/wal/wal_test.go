package wal

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ragstone/ragstone/internal/disk"
)

// file is the bytes of a log with the given records; each knows the one before
// it to be durable when synced is set.
func file(records []string, synced bool) []byte {
	var data []byte
	for i, r := range records {
		durable := uint64(0)
		if synced {
			durable = uint64(i)
		}
		data = appendRecord(data, uint64(i+1), durable, []byte(r))
	}
	return data
}

func replayed(t *testing.T, data []byte) ([]string, Result) {
	t.Helper()
	var got []string
	r, err := Replay(data, 1, func(r Record) error {
		got = append(got, fmt.Sprintf("%d %s", r.Seq, r.Payload))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got, r
}

func TestRecordsComeBack(t *testing.T) {
	fsys := disk.NewMemFS()
	w, err := Create(fsys, "/", "log")
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range []string{"one", "", "three"} {
		if err := w.Append(uint64(i+1), 0, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	w.Sync()
	fsys.Crash()
	data, _ := disk.ReadFile(fsys, "log")
	got, r := replayed(t, data)
	if diff := cmp.Diff([]string{"1 one", "2 ", "3 three"}, got); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
	if want := (Result{Size: w.Size(), Next: 4}); !cmp.Equal(want, r) {
		t.Errorf("got %+v, want %+v", r, want)
	}
}

func TestATailTornAnywhereIsCut(t *testing.T) {
	whole := file([]string{"kept"}, true)
	data := append(bytes.Clone(whole), file([]string{"kept", "torn"}, true)[len(whole):]...)
	for cut := len(whole); cut < len(data); cut++ {
		got, r := replayed(t, data[:cut])
		if len(got) != 1 || int(r.Size) != len(whole) || r.Torn != int64(cut-len(whole)) || r.Damage != nil {
			t.Errorf("cut at %d: got %q, %+v", cut, got, r)
		}
	}
}

func TestALaterRecordTellsDamageFromATornTail(t *testing.T) {
	records := []string{"one", "two", "three", "four"}
	for _, synced := range []bool{true, false} {
		data := file(records, synced)
		second := len(file(records[:1], synced))
		data[second+headerSize] ^= 1
		got, r := replayed(t, data)
		if synced {
			if diff := cmp.Diff([]string{"1 one", "3 three", "4 four"}, got); diff != "" {
				t.Errorf("damaged log (-want +got):\n%s", diff)
			}
			if want := []Damage{{int64(second), 2, 2}}; !cmp.Equal(want, r.Damage) || r.Next != 5 {
				t.Errorf("got %+v, want the damage %+v", r, want)
			}
		} else if len(got) != 1 || r.Damage != nil || r.Torn == 0 {
			t.Errorf("nothing was durable: got %q, %+v, want one record and a torn tail", got, r)
		}
	}
}

func TestAFullDiskLeavesWholeRecords(t *testing.T) {
	fsys := disk.NewMemFS()
	w, err := Create(fsys, "/", "log")
	if err != nil {
		t.Fatal(err)
	}
	w.Append(1, 0, []byte("first"))
	fsys.Limit(w.Size() + 10)
	if err := w.Append(2, 0, []byte("second")); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("got error %v, want %v", err, syscall.ENOSPC)
	}
	fsys.Limit(-1)
	if err := w.Append(2, 0, []byte("again")); err != nil {
		t.Fatal(err)
	}
	data, _ := disk.ReadFile(fsys, "log")
	if got, r := replayed(t, data); fmt.Sprint(got) != "[1 first 2 again]" || r.Torn != 0 {
		t.Errorf("got %q, %+v", got, r)
	}
}

func TestAppendGoesOnBehindTheCut(t *testing.T) {
	fsys := disk.NewMemFS()
	data := file([]string{"one", "two"}, true)
	f, _ := fsys.OpenFile("log", os.O_CREATE|os.O_WRONLY, 0o644)
	f.Write(data[:len(data)-1])
	_, r := replayed(t, data[:len(data)-1])
	w, err := Append(fsys, "log", r.Size)
	if err != nil {
		t.Fatal(err)
	}
	w.Append(r.Next, 1, []byte("zwei"))
	data, _ = disk.ReadFile(fsys, "log")
	if got, _ := replayed(t, data); fmt.Sprint(got) != "[1 one 2 zwei]" {
		t.Errorf("got %q", got)
	}
}

func FuzzReplay(f *testing.F) {
	f.Add(file([]string{"one", "two", "three"}, true))
	f.Add(file([]string{"one", "two"}, false)[:40])
	f.Fuzz(func(t *testing.T, data []byte) {
		last := uint64(0)
		r, err := Replay(data, 1, func(r Record) error {
			if r.Seq <= last {
				t.Fatalf("record %d after %d", r.Seq, last)
			}
			last = r.Seq
			return nil
		})
		if err != nil || r.Size+r.Torn != int64(len(data)) {
			t.Fatalf("%d bytes: got %+v, %v", len(data), r, err)
		}
	})
}
