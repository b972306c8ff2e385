package blobs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"
	"gocloud.dev/blob/s3blob"
	"gocloud.dev/gcerrors"

	"github.com/ragstone/ragstone/internal/disk"
)

// ErrNotFound means that there is no blob of a key.
var ErrNotFound = errors.New("no such blob")

// What one write may hold in memory on its way to S3: pieces of the smallest
// size that S3 takes, so many at once.
const (
	pieceBytes  = 5 << 20
	piecesAhead = 2
)

// Bucket is an open folder or bucket of blobs.
type Bucket struct{ bucket *blob.Bucket }

// Open opens the place that a URL names and that the caller closes:
//
//	file:///var/lib/ragstone/blobs                            a folder, made if need be
//	s3://BUCKET?region=eu-central-1                           AWS
//	s3://BUCKET?endpoint=https://minio:9000&use_path_style=true&region=any
//
// Credentials for S3 come from where AWS's own programs take them: the
// environment, the shared configuration, the machine's role. A query parameter
// prefix=TEXT puts TEXT before every key.
func Open(ctx context.Context, address string) (_ *Bucket, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("open the blobs at %s: %w", withoutUser(address), err)
		}
	}()
	u, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("it is not a URL; want file:///FOLDER or s3://BUCKET?region=REGION")
	}
	if u.User != nil {
		return nil, errors.New("it holds a user or a password: give credentials for S3 as AWS's programs take them, such as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
	}
	prefix := u.Query().Get("prefix")
	if prefix != "" {
		rest := u.Query()
		rest.Del("prefix")
		u.RawQuery = rest.Encode()
	}
	var bucket *blob.Bucket
	switch u.Scheme {
	case "file":
		bucket, err = openFolder(folderOf(u))
	case "s3":
		bucket, err = new(s3blob.URLOpener).OpenBucketURL(ctx, u)
	default:
		err = fmt.Errorf("the scheme %q is unknown; want file or s3", u.Scheme)
	}
	if err != nil {
		return nil, err
	}
	if prefix != "" {
		bucket = blob.PrefixedBucket(bucket, prefix)
	}
	return &Bucket{bucket}, nil
}

// folderOf is the path of a file URL: file:///C:/blobs is C:\blobs on Windows.
func folderOf(u *url.URL) string {
	if os.PathSeparator == '/' {
		return u.Path
	}
	return filepath.FromSlash(strings.TrimPrefix(u.Path, "/"))
}

// OpenFolder opens the blobs in a folder, which it makes if need be.
func OpenFolder(dir string) (*Bucket, error) {
	bucket, err := openFolder(dir)
	if err != nil {
		return nil, fmt.Errorf("open the blobs in %s: %w", dir, err)
	}
	return &Bucket{bucket}, nil
}

func openFolder(dir string) (*blob.Bucket, error) {
	return fileblob.OpenBucket(dir, &fileblob.Options{CreateDir: true, DirFileMode: 0o700, NoTempDir: true, Metadata: fileblob.MetadataDontWrite})
}

// withoutUser is a URL fit for a message.
func withoutUser(address string) string {
	if u, err := url.Parse(address); err == nil {
		return u.Redacted()
	}
	return "an address that is not a URL"
}

// Close frees what Open took.
func (b *Bucket) Close() error { return b.bucket.Close() }

// Write stores what r has, to its end, under a key that has never been written,
// and returns its size. An error of r is returned as it is and leaves nothing.
func (b *Bucket) Write(ctx context.Context, key string, r io.Reader) (int64, error) {
	ctx, abandon := context.WithCancel(ctx)
	defer abandon()
	var file *os.File // where the bucket is a folder
	w, err := b.bucket.NewWriter(ctx, key, &blob.WriterOptions{
		ContentType:    "application/octet-stream",
		BufferSize:     pieceBytes,
		MaxConcurrency: piecesAhead,
		BeforeWrite:    func(as func(any) bool) error { as(&file); return nil },
	})
	if err != nil {
		return 0, fmt.Errorf("write blob %s: %w", key, err)
	}
	source := &source{r: r}
	n, err := io.Copy(onlyWriter{w}, source)
	if err == nil && file != nil {
		err = file.Sync()
	}
	if err != nil {
		abandon()
		w.Close()
		if source.err != nil {
			return 0, source.err
		}
		return 0, fmt.Errorf("write blob %s: %w", key, err)
	}
	if err = w.Close(); err == nil && file != nil {
		err = syncFolders(filepath.Dir(file.Name()), strings.Count(key, "/"))
	}
	if err != nil {
		return 0, fmt.Errorf("write blob %s: %w", key, err)
	}
	return n, nil
}

// onlyWriter hides a writer's other methods, which would copy in their own way.
type onlyWriter struct{ io.Writer }

// source remembers why a reader failed, to tell that from a failed write.
type source struct {
	r   io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

// syncFolders flushes a folder and those that hold it, which may be new.
func syncFolders(dir string, above int) error {
	for range above + 1 {
		if err := (disk.OS{}).SyncDir(dir); err != nil {
			return err
		}
		dir = filepath.Dir(dir)
	}
	return nil
}

// Read opens a blob from an offset to its end. The caller closes it. A key
// without a blob is ErrNotFound.
func (b *Bucket) Read(ctx context.Context, key string, offset int64) (io.ReadCloser, error) {
	r, err := b.bucket.NewRangeReader(ctx, key, offset, -1, nil)
	if gcerrors.Code(err) == gcerrors.NotFound {
		return nil, fmt.Errorf("read blob %s: %w", key, ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("read blob %s: %w", key, err)
	}
	return r, nil
}

// Delete deletes a blob. One that is not there is fine.
func (b *Bucket) Delete(ctx context.Context, key string) error {
	if err := b.bucket.Delete(ctx, key); err != nil && gcerrors.Code(err) != gcerrors.NotFound {
		return fmt.Errorf("delete blob %s: %w", key, err)
	}
	return nil
}

// Blob is what List tells of a blob.
type Blob struct {
	Key     string
	Bytes   int64
	ModTime time.Time
}

// listPage is how many blobs are asked for at once. A folder is walked anew for
// every page.
const (
	listPage  = 10_000
	listTries = 100
)

// listPage asks for a page again that failed because one of its blobs was deleted
// while the folder was walked.
func (b *Bucket) listPage(ctx context.Context, token []byte, prefix string) (objects []*blob.ListObject, next []byte, err error) {
	for range listTries {
		objects, next, err = b.bucket.ListPage(ctx, token, listPage, &blob.ListOptions{Prefix: prefix})
		if gcerrors.Code(err) != gcerrors.NotFound {
			break
		}
	}
	return objects, next, err
}

// List yields the blobs whose keys begin with prefix, page by page, in the order
// of their keys. Those that are written or deleted meanwhile may be missing or
// not.
func (b *Bucket) List(ctx context.Context, prefix string) iter.Seq2[[]Blob, error] {
	return func(yield func([]Blob, error) bool) {
		for token := blob.FirstPageToken; len(token) > 0; {
			objects, next, err := b.listPage(ctx, token, prefix)
			if err != nil {
				yield(nil, fmt.Errorf("list blobs: %w", err))
				return
			}
			page := make([]Blob, len(objects))
			for i, o := range objects {
				page[i] = Blob{o.Key, o.Size, o.ModTime}
			}
			if !yield(page, nil) {
				return
			}
			token = next
		}
	}
}
