package state

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/ragstone/ragstone/internal/disk"
)

// journal is where this process writes what requests cost before their answers
// end: an append to a file, which the ledger gets later and many at a time. The
// file is one of several segments, each of which is removed once the ledger has
// all of it.
type journal struct {
	files  disk.FS
	dir    string
	server string
	sync   bool // each group of records is synced

	writing sync.Mutex // held while a group is written; guards the next five
	segment disk.File  // that is appended to; nil: the next group begins one
	number  int        // of the last segment
	size    int64      // of segment, as far as it is sound
	old     []int      // numbers of segments that are full
	closed  bool

	mu      sync.Mutex // guards what follows
	next    *postings  // that will be written together
	queue   []*posting // written, and not in the ledger yet
	posted  int64      // how many ever were written
	applied int64      // and how many of them the ledger has

	wake chan struct{} // has room for one: there is something in the queue
}

// postings are records that are written together, as one frame.
type postings struct {
	frame   []byte
	list    []*posting
	written bool
	err     error
}

// posting is a record and the hold that it ends, which may be nil.
type posting struct {
	record  record
	hold    *hold
	segment int
}

// segmentSize is how large a segment grows.
const segmentSize = 1 << 20

const journalSuffix = ".journal"

func segmentName(server string, number int) string {
	return fmt.Sprintf("%s-%d%s", server, number, journalSuffix)
}

func newJournal(files disk.FS, dir, server string, sync bool) *journal {
	return &journal{files: files, dir: dir, server: server, sync: sync, next: &postings{}, wake: make(chan struct{}, 1)}
}

// post writes a record, together with whatever else is waiting to be written.
// Without an error it survives the end of the process or, if the journal is
// synced, the machine's.
func (j *journal) post(p *posting) error {
	j.mu.Lock()
	group := j.next
	if group.frame == nil {
		group.frame = make([]byte, frameHeader, 512)
	}
	group.frame = appendRecord(group.frame, &p.record)
	group.list = append(group.list, p)
	j.mu.Unlock()

	j.writing.Lock()
	defer j.writing.Unlock()
	if group.written {
		return group.err
	}
	j.mu.Lock()
	j.next = &postings{}
	j.mu.Unlock()
	sealFrame(group.frame)
	group.err, group.written = j.write(group.frame), true
	if group.err != nil {
		return group.err
	}
	j.mu.Lock()
	for _, p := range group.list {
		p.segment = j.number
	}
	j.queue = append(j.queue, group.list...)
	j.posted += int64(len(group.list))
	j.mu.Unlock()
	j.rouse()
	return nil
}

// rouse tells that there is something in the queue.
func (j *journal) rouse() {
	select {
	case j.wake <- struct{}{}:
	default:
	}
}

// write appends a frame. After an error it is not there, or the segment is not
// written to again.
func (j *journal) write(frame []byte) error {
	if j.closed {
		return fmt.Errorf("write to the journal: %w", os.ErrClosed)
	}
	if j.segment != nil && j.size >= segmentSize {
		if err := j.endSegment(); err != nil {
			return err
		}
	}
	if j.segment == nil {
		if err := j.beginSegment(); err != nil {
			return err
		}
	}
	_, err := j.segment.Write(frame)
	if err == nil && j.sync {
		err = j.segment.Sync()
	}
	if err == nil {
		j.size += int64(len(frame))
		return nil
	}
	if undone := j.segment.Truncate(j.size); undone != nil {
		err = errors.Join(err, undone, j.endSegment())
	}
	return fmt.Errorf("write to the journal: %w", err)
}

func (j *journal) beginSegment() error {
	j.number++ // whatever comes of it: what cannot be begun may leave its file
	name := filepath.Join(j.dir, segmentName(j.server, j.number))
	f, err := j.files.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("begin a journal: %w", err)
	}
	_, err = f.Write(beginning(j.sync))
	if err == nil && j.sync {
		err = errors.Join(f.Sync(), j.files.SyncDir(j.dir), j.files.SyncDir(filepath.Dir(j.dir)))
	}
	if err != nil {
		return fmt.Errorf("begin a journal: %w", errors.Join(err, f.Close(), j.files.Remove(name)))
	}
	j.segment, j.size = f, int64(journalHeader)
	return nil
}

func (j *journal) endSegment() error {
	err := j.segment.Close()
	j.segment, j.old = nil, append(j.old, j.number)
	return err
}

// waiting returns up to most records that the ledger is to get next.
func (j *journal) waiting(most int) []*posting {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.queue[:min(len(j.queue), most)])
}

// done notes that the ledger has the next n records, and removes the segments
// that have nothing else. One that cannot be removed is tried again.
func (j *journal) done(n int) {
	j.mu.Lock()
	clear(j.queue[:n])
	j.queue = j.queue[n:]
	j.applied += int64(n)
	j.mu.Unlock()

	j.writing.Lock()
	defer j.writing.Unlock()
	j.mu.Lock()
	needed := j.number + 1
	if len(j.queue) > 0 {
		needed = j.queue[0].segment
	}
	j.mu.Unlock()
	j.old = slices.DeleteFunc(j.old, func(number int) bool {
		return number < needed && j.files.Remove(filepath.Join(j.dir, segmentName(j.server, number))) == nil
	})
}

// progress is how many records were written and how many of them the ledger has.
func (j *journal) progress() (posted, applied int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.posted, j.applied
}

// stop makes the journal take no more records.
func (j *journal) stop() {
	j.writing.Lock()
	defer j.writing.Unlock()
	j.closed = true
}

// remove removes a journal that was stopped and whose records the ledger has.
func (j *journal) remove() error {
	j.writing.Lock()
	defer j.writing.Unlock()
	var err error
	if j.segment != nil {
		err = j.endSegment()
	}
	for _, number := range j.old {
		err = errors.Join(err, j.files.Remove(filepath.Join(j.dir, segmentName(j.server, number))))
	}
	j.old = nil
	return err
}

// journalFile is a segment of some server's journal.
type journalFile struct {
	server string
	number int
	path   string
}

// journalFiles lists the segments in a folder, in the order of their servers and
// numbers. A folder that is not there has none.
func journalFiles(files disk.FS, dir string) ([]journalFile, error) {
	entries, err := files.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	var found []journalFile
	for _, entry := range entries {
		name, ok := strings.CutSuffix(entry.Name(), journalSuffix)
		at := strings.LastIndexByte(name, '-')
		if !ok || at < 0 {
			continue
		}
		f := journalFile{server: name[:at], path: filepath.Join(dir, entry.Name())}
		if f.number, err = strconv.Atoi(name[at+1:]); err == nil {
			found = append(found, f)
		}
	}
	slices.SortFunc(found, func(a, b journalFile) int {
		return cmp.Or(strings.Compare(a.server, b.server), cmp.Compare(a.number, b.number))
	})
	return found, nil
}
