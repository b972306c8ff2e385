package disk

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

// ErrLocked says that somebody else holds a lock.
var ErrLocked = errors.New("locked by another process")

// A FileLock is a held lock. Its file stays on disk after Unlock, since
// removing it would let a third process lock a new file of the same name
// beside one that still waits for the old.
type FileLock struct {
	unlock func() error
}

// Lock takes the lock that the file at path stands for, making the file where
// it is absent, and waits while another holder, in this process or another,
// has it. It returns ctx's error when ctx ends first. The operating system
// releases the lock of a process that dies.
func Lock(ctx context.Context, path string) (*FileLock, error) {
	// Neither flock nor LockFileEx can be given up half way, so Lock asks again
	// and again, less and less often.
	for pause := 5 * time.Millisecond; ; pause = min(2*pause, 200*time.Millisecond) {
		l, err := TryLock(path)
		if !errors.Is(err, ErrLocked) {
			return l, err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("lock %s: %w", path, ctx.Err())
		case <-time.After(pause):
		}
	}
}

// TryLock is Lock without the wait: it returns ErrLocked where another holder
// has the lock.
func TryLock(path string) (*FileLock, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	if err := lockFile(f); err != nil {
		f.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	held.Store(f, nil)
	return &FileLock{sync.OnceValue(func() error {
		held.Delete(f)
		return errors.Join(unlockFile(f), f.Close())
	})}, nil
}

// held has the files of all locks this process holds. Without it a lock whose
// holder keeps no reference would be released by the garbage collector, which
// closes files that nobody can reach.
var held sync.Map

// Unlock releases the lock. A second call does nothing and returns the first
// one's error.
func (l *FileLock) Unlock() error { return l.unlock() }
