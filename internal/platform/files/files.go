package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"

	"github.com/ragstone/ragstone/internal/blobs"
	"github.com/ragstone/ragstone/internal/openai"
	"github.com/ragstone/ragstone/internal/platform/account"
	"github.com/ragstone/ragstone/internal/state"
)

// Bucket has the blobs. *blobs.Bucket is one.
type Bucket interface {
	Write(ctx context.Context, key string, r io.Reader) (int64, error)
	Read(ctx context.Context, key string, offset int64) (io.ReadCloser, error)
	Delete(ctx context.Context, key string) error
	List(ctx context.Context, prefix string) iter.Seq2[[]blobs.Blob, error]
}

// Options are the bounds of a Service.
type Options struct {
	// MaxProjectBytes is the most that the files of a project and the parts of its
	// uploads may take together. Zero: any number.
	MaxProjectBytes int64
}

// Service keeps files.
type Service struct {
	rows   *state.Store
	bucket Bucket
	Options
	now func() time.Time
}

// New returns a service on rows and a bucket, which its caller closes.
func New(rows *state.Store, bucket Bucket, o Options) *Service {
	return &Service{rows: rows, bucket: bucket, Options: o, now: time.Now}
}

// NotFoundError means that a project has no file or upload of an id.
type NotFoundError struct {
	Kind string // File or Upload
	ID   string
}

func (e *NotFoundError) Error() string { return "no " + e.Kind + " " + e.ID }

func notFound(err error, kind, id string) error {
	if errors.Is(err, state.ErrNotFound) {
		return &NotFoundError{kind, id}
	}
	return err
}

// batchLife is how long a file for a batch is kept whose sender does not say.
const batchLife = 30 * 24 * time.Hour

// Create makes a file of content that was received. If the request is refused,
// with an *openai.RequestError, a *TooLargeError or a *state.StorageError, the
// content is discarded.
func (s *Service) Create(ctx context.Context, caller account.Caller, r openai.FileRequest, mediaType string, content Received) (openai.File, error) {
	if err := check(r.Purpose, r.Filename, content.blob.Bytes, content.lines); err != nil {
		return openai.File{}, errors.Join(err, s.Discard(ctx, content))
	}
	f := s.newFile(caller, r, mediaType, content.blob.Bytes)
	err := s.rows.AddFile(ctx, f, s.MaxProjectBytes, content.blob)
	if _, full := errors.AsType[*state.StorageError](err); full {
		err = errors.Join(err, s.Discard(ctx, content))
	}
	// After any other error the blob stays: the row may have been committed.
	return wireFile(f), err
}

// check reports what a purpose does not allow.
func check(purpose, name string, bytes int64, lines error) error {
	if what, most := limit(purpose); bytes > most {
		return &TooLargeError{what, most}
	}
	switch {
	case purpose == openai.PurposeBatch && !strings.HasSuffix(strings.ToLower(name), ".jsonl"):
		return openai.Refuse("file", openai.CodeInvalidValue, "Invalid file format for Batch API. Must be .jsonl.")
	case purpose == openai.PurposeFineTune && lines != nil:
		return openai.Refuse("file", "invalid_jsonl", "Expected file to have JSONL format, where every line is a JSON object: %s.", lines)
	}
	return nil
}

func (s *Service) newFile(caller account.Caller, r openai.FileRequest, mediaType string, bytes int64) state.File {
	f := state.File{
		ID:        state.NewID("file-"),
		ProjectID: caller.Tenant.ProjectID,
		CreatedAt: s.now(),
		Name:      r.Filename,
		Purpose:   r.Purpose,
		MediaType: mediaType,
		Bytes:     bytes,
	}
	switch {
	case r.KeepSeconds > 0:
		f.ExpiresAt = f.CreatedAt.Add(time.Duration(r.KeepSeconds) * time.Second)
	case r.Purpose == openai.PurposeBatch:
		f.ExpiresAt = f.CreatedAt.Add(batchLife)
	}
	return f
}

func wireFile(f state.File) openai.File {
	wire := openai.File{
		ID:        f.ID,
		Object:    "file",
		Bytes:     f.Bytes,
		CreatedAt: f.CreatedAt.Unix(),
		Filename:  f.Name,
		Purpose:   f.Purpose,
		Status:    "processed",
	}
	if !f.ExpiresAt.IsZero() {
		at := f.ExpiresAt.Unix()
		wire.ExpiresAt = &at
	}
	return wire
}

// File returns a file, or a *NotFoundError.
func (s *Service) File(ctx context.Context, caller account.Caller, id string) (openai.File, error) {
	f, err := s.rows.File(ctx, caller.Tenant.ProjectID, id, s.now())
	return wireFile(f), notFound(err, "File", id)
}

// List returns a page of the project's files of a purpose; empty is any.
func (s *Service) List(ctx context.Context, caller account.Caller, purpose string, p state.Page) (openai.List[openai.File], error) {
	files, more, err := s.rows.Files(ctx, caller.Tenant.ProjectID, purpose, s.now(), p)
	var data []openai.File
	for _, f := range files {
		data = append(data, wireFile(f))
	}
	return openai.NewList(data, more, func(f openai.File) string { return f.ID }), notFound(err, "File", p.After)
}

// Delete deletes a file, or returns a *NotFoundError.
func (s *Service) Delete(ctx context.Context, caller account.Caller, id string) error {
	return notFound(s.rows.DeleteFile(ctx, caller.Tenant.ProjectID, id, s.now()), "File", id)
}

// Section is a part of a file's content: so many bytes from an offset on.
type Section struct{ Offset, Length int64 }

// Content opens a section of a file's content, which lies within it and which the
// caller closes, or returns a *NotFoundError. A file that is deleted meanwhile may
// end in an error.
func (s *Service) Content(ctx context.Context, caller account.Caller, id string, part Section) (io.ReadCloser, error) {
	if _, err := s.File(ctx, caller, id); err != nil {
		return nil, err
	}
	pieces, err := s.rows.Blobs(ctx, id)
	if err != nil {
		return nil, err
	}
	content := s.join(ctx, pieces)
	content.skip(part.Offset)
	return struct {
		io.Reader
		io.Closer
	}{io.LimitReader(content, part.Length), content}, nil
}

// join reads blobs one after the other.
func (s *Service) join(ctx context.Context, pieces []state.Blob) *joined {
	return &joined{ctx: ctx, bucket: s.bucket, rest: pieces}
}

// joined is the content of several blobs. It belongs to one request, whose
// context it keeps.
type joined struct {
	ctx    context.Context
	bucket Bucket
	rest   []state.Blob // the first is open if blob is not nil
	blob   io.ReadCloser
	read   int64 // of the first, or not to be read of it
}

// skip leaves out so many bytes at the beginning. It comes before Read.
func (j *joined) skip(n int64) {
	for len(j.rest) > 0 && n >= j.rest[0].Bytes {
		n -= j.rest[0].Bytes
		j.rest = j.rest[1:]
	}
	j.read = n
}

func (j *joined) Read(p []byte) (int, error) {
	for len(j.rest) > 0 {
		if j.blob == nil {
			var err error
			if j.blob, err = j.bucket.Read(j.ctx, j.rest[0].Key, j.read); err != nil {
				return 0, err
			}
		}
		n, err := j.blob.Read(p)
		j.read += int64(n)
		if err != io.EOF {
			return n, err
		}
		if err := j.next(); err != nil {
			return n, err
		}
		if n > 0 {
			return n, nil
		}
	}
	return 0, io.EOF
}

// next closes the blob that has been read, which must have had all its bytes.
func (j *joined) next() error {
	if b := j.rest[0]; j.read != b.Bytes {
		return fmt.Errorf("blob %s has %d bytes, and had %d when it was written", b.Key, j.read, b.Bytes)
	}
	err := j.blob.Close()
	j.rest, j.blob, j.read = j.rest[1:], nil, 0
	return err
}

// Close implements io.Closer.
func (j *joined) Close() error {
	if j.blob == nil {
		return nil
	}
	return j.blob.Close()
}
