package disk_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ragstone/ragstone/internal/disk"
)

// The tests of this file start the test binary again as another process, which
// does one of these jobs instead of testing.
var jobs = map[string]func(path string){
	"hold the lock": func(path string) {
		if _, err := disk.TryLock(path); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		runtime.GC() // the lock is forgotten, but nobody released it
		fmt.Println("holding")
		time.Sleep(time.Hour) // until it is killed; select {} would be a deadlock
	},
	"write for ever": func(path string) {
		for i := 0; ; i++ {
			content := bytes.Repeat([]byte{'a' + byte(i%26)}, 300_000)
			if err := disk.WriteFile(path, 0o644, writeContent(content)); err != nil {
				fmt.Println(err)
				os.Exit(1)
			}
			if i == 0 {
				fmt.Println("writing")
			}
		}
	},
}

func TestMain(m *testing.M) {
	if len(os.Args) == 3 && jobs[os.Args[1]] != nil {
		jobs[os.Args[1]](os.Args[2])
		return
	}
	os.Exit(m.Run())
}

// startJob runs a job in a process of its own and returns once the job has
// said ready.
func startJob(t *testing.T, job, path, ready string) (kill func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0], job, path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill = sync.OnceFunc(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	t.Cleanup(kill)
	line, err := bufio.NewReader(out).ReadString('\n')
	if strings.TrimSpace(line) != ready {
		t.Fatalf("the job %q said %q, %v; want %q", job, line, err, ready)
	}
	return kill
}

func TestLockBetweenProcesses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	kill := startJob(t, "hold the lock", path, "holding")
	if _, err := disk.TryLock(path); !errors.Is(err, disk.ErrLocked) {
		t.Fatalf("another process holds the lock: got error %v, want ErrLocked", err)
	}
	go kill()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	l, err := disk.Lock(ctx, path)
	if err != nil {
		t.Fatalf("the holder was killed: %v", err)
	}
	if err := l.Unlock(); err != nil {
		t.Error(err)
	}
}

func TestLockInOneProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	first, err := disk.TryLock(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := disk.TryLock(path); !errors.Is(err, disk.ErrLocked) {
		t.Errorf("locked twice: got error %v, want ErrLocked", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := disk.Lock(ctx, path); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("waited too long: got error %v, want DeadlineExceeded", err)
	}
	for range 2 {
		if err := first.Unlock(); err != nil {
			t.Error(err)
		}
	}
	second, err := disk.TryLock(path)
	if err != nil {
		t.Fatalf("after Unlock: %v", err)
	}
	second.Unlock()
}

func TestWriteFileKilled(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	for range 5 {
		kill := startJob(t, "write for ever", path, "writing")
		for range 20 { // readers never see half, while it writes
			wantWhole(t, path)
		}
		kill()
		wantWhole(t, path)
	}
	if err := disk.Sweep(disk.OS{}, dir, 0); err != nil {
		t.Error(err)
	}
	wantNames(t, disk.OS{}, dir, "file")
}

// wantWhole checks that a file is one of those "write for ever" writes.
func wantWhole(t *testing.T, path string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 300_000 || len(bytes.Trim(got, string(got[:1]))) != 0 {
		t.Fatalf("got %d bytes %.10q…%.10q, want 300000 equal ones", len(got), got, got[max(0, len(got)-10):])
	}
}

func TestMap(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	for _, want := range [][]byte{nil, []byte("x"), oldContent} {
		if err := disk.WriteFile(path, 0o644, writeContent(want)); err != nil {
			t.Fatal(err)
		}
		m, err := disk.Map(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(m.Bytes(), want) {
			t.Errorf("got %d bytes, want %d", len(m.Bytes()), len(want))
		}
		for range 2 {
			if err := m.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	for _, wrong := range []string{path + ".missing", filepath.Dir(path)} {
		if m, err := disk.Map(wrong); err == nil {
			t.Errorf("Map(%s): got %v, want an error", wrong, m)
		}
	}
}

func TestFreeSpace(t *testing.T) {
	here, err := disk.FreeSpace(t.TempDir())
	if err != nil || here <= 0 {
		t.Errorf("got %d, %v, want some bytes", here, err)
	}
	below, err := disk.FreeSpace(filepath.Join(t.TempDir(), "not", "yet", "there"))
	if err != nil || below <= 0 {
		t.Errorf("below a missing folder: got %d, %v, want some bytes", below, err)
	}
}
