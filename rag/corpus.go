package rag

import (
	"errors"
	"fmt"
	"slices"
	"sync"
)

// Corpus is a searchable set of documents with its index in a directory. It
// is safe for concurrent use: a Search works on the index as it was when it
// started, whatever a Sync beside it does.
type Corpus struct {
	store   store
	options CorpusOptions
	want    identity

	mu      sync.Mutex // guards the fields below
	current *snapshot
	damage  error // why current is empty although the directory holds an index
	closed  bool
}

// Errors of a Corpus that a caller may act on.
var (
	// ErrEmptyCorpus reports that no file with text was found under the roots.
	ErrEmptyCorpus = errors.New("no documents with text were found")

	// ErrStale reports an index made with another embedding model, other
	// passages or another analyser than the corpus was opened with. Sync
	// builds the right one.
	ErrStale = errors.New("the index was built with other settings and must be synced")

	// ErrNotFound reports a path or passage that is not in the index.
	ErrNotFound = errors.New("not in the index")

	// ErrClosed reports the use of a closed corpus.
	ErrClosed = errors.New("the corpus is closed")
)

// OpenCorpus opens the index in dir, or an empty one where dir holds none; dir
// need not exist. A damaged index is no error here, since it can be made again:
// Search returns the *CorruptError, and Sync builds a new one. Close releases
// the corpus.
func OpenCorpus(dir string, options CorpusOptions) (*Corpus, error) {
	options = options.withDefaults()
	if err := options.validate(); err != nil {
		return nil, fmt.Errorf("open corpus %s: %w", dir, err)
	}
	c := &Corpus{store: store{options.files, dir}, options: options, want: options.identity()}
	return c, c.reload()
}

// reload takes up what is on disk. A damaged index leaves an empty snapshot and
// the damage.
func (c *Corpus) reload() error {
	snap, err := c.store.open()
	var damaged *CorruptError
	if errors.As(err, &damaged) {
		c.options.Log.Warn("the index is damaged and will be built anew", "path", damaged.Path, "reason", damaged.Reason)
		c.swap(emptySnapshot(nil), damaged)
		return nil
	}
	if err != nil {
		return err
	}
	c.swap(snap, nil)
	return nil
}

// swap makes a snapshot the current one, taking over the caller's use of it.
func (c *Corpus) swap(snap *snapshot, damage error) {
	c.mu.Lock()
	old := c.current
	c.current, c.damage = snap, damage
	if c.closed {
		c.current = nil
		defer snap.release()
	}
	c.mu.Unlock()
	if old != nil {
		old.release()
	}
}

// acquire returns the current snapshot, which the caller releases.
func (c *Corpus) acquire() (*snapshot, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, ErrClosed
	}
	c.current.users.Add(1)
	return c.current, nil
}

// usable is acquire for readers: it refuses a damaged index and one of another
// identity.
func (c *Corpus) usable() (*snapshot, error) {
	snap, err := c.acquire()
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	damage := c.damage
	c.mu.Unlock()
	switch {
	case damage != nil:
		err = damage
	case snap.manifest != nil && !snap.state.Identity.equal(c.want):
		err = ErrStale
	}
	if err != nil {
		snap.release()
		return nil, err
	}
	return snap, nil
}

// Close lets go of the index; its files stay mapped until the searches that
// run have ended. Closing twice is fine.
func (c *Corpus) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.closed = true
		c.current.release()
		c.current = nil
	}
	return nil
}

// Len returns the number of passages, 0 once closed.
func (c *Corpus) Len() int {
	snap, err := c.acquire()
	if err != nil {
		return 0
	}
	defer snap.release()
	return snap.passages
}

// Passage returns the passage with the given ID, from 0 to Len()-1.
func (c *Corpus) Passage(id int) (Passage, error) {
	snap, err := c.usable()
	if err != nil {
		return Passage{}, fmt.Errorf("passage %d: %w", id, err)
	}
	defer snap.release()
	if id < 0 || id >= snap.passages {
		return Passage{}, fmt.Errorf("passage %d: %w", id, ErrNotFound)
	}
	return snap.passage(id)
}

// DocumentText returns the text that a path's offsets point into.
func (c *Corpus) DocumentText(path string) (string, error) {
	snap, err := c.usable()
	if err != nil {
		return "", fmt.Errorf("text of %s: %w", path, err)
	}
	defer snap.release()
	i, ok := snap.find(path)
	if !ok {
		return "", fmt.Errorf("text of %s: %w", path, ErrNotFound)
	}
	return snap.documentText(&snap.documents[i])
}

// Paths returns the files that have passages, in order.
func (c *Corpus) Paths() ([]string, error) {
	snap, err := c.usable()
	if err != nil {
		return nil, fmt.Errorf("list documents: %w", err)
	}
	defer snap.release()
	var paths []string
	for _, d := range snap.documents {
		if d.count > 0 {
			paths = append(paths, d.path)
		}
	}
	return slices.Clip(paths), nil
}
