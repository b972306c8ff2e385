// Package wal is a write-ahead log: records appended to a file, flushed when
// the writer asks, and read back after a crash.
//
// # Format
//
// A record is a header of 32 bytes and a payload; docs/formats/vector.md draws
// it. The header's checksum covers the header and the payload. Records are
// numbered without gaps; each also says which record was known to be on the
// device when it was written (durable).
//
// # Torn or damaged
//
// A power cut may leave any part of what was not flushed: half a record, or a
// later one without an earlier. Such a tail was promised to nobody and is cut.
// A record that had been flushed and cannot be read is damage. Replay tells the
// two apart by the later records: if one of them says that the unreadable
// record was durable, it is damage, reported as such, and reading goes on
// behind it. Damage in the very last flush, with nothing after it, looks like a
// torn tail; that is the limit of what a log alone can know.
//
// A Writer is not safe for concurrent use, except that Sync may run beside
// Append.
package wal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"

	"github.com/ragstone/ragstone/internal/disk"
)

const (
	magic      = 0x4c575247 // "GRWL" as bytes; tells where a record may begin
	headerSize = 32

	// MaxRecord is the longest payload of a record.
	MaxRecord = 1 << 30
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Writer appends records to one file.
type Writer struct {
	file disk.File
	size int64 // bytes of whole records
	buf  []byte
	err  error // the file cannot be trusted any more
}

// Create makes a new log file and flushes its name. A file with that name must
// not exist.
func Create(fsys disk.FS, dir, path string) (*Writer, error) {
	file, err := fsys.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return nil, fmt.Errorf("create log: %w", err)
	}
	if err := fsys.SyncDir(dir); err != nil {
		file.Close()
		fsys.Remove(path)
		return nil, fmt.Errorf("create log %s: %w", path, err)
	}
	return &Writer{file: file}, nil
}

// Append opens a log to go on after its first size bytes, which Replay found
// whole; what follows them is cut off.
func Append(fsys disk.FS, path string, size int64) (*Writer, error) {
	file, err := fsys.OpenFile(path, os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	w := &Writer{file: file, size: size}
	if err := w.rewind(); err != nil {
		file.Close()
		return nil, fmt.Errorf("cut the tail of log %s: %w", path, err)
	}
	if err := file.Sync(); err != nil {
		file.Close()
		return nil, fmt.Errorf("cut the tail of log %s: %w", path, err)
	}
	return w, nil
}

// Append writes record number seq; durable is the last record that is known to
// be on the device. On an error the file is cut back to the records before, and
// if that fails too, the writer refuses all further work.
func (w *Writer) Append(seq, durable uint64, payload []byte) error {
	if w.err != nil {
		return w.err
	}
	if len(payload) > MaxRecord {
		return fmt.Errorf("log record of %d bytes: the limit is %d", len(payload), MaxRecord)
	}
	w.buf = appendRecord(w.buf[:0], seq, durable, payload)
	if _, err := w.file.Write(w.buf); err != nil {
		if back := w.rewind(); back != nil {
			w.err = fmt.Errorf("log %s cannot be cut back after a failed write: %w", w.file.Name(), errors.Join(err, back))
			return w.err
		}
		return fmt.Errorf("write to log: %w", err)
	}
	w.size += int64(len(w.buf))
	if cap(w.buf) > 4<<20 {
		w.buf = nil
	}
	return nil
}

func (w *Writer) rewind() error {
	if err := w.file.Truncate(w.size); err != nil {
		return err
	}
	_, err := w.file.Seek(w.size, io.SeekStart)
	return err
}

// Sync flushes the records to the device. After an error nobody knows what is
// there, so the caller must not append any more.
func (w *Writer) Sync() error { return w.file.Sync() }

// Size returns the bytes written.
func (w *Writer) Size() int64 { return w.size }

// Close closes the file without flushing it.
func (w *Writer) Close() error { return w.file.Close() }

func appendRecord(dst []byte, seq, durable uint64, payload []byte) []byte {
	le := binary.LittleEndian
	start := len(dst)
	dst = le.AppendUint32(dst, magic)
	dst = le.AppendUint32(dst, 0) // the checksum's place
	dst = le.AppendUint64(dst, seq)
	dst = le.AppendUint64(dst, durable)
	dst = le.AppendUint32(dst, uint32(len(payload)))
	dst = le.AppendUint32(dst, 0)
	dst = append(dst, payload...)
	le.PutUint32(dst[start+4:], crc32.Checksum(dst[start+8:], castagnoli))
	return dst
}

// Record is what was appended.
type Record struct {
	Seq     uint64
	Payload []byte // part of the replayed bytes
}

// Damage is records that were on the device once and cannot be read.
type Damage struct {
	Offset      int64 // where the first of them began
	First, Last uint64
}

// Result is what Replay found besides the records.
type Result struct {
	Size   int64  // bytes up to the end of the last whole record
	Next   uint64 // the number after the last record's
	Torn   int64  // bytes of a torn tail after them
	Damage []Damage
}

// Replay calls yield with every readable record of a log file's bytes, the
// first of which must have the number next. An error of yield ends it.
func Replay(data []byte, next uint64, yield func(Record) error) (Result, error) {
	r := Result{Next: next}
	for int(r.Size) < len(data) {
		record, _, size, ok := parse(data[r.Size:])
		if ok && record.Seq == r.Next {
			if err := yield(record); err != nil {
				return r, err
			}
			r.Size += int64(size)
			r.Next++
			continue
		}
		at, first, ok := survivor(data, int(r.Size), r.Next)
		if !ok {
			r.Torn = int64(len(data)) - r.Size
			return r, nil
		}
		r.Damage = append(r.Damage, Damage{Offset: r.Size, First: r.Next, Last: first - 1})
		r.Size, r.Next = int64(at), first
	}
	return r, nil
}

// First returns the number of the first record in a log file's bytes, if it can
// be read.
func First(data []byte) (seq uint64, ok bool) {
	record, _, _, ok := parse(data)
	return record.Seq, ok
}

// survivor looks behind an unreadable record, number missing, for a record that
// proves it was durable, and returns the first readable one from which reading
// can go on.
func survivor(data []byte, start int, missing uint64) (at int, seq uint64, ok bool) {
	first, firstSeq := -1, uint64(0)
	for at := start + 1; at+headerSize <= len(data); {
		if binary.LittleEndian.Uint32(data[at:]) != magic {
			at++
			continue
		}
		record, durable, size, ok := parse(data[at:])
		if !ok || record.Seq <= missing || record.Seq <= firstSeq {
			at++
			continue
		}
		if first < 0 {
			first, firstSeq = at, record.Seq
		}
		if durable >= missing {
			return first, firstSeq, true
		}
		at += size
	}
	return 0, 0, false
}

// parse reads the record at the start of data.
func parse(data []byte) (r Record, durable uint64, size int, ok bool) {
	le := binary.LittleEndian
	if len(data) < headerSize || le.Uint32(data) != magic {
		return r, 0, 0, false
	}
	length := le.Uint32(data[24:])
	if length > MaxRecord || int(length) > len(data)-headerSize {
		return r, 0, 0, false
	}
	size = headerSize + int(length)
	if crc32.Checksum(data[8:size], castagnoli) != le.Uint32(data[4:]) {
		return r, 0, 0, false
	}
	return Record{Seq: le.Uint64(data[8:]), Payload: data[headerSize:size:size]}, le.Uint64(data[16:]), size, true
}
