package files

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ragstone/ragstone/internal/blobs"
	"github.com/ragstone/ragstone/internal/openai"
	"github.com/ragstone/ragstone/internal/platform/account"
	"github.com/ragstone/ragstone/internal/state"
)

// clock is a time that a test moves.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

// testFiles is a service on a folder, with a caller and a clock.
type testFiles struct {
	*Service
	clock  *clock
	caller account.Caller
	folder *blobs.Bucket
}

// openFiles opens the service of a folder.
func openFiles(t *testing.T, dir string) *testFiles {
	t.Helper()
	rows, err := state.Open(t.Context(), dir+"/state")
	if err != nil {
		t.Fatal(err)
	}
	bucket, err := blobs.OpenFolder(dir + "/blobs")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(bucket.Close(), rows.Close()); err != nil {
			t.Error(err)
		}
	})
	tenant, err := rows.DefaultTenant(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f := &testFiles{New(rows, bucket, Options{}), &clock{time.Unix(1_800_000_000, 0)}, account.Caller{Tenant: tenant}, bucket}
	f.now = f.clock.now
	return f
}

// create makes a file.
func (f *testFiles) create(t *testing.T, name, purpose, content string) (openai.File, error) {
	t.Helper()
	received, err := f.Receive(t.Context(), f.caller, purpose, strings.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	return f.Create(t.Context(), f.caller, openai.FileRequest{Filename: name, Purpose: purpose}, "text/plain", received)
}

// content reads a file.
func (f *testFiles) content(t *testing.T, id string) (string, error) {
	t.Helper()
	file, err := f.File(t.Context(), f.caller, id)
	if err != nil {
		return "", err
	}
	r, err := f.Content(t.Context(), f.caller, id, Section{Length: file.Bytes})
	if err != nil {
		return "", err
	}
	defer r.Close()
	text, err := io.ReadAll(r)
	return string(text), err
}

// blobKeys returns the keys that the bucket has.
func (f *testFiles) blobKeys(t *testing.T) []string {
	t.Helper()
	var keys []string
	for page, err := range f.folder.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range page {
			keys = append(keys, b.Key)
		}
	}
	return keys
}

func isNotFound(err error) bool {
	_, ok := errors.AsType[*NotFoundError](err)
	return ok
}

func TestAFileIsThereUntilItIsDeletedOrExpires(t *testing.T) {
	f := openFiles(t, t.TempDir())
	batch, err := f.create(t, "in.jsonl", openai.PurposeBatch, `not looked at`)
	if err != nil {
		t.Fatal(err)
	}
	data, err := f.create(t, "a.txt", openai.PurposeUserData, "some data")
	if err != nil {
		t.Fatal(err)
	}
	want := openai.File{ID: data.ID, Object: "file", Bytes: 9, CreatedAt: f.clock.at.Unix(), Filename: "a.txt", Purpose: "user_data", Status: "processed"}
	if got, err := f.File(t.Context(), f.caller, data.ID); err != nil || !cmp.Equal(got, want) {
		t.Errorf("the file: %v\n%s", err, cmp.Diff(want, got))
	}
	if got, err := f.content(t, data.ID); got != "some data" || err != nil {
		t.Errorf("its content: %q, %v", got, err)
	}
	list, err := f.List(t.Context(), f.caller, "", state.Page{Limit: 10})
	if err != nil || len(list.Data) != 2 || list.Data[0].ID != batch.ID || list.HasMore {
		t.Errorf("the list: %+v, %v", list, err)
	}

	stranger := account.Caller{Tenant: state.Tenant{ProjectID: "proj_other"}}
	_, err = f.Content(t.Context(), stranger, data.ID, Section{})
	if deleted := f.Delete(t.Context(), stranger, data.ID); !isNotFound(err) || !isNotFound(deleted) {
		t.Errorf("another project: read %v, deleted %v", err, deleted)
	}

	f.clock.at = f.clock.at.Add(batchLife)
	if _, err := f.File(t.Context(), f.caller, batch.ID); !isNotFound(err) || *batch.ExpiresAt != f.clock.at.Unix() {
		t.Errorf("when a file for a batch expires: %v, at %d", err, *batch.ExpiresAt)
	}
	for _, gone := range []bool{false, true} {
		if err := f.Delete(t.Context(), f.caller, data.ID); isNotFound(err) != gone {
			t.Errorf("delete, already gone %t: %v", gone, err)
		}
	}
}

// What a purpose does not allow is refused, and leaves nothing.
func TestFilesThatAreRefused(t *testing.T) {
	f := openFiles(t, t.TempDir())
	for _, test := range []struct{ name, purpose, content, says string }{
		{"a.txt", openai.PurposeBatch, "{}", ".jsonl"},
		{"a.jsonl", openai.PurposeFineTune, "not json", "line 1"},
		{"a.jsonl", openai.PurposeFineTune, "{}\n{}\nnull\n", "line 3"},
	} {
		_, err := f.create(t, test.name, test.purpose, test.content)
		if e, ok := errors.AsType[*openai.RequestError](err); !ok || !strings.Contains(e.Message, test.says) {
			t.Errorf("%s for %s: %v, want an error that says %q", test.name, test.purpose, err, test.says)
		}
	}
	for _, test := range []struct {
		purpose string
		most    int64
	}{{"", MaxFileBytes}, {openai.PurposeVision, MaxFileBytes}, {openai.PurposeBatch, MaxBatchBytes}} {
		if _, got := limit(test.purpose); got != test.most {
			t.Errorf("a file for %q may have %d bytes, want %d", test.purpose, got, test.most)
		}
	}
	// A file whose purpose comes after it may be found too large only then.
	content := Received{blob: state.Blob{Key: f.caller.Tenant.ProjectID + "/blob_large", Bytes: MaxBatchBytes + 1}}
	_, err := f.Create(t.Context(), f.caller, openai.FileRequest{Filename: "a.jsonl", Purpose: openai.PurposeBatch}, "", content)
	if e, ok := errors.AsType[*TooLargeError](err); !ok || e.Limit != MaxBatchBytes {
		t.Errorf("a batch of %d bytes: %v", content.blob.Bytes, err)
	}
	if keys := f.blobKeys(t); len(keys) != 0 {
		t.Errorf("refused files have left %v", keys)
	}
}

func TestALimitCutsWhatIsLarger(t *testing.T) {
	over := errors.New("over")
	for _, test := range []struct {
		bytes int
		want  error
	}{{0, nil}, {9, nil}, {10, nil}, {11, over}, {1000, over}} {
		for name, r := range map[string]io.Reader{"at once": strings.NewReader(strings.Repeat("x", test.bytes)), "byte by byte": iotest.OneByteReader(strings.NewReader(strings.Repeat("x", test.bytes)))} {
			n, err := io.Copy(io.Discard, &limited{r: r, left: 10, over: over})
			if err != test.want || n > 10 {
				t.Errorf("%d bytes %s: read %d, %v, want %v", test.bytes, name, n, err, test.want)
			}
		}
	}
}

// zeros has so many bytes and takes no memory.
type zeros struct{ left int64 }

func (z *zeros) Read(p []byte) (int, error) {
	if z.left == 0 {
		return 0, io.EOF
	}
	n := min(int64(len(p)), z.left)
	clear(p[:n])
	z.left -= n
	return int(n), nil
}

// What a large file allocates as it comes and goes does not grow with it.
func TestLargeFilesTakeLittleMemory(t *testing.T) {
	const size, most = 96 << 20, 2 << 20
	f := openFiles(t, t.TempDir())
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	content, err := f.Receive(t.Context(), f.caller, "", &zeros{size})
	if err != nil {
		t.Fatal(err)
	}
	file, err := f.Create(t.Context(), f.caller, openai.FileRequest{Filename: "zeros", Purpose: openai.PurposeUserData}, "", content)
	if err != nil {
		t.Fatal(err)
	}
	r, err := f.Content(t.Context(), f.caller, file.ID, Section{Length: size})
	if err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, r)
	if err := errors.Join(err, r.Close()); err != nil || n != size {
		t.Errorf("read %d bytes, %v", n, err)
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > most {
		t.Errorf("%d MB allocated %d bytes, want at most %d", size>>20, got, most)
	}
}

// What a project has stored, the parts of its uploads among it, is within its
// quota whatever comes at once, and what is refused leaves nothing.
func TestAProjectsQuota(t *testing.T) {
	f := openFiles(t, t.TempDir())
	f.MaxProjectBytes = 100
	full := func(err error) bool { _, ok := errors.AsType[*state.StorageError](err); return ok }
	first, err := f.create(t, "a", openai.PurposeUserData, strings.Repeat("x", 60))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Receive(t.Context(), f.caller, openai.PurposeUserData, &zeros{41}); !full(err) {
		t.Errorf("41 bytes beside 60 of 100: %v, want a *state.StorageError", err)
	}
	if _, err := f.CreateUpload(t.Context(), f.caller, openai.UploadRequest{Bytes: 41}); !full(err) {
		t.Errorf("an upload of 41 bytes beside 60 of 100: %v, want a *state.StorageError", err)
	}
	// Both fit until the other has been named.
	upload := f.upload(t, openai.PurposeUserData, 40)
	beside, err := f.Receive(t.Context(), f.caller, openai.PurposeUserData, &zeros{20})
	if err != nil {
		t.Fatal(err)
	}
	part, err := f.part(t, upload.ID, strings.Repeat("x", 40))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Create(t.Context(), f.caller, openai.FileRequest{Filename: "b", Purpose: openai.PurposeUserData}, "", beside); !full(err) {
		t.Errorf("20 bytes beside 100 of 100: %v, want a *state.StorageError", err)
	}
	if _, err := f.complete(t, upload.ID, "", part); err != nil {
		t.Errorf("complete an upload whose parts fill the quota: %v", err)
	}
	if n := len(f.blobKeys(t)); n != 2 {
		t.Errorf("%d blobs are left, want those of the two files", n)
	}
	if err := f.Delete(t.Context(), f.caller, first.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := f.create(t, "c", openai.PurposeUserData, strings.Repeat("x", 60)); err != nil {
		t.Errorf("60 bytes where 60 were deleted: %v", err)
	}
}

// Only what no row names, is old enough and lies in the name of a project of
// ours is swept.
func TestSweep(t *testing.T) {
	f := openFiles(t, t.TempDir())
	file, err := f.create(t, "kept.txt", openai.PurposeEvals, "kept")
	if err != nil {
		t.Fatal(err)
	}
	project := f.caller.Tenant.ProjectID
	for _, key := range []string{project + "/blob_orphan", project + "/blob_half.17f.tmp", "proj_of_others/blob_orphan", "notes.txt"} {
		if _, err := f.folder.Write(t.Context(), key, strings.NewReader("x")); err != nil {
			t.Fatal(err)
		}
	}
	f.clock.at = time.Now().Add(epoch - time.Minute)
	if err := f.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if keys := f.blobKeys(t); len(keys) != 5 {
		t.Errorf("before the epoch is over there are %q", keys)
	}
	f.clock.at = time.Now().Add(epoch + time.Minute)
	if err := f.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if keys := f.blobKeys(t); len(keys) != 3 || strings.Contains(fmt.Sprint(keys), project+"/blob_orphan") || strings.Contains(fmt.Sprint(keys), ".tmp") {
		t.Errorf("after it there are %q", keys)
	}
	if got, err := f.content(t, file.ID); got != "kept" || err != nil {
		t.Errorf("the kept file: %q, %v", got, err)
	}
}
