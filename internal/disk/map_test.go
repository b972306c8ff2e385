package disk_test

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/ragstone/ragstone/internal/disk"
)

// What has been released is still there to be read, and memory that is not the
// mapping's is left alone: giving anonymous memory back would clear it.
func TestReleaseLosesNothing(t *testing.T) {
	content := bytes.Repeat([]byte("0123456789abcdef"), 64<<10)
	m := mapped(t, content)
	other := bytes.Clone(content)
	for _, part := range [][]byte{m.Bytes(), m.Bytes()[5 : len(content)-7], m.Bytes()[:1], nil, other} {
		m.Release(part)
		if !bytes.Equal(m.Bytes(), content) || !bytes.Equal(other, content) {
			t.Fatalf("after the release of %d bytes the content is another", len(part))
		}
	}
	m.Close()
	m.Release(other)
	(*disk.Mapping)(nil).Release(other)
	if !bytes.Equal(other, content) {
		t.Error("a closed mapping or none has cleared memory")
	}
}

func TestReleaseGivesMemoryBack(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells how much of a file is resident")
	}
	const size = 16 << 20
	m := mapped(t, bytes.Repeat([]byte{1}, size))
	bytes.Count(m.Bytes(), []byte{1}) // touches all of it
	before := residentFiles(t)
	m.Release(m.Bytes())
	if after := residentFiles(t); before-after < size/2 {
		t.Errorf("%d bytes of files were resident, %d are after the release of %d", before, after, size)
	}
}

// mapped maps a new file.
func mapped(t *testing.T, content []byte) *disk.Mapping {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := disk.Map(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// residentFiles is how many bytes of mapped files are in this process's memory.
func residentFiles(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "RssFile:")
	kilobytes, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return kilobytes << 10
}
