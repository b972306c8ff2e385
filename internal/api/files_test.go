package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime/multipart"
	"net/http"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/ragstone/ragstone/internal/blobs"
	"github.com/ragstone/ragstone/internal/platform/account"
	"github.com/ragstone/ragstone/internal/platform/files"
)

// upload posts a form with a file, which is written as it is sent, and returns the
// answer's status and text.
func (s *testServer) upload(t *testing.T, key, address, field string, content io.Reader, fields ...string) (int, string) {
	t.Helper()
	body, into := io.Pipe()
	form := multipart.NewWriter(into)
	go func() {
		for i := 0; i < len(fields); i += 2 {
			form.WriteField(fields[i], fields[i+1])
		}
		file, err := form.CreateFormFile(field, "a.txt")
		if err == nil {
			_, err = io.Copy(struct{ io.Writer }{file}, content)
		}
		if err == nil {
			err = form.Close()
		}
		into.CloseWithError(err) // nil: the end
	}()
	request, err := http.NewRequestWithContext(t.Context(), "POST", s.URL+address, body)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+key)
	request.Header.Set("Content-Type", form.FormDataContentType())
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err.Error()
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// created sends a file and returns its id.
func (s *testServer) created(t *testing.T, content io.Reader, fields ...string) string {
	t.Helper()
	status, text := s.upload(t, s.project.Secret, "/v1/files", "file", content, fields...)
	_, id, _ := strings.Cut(text, `"id":"`)
	id, _, _ = strings.Cut(id, `"`)
	if status != 200 || !strings.HasPrefix(id, "file-") {
		t.Fatalf("status %d: %s", status, text)
	}
	return id
}

// get reads an address with a key.
func (s *testServer) get(t *testing.T, key, address string) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), "GET", s.URL+address, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+key)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { answer.Body.Close() })
	return answer
}

// onFolder makes a server keep contents in a folder that the test can look at.
func (s *testServer) onFolder(t *testing.T, wrap func(*blobs.Bucket) files.Bucket) (dir string) {
	t.Helper()
	dir = t.TempDir()
	bucket, err := blobs.OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { bucket.Close() })
	s.Config.Handler = Routes(Config{Keys: s.keys, Files: files.New(s.store, wrap(bucket), files.Options{})})
	return dir
}

func asItIs(b *blobs.Bucket) files.Bucket { return b }

// left returns how many files a folder holds at any depth.
func left(t *testing.T, dir string) (n int) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(dir), ".", func(_ string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			n++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// A file comes back byte for byte, as something that is saved and never shown.
func TestDownloadedFilesAreNeverShown(t *testing.T) {
	s := newTestServer(t, &fakeModel{}, account.Rates{}, nil)
	page := "<script>alert('ü')</script>\x00\xff"
	id := s.created(t, strings.NewReader(page), "purpose", "user_data")
	answer := s.get(t, s.project.Secret, "/v1/files/"+id+"/content")
	got, err := io.ReadAll(answer.Body)
	if err != nil || string(got) != page {
		t.Errorf("content %q, %v", got, err)
	}
	for name, want := range map[string]string{
		"content-type":           "application/octet-stream",
		"content-length":         fmt.Sprint(len(page)),
		"content-disposition":    "attachment; filename=a.txt",
		"x-content-type-options": "nosniff",
		"cache-control":          "no-store",
	} {
		if got := answer.Header.Get(name); got != want {
			t.Errorf("header %s is %q, want %q", name, got, want)
		}
	}
	if empty := s.created(t, strings.NewReader(""), "purpose", "user_data"); s.get(t, s.project.Secret, "/v1/files/"+empty+"/content").ContentLength != 0 {
		t.Error("an empty file has content")
	}
}

// Restricted keys do what their scopes say, and other projects' files are not
// there for anyone.
func TestWhoMayUseFiles(t *testing.T) {
	s := newTestServer(t, &fakeModel{}, account.Rates{}, nil)
	id := s.created(t, strings.NewReader("x"), "purpose", "user_data")
	key := func(o account.KeyOptions) string {
		created, err := s.keys.Create(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		return created.Secret
	}
	tenant, err := s.store.DefaultTenant(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	project, err := s.accounts.Organization.CreateProject(t.Context(), tenant.OrganizationID, "other")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		who         string
		key         string
		read, write int
	}{
		{"a key for all", s.project.Secret, 200, 200},
		{"a key that reads", key(account.KeyOptions{Permission: account.PermissionReadOnly}), 200, 403},
		{"a key for reading files", key(account.KeyOptions{Permission: account.PermissionRestricted, Scopes: []string{"api.files.read"}}), 200, 403},
		{"a key for writing files", key(account.KeyOptions{Permission: account.PermissionRestricted, Scopes: []string{"api.files.write"}}), 200, 200},
		{"a key for models", key(account.KeyOptions{Permission: account.PermissionRestricted, Scopes: []string{"model.request"}}), 403, 403},
		{"another project's key", key(account.KeyOptions{Project: project.ID}), 404, 200},
		{"an admin key", s.admin.Secret, 403, 403},
	} {
		for _, address := range []string{"/v1/files/" + id, "/v1/files/" + id + "/content"} {
			if got := s.get(t, test.key, address).StatusCode; got != test.read {
				t.Errorf("%s reads %s: %d, want %d", test.who, address, got, test.read)
			}
		}
		if got, text := s.upload(t, test.key, "/v1/files", "file", strings.NewReader("x"), "purpose", "user_data"); got != test.write {
			t.Errorf("%s writes: %d, want %d: %s", test.who, got, test.write, text)
		}
	}
}

// zeros reads as so many zero bytes.
func zeros(n int64) io.Reader { return io.LimitReader(zero{}, n) }

type zero struct{}

func (zero) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// A part of 64 MB comes and a larger one does not, and neither takes memory,
// the test's own included.
func TestLargeBodiesTakeLittleMemory(t *testing.T) {
	const most = 4 << 20
	s := newTestServer(t, &fakeModel{}, account.Rates{}, nil)
	upload := s.ask(t, "POST", "/v1/uploads", fmt.Sprintf(`{"filename":"f","purpose":"user_data","bytes":%d,"mime_type":"a/b"}`, files.MaxPartBytes), 200)
	address := "/v1/uploads/" + upload["id"].(string) + "/parts"
	for _, test := range []struct {
		bytes  int64
		status int
	}{{files.MaxPartBytes, 200}, {files.MaxPartBytes + 1, 413}} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		status, text := s.upload(t, s.project.Secret, address, "data", zeros(test.bytes))
		runtime.ReadMemStats(&after)
		if status != test.status {
			t.Errorf("a part of %d bytes: %d, want %d: %s", test.bytes, status, test.status, text)
		}
		if got := after.TotalAlloc - before.TotalAlloc; got > most {
			t.Errorf("a part of %d bytes allocated %d, want at most %d", test.bytes, got, most)
		}
	}
}

// fullBucket has room for a little.
type fullBucket struct{ *blobs.Bucket }

func (b fullBucket) Write(ctx context.Context, key string, r io.Reader) (int64, error) {
	full := &fs.PathError{Op: "write", Path: "/secret/path", Err: syscall.ENOSPC}
	if _, err := b.Bucket.Write(ctx, key, io.MultiReader(io.LimitReader(r, 1000), iotest.ErrReader(full))); err != nil {
		return 0, fmt.Errorf("write blob %s: %w", key, err)
	}
	return 0, nil
}

// What cannot be stored whole is refused in the API's words and leaves nothing:
// a full disk, a caller who leaves, a form that is refused at its end.
func TestHalfAFileLeavesNothing(t *testing.T) {
	s := newTestServer(t, &fakeModel{}, account.Rates{}, nil)
	dir := s.onFolder(t, func(b *blobs.Bucket) files.Bucket { return fullBucket{b} })
	status, text := s.upload(t, s.project.Secret, "/v1/files", "file", zeros(1<<20), "purpose", "user_data")
	want := `{"error":{"message":"The server has no room left to store this.","type":"server_error","param":null,"code":"insufficient_storage"}}`
	if diff := cmp.Diff(want, text); status != 507 || diff != "" {
		t.Errorf("a full disk: %d (-want +got):\n%s", status, diff)
	}
	if n := left(t, dir); n != 0 {
		t.Errorf("a full disk has left %d files", n)
	}

	dir = s.onFolder(t, asItIs)
	upload := s.ask(t, "POST", "/v1/uploads", `{"filename":"a.txt","purpose":"assistants","bytes":4,"mime_type":"text/plain"}`, 200)["id"].(string)
	if status, text := s.upload(t, s.project.Secret, "/v1/uploads/"+upload+"/parts", "data", io.MultiReader(zeros(1<<20), iotest.ErrReader(errors.New("gone")))); status != 0 {
		t.Errorf("a caller who leaves a part got %d: %s", status, text)
	}
	if status, text := s.upload(t, s.project.Secret, "/v1/files", "file", io.MultiReader(zeros(1<<20), iotest.ErrReader(errors.New("gone"))), "purpose", "user_data"); status != 0 {
		t.Errorf("a caller who leaves got %d: %s", status, text)
	}
	if status, text := s.upload(t, s.project.Secret, "/v1/files", "file", bytes.NewReader(make([]byte, 1<<20)), "purpose", "nonsense"); status != 400 {
		t.Errorf("an unknown purpose: %d: %s", status, text)
	}
	s.Close() // waits for the handlers
	if n := left(t, dir); n != 0 {
		t.Errorf("refused requests have left %d files", n)
	}
}

// A row whose content is gone, which only damage can cause, is an error of ours
// that tells nothing.
func TestAMissingBlobIsAnError(t *testing.T) {
	s := newTestServer(t, &fakeModel{}, account.Rates{}, nil)
	dir := s.onFolder(t, asItIs)
	id := s.created(t, strings.NewReader("x"), "purpose", "user_data")
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	answer := s.get(t, s.project.Secret, "/v1/files/"+id+"/content")
	text, _ := io.ReadAll(answer.Body)
	if answer.StatusCode != 500 || strings.Contains(string(text), "blob") {
		t.Errorf("%d: %s", answer.StatusCode, text)
	}
}

// A part of a file is what lies between two places of it, wherever its pieces
// begin.
func TestRangesOfAFile(t *testing.T) {
	s := newTestServer(t, &fakeModel{}, account.Rates{}, nil)
	const whole = "0123456789"
	upload := s.ask(t, "POST", "/v1/uploads", `{"filename":"a.txt","purpose":"user_data","bytes":10,"mime_type":"text/plain"}`, 200)["id"].(string)
	var parts []string
	for _, piece := range []string{whole[:3], whole[3:7], whole[7:]} {
		_, text := s.upload(t, s.project.Secret, "/v1/uploads/"+upload+"/parts", "data", strings.NewReader(piece))
		_, id, _ := strings.Cut(text, `"id":"`)
		parts = append(parts, `"`+id[:strings.Index(id, `"`)+1])
	}
	done := s.ask(t, "POST", "/v1/uploads/"+upload+"/complete", `{"part_ids":[`+strings.Join(parts, ",")+`]}`, 200)
	id := done["file"].(map[string]any)["id"].(string)
	for _, test := range []struct {
		asked, condition string
		status           int
		want             string // the content, or its Content-Range
	}{
		{"", "", 200, whole},
		{"bytes=0-0", "", 206, "0"},
		{"bytes=2-7", "", 206, whole[2:8]},
		{"bytes=3-", "", 206, whole[3:]},
		{"bytes=7-100", "", 206, whole[7:]},
		{"bytes=-4", "", 206, whole[6:]},
		{"bytes=-100", "", 206, whole},
		{"bytes=2-7", `"` + id + `"`, 206, whole[2:8]},
		{"bytes=2-7", `"file-other"`, 200, whole},
		{"bytes=0-1,4-5", "", 200, whole},
		{"bytes=5-2", "", 200, whole},
		{"bytes=+1-2", "", 200, whole},
		{"bytes=-", "", 200, whole},
		{"lines=1-2", "", 200, whole},
		{"bytes=10-", "", 416, "bytes */10"},
		{"bytes=-0", "", 416, "bytes */10"},
		{"bytes=99999999999999999999-", "", 200, whole},
	} {
		request, err := http.NewRequestWithContext(t.Context(), "GET", s.URL+"/v1/files/"+id+"/content", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+s.project.Secret)
		request.Header.Set("Range", test.asked)
		request.Header.Set("If-Range", test.condition)
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if test.status == 416 {
			got = []byte(answer.Header.Get("Content-Range"))
		}
		if err != nil || answer.StatusCode != test.status || string(got) != test.want {
			t.Errorf("%q if %q: %d %q, %v; want %d %q", test.asked, test.condition, answer.StatusCode, got, err, test.status, test.want)
		}
	}
}

// A project beyond its quota is told what to do.
func TestAFullProject(t *testing.T) {
	s := newTestServer(t, &fakeModel{}, account.Rates{}, nil)
	bucket, err := blobs.OpenFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer bucket.Close()
	s.Config.Handler = Routes(Config{Keys: s.keys, Files: files.New(s.store, bucket, files.Options{MaxProjectBytes: 10})})
	status, text := s.upload(t, s.project.Secret, "/v1/files", "file", strings.NewReader("eleven byte"), "purpose", "user_data")
	if status != 413 || !strings.Contains(text, `"code":"storage_quota_exceeded"`) {
		t.Errorf("11 bytes of 10: %d %s", status, text)
	}
	s.created(t, strings.NewReader("ten bytes."), "purpose", "user_data")
}
