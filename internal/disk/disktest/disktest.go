// Package disktest examines code that writes through disk.FS, and
// implementations of disk.FS.
//
// [Crash] runs a piece of code again and again on a disk.MemFS, killing it at
// each of its operations in turn; [Fail] lets each operation fail in turn; both
// show the file system that is left to the caller. [Run] is the suite that
// every implementation of disk.FS passes.
package disktest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/ragstone/ragstone/internal/disk"
)

// A Scenario is a piece of code to kill.
type Scenario struct {
	// Before prepares a fresh file system; what it writes is flushed. May be
	// nil.
	Before func(disk.FS) error

	// During is the code under examination.
	During func(disk.FS) error

	// After checks what is left. Done says that During returned nil, so that
	// all it promised must be there.
	After func(t *testing.T, fsys disk.FS, done bool)
}

// Crash kills During at its first changing operation, then at its second, and
// so on until it finishes, each time with both kinds of power cut that
// disk.MemFS knows.
func Crash(t *testing.T, s Scenario) {
	t.Helper()
	cuts := []struct {
		name string
		cut  func(*disk.MemFS)
	}{
		{"nothing unflushed survives", (*disk.MemFS).Crash},
		{"names survive unflushed", (*disk.MemFS).CrashKeepingNames},
	}
	for _, c := range cuts {
		for n := 1; ; n++ {
			fsys := s.prepare(t)
			fsys.StopAt(n)
			err := s.During(fsys)
			if err != nil && !errors.Is(err, disk.ErrStopped) {
				t.Fatalf("stopped at operation %d: got error %v, want one that wraps %v", n, err, disk.ErrStopped)
			}
			c.cut(fsys)
			t.Run(fmt.Sprintf("%s, operation %d", c.name, n), func(t *testing.T) {
				s.After(t, fsys, err == nil)
			})
			if err == nil || t.Failed() {
				break
			}
		}
	}
}

// Fail lets the first changing operation of During fail with fault, then the
// second, and so on until none is left to fail; After sees each file system as
// the failure left it. During may survive a fault, but an error it returns must
// wrap it.
func Fail(t *testing.T, s Scenario, fault error) {
	t.Helper()
	for n := 1; ; n++ {
		fsys := s.prepare(t)
		start := fsys.Ops()
		fsys.FailAt(n, fault)
		err := s.During(fsys)
		if err != nil && !errors.Is(err, fault) {
			t.Fatalf("operation %d failed with %v: got error %v, which does not wrap it", n, fault, err)
		}
		t.Run(fmt.Sprintf("%v at operation %d", fault, n), func(t *testing.T) {
			s.After(t, fsys, err == nil)
		})
		if fsys.Ops()-start < n || t.Failed() {
			return
		}
	}
}

func (s Scenario) prepare(t *testing.T) *disk.MemFS {
	t.Helper()
	fsys := disk.NewMemFS()
	if s.Before != nil {
		if err := s.Before(fsys); err != nil {
			t.Fatalf("before: %v", err)
		}
	}
	fsys.Settle()
	return fsys
}
