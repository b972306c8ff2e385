//go:build unix

package disk_test

import (
	"io/fs"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ragstone/ragstone/internal/disk"
)

func TestIsFull(t *testing.T) {
	for cause, want := range map[unix.Errno]bool{
		unix.ENOSPC: true, unix.EDQUOT: true, unix.EFBIG: true, unix.EACCES: false, unix.EROFS: false,
	} {
		if got := disk.IsFull(&fs.PathError{Op: "write", Path: "a", Err: cause}); got != want {
			t.Errorf("IsFull(%v) = %v, want %v", cause, got, want)
		}
	}
}
