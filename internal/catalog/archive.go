package catalog

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
)

// openMember opens one file of a Python package: a wheel, which is a zip file,
// or a source archive (zip or tar.gz), whose paths begin with a folder for the
// package's name and version. No path in it becomes a path on disk. Reading fails
// beyond limit bytes of the file, and beyond others bytes of what lies before it
// in a tar.gz, so that a small archive cannot keep us unpacking for ever.
func openMember(archive, member string, limit, others int64) (io.ReadCloser, error) {
	var r io.ReadCloser
	var err error
	if strings.HasSuffix(archive, ".tar.gz") {
		r, err = openTarMember(archive, member, limit, others)
	} else {
		r, err = openZipMember(archive, member, limit)
	}
	if err != nil {
		return nil, fmt.Errorf("%s in %s: %w", member, filepath.Base(archive), err)
	}
	return r, nil
}

// isMember reports whether an archive's path is the wanted one. Source archives
// put the package below name-version, and often below src. Paths that would
// leave the folder they are unpacked in are never it.
func isMember(inArchive, wanted, archive string) bool {
	if !fs.ValidPath(inArchive) {
		return false
	}
	if strings.HasSuffix(archive, ".whl") {
		return inArchive == wanted
	}
	_, below, _ := strings.Cut(inArchive, "/")
	return below == wanted || below == path.Join("src", wanted)
}

var errNotAFile = errors.New("it is not a plain file")

// A closers closes several things, the last first.
type closers []io.Closer

func (c closers) Close() error {
	var errs []error
	for i := len(c) - 1; i >= 0; i-- {
		errs = append(errs, c[i].Close())
	}
	return errors.Join(errs...)
}

type readCloser struct {
	io.Reader
	closers
}

func openZipMember(archive, member string, limit int64) (io.ReadCloser, error) {
	z, err := zip.OpenReader(archive)
	if err != nil {
		return nil, err
	}
	for _, f := range z.File {
		if !isMember(f.Name, member, archive) {
			continue
		}
		if !f.Mode().IsRegular() {
			z.Close()
			return nil, errNotAFile
		}
		r, err := f.Open()
		if err != nil {
			z.Close()
			return nil, err
		}
		return readCloser{&limited{r, limit}, closers{z, r}}, nil
	}
	z.Close()
	return nil, fs.ErrNotExist
}

func openTarMember(archive, member string, limit, others int64) (io.ReadCloser, error) {
	f, err := os.Open(archive)
	if err != nil {
		return nil, err
	}
	r, err := findInTar(f, archive, member, limit, others)
	if err != nil {
		f.Close()
		return nil, err
	}
	return readCloser{r, closers{f}}, nil
}

func findInTar(f *os.File, archive, member string, limit, others int64) (io.Reader, error) {
	unzipped, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	t := tar.NewReader(&limited{unzipped, limit + others})
	for {
		h, err := t.Next()
		switch {
		case err == io.EOF:
			return nil, fs.ErrNotExist
		case err != nil:
			return nil, err
		case !isMember(h.Name, member, archive):
		case h.Typeflag != tar.TypeReg:
			return nil, errNotAFile
		default:
			return &limited{t, limit}, nil
		}
	}
}

// A limited reader fails, rather than ends, when there is more than it may
// give.
type limited struct {
	r    io.Reader
	left int64
}

func (l *limited) Read(b []byte) (int, error) {
	n, err := l.r.Read(b)
	if l.left -= int64(n); l.left < 0 {
		return 0, fmt.Errorf("%w, as unpacked", errTooLong)
	}
	return n, err
}

var separators = regexp.MustCompile(`[-_.]+`)

// normalName is how package indexes compare names (PEP 503).
func normalName(name string) string {
	return strings.ToLower(separators.ReplaceAllString(name, "-"))
}

// isArchiveOf reports whether a file name is that of a requirement's archive:
// name-version-tags.whl (PEP 427) or name-version.tar.gz or .zip (PEP 625).
func isArchiveOf(file, requirement string) bool {
	name, version, _ := strings.Cut(requirement, "==")
	if base, ok := strings.CutSuffix(file, ".whl"); ok {
		parts := strings.Split(base, "-")
		return len(parts) >= 5 && normalName(parts[0]) == normalName(name) && parts[1] == version
	}
	for _, ending := range []string{".tar.gz", ".zip"} {
		if base, ok := strings.CutSuffix(file, ending); ok {
			i := strings.LastIndexByte(base, '-')
			return i > 0 && normalName(base[:i]) == normalName(name) && base[i+1:] == version
		}
	}
	return false
}

// findArchive returns the path of a requirement's archive in a folder.
func findArchive(dir, requirement string) (string, bool) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", false // most often it does not exist yet
	}
	for _, e := range entries {
		if e.Type().IsRegular() && isArchiveOf(e.Name(), requirement) {
			return filepath.Join(dir, e.Name()), true
		}
	}
	return "", false
}
