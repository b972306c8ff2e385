package catalog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/ragstone/ragstone/internal/disk"
)

// A part is a file on its way into the store. Its bytes lie in a file of their
// own until commit has checked them, and a note beside it says what they are
// going to be, so that a later pull goes on where this one ended. A part is used
// under the model's lock.
type part struct {
	path string // the note is at path.json
	name string // the file's name in its model
	want digest

	f    *os.File
	hash *hasher
	n    int64       // bytes so far
	grew func(int64) // told every change of n; may be nil
}

// errTooLong says that a source sends more than the file has.
var errTooLong = errors.New("more bytes came than the file has")

// openPart goes on with what an earlier attempt left, if it was going to be the
// same file, and else begins anew.
func openPart(ctx context.Context, path, name string, want digest, grew func(int64)) (*part, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, inStore(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, inStore(err)
	}
	p := &part{path: path, name: name, want: want, f: f, hash: want.hasher(), grew: grew}
	if err := p.resume(ctx); err != nil {
		f.Close()
		return nil, err
	}
	return p, nil
}

func (p *part) resume(ctx context.Context) error {
	var earlier digest
	note, err := os.ReadFile(p.note())
	if err == nil {
		err = json.Unmarshal(note, &earlier)
	}
	if err == nil && earlier == p.want {
		p.n, err = io.Copy(p.hash, readerWithContext{ctx, io.LimitReader(p.f, p.want.Bytes+1)})
		switch {
		case err != nil:
			return inStore(err)
		case p.n <= p.want.Bytes:
			p.tell()
			return nil
		}
	}
	if err := p.restart(); err != nil {
		return err
	}
	return inStore(disk.WriteFile(p.note(), 0o644, func(w io.Writer) error {
		return json.NewEncoder(w).Encode(p.want)
	}))
}

// restart forgets the bytes so far.
func (p *part) restart() error {
	if err := p.f.Truncate(0); err != nil {
		return inStore(err)
	}
	if _, err := p.f.Seek(0, io.SeekStart); err != nil {
		return inStore(err)
	}
	p.hash, p.n = p.want.hasher(), 0
	p.tell()
	return nil
}

// Write appends. It returns errTooLong rather than write beyond the file's size.
func (p *part) Write(b []byte) (int, error) {
	if p.n+int64(len(b)) > p.want.Bytes {
		return 0, fmt.Errorf("%w: %d", errTooLong, p.want.Bytes)
	}
	n, err := p.f.Write(b)
	p.hash.Write(b[:n])
	p.n += int64(n)
	p.tell()
	return n, inStore(err)
}

func (p *part) tell() {
	if p.grew != nil {
		p.grew(p.n)
	}
}

// whole reports whether all bytes are there, right or wrong.
func (p *part) whole() bool { return p.n == p.want.Bytes }

// commit checks the bytes and moves the file to its place in the store. Wrong
// bytes are removed and reported as a *HashError, and what is no model file is
// removed too. It returns the file as the
// store records it.
func (p *part) commit(to string) (File, error) {
	if !p.whole() {
		return File{}, fmt.Errorf("%s has %d bytes of %d", p.name, p.n, p.want.Bytes)
	}
	if err := p.want.check(p.name, p.hash); err != nil {
		return File{}, errors.Join(err, p.discard())
	}
	if err := checkFormat(p.path, p.name); err != nil {
		return File{}, errors.Join(err, p.discard())
	}
	if err := p.move(to); err != nil {
		return File{}, inStore(err)
	}
	return File{Name: p.name, Bytes: p.n, SHA256: p.hash.sum()}, nil
}

func (p *part) move(to string) error {
	if err := p.f.Sync(); err != nil {
		return err
	}
	if err := p.f.Close(); err != nil { // Windows renames no open file
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	if err := os.Rename(p.path, to); err != nil {
		return err
	}
	os.Remove(p.note()) // one that stays fits no later part
	return disk.OS{}.SyncDir(filepath.Dir(to))
}

func (p *part) note() string { return p.path + ".json" }

// discard removes the bytes so far.
func (p *part) discard() error {
	p.f.Close()
	return inStore(errors.Join(os.Remove(p.path), os.Remove(p.note())))
}

// close keeps the bytes for a later attempt. After commit it does nothing.
func (p *part) close() { p.f.Close() }

// A readerWithContext ends with the context's error.
type readerWithContext struct {
	ctx context.Context
	r   io.Reader
}

func (r readerWithContext) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(b)
}

// hashFile returns the SHA-256 and the size of a file.
func hashFile(ctx context.Context, path string) (sum string, size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	h := digest{}.hasher()
	size, err = io.Copy(h, readerWithContext{ctx, f})
	return h.sum(), size, err
}
