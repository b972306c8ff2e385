package llm

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func TestFingerprintsTellFilesApart(t *testing.T) {
	content := bytes.Repeat([]byte("weights!"), 400<<10)
	seen := map[string]string{}
	for _, c := range []struct {
		name   string
		change func([]byte) []byte
	}{
		{"the file", func(b []byte) []byte { return b }},
		{"a byte more", func(b []byte) []byte { return append(b, 0) }},
		{"another setting", func(b []byte) []byte { b[1000]++; return b }},
		{"other weights", func(b []byte) []byte {
			for i := fingerprintHead; i < len(b); i += 1000 {
				b[i]++
			}
			return b
		}},
		{"a short file", func(b []byte) []byte { return b[:10] }},
		{"no content", func(b []byte) []byte { return nil }},
	} {
		path := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(path, c.change(bytes.Clone(content)), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := fingerprintFiles([]string{path})
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if again, _ := fingerprintFiles([]string{path}); again != got {
			t.Errorf("%s: %s, then %s", c.name, got, again)
		}
		if other, ok := seen[got]; ok {
			t.Errorf("%s has the fingerprint of %s", c.name, other)
		}
		seen[got] = c.name
	}
	if got, err := fingerprintFiles([]string{filepath.Join(t.TempDir(), "missing")}); err == nil {
		t.Errorf("no file: got %s, want an error", got)
	}
}
