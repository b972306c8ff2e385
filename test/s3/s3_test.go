package s3

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ragstone/ragstone/internal/blobs"
	"github.com/ragstone/ragstone/internal/openai"
	"github.com/ragstone/ragstone/internal/platform/account"
	"github.com/ragstone/ragstone/internal/platform/files"
	"github.com/ragstone/ragstone/internal/state"
)

// bucketURL names the running server's bucket.
var bucketURL string

func TestMain(m *testing.M) { os.Exit(run(m)) }

// run builds and starts the server, with a bucket, around the tests.
func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "s3")
	if err != nil {
		return fail(err)
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "versitygw")
	build := exec.Command("go", "build", "-o", program, "github.com/versity/versitygw/cmd/versitygw")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return fail(err)
	}
	address, err := freeAddress()
	if err != nil {
		return fail(err)
	}
	for _, made := range []string{"buckets/ragstone", "meta"} {
		if err := os.MkdirAll(filepath.Join(dir, made), 0o700); err != nil {
			return fail(err)
		}
	}
	// What tells the two sides who the other is.
	os.Setenv("AWS_ACCESS_KEY_ID", "test")
	os.Setenv("AWS_SECRET_ACCESS_KEY", "secret-of-the-test")
	server := exec.Command(program, "--port", address, "--access", "test", "--secret", "secret-of-the-test", "--region", "us-east-1",
		"posix", "--sidecar", filepath.Join(dir, "meta"), filepath.Join(dir, "buckets"))
	server.Stdout, server.Stderr = os.Stderr, os.Stderr
	if err := server.Start(); err != nil {
		return fail(err)
	}
	defer func() { server.Process.Kill(); server.Wait() }()
	if err := waitFor(address); err != nil {
		return fail(err)
	}
	bucketURL = "s3://ragstone?region=us-east-1&use_path_style=true&endpoint=http://" + address
	return m.Run()
}

func fail(err error) int {
	fmt.Fprintln(os.Stderr, "start the S3 server:", err)
	return 1
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

func waitFor(address string) error {
	for range 100 {
		if c, err := net.Dial("tcp", address); err == nil {
			return c.Close()
		}
		time.Sleep(100 * time.Millisecond)
	}
	return errors.New("it does not listen")
}

func open(t *testing.T, prefix string) *blobs.Bucket {
	t.Helper()
	b, err := blobs.Open(t.Context(), bucketURL+"&prefix="+prefix)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func keys(t *testing.T, b *blobs.Bucket, prefix string) (found []string) {
	t.Helper()
	for page, err := range b.List(t.Context(), prefix) {
		if err != nil {
			t.Fatal(err)
		}
		for _, blob := range page {
			found = append(found, fmt.Sprint(blob.Key, " ", blob.Bytes))
		}
	}
	return found
}

// Blobs of one piece and of several come back whole, from any place on, and a
// broken reader leaves none.
func TestBlobs(t *testing.T) {
	b := open(t, "blobs/")
	large := strings.Repeat("0123456789abcdef", 13<<20/16) // three pieces
	for key, content := range map[string]string{"proj_a/small": "small", "proj_a/empty": "", "proj_b/large": large} {
		if n, err := b.Write(t.Context(), key, io.LimitReader(strings.NewReader(content), 1<<30)); err != nil || n != int64(len(content)) {
			t.Fatalf("write %s: %d, %v", key, n, err)
		}
	}
	for offset, want := range map[int64]string{0: large, 6 << 20: large[6<<20:]} {
		r, err := b.Read(t.Context(), "proj_b/large", offset)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if err := errors.Join(err, r.Close()); err != nil || string(got) != want {
			t.Errorf("from %d on: %d bytes, %v; want %d", offset, len(got), err, len(want))
		}
	}
	broken := errors.New("gone")
	pr, pw := io.Pipe()
	go func() { io.Copy(pw, strings.NewReader(large)); pw.CloseWithError(broken) }()
	if _, err := b.Write(t.Context(), "proj_a/half", pr); err != broken {
		t.Errorf("a broken reader: %v, want its error", err)
	}
	if got := fmt.Sprint(keys(t, b, "proj_a/")); got != "[proj_a/empty 0 proj_a/small 5]" {
		t.Errorf("blobs of proj_a: %s", got)
	}
	for range 2 {
		if err := b.Delete(t.Context(), "proj_b/large"); err != nil {
			t.Error(err)
		}
	}
	if _, err := b.Read(t.Context(), "proj_b/large", 0); !errors.Is(err, blobs.ErrNotFound) {
		t.Errorf("a deleted blob: %v", err)
	}
}

// A file goes through its life: in parts, joined, read, deleted, swept.
func TestFiles(t *testing.T) {
	b := open(t, "files/")
	rows, err := state.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	tenant, err := rows.DefaultTenant(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s, caller := files.New(rows, b, files.Options{}), account.Caller{Tenant: tenant}
	u, err := s.CreateUpload(t.Context(), caller, openai.UploadRequest{FileRequest: openai.FileRequest{Filename: "f", Purpose: openai.PurposeUserData}, Bytes: 11})
	if err != nil {
		t.Fatal(err)
	}
	var parts []string
	for _, text := range []string{"hello ", "world"} {
		content, err := s.ReceivePart(t.Context(), caller, strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		p, err := s.AddPart(t.Context(), caller, u.ID, content)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, p.ID)
	}
	u, err = s.CompleteUpload(t.Context(), caller, u.ID, openai.CompleteUploadRequest{PartIDs: parts, MD5: "5eb63bbbe01eeed093cb22bb8f5acdc3"})
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Content(t.Context(), caller, u.File.ID, files.Section{Length: u.File.Bytes})
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil || string(text) != "hello world" {
		t.Errorf("content %q, %v", text, err)
	}
	if err := s.Sweep(t.Context()); err != nil || len(keys(t, b, "")) != 2 {
		t.Errorf("a sweep left %v, %v", keys(t, b, ""), err)
	}
}
