//go:build unix

package files

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ragstone/ragstone/internal/blobs"
	"github.com/ragstone/ragstone/internal/openai"
	"github.com/ragstone/ragstone/internal/platform/account"
	"github.com/ragstone/ragstone/internal/state"
)

// TestMain lets this test program play the process that is killed.
func TestMain(m *testing.M) {
	if len(os.Args) == 4 {
		point, _ := strconv.Atoi(os.Args[3])
		killer := &killer{at: point}
		var err error
		switch os.Args[1] {
		case "live-until-killed":
			err = live(context.Background(), os.Args[2], killer)
		case "expire-until-killed":
			err = expire(context.Background(), os.Args[2], killer)
		default:
			os.Exit(m.Run())
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// killer kills its own process with a signal that nothing can catch, at the
// point of that number.
type killer struct{ at, passed int }

func (k *killer) point() {
	if k.passed++; k.passed == k.at {
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // until it arrives
	}
}

// deadlyBucket has a point before, within and after what it does.
type deadlyBucket struct {
	*blobs.Bucket
	*killer
}

func (b deadlyBucket) Write(ctx context.Context, key string, r io.Reader) (int64, error) {
	b.point()
	defer b.point()
	return b.Bucket.Write(ctx, key, io.MultiReader(r, pointReader{b.killer}))
}

func (b deadlyBucket) Delete(ctx context.Context, key string) error {
	b.point()
	defer b.point()
	return b.Bucket.Delete(ctx, key)
}

func (b deadlyBucket) List(ctx context.Context, prefix string) iter.Seq2[[]blobs.Blob, error] {
	b.point()
	return b.Bucket.List(ctx, prefix)
}

// pointReader is a point where a reader ends.
type pointReader struct{ *killer }

func (r pointReader) Read([]byte) (int, error) {
	r.point()
	return 0, io.EOF
}

// openDeadly opens the service of a folder for a process that is killed.
func openDeadly(ctx context.Context, dir string, k *killer) (*Service, account.Caller, error) {
	rows, err := state.Open(ctx, dir+"/state")
	if err != nil {
		return nil, account.Caller{}, err
	}
	bucket, err := blobs.OpenFolder(dir + "/blobs")
	if err != nil {
		return nil, account.Caller{}, err
	}
	tenant, err := rows.DefaultTenant(ctx)
	return New(rows, deadlyBucket{bucket, k}, Options{}), account.Caller{Tenant: tenant}, err
}

// live makes two files, one of them in parts, deletes the first and sweeps. It
// prints what it has been told.
func live(ctx context.Context, dir string, k *killer) error {
	s, caller, err := openDeadly(ctx, dir, k)
	if err != nil {
		return err
	}
	content, err := s.Receive(ctx, caller, "", strings.NewReader("whole: 1"))
	if err != nil {
		return err
	}
	request := openai.FileRequest{Filename: "whole", Purpose: openai.PurposeUserData}
	first, err := s.Create(ctx, caller, request, "", content)
	if err != nil {
		return err
	}
	fmt.Println("created", first.ID)
	k.point()

	u, err := s.CreateUpload(ctx, caller, openai.UploadRequest{FileRequest: request, Bytes: 8})
	if err != nil {
		return err
	}
	var parts []string
	for _, text := range []string{"who", "le: 2", "unused"} {
		content, err := s.ReceivePart(ctx, caller, strings.NewReader(text))
		if err != nil {
			return err
		}
		p, err := s.AddPart(ctx, caller, u.ID, content)
		if err != nil {
			return err
		}
		parts = append(parts, p.ID)
		k.point()
	}
	u, err = s.CompleteUpload(ctx, caller, u.ID, openai.CompleteUploadRequest{PartIDs: parts[:2]})
	if err != nil {
		return err
	}
	fmt.Println("created", u.File.ID)
	k.point()

	fmt.Println("deleting", first.ID)
	if err := s.Delete(ctx, caller, first.ID); err != nil {
		return err
	}
	fmt.Println("deleted", first.ID)
	k.point()
	s.now = func() time.Time { return time.Now().Add(2 * epoch) }
	return s.Sweep(ctx)
}

// child runs this program as one of the processes above and returns what it
// printed, by the first word, and whether it was killed.
func child(t *testing.T, play, dir string, point int) (told map[string][]string, killed bool) {
	t.Helper()
	c := exec.Command(os.Args[0], play, dir, strconv.Itoa(point))
	var errs strings.Builder
	c.Stderr = &errs
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	told = map[string][]string{}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		word, id, _ := strings.Cut(lines.Text(), " ")
		told[word] = append(told[word], id)
	}
	err = c.Wait()
	exit, _ := errors.AsType[*exec.ExitError](err)
	if err != nil && (exit == nil || exit.ExitCode() != -1) {
		t.Fatalf("%s, point %d: %v\n%s", play, point, err, errs.String())
	}
	return told, err != nil
}

// checkWhole checks that all files are whole, that the acknowledged are there,
// and that after the jobs and a sweep exactly the blobs of files are.
func checkWhole(t *testing.T, f *testFiles, told map[string][]string) {
	t.Helper()
	f.now = func() time.Time { return time.Now().Add(2 * epoch) } // uploads expire, the epoch is over
	list, err := f.List(t.Context(), f.caller, "", state.Page{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, file := range list.Data {
		ids = append(ids, file.ID)
		if text, err := f.content(t, file.ID); err != nil || !strings.HasPrefix(text, "whole: ") || int64(len(text)) != file.Bytes {
			t.Errorf("file %s has %q, %v", file.ID, text, err)
		}
	}
	for _, id := range told["created"] {
		if !slices.Contains(ids, id) && !slices.Contains(told["deleting"], id) {
			t.Errorf("file %s was acknowledged and is gone", id)
		}
	}
	for _, id := range told["deleted"] {
		if slices.Contains(ids, id) {
			t.Errorf("file %s was deleted and is there", id)
		}
	}
	if err := errors.Join(f.Expire(t.Context()), f.Sweep(t.Context())); err != nil {
		t.Fatal(err)
	}
	blobsOf := 0
	for _, id := range ids {
		named, err := f.rows.Blobs(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		blobsOf += len(named)
	}
	if keys := f.blobKeys(t); len(keys) != blobsOf {
		t.Errorf("%d files have %d blobs, the folder %d: %v", len(ids), blobsOf, len(keys), keys)
	}
}

// A process that is killed anywhere leaves each file whole or not at all, and
// nothing that a sweep does not find.
func TestKilledAtEveryPoint(t *testing.T) {
	for point := 1; ; point++ {
		dir := t.TempDir()
		told, killed := child(t, "live-until-killed", dir, point)
		t.Run(fmt.Sprint("point ", point), func(t *testing.T) { checkWhole(t, openFiles(t, dir), told) })
		if !killed {
			if point < 20 {
				t.Errorf("only %d points were passed", point-1)
			}
			return
		}
		if point == 100 {
			t.Fatal("the process does not end")
		}
	}
}

// expire does the jobs of files until one of them is killed in its midst.
func expire(ctx context.Context, dir string, k *killer) error {
	s, _, err := openDeadly(ctx, dir, &killer{})
	if err != nil {
		return err
	}
	s.now = func() time.Time { k.point(); return time.Now() }
	if _, err := s.rows.StartJobs(ctx, slog.New(slog.DiscardHandler), state.Repeats[expireFiles](time.Hour, s.Expire)); err != nil {
		return err
	}
	time.Sleep(time.Minute)
	return errors.New("was not killed")
}

// The job that ends expired files is killed after its first step; the next
// process goes on with it, and every expired file is gone, row and blob, and
// nothing else is.
func TestAKilledExpiryIsResumed(t *testing.T) {
	dir := t.TempDir()
	const expired, kept = atOnce + 30, 10
	func() {
		f := openFiles(t, dir)
		f.clock.at = time.Now().Add(-2 * time.Hour)
		for n := range expired + kept {
			received, err := f.Receive(t.Context(), f.caller, openai.PurposeEvals, strings.NewReader(fmt.Sprint("whole: ", n)))
			if err != nil {
				t.Fatal(err)
			}
			request := openai.FileRequest{Filename: "f", Purpose: openai.PurposeEvals}
			if n < expired {
				request.KeepSeconds = 3600
			}
			if _, err := f.Create(t.Context(), f.caller, request, "", received); err != nil {
				t.Fatal(err)
			}
		}
	}()
	if _, killed := child(t, "expire-until-killed", dir, 2); !killed {
		t.Fatal("the process was not killed")
	}
	f := openFiles(t, dir)
	f.clock.at = time.Now()
	if n := len(f.blobKeys(t)); n != expired+kept {
		t.Errorf("%d blobs after the kill, want all %d: no job has deleted any", n, expired+kept)
	}
	left := func() int {
		f.now = func() time.Time { return time.Unix(0, 0) } // when nothing had expired
		list, err := f.List(t.Context(), f.caller, "", state.Page{Limit: 1000})
		if err != nil {
			t.Fatal(err)
		}
		return len(list.Data)
	}
	if n := left(); n != expired-atOnce+kept {
		t.Errorf("%d files after the kill, want %d: one step of %d was done", n, expired-atOnce+kept, atOnce)
	}
	f.now = time.Now
	// The very job is resumed: another is not added while there is one.
	done := make(chan error, 9)
	stop, err := f.rows.StartJobs(t.Context(), slog.New(slog.DiscardHandler), state.Does(f.drop), state.Does(func(ctx context.Context, _ expireFiles) error {
		err := f.Expire(ctx)
		done <- err
		return err
	}), state.Does(func(context.Context, sweepBlobs) error { return nil }))
	if err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	for until := time.Now().Add(2 * time.Minute); len(f.blobKeys(t)) > kept && time.Now().Before(until); {
		time.Sleep(50 * time.Millisecond)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	if n := left(); n != kept {
		t.Errorf("%d files are left, want %d", n, kept)
	}
	checkWhole(t, f, nil)
}
