package vector

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"path/filepath"
	"regexp"
	"strconv"

	"github.com/ragstone/ragstone/internal/disk"
)

// manifest says which files make up a collection. Replacing it is the commit of
// every change to them.
type manifest struct {
	Version  int               `json:"version"`
	Name     string            `json:"name"`
	Schema   Schema            `json:"schema"`
	Next     uint64            `json:"next"`    // the number of the next file
	Flushed  uint64            `json:"flushed"` // writes up to this one are in the segments
	Log      uint64            `json:"log"`     // the first log file with later ones
	Segments []manifestSegment `json:"segments"`
	Damage   []Damage          `json:"damage,omitempty"`
}

type manifestSegment struct {
	Number    uint64 `json:"number"`
	Points    int    `json:"points"`
	Deleted   int    `json:"deleted,omitempty"`
	Deletions uint64 `json:"deletions,omitempty"` // number of its deletions file
}

const (
	manifestVersion = 1
	manifestName    = "manifest.json"
)

// signedManifest is the file: the checksum is that of the manifest's bytes.
type signedManifest struct {
	CRC32C   string          `json:"crc32c"`
	Manifest json.RawMessage `json:"manifest"`
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func writeManifest(fsys disk.FS, dir string, m *manifest) error {
	body, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("write manifest: %w", err)
	}
	sum := fmt.Sprintf("%08x", crc32.Checksum(body, castagnoli))
	return disk.WriteFileIn(fsys, filepath.Join(dir, manifestName), 0o644, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "{\"crc32c\":%q,\"manifest\":%s}\n", sum, body)
		return err
	})
}

func readManifest(fsys disk.FS, dir string) (*manifest, error) {
	path := filepath.Join(dir, manifestName)
	data, err := disk.ReadFile(fsys, path)
	if err != nil {
		return nil, fmt.Errorf("open collection: %w", err)
	}
	m, err := parseManifest(data)
	if err != nil {
		return nil, corrupt(path, fmt.Errorf("%w; it says what the collection consists of, so take the folder %s from a backup", err, dir))
	}
	return m, nil
}

func parseManifest(data []byte) (*manifest, error) {
	var signed signedManifest
	if err := json.Unmarshal(data, &signed); err != nil {
		return nil, fmt.Errorf("no manifest: %w", err)
	}
	if got := fmt.Sprintf("%08x", crc32.Checksum(signed.Manifest, castagnoli)); got != signed.CRC32C {
		return nil, fmt.Errorf("its checksum is %s, want %s", got, signed.CRC32C)
	}
	var m manifest
	if err := json.Unmarshal(signed.Manifest, &m); err != nil {
		return nil, fmt.Errorf("no manifest: %w", err)
	}
	if m.Version != manifestVersion {
		return nil, fmt.Errorf("it has version %d: this program reads version %d", m.Version, manifestVersion)
	}
	seen := map[uint64]bool{}
	for _, s := range m.Segments {
		if s.Number >= m.Next || seen[s.Number] || s.Deletions >= m.Next && s.Deletions != 0 {
			return nil, errors.New("its numbers of files contradict each other")
		}
		seen[s.Number] = true
	}
	return &m, nil
}

// Names of a collection's files. A deletions file has the numbers of its
// segment and of itself.
func logName(number uint64) string     { return fmt.Sprintf("%08d.log", number) }
func segmentName(number uint64) string { return fmt.Sprintf("%08d.seg", number) }
func indexName(number uint64) string   { return fmt.Sprintf("%08d.idx", number) }
func deletionsName(segment, number uint64) string {
	return fmt.Sprintf("%08d-%08d.del", segment, number)
}

var fileName = regexp.MustCompile(`^(\d{8,20})(?:-(\d{8,20}))?\.(log|seg|idx|del)$`)

// parseFileName returns what a file is, by its name, and its own number.
func parseFileName(name string) (kind string, number uint64, ok bool) {
	m := fileName.FindStringSubmatch(name)
	if m == nil {
		return "", 0, false
	}
	number, err := strconv.ParseUint(cmp.Or(m[2], m[1]), 10, 64)
	return m[3], number, err == nil
}
