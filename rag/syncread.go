package rag

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ragstone/ragstone/internal/chunk"
	"github.com/ragstone/ragstone/internal/document"
)

// scan lists the files under the roots and finds each among the old documents.
func (s *syncing) scan(ctx context.Context) error {
	seen := map[string]bool{}
	for _, root := range s.roots {
		listing, err := document.Walk(ctx, root, document.WalkOptions{Exclude: s.options.Exclude})
		if err != nil {
			return fmt.Errorf("index %s: %w", root, err)
		}
		for _, skipped := range listing.Skipped {
			s.report.Skipped = append(s.report.Skipped, FileProblem{Path: joinUnder(root, skipped.Name), Reason: skipped.Reason})
		}
		for _, file := range listing.Files {
			path, err := filepath.Abs(file.Path)
			if err != nil {
				return fmt.Errorf("index %s: %w", file.Path, err)
			}
			if !seen[path] {
				seen[path] = true
				s.addFile(path, file)
			}
			s.options.Progress(Progress{Phase: PhaseScan, Done: len(s.files)})
		}
	}
	slices.SortFunc(s.files, func(a, b fileState) int { return cmp.Compare(a.record.path, b.record.path) })
	return nil
}

// absolute makes paths independent of the working directory.
func absolute(paths []string) ([]string, error) {
	var all []string
	for _, path := range paths {
		full, err := filepath.Abs(path)
		if err != nil {
			return nil, fmt.Errorf("index %s: %w", path, err)
		}
		all = append(all, full)
	}
	return all, nil
}

// joinUnder is the path of a name that Walk gave; the root itself, when it is
// a file, is named by its last element.
func joinUnder(root, name string) string {
	if info, err := os.Stat(root); err == nil && !info.IsDir() {
		return root
	}
	return filepath.Join(root, filepath.FromSlash(name))
}

func (s *syncing) addFile(path string, file document.File) {
	f := fileState{record: documentRecord{path: path, size: file.Size, modTime: file.ModTime.UnixNano()}, before: -1}
	if i, ok := s.old.find(path); ok {
		f.before = i
	}
	s.files = append(s.files, f)
}

// timeResolution is how close to a Sync a file's time of change may be and
// still hide a later change: file systems round times, up to FAT's two seconds.
const timeResolution = 2 * time.Second

// untouched reports whether a file's size and time say that its content is the
// old one. A file changed as late as the last Sync is not believed.
func (s *syncing) untouched(f *fileState) bool {
	if f.before < 0 || s.old.state.Identity.Passages != s.want.Passages {
		return false
	}
	old := s.old.documents[f.before]
	safe := s.old.state.Written.Add(-timeResolution).UnixNano()
	return old.size == f.record.size && old.modTime == f.record.modTime && old.modTime < safe
}

// read takes over the documents that are as they were and reads the others,
// several at a time.
func (s *syncing) read(ctx context.Context) error {
	var doubtful []*fileState
	for i := range s.files {
		f := &s.files[i]
		if s.untouched(f) {
			s.takeOver(f)
		} else {
			doubtful = append(doubtful, f)
		}
	}
	if len(doubtful) == 0 {
		return nil
	}
	parser := &document.Parser{CacheDir: s.Corpus.options.PDFCache}
	defer parser.Close()
	s.options.Progress(Progress{PhaseRead, 0, len(doubtful)})
	err := eachParallel(ctx, doubtful,
		func(f *fileState) error { return s.readFile(ctx, parser, f) },
		func(done int) { s.options.Progress(Progress{PhaseRead, done, len(doubtful)}) })
	for _, f := range doubtful {
		if f.reuse {
			s.takeOver(f)
			s.confirmed = true
		}
	}
	return err
}

// eachParallel calls work for every item on as many goroutines as there are
// processors, and done on its own after each, until one fails or ctx ends.
func eachParallel[T any](ctx context.Context, items []T, work func(T) error, done func(n int)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	queue, finished := make(chan T), make(chan struct{})
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(items)) {
		workers.Go(func() {
			for item := range queue {
				if err := work(item); err != nil {
					cancel(err)
				}
				finished <- struct{}{}
			}
		})
	}
	defer workers.Wait()
	defer close(queue)
	for given, ready := 0, 0; ready < len(items); {
		var next chan T
		var item T
		if given < len(items) && ctx.Err() == nil {
			next, item = queue, items[given]
		} else if given == ready {
			break // stopped, and nobody is at work
		}
		select {
		case next <- item:
			given++
		case <-finished:
			ready++
			done(ready)
		}
	}
	return context.Cause(ctx)
}

// takeOver keeps an old document as it is.
func (s *syncing) takeOver(f *fileState) {
	old := s.old.documents[f.before]
	s.dirty = s.dirty || old.modTime != f.record.modTime
	old.modTime = f.record.modTime
	f.record = old
	f.reuse = true
}

// readFile reads, parses and cuts one file. A file that fails is noted with
// its reason; the error returned is ctx's alone.
func (s *syncing) readFile(ctx context.Context, parser *document.Parser, f *fileState) error {
	data, err := os.ReadFile(f.record.path)
	if err != nil {
		f.record.problem = plainReason(err)
		return ctx.Err()
	}
	f.record.size = int64(len(data))
	f.record.hash = sha256.Sum256(data)
	if f.before >= 0 && s.old.state.Identity.Passages == s.want.Passages && s.old.documents[f.before].hash == f.record.hash {
		f.reuse = true
		return ctx.Err()
	}
	doc, err := parser.Parse(ctx, f.record.path, data)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		f.record.problem = err.Error()
		return nil
	}
	s.cut(f, doc)
	return nil
}

// plainReason drops the path and the system call from a file's error, since
// the path stands beside it.
func plainReason(err error) string {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		return "it cannot be read: " + pathError.Err.Error()
	}
	return err.Error()
}

// cut makes a document's passages.
func (s *syncing) cut(f *fileState, doc *document.Document) {
	o := s.Corpus.options
	f.record.title = strings.Join(strings.Fields(doc.Title), " ")
	unit, marks := marksOf(doc)
	f.record.unit = unit
	covered := 0
	for _, p := range chunk.Split(doc, chunk.Options{MaxTokens: o.ChunkTokens, Overlap: o.ChunkOverlap, Count: o.count}) {
		record := passageRecord{
			start: p.Start, text: doc.Text[p.Start:p.End], before: doc.Text[covered:max(covered, p.Start)],
			headings: p.Headings, marks: within(marks, p.Start, p.End),
		}
		covered = max(covered, p.End)
		if unit == unitTextLine {
			record.line = p.Line
		}
		sum := sha256.Sum256([]byte(s.embeddedText(f.record.title, record)))
		copy(record.key[:], sum[:])
		f.passages = append(f.passages, record)
	}
	f.record.tail = doc.Text[covered:]
	f.record.count = len(f.passages)
	if f.record.count > maxPassages {
		f.record.problem = fmt.Sprintf("it has %d passages: at most %d are indexed of one file", f.record.count, maxPassages)
	} else if f.record.count == 0 {
		f.record.problem = document.ErrNoText.Error()
	}
	if f.record.problem != "" {
		f.passages, f.record.count, f.record.tail, f.record.unit = nil, 0, "", unitTextLine
	}
}
