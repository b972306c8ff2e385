package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/riverqueue/river"
)

// defaultProject returns the id of a store's first project.
func defaultProject(t *testing.T, s *Store) string {
	t.Helper()
	tenant, err := s.DefaultTenant(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return tenant.ProjectID
}

// addFile adds a file of two blobs, which lives for some seconds from a time on;
// 0 is for ever.
func addFile(t *testing.T, s *Store, project, id, purpose string, at, seconds int64) File {
	t.Helper()
	f := File{ID: id, ProjectID: project, CreatedAt: time.Unix(at, 0), Name: id + ".txt", Purpose: purpose, MediaType: "text/plain", Bytes: 7}
	if seconds > 0 {
		f.ExpiresAt = f.CreatedAt.Add(time.Duration(seconds) * time.Second)
	}
	if err := s.AddFile(t.Context(), f, 0, Blob{project + "/" + id + "-0", 3}, Blob{project + "/" + id + "-1", 4}); err != nil {
		t.Fatal(err)
	}
	return f
}

func fileIDs(files []File) []string {
	var ids []string
	for _, f := range files {
		ids = append(ids, f.ID)
	}
	return ids
}

// droppedBlobs returns the keys that each job has which deletes blobs.
func droppedBlobs(t *testing.T, s *Store) [][]string {
	t.Helper()
	client, err := river.NewClient(s.jobDriver(), &river.Config{})
	if err != nil {
		t.Fatal(err)
	}
	jobs, err := client.JobList(t.Context(), river.NewJobListParams().Kinds(DropBlobs{}.Kind()))
	if err != nil {
		t.Fatal(err)
	}
	var all [][]string
	for _, j := range jobs.Jobs {
		var job DropBlobs
		if err := json.Unmarshal(j.EncodedArgs, &job); err != nil {
			t.Fatal(err)
		}
		slices.Sort(job.Keys)
		all = append(all, job.Keys)
	}
	return all
}

func TestFilesAreListedUntilTheyExpire(t *testing.T) {
	s := open(t, t.TempDir())
	project := defaultProject(t, s)
	for n := range 5 {
		addFile(t, s, project, fmt.Sprint("file-", n), []string{"batch", "assistants"}[n%2], 100, int64(10*n))
	}
	tests := []struct {
		name    string
		purpose string
		at      int64
		page    Page
		want    []string
		more    bool
	}{
		{"all, newest first", "", 100, Page{Limit: 9, Descending: true}, []string{"file-4", "file-3", "file-2", "file-1", "file-0"}, false},
		{"a page", "", 100, Page{Limit: 2, After: "file-1"}, []string{"file-2", "file-3"}, true},
		{"a purpose", "batch", 100, Page{Limit: 9}, []string{"file-0", "file-2", "file-4"}, false},
		{"before one expires", "", 109, Page{Limit: 1, After: "file-0"}, []string{"file-1"}, true},
		{"when it expires", "", 110, Page{Limit: 9}, []string{"file-0", "file-2", "file-3", "file-4"}, false},
		{"when all that can have", "", 1000, Page{Limit: 9}, []string{"file-0"}, false},
	}
	for _, test := range tests {
		got, more, err := s.Files(t.Context(), project, test.purpose, time.Unix(test.at, 0), test.page)
		if diff := cmp.Diff(test.want, fileIDs(got)); err != nil || diff != "" || more != test.more {
			t.Errorf("%s: more %t, %v (-want +got):\n%s", test.name, more, err, diff)
		}
	}
	for what, err := range map[string]error{
		"read an expired file":       errorOf(s.File(t.Context(), project, "file-1", time.Unix(110, 0))),
		"read another project's":     errorOf(s.File(t.Context(), "proj_other", "file-0", time.Unix(100, 0))),
		"delete an expired file":     s.DeleteFile(t.Context(), project, "file-1", time.Unix(110, 0)),
		"delete another project's":   s.DeleteFile(t.Context(), "proj_other", "file-0", time.Unix(100, 0)),
		"list after an unknown file": errorOf2(s.Files(t.Context(), project, "", time.Unix(100, 0), Page{After: "file-x", Limit: 1})),
	} {
		if !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: %v, want %v", what, err, ErrNotFound)
		}
	}
}

func errorOf[T any](_ T, err error) error          { return err }
func errorOf2[T, U any](_ T, _ U, err error) error { return err }

// A file's end takes the rows of its blobs along and leaves the job that deletes
// them.
func TestAFileEndsWithAJobForItsBlobs(t *testing.T) {
	s := open(t, t.TempDir())
	project := defaultProject(t, s)
	kept := addFile(t, s, project, "file-kept", "evals", 100, 0)
	addFile(t, s, project, "file-deleted", "evals", 100, 0)
	for n := range 3 {
		addFile(t, s, project, fmt.Sprint("file-expired-", n), "evals", 100, 10)
	}
	if err := s.DeleteFile(t.Context(), project, "file-deleted", time.Unix(100, 0)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{2, 1, 0} {
		if n, err := s.DeleteExpiredFiles(t.Context(), time.Unix(110, 0), 2); n != want || err != nil {
			t.Errorf("%d files expired, %v; want %d", n, err, want)
		}
	}
	if got, err := s.File(t.Context(), project, kept.ID, time.Unix(110, 0)); err != nil || !cmp.Equal(got, kept) {
		t.Errorf("the kept file: %v\n%s", err, cmp.Diff(kept, got))
	}
	p := project + "/"
	want := [][]string{
		{p + "file-deleted-0", p + "file-deleted-1"},
		{p + "file-expired-0-0", p + "file-expired-0-1", p + "file-expired-1-0", p + "file-expired-1-1"},
		{p + "file-expired-2-0", p + "file-expired-2-1"},
	}
	if diff := cmp.Diff(want, droppedBlobs(t, s)); diff != "" {
		t.Errorf("blobs to be deleted, by job (-want +got):\n%s", diff)
	}
	keys := []string{p + "file-kept-0", p + "file-deleted-0", p + "file-kept-1", p + "file-expired-2-1", "unheard-of"}
	unnamed, err := s.UnnamedBlobs(t.Context(), keys)
	if diff := cmp.Diff([]string{keys[1], keys[3], keys[4]}, unnamed); err != nil || diff != "" {
		t.Errorf("blobs that no row names, %v (-want +got):\n%s", err, diff)
	}
}

// addUpload adds an upload of two parts, p1 and p2, that expires at 200.
func addUpload(t *testing.T, s *Store, project, id string) Upload {
	t.Helper()
	u := Upload{ID: id, ProjectID: project, CreatedAt: time.Unix(100, 0), ExpiresAt: time.Unix(200, 0), Name: "n", Purpose: "evals", MediaType: "text/plain", Bytes: 5, KeepFor: time.Hour, Status: UploadPending}
	if err := s.AddUpload(t.Context(), u); err != nil {
		t.Fatal(err)
	}
	for n, part := range []string{"p1", "p2"} {
		if err := s.AddPart(t.Context(), project, Part{id + part, id, time.Unix(100, 0), Blob{project + "/" + id + part, int64(2 + n)}}, 0); err != nil {
			t.Fatal(err)
		}
	}
	return u
}

// A completed upload's file has the parts it names, in the order it names them,
// and what it does not name is dropped.
func TestAnUploadBecomesItsFile(t *testing.T) {
	s := open(t, t.TempDir())
	project := defaultProject(t, s)
	u := addUpload(t, s, project, "upload_1")
	if got, err := s.Upload(t.Context(), project, u.ID, time.Unix(150, 0)); err != nil || !cmp.Equal(got, u) {
		t.Errorf("the upload: %v\n%s", err, cmp.Diff(u, got))
	}
	unused := Part{"upload_1p3", u.ID, time.Unix(150, 0), Blob{"unused", 9}}
	if err := s.AddPart(t.Context(), project, unused, 0); err != nil {
		t.Fatal(err)
	}
	f := File{ID: "file-1", ProjectID: project, CreatedAt: time.Unix(150, 0), Name: "n", Purpose: "evals", Bytes: 5}
	if err := s.CompleteUpload(t.Context(), u.ID, f, []string{"upload_1p2", "upload_1p1"}); err != nil {
		t.Fatal(err)
	}
	blobs, err := s.Blobs(t.Context(), f.ID)
	if diff := cmp.Diff([]Blob{{project + "/upload_1p2", 3}, {project + "/upload_1p1", 2}}, blobs); err != nil || diff != "" {
		t.Errorf("blobs of the file, %v (-want +got):\n%s", err, diff)
	}
	if parts, err := s.Parts(t.Context(), u.ID); len(parts) != 0 || err != nil {
		t.Errorf("the completed upload has the parts %v, %v", parts, err)
	}
	if diff := cmp.Diff([][]string{{"unused"}}, droppedBlobs(t, s)); diff != "" {
		t.Errorf("blobs to be deleted, by job (-want +got):\n%s", diff)
	}
}

// Once it has ended, however, an upload takes nothing more, and what was tried
// leaves nothing.
func TestAnEndedUploadTakesNothing(t *testing.T) {
	s := open(t, t.TempDir())
	project := defaultProject(t, s)
	file := func(at int64) File {
		return File{ID: NewID("file-"), ProjectID: project, CreatedAt: time.Unix(at, 0), Name: "n", Purpose: "evals", Bytes: 5}
	}
	for _, end := range []struct {
		status string
		at     int64 // of what is tried
		how    func(id string) error
	}{
		{UploadCompleted, 150, func(id string) error {
			return s.CompleteUpload(t.Context(), id, file(150), []string{id + "p1", id + "p2"})
		}},
		{UploadCancelled, 150, func(id string) error { return s.CancelUpload(t.Context(), id, time.Unix(150, 0)) }},
		{UploadExpired, 200, func(string) error { return nil }},
		{UploadExpired, 201, func(string) error {
			_, err := s.ExpireUploads(t.Context(), time.Unix(200, 0), 10)
			return err
		}},
	} {
		id := NewID("upload_")
		addUpload(t, s, project, id)
		if err := end.how(id); err != nil {
			t.Fatalf("%s: %v", end.status, err)
		}
		if u, err := s.Upload(t.Context(), project, id, time.Unix(end.at, 0)); err != nil || u.Status != end.status {
			t.Errorf("status %q, %v; want %s", u.Status, err, end.status)
		}
		late := Part{NewID("part_"), id, time.Unix(end.at, 0), Blob{NewID("late"), 1}}
		for what, err := range map[string]error{
			"add a part": s.AddPart(t.Context(), project, late, 0),
			"complete":   s.CompleteUpload(t.Context(), id, file(end.at), []string{id + "p1"}),
			"cancel":     s.CancelUpload(t.Context(), id, time.Unix(end.at, 0)),
		} {
			if e, ok := errors.AsType[*UploadError](err); !ok || e.Status != end.status {
				t.Errorf("%s an upload that is %s: %v", what, end.status, err)
			}
		}
		if unnamed, err := s.UnnamedBlobs(t.Context(), []string{late.Blob.Key}); len(unnamed) != 1 || err != nil {
			t.Errorf("%s: a row names the late part's blob, %v", end.status, err)
		}
	}
	files, _, err := s.Files(t.Context(), project, "", time.Unix(150, 0), Page{Limit: 10})
	if err != nil || len(files) != 1 {
		t.Errorf("the uploads have become %d files, %v; want the completed one's", len(files), err)
	}
	if err := s.DeleteUploadsBefore(t.Context(), time.Unix(1000, 0)); err != nil {
		t.Fatal(err)
	}
	if left, err := collect(t.Context(), s.read, "SELECT status FROM uploads", nil, scanText); err != nil || !slices.Equal(left, []string{UploadPending}) && len(left) > 0 {
		t.Errorf("uploads left: %v, %v", left, err)
	}
}
