package safetensors

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Two files of a checkpoint.
const (
	firstShard  = `{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}`
	secondShard = `{"c":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}`
)

// checkpoint writes the two files, and an index unless that is empty.
func checkpoint(t testing.TB, index string) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range map[string][]byte{
		"one.safetensors": file(firstShard, 2),
		"two.safetensors": file(secondShard, 2),
		indexFile:         []byte(index),
	} {
		if name == indexFile && index == "" {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestOpenSetFindsTensorsInSeveralFiles(t *testing.T) {
	s, err := OpenSet(checkpoint(t, `{"metadata":{"total_size":4},"weight_map":{"c":"two.safetensors","a":"one.safetensors","b":"one.safetensors"}}`))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a", "b", "c"}, s.Names()); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	if c, ok := s.Tensor("c"); !ok || len(c.Data) != 2 {
		t.Errorf("tensor c: %v, %v", c, ok)
	}
	if _, ok := s.Tensor("d"); ok {
		t.Error("there is a tensor d")
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestOpenSetPrefersTheWholeFile(t *testing.T) {
	dir := checkpoint(t, `not an index`)
	if err := os.WriteFile(filepath.Join(dir, wholeFile), file(secondShard, 2), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := OpenSet(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if diff := cmp.Diff([]string{"c"}, s.Names()); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}

func TestOpenSetRefusesAnIndexThatDoesNotFit(t *testing.T) {
	if _, err := OpenSet(checkpoint(t, "")); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "has neither") {
		t.Errorf("no index: got %v", err)
	}
	for name, c := range map[string]struct{ index, want string }{
		"not JSON":           {`{`, "unexpected end"},
		"no map":             {`{"metadata":{}}`, "it has no weight_map"},
		"a map of numbers":   {`{"weight_map":{"a":1}}`, "weight_map"},
		"a file of above":    {`{"weight_map":{"a":"../one.safetensors"}}`, "is not the name of a file beside it"},
		"a file of the root": {`{"weight_map":{"a":"/etc/passwd"}}`, "is not the name of a file beside it"},
		"an empty name":      {`{"weight_map":{"a":""}}`, "is not the name of a file beside it"},
		"the folder":         {`{"weight_map":{"a":"."}}`, "open model weights"},
		"a missing file":     {`{"weight_map":{"a":"three.safetensors"}}`, "three.safetensors"},
		"a missing tensor":   {`{"weight_map":{"a":"one.safetensors","b":"one.safetensors","d":"one.safetensors"}}`, `the tensor "d" is not in one.safetensors`},
		"the wrong file":     {`{"weight_map":{"a":"one.safetensors","b":"two.safetensors","c":"two.safetensors"}}`, `the tensor "b" is not in two.safetensors`},
		"one too many":       {`{"weight_map":{"a":"one.safetensors"}}`, `does not name the tensor "b"`},
	} {
		_, err := OpenSet(checkpoint(t, c.index))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want an error with %q", name, err, c.want)
		}
	}
}

func FuzzIndex(f *testing.F) {
	f.Add(`{"weight_map":{"c":"two.safetensors","a":"one.safetensors","b":"one.safetensors"}}`)
	f.Add(`{"weight_map":{"a":"../../one.safetensors","":"\u0000"}}`)
	f.Fuzz(func(t *testing.T, index string) {
		if index == "" {
			return
		}
		s, err := OpenSet(checkpoint(t, index))
		if err != nil {
			return
		}
		defer s.Close()
		for _, name := range s.Names() {
			if _, ok := s.Tensor(name); !ok {
				t.Errorf("%q is listed and not there", name)
			}
		}
	})
}
