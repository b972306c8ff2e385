package disk

import (
	"bufio"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Temporary files are named tempPrefix, the target's name, a dot, random hex
// digits, tempSuffix. The leading dot hides them from listings.
const (
	tempPrefix = ".ragstone-"
	tempSuffix = ".tmp"
)

// WriteFile replaces the file at path by what write produces, atomically and
// durably, as the package comment says. The writer given to write is buffered
// and must not be used after write returns; an error from write abandons the
// new content. The folder must exist. A symbolic link at path is replaced, not
// followed.
func WriteFile(path string, perm fs.FileMode, write func(io.Writer) error) error {
	return WriteFileIn(OS{}, path, perm, write)
}

// WriteFileIn is WriteFile on a file system of the caller's choice.
func WriteFileIn(fsys FS, path string, perm fs.FileMode, write func(io.Writer) error) error {
	if err := replace(fsys, path, perm, write); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

func replace(fsys FS, path string, perm fs.FileMode, write func(io.Writer) error) (err error) {
	temp := tempName(path)
	f, err := fsys.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return err
	}
	renamed := false
	defer func() { // also when write panics
		if !renamed {
			f.Close()
			fsys.Remove(temp)
		}
	}()
	b := bufio.NewWriterSize(f, 64<<10)
	if err := write(b); err != nil {
		return err
	}
	if err := b.Flush(); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := fsys.Rename(temp, path); err != nil {
		return err
	}
	renamed = true
	return fsys.SyncDir(filepath.Dir(path))
}

// tempName is a fresh temporary name beside path.
func tempName(path string) string {
	var random [8]byte
	rand.Read(random[:]) // never fails
	dir, base := filepath.Split(path)
	return filepath.Join(dir, tempPrefix+base+"."+hex.EncodeToString(random[:])+tempSuffix)
}

// isTemp reports whether a file name, without its folder, is one of
// WriteFile's temporary names.
func isTemp(name string) bool {
	return strings.HasPrefix(name, tempPrefix) && strings.HasSuffix(name, tempSuffix)
}

// Sweep removes the temporary files that killed writers left in a folder, if
// they have not been written to for minAge. Zero is for callers that hold the
// lock which every writer of the folder takes; others should leave a live
// writer an hour. A folder that does not exist is clean.
func Sweep(fsys FS, dir string, minAge time.Duration) error {
	entries, err := fsys.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("sweep %s: %w", dir, err)
	}
	var problems []error
	for _, e := range entries {
		if !isTemp(e.Name()) || e.IsDir() {
			continue
		}
		at, err := e.Info()
		if err == nil && time.Since(at.ModTime()) >= minAge {
			err = fsys.Remove(filepath.Join(dir, e.Name()))
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // its writer finished meanwhile
			problems = append(problems, fmt.Errorf("sweep %s: %w", dir, err))
		}
	}
	return errors.Join(problems...)
}
