package blobs

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

func openFolderOf(t *testing.T, dir string) *Bucket {
	t.Helper()
	b, err := OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func write(t *testing.T, b *Bucket, key, content string) {
	t.Helper()
	if n, err := b.Write(t.Context(), key, strings.NewReader(content)); err != nil || n != int64(len(content)) {
		t.Fatalf("write %s: %d bytes, %v", key, n, err)
	}
}

func read(b *Bucket, t *testing.T, key string, offset int64) (string, error) {
	t.Helper()
	r, err := b.Read(t.Context(), key, offset)
	if err != nil {
		return "", err
	}
	defer r.Close()
	content, err := io.ReadAll(r)
	return string(content), err
}

// list returns the keys of a prefix with their contents.
func list(t *testing.T, b *Bucket, prefix string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for page, err := range b.List(t.Context(), prefix) {
		if err != nil {
			t.Fatal(err)
		}
		for _, blob := range page {
			content, err := read(b, t, blob.Key, 0)
			if err != nil || int64(len(content)) != blob.Bytes || blob.ModTime.IsZero() {
				t.Errorf("%+v has %q, %v", blob, content, err)
			}
			found[blob.Key] = content
		}
	}
	return found
}

func TestBlobsAreWrittenReadListedAndDeleted(t *testing.T) {
	b := openFolderOf(t, filepath.Join(t.TempDir(), "new", "blobs"))
	write(t, b, "proj_a/one", "one thing")
	write(t, b, "proj_a/empty", "")
	write(t, b, "proj_b/two", "another")
	if got, err := read(b, t, "proj_a/one", 4); got != "thing" || err != nil {
		t.Errorf("from an offset: %q, %v", got, err)
	}
	if diff := cmp.Diff(map[string]string{"proj_a/one": "one thing", "proj_a/empty": ""}, list(t, b, "proj_a/")); diff != "" {
		t.Errorf("blobs of proj_a (-want +got):\n%s", diff)
	}
	for range 2 {
		if err := b.Delete(t.Context(), "proj_a/one"); err != nil {
			t.Errorf("delete: %v", err)
		}
	}
	if _, err := read(b, t, "proj_a/one", 0); !errors.Is(err, ErrNotFound) {
		t.Errorf("read a deleted blob: %v, want %v", err, ErrNotFound)
	}
	if diff := cmp.Diff(map[string]string{"proj_a/empty": "", "proj_b/two": "another"}, list(t, b, "")); diff != "" {
		t.Errorf("blobs left (-want +got):\n%s", diff)
	}
}

// A reader that fails half-way leaves no blob and no file.
func TestAFailedReaderLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	b := openFolderOf(t, dir)
	broken := errors.New("the caller went away")
	_, err := b.Write(t.Context(), "proj_a/half", io.MultiReader(strings.NewReader(strings.Repeat("x", 100_000)), iotest.ErrReader(broken)))
	if err != broken {
		t.Errorf("write: %v, want the reader's error as it is", err)
	}
	filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if !entry.IsDir() {
			t.Errorf("%s is left", path)
		}
		return err
	})
}

func TestOpenByURL(t *testing.T) {
	dir := t.TempDir()
	folder := "file://" + filepath.ToSlash(dir)
	b, err := Open(t.Context(), folder+"?prefix=here/")
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	write(t, b, "proj_a/one", "1")
	if diff := cmp.Diff(map[string]string{"here/proj_a/one": "1"}, list(t, openFolderOf(t, dir), "")); diff != "" {
		t.Errorf("the folder (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"proj_a/one": "1"}, list(t, b, "proj_a/")); diff != "" {
		t.Errorf("behind its prefix (-want +got):\n%s", diff)
	}
	for _, wrong := range []struct{ url, says string }{
		{"blobs", "scheme"},
		{"gs://bucket", "scheme"},
		{"s3://bucket?unknown=1", "unknown"},
		{"file:///dev/null", "not a directory"},
		{"s3://user:hunter2@bucket?region=any", "AWS_ACCESS_KEY_ID"},
		{":", "not a URL"},
	} {
		if _, err := Open(t.Context(), wrong.url); err == nil || !strings.Contains(err.Error(), wrong.says) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("Open(%s) = %v, want an error that says %q and no password", wrong.url, err, wrong.says)
		}
	}
}
