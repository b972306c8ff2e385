package rag

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ragstone/ragstone/internal/disk"
)

// An index directory, described in docs/formats/corpus.md.
const (
	manifestName    = "manifest.json"
	lockName        = "lock"
	manifestVersion = 2
)

// The parts of a generation, each a file named after it.
const (
	partText     = "text"     // the documents' texts, joined
	partTable    = "table"    // documents and passages
	partKeywords = "keywords" // lexical index over the passages
	partVectors  = "vectors"  // one row a passage; absent without an embedding
)

var partKinds = []string{partText, partTable, partKeywords, partVectors}

// manifest is the one file that says what the index is; a generation exists
// when the manifest names it.
type manifest struct {
	Version    int       `json:"version"` // 1 is read too
	Generation uint64    `json:"generation"`
	Written    time.Time `json:"written"` // when the files were last looked at
	Roots      []string  `json:"roots"`   // what was indexed, and what of it left out
	Exclude    []string  `json:"exclude"` // by pattern; version 1 has neither
	Identity   identity  `json:"identity"`
	Documents  int       `json:"documents"`
	Passages   int       `json:"passages"`
	Parts      []part    `json:"parts"`
}

// part is a file of a generation.
type part struct {
	Kind   string `json:"kind"`
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	CRC32C string `json:"crc32c"`
}

// CorruptError reports an index that is damaged. It holds nothing that cannot
// be made again: the next Sync builds a new one.
type CorruptError struct {
	Path   string
	Reason string
}

func (e *CorruptError) Error() string {
	return fmt.Sprintf("index file %s is damaged: %s", e.Path, e.Reason)
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(data []byte) string {
	return fmt.Sprintf("%08x", crc32.Checksum(data, castagnoli))
}

// sealed is the manifest's file: the checksum is that of the manifest's bytes
// as they stand there.
type sealed struct {
	CRC32C   string          `json:"crc32c"`
	Manifest json.RawMessage `json:"manifest"`
}

// encode writes the manifest so that people can read it.
func (m *manifest) encode(w io.Writer) error {
	raw, err := json.MarshalIndent(m, "", "  ")
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
		return nil, fmt.Errorf("version %d: this program reads versions 1 to %d", m.Version, manifestVersion)
	}
	for _, p := range m.Parts {
		if kind, _, ok := parsePartName(p.Name); !ok || kind != p.Kind {
			return nil, fmt.Errorf("the %s part has the name %q", p.Kind, p.Name)
		}
	}
	if m.Passages < 0 || m.Documents < 0 {
		return nil, errors.New("a negative number of documents or passages")
	}
	return &m, nil
}

// part returns the part of a kind.
func (m *manifest) part(kind string) (part, bool) {
	for _, p := range m.Parts {
		if p.Kind == kind {
			return p, true
		}
	}
	return part{}, false
}

func partName(kind string, generation uint64) string {
	return fmt.Sprintf("%06d.%s", generation, kind)
}

// parsePartName is partName's inverse; ok is false for any other file.
func parsePartName(name string) (kind string, generation uint64, ok bool) {
	number, kind, found := strings.Cut(name, ".")
	generation, err := strconv.ParseUint(number, 10, 64)
	ok = found && err == nil && slices.Contains(partKinds, kind) && partName(kind, generation) == name
	return kind, generation, ok
}

// store is an index directory.
type store struct {
	fs  disk.FS
	dir string
}

func (s store) path(name string) string { return filepath.Join(s.dir, name) }

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

// writePart writes one file of a generation that no manifest names yet.
func (s store) writePart(kind string, generation uint64, write func(io.Writer) error) (part, error) {
	p := part{Kind: kind, Name: partName(kind, generation)}
	err := disk.WriteFileIn(s.fs, s.path(p.Name), 0o600, func(w io.Writer) error {
		sum := crc32.New(castagnoli)
		counted := &countingWriter{w: io.MultiWriter(w, sum)}
		if err := write(counted); err != nil {
			return err
		}
		p.Bytes, p.CRC32C = counted.n, fmt.Sprintf("%08x", sum.Sum32())
		return nil
	})
	return p, err
}

// commit makes a generation the index: all its parts are on disk.
func (s store) commit(m *manifest) error {
	return disk.WriteFileIn(s.fs, s.path(manifestName), 0o600, m.encode)
}

// nextGeneration is above every generation that left a file, finished or not,
// so that no name is ever used twice.
func (s store) nextGeneration() (uint64, error) {
	names, err := s.fs.ReadDir(s.dir)
	if err != nil {
		return 0, fmt.Errorf("list index: %w", err)
	}
	var last uint64
	for _, entry := range names {
		if _, generation, ok := parsePartName(entry.Name()); ok {
			last = max(last, generation)
		}
	}
	return last + 1, nil
}

// sweep removes files of every other generation: of writers that died, and of
// the index that was replaced. What cannot be removed, as a file another
// process has mapped on Windows, stays for the next time.
func (s store) sweep(live uint64) {
	names, err := s.fs.ReadDir(s.dir)
	if err != nil {
		return
	}
	for _, entry := range names {
		if _, generation, ok := parsePartName(entry.Name()); ok && generation != live {
			_ = s.fs.Remove(s.path(entry.Name()))
		}
	}
	_ = disk.Sweep(s.fs, s.dir, 0)
}

type countingWriter struct {
	w io.Writer
	n int64
}

func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
