package rag

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"time"

	"github.com/ragstone/ragstone/internal/disk"
)

// Embedding a large folder takes minutes. What is embedded is put aside from
// time to time, and when a Sync ends early, so that the next one goes on from
// there. The file is a cache: unreadable or of another model, it is ignored.
const (
	pendingName     = "pending"
	pendingInterval = 30 * time.Second
)

// pending collects vectors that no generation holds yet.
type pending struct {
	store
	model [32]byte // hash of the embedding's identity
	width int
	keys  []passageKey
	rows  []float32
	saved time.Time
}

func newPending(s store, id *EmbeddingIdentity) (*pending, error) {
	raw, err := json.Marshal(id)
	if err != nil {
		return nil, fmt.Errorf("name the embedding model: %w", err)
	}
	return &pending{store: s, model: sha256.Sum256(raw), width: id.Dimensions, saved: time.Now()}, nil
}

// add takes a vector.
func (p *pending) add(key passageKey, vector []float32) {
	p.keys = append(p.keys, key)
	p.rows = append(p.rows, vector...)
}

// saveSometimes saves when the last time is long ago.
func (p *pending) saveSometimes() {
	if time.Since(p.saved) > pendingInterval {
		p.save()
	}
}

// save replaces the file. A failure loses nothing but the work put aside.
func (p *pending) save() {
	if len(p.keys) == 0 {
		return
	}
	p.saved = time.Now()
	_ = disk.WriteFileIn(p.fs, p.path(pendingName), 0o600, func(w io.Writer) error {
		sum := crc32.New(castagnoli)
		body := io.MultiWriter(w, sum)
		parts := [][]byte{p.model[:]}
		for _, key := range p.keys {
			parts = append(parts, key[:])
		}
		for _, part := range append(parts, floatBytes(p.rows)) {
			if _, err := body.Write(part); err != nil {
				return err
			}
		}
		_, err := w.Write(binary.LittleEndian.AppendUint32(nil, sum.Sum32()))
		return err
	})
}

// load takes up what an earlier Sync put aside.
func (p *pending) load() {
	data, err := disk.ReadFile(p.fs, p.path(pendingName))
	if err != nil || len(data) < len(p.model)+4 {
		return
	}
	body, sum := data[:len(data)-4], binary.LittleEndian.Uint32(data[len(data)-4:])
	each := len(passageKey{}) + 4*p.width
	rest := body[len(p.model):]
	if crc32.Checksum(body, castagnoli) != sum || [32]byte(body) != p.model || len(rest)%each != 0 {
		return
	}
	n := len(rest) / each
	p.keys = make([]passageKey, n)
	for i := range p.keys {
		rest = rest[copy(p.keys[i][:], rest):]
	}
	p.rows = make([]float32, n*p.width)
	copy(floatBytes(p.rows), rest)
}

func (p *pending) vector(i int) []float32 { return p.rows[i*p.width : (i+1)*p.width] }

// removePending drops the file once a generation holds its vectors.
func (s store) removePending() { _ = s.fs.Remove(s.path(pendingName)) }
