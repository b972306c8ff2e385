package container_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ragstone/ragstone/vector/internal/container"
)

var kind = [4]byte{'t', 'e', 's', 't'}

func written(t testing.TB, sections ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := container.NewWriter(&out, kind)
	for i := 0; i < len(sections); i += 2 {
		w.Section(sections[i], []byte(sections[i+1]))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestSectionsComeBack(t *testing.T) {
	data := written(t, "ids", "12345", "empty", "", "text", "hello")
	f, err := container.Open(data, kind)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"ids", "empty", "text"}, f.Names()); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	if got := f.Section("text"); string(got) != "hello" {
		t.Errorf("text: got %q, want hello", got)
	}
	if f.Has("nothing") || f.Section("nothing") != nil || f.Verify("nothing") == nil {
		t.Error("a section that was not written is there")
	}
	if err := f.Verify(); err != nil {
		t.Error(err)
	}
}

func TestEveryFlippedByteIsNoticed(t *testing.T) {
	data := written(t, "ids", "12345", "text", "hello")
	used := bytes.Clone(data)
	padding := 0
	for at := range data {
		copy(used, data)
		used[at] ^= 0x40
		f, err := container.Open(used, kind)
		if err == nil {
			err = f.Verify()
		}
		if err == nil {
			padding++ // between sections, where nothing is read
		}
	}
	if padding > 64*3 {
		t.Errorf("%d of %d flipped bytes went unnoticed, more than there is padding", padding, len(data))
	}
}

func TestAnotherKindIsRefused(t *testing.T) {
	if _, err := container.Open(written(t, "a", "b"), [4]byte{'o'}); !errors.Is(err, container.ErrCorrupt) {
		t.Errorf("got error %v, want ErrCorrupt", err)
	}
}

func FuzzOpen(f *testing.F) {
	f.Add(written(f, "ids", "12345", "text", "hello"))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := container.Open(data, kind)
		if err != nil {
			return
		}
		for _, name := range file.Names() {
			_ = file.Section(name)
		}
		_ = file.Verify()
	})
}
