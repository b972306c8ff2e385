package rag

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"

	"github.com/ragstone/ragstone/internal/disk"
)

// An index directory, described in docs/formats/corpus.md.
const (
	manifestName    = "manifest.json"
	lockName        = "lock"
	manifestVersion = 3
)

// manifest is the one file that says which database is the index.
type manifest struct {
	Version  int    `json:"version"`
	Database uint64 `json:"database"` // its number; older versions have none
}

// foreign reports an index of an older version, which is not read: the next
// Sync builds it anew.
func (m *manifest) foreign() bool { return m.Version < manifestVersion }

// CorruptError reports an index that is damaged. It holds nothing that cannot
// be made again: the next Sync builds a new one.
type CorruptError struct {
	Path   string
	Reason string
}

func (e *CorruptError) Error() string {
	return fmt.Sprintf("index file %s is damaged: %s", e.Path, e.Reason)
}

func checksum(data []byte) string {
	return fmt.Sprintf("%08x", crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli)))
}

// sealed is the manifest's file: the checksum is that of the manifest's bytes
// as they stand there.
type sealed struct {
	CRC32C   string          `json:"crc32c"`
	Manifest json.RawMessage `json:"manifest"`
}

func (m *manifest) encode(w io.Writer) error {
	raw, err := json.Marshal(m)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "{\"crc32c\": %q, \"manifest\": %s}\n", checksum(raw), raw)
	return err
}

func decodeManifest(data []byte) (*manifest, error) {
	var s sealed
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, err
	}
	if got := checksum(s.Manifest); got != s.CRC32C {
		return nil, fmt.Errorf("checksum is %s, want %s", got, s.CRC32C)
	}
	var m manifest
	if err := json.Unmarshal(s.Manifest, &m); err != nil {
		return nil, err
	}
	if m.Version < 1 || m.Version > manifestVersion {
		return nil, fmt.Errorf("version %d: this program knows versions 1 to %d", m.Version, manifestVersion)
	}
	return &m, nil
}

// store is an index directory.
type store struct {
	fs  disk.FS
	dir string
}

func (s store) path(name string) string { return filepath.Join(s.dir, name) }

// database is the folder of a database.
func (s store) database(number uint64) string { return s.path(databaseName(number)) }

// readManifest returns nil without an error where there is no index.
func (s store) readManifest() (*manifest, error) {
	path := s.path(manifestName)
	data, err := disk.ReadFile(s.fs, path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read index: %w", err)
	}
	m, err := decodeManifest(data)
	if err != nil {
		return nil, &CorruptError{path, err.Error()}
	}
	return m, nil
}

// commit makes a database, which is on disk, the index.
func (s store) commit(number uint64) error {
	m := &manifest{manifestVersion, number}
	return disk.WriteFileIn(s.fs, s.path(manifestName), 0o600, m.encode)
}

func databaseName(number uint64) string { return fmt.Sprintf("%06d.db", number) }

var databaseNames = regexp.MustCompile(`^([0-9]{6,19})\.db$`)

// oldParts are the files of indexes of version 1 and 2.
var oldParts = regexp.MustCompile(`^([0-9]{6,19}\.(text|table|keywords|vectors)|pending)$`)

// databases lists the numbers of all databases in the directory, finished or
// not, in order.
func (s store) databases() ([]uint64, error) {
	entries, err := s.fs.ReadDir(s.dir)
	if err != nil {
		return nil, fmt.Errorf("list index: %w", err)
	}
	var numbers []uint64
	for _, entry := range entries {
		if m := databaseNames.FindStringSubmatch(entry.Name()); m != nil && entry.IsDir() {
			if n, err := strconv.ParseUint(m[1], 10, 64); err == nil && databaseName(n) == entry.Name() {
				numbers = append(numbers, n)
			}
		}
	}
	slices.Sort(numbers)
	return numbers, nil
}

// sweep removes every database but one: of writers that died, and those that
// were replaced; and the files of older versions. What cannot be removed, as a
// file another process has mapped on Windows, stays for the next time.
func (s store) sweep(live uint64) {
	numbers, _ := s.databases()
	for _, n := range numbers {
		if n != live {
			s.removeAll(s.database(n))
		}
	}
	entries, _ := s.fs.ReadDir(s.dir)
	for _, entry := range entries {
		if oldParts.MatchString(entry.Name()) {
			_ = s.fs.Remove(s.path(entry.Name()))
		}
	}
	_ = disk.Sweep(s.fs, s.dir, 0)
}

// removeAll removes a folder with all that it holds, as far as that can be.
func (s store) removeAll(dir string) {
	entries, _ := s.fs.ReadDir(dir)
	for _, entry := range entries {
		path := filepath.Join(dir, entry.Name())
		if entry.IsDir() {
			s.removeAll(path)
		} else {
			_ = s.fs.Remove(path)
		}
	}
	_ = s.fs.Remove(dir)
}
