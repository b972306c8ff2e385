package files

import (
	"crypto/md5"
	"encoding/hex"
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/ragstone/ragstone/internal/openai"
	"github.com/ragstone/ragstone/internal/state"
)

// upload creates an upload of so many bytes.
func (f *testFiles) upload(t *testing.T, purpose string, bytes int64) openai.Upload {
	t.Helper()
	u, err := f.CreateUpload(t.Context(), f.caller, openai.UploadRequest{
		FileRequest: openai.FileRequest{Filename: "big.txt", Purpose: purpose}, Bytes: bytes, MimeType: "text/plain"})
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// part adds a part and returns its id.
func (f *testFiles) part(t *testing.T, upload, content string) (string, error) {
	t.Helper()
	received, err := f.ReceivePart(t.Context(), f.caller, strings.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	p, err := f.AddPart(t.Context(), f.caller, upload, received)
	return p.ID, err
}

func (f *testFiles) complete(t *testing.T, upload, md5 string, parts ...string) (openai.Upload, error) {
	t.Helper()
	return f.CompleteUpload(t.Context(), f.caller, upload, openai.CompleteUploadRequest{PartIDs: parts, MD5: md5})
}

func TestAnUploadIsItsPartsInTheOrderNamed(t *testing.T) {
	f := openFiles(t, t.TempDir())
	const whole = "hello world"
	u := f.upload(t, openai.PurposeAssistants, int64(len(whole)))
	var parts []string
	for _, content := range []string{"world", "hello ", "unused"} {
		id, err := f.part(t, u.ID, content)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, id)
	}
	sum := md5.Sum([]byte(whole))
	right, wrong := hex.EncodeToString(sum[:]), strings.Repeat("0", 32)
	other := f.upload(t, openai.PurposeAssistants, 5)
	foreign, err := f.part(t, other.ID, "other")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		why, param, md5 string
		parts           []string
	}{
		{"no parts", "part_ids", "", nil},
		{"too few bytes", "part_ids", "", parts[:1]},
		{"too many bytes", "part_ids", "", parts},
		{"a part twice", "part_ids", "", []string{parts[0], parts[1], parts[0]}},
		{"an unknown part", "part_ids", "", []string{parts[0], "part_none"}},
		{"another upload's part", "part_ids", "", []string{foreign, parts[1]}},
		{"a wrong checksum", "md5", wrong, []string{parts[1], parts[0]}},
		{"a right checksum of another order", "md5", right, []string{parts[0], parts[1]}},
	} {
		_, err := f.complete(t, u.ID, test.md5, test.parts...)
		if e, ok := errors.AsType[*openai.RequestError](err); !ok || e.Param != test.param {
			t.Errorf("%s: %v, want an error about %s", test.why, err, test.param)
		}
	}
	done, err := f.complete(t, u.ID, right, parts[1], parts[0])
	if err != nil || done.Status != state.UploadCompleted || done.File == nil || done.File.Bytes != int64(len(whole)) || done.File.Purpose != openai.PurposeAssistants {
		t.Fatalf("completed: %+v, %v", done, err)
	}
	if got, err := f.content(t, done.File.ID); got != whole || err != nil {
		t.Errorf("content %q, %v", got, err)
	}
	for what, err := range map[string]error{
		"a part":   errorOf(f.part(t, u.ID, "late")),
		"complete": errorOf(f.complete(t, u.ID, "", parts[1], parts[0])),
		"cancel":   errorOf(f.CancelUpload(t.Context(), f.caller, u.ID)),
	} {
		if e, ok := errors.AsType[*state.UploadError](err); !ok || e.Status != state.UploadCompleted {
			t.Errorf("%s after the end: %v", what, err)
		}
	}
}

func errorOf[T any](_ T, err error) error { return err }

func TestUploadsThatEndWithoutAFile(t *testing.T) {
	f := openFiles(t, t.TempDir())
	cancelled, expired, lines := f.upload(t, openai.PurposeVision, 1), f.upload(t, openai.PurposeVision, 1), f.upload(t, openai.PurposeFineTune, 8)
	id, err := f.part(t, lines.ID, "not JSON")
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.complete(t, lines.ID, "", id)
	if e, ok := errors.AsType[*openai.RequestError](err); !ok || !strings.Contains(e.Message, "line 1") {
		t.Errorf("training data that is not lines of JSON: %v", err)
	}
	if u, err := f.CancelUpload(t.Context(), f.caller, cancelled.ID); err != nil || u.Status != state.UploadCancelled || u.File != nil {
		t.Errorf("cancelled: %+v, %v", u, err)
	}
	f.clock.at = f.clock.at.Add(uploadLife)
	for _, ended := range []struct{ id, status string }{{cancelled.ID, state.UploadCancelled}, {expired.ID, state.UploadExpired}, {lines.ID, state.UploadExpired}} {
		if e, ok := errors.AsType[*state.UploadError](errorOf(f.part(t, ended.id, "x"))); !ok || e.Status != ended.status {
			t.Errorf("a part of an upload that is %s: %v", ended.status, e)
		}
	}
	if err := f.Pending(t.Context(), f.caller, "upload_none"); !isNotFound(err) {
		t.Errorf("an unknown upload: %v", err)
	}
	if _, err := f.CreateUpload(t.Context(), f.caller, openai.UploadRequest{FileRequest: openai.FileRequest{Filename: "a.jsonl", Purpose: openai.PurposeBatch}, Bytes: MaxBatchBytes + 1}); err == nil {
		t.Error("an upload for a batch may be larger than a file for one")
	}
	// What is left is the one part that has been dropped and awaits its job.
	if keys := f.blobKeys(t); len(keys) != 1 {
		t.Errorf("refused parts have left %v", keys)
	}
}

// Completing reads parts through a buffer, and without a reason to read does not
// read them at all.
func TestCompletingTakesLittleMemory(t *testing.T) {
	const size, parts, most = 16 << 20, 4, 3 << 20
	f := openFiles(t, t.TempDir())
	for _, checksum := range []string{"", "7f614da9329cd3aebf59b91aadc30bf0"} {
		u := f.upload(t, openai.PurposeUserData, size*parts)
		var ids []string
		for range parts {
			content, err := f.ReceivePart(t.Context(), f.caller, &zeros{size})
			if err != nil {
				t.Fatal(err)
			}
			p, err := f.AddPart(t.Context(), f.caller, u.ID, content)
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, p.ID)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := f.complete(t, u.ID, checksum, ids...)
		runtime.ReadMemStats(&after)
		if err != nil {
			t.Error(err)
		}
		if got := after.TotalAlloc - before.TotalAlloc; got > most {
			t.Errorf("joining %d MB, checksum %q, allocated %d bytes, want at most %d", size*parts>>20, checksum, got, most)
		}
	}
}
