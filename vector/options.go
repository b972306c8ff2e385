package vector

import (
	"time"

	"github.com/ragstone/ragstone/internal/disk"
)

// Options are the choices of a database. The zero value is a good one.
type Options struct {
	// SyncEvery is when writes reach the device. Zero, the default, flushes
	// before a write is acknowledged (writers that come together share one
	// flush), so that what was acknowledged survives a power cut. Above zero
	// the log is flushed that often: a power cut may take the last moments, a
	// killed process takes nothing. Below zero flushing is left to the
	// operating system.
	SyncEvery time.Duration

	// MaxBytes is the ceiling of the memory for points that are not sealed yet
	// and for merges. Zero means 4 GiB. Sealed segments are mapped and paged by
	// the operating system; they do not count. A write that finds no room waits
	// for segments to be sealed, and fails with ErrFull if that cannot help.
	MaxBytes int64

	// SealBytes is the memory that a collection's newest points take up before
	// they are sealed into a segment. Zero means 32 MiB, or an eighth of
	// MaxBytes if that is less. Larger means fewer merges, and more to scan.
	SealBytes int64

	// Threads is how many processors one merge may use to build indexes. Zero
	// means 1. One merge runs at a time.
	Threads int

	// ReadOnly opens what is there beside the process that writes, if there is
	// one: no lock is taken and no file changed, and any number of processes may
	// do so. A collection is then as it was when it was first asked for, for ever;
	// Collection.Changed says whether to open the database again. A damaged file
	// is a *CorruptError instead of being set aside, and writes fail with
	// ErrReadOnly.
	ReadOnly bool

	// Verify compares the checksums of whole segments when a collection is
	// opened. Otherwise vectors and payloads are checked as they are read, so that
	// opening does not read them.
	Verify bool

	fsys   disk.FS // where the files are; tests put one in memory here
	manual bool    // seal and merge in the caller's goroutine, so that tests repeat
}

const (
	defaultMaxBytes  = 4 << 30
	defaultSealBytes = 32 << 20
)

func (o Options) withDefaults() Options {
	if o.MaxBytes == 0 {
		o.MaxBytes = defaultMaxBytes
	}
	if o.SealBytes == 0 {
		o.SealBytes = min(defaultSealBytes, o.MaxBytes/8)
	}
	if o.Threads == 0 {
		o.Threads = 1
	}
	if o.fsys == nil {
		o.fsys = disk.OS{}
	}
	return o
}

func (o Options) validate() error {
	if o.MaxBytes < 1<<16 || o.SealBytes < 1 || o.SealBytes > o.MaxBytes/2 || o.Threads < 1 {
		return invalid("options: MaxBytes %d, SealBytes %d, Threads %d: want MaxBytes of at least 64 KiB, SealBytes of at most half of it, and a thread",
			o.MaxBytes, o.SealBytes, o.Threads)
	}
	return nil
}
