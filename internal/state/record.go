package state

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"time"
)

// record is what the journal says of an answer (docs/formats/journal.md): its
// entry for the ledger, and what that takes out of leases.
type record struct {
	entry  Entry
	leases []string // of hard budgets
	taken  int64    // out of each
}

// A journal begins with eight bytes: these, and whether it is synced.
const (
	journalMagic  = "ragsjnl"
	journalHeader = len(journalMagic) + 1
)

// beginning is what a journal begins with.
func beginning(synced bool) []byte {
	if synced {
		return append([]byte(journalMagic), 1)
	}
	return append([]byte(journalMagic), 0)
}

const (
	frameHeader = 8        // length and checksum
	mostRecord  = 64 << 10 // bytes of a record
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// errRecord means that a record's bytes are not those of one.
var errRecord = errors.New("no record of a journal")

// bytes is the most that the record takes.
func (r *record) bytes() int {
	e := &r.entry
	n := 17 * binary.MaxVarintLen64 // 8 numbers, the lengths of 8 texts, and how many leases
	for _, text := range []string{e.ID, e.Spender.Tenant.OrganizationID, e.Spender.Tenant.ProjectID, e.Spender.KeyID, e.Spender.UserID, e.Kind, e.Model, e.Asked} {
		n += len(text)
	}
	for _, id := range r.leases {
		n += binary.MaxVarintLen64 + len(id)
	}
	return n
}

// appendRecord appends a record.
func appendRecord(b []byte, r *record) []byte {
	e := &r.entry
	for _, text := range []string{e.ID, e.Spender.Tenant.OrganizationID, e.Spender.Tenant.ProjectID, e.Spender.KeyID, e.Spender.UserID, e.Kind, e.Model, e.Asked} {
		b = appendText(b, text)
	}
	for _, n := range []int64{e.At.Unix(), e.InputTokens, e.CachedTokens, e.OutputTokens, e.InputCost, e.CachedCost, e.OutputCost, r.taken} {
		b = binary.AppendVarint(b, n)
	}
	b = binary.AppendUvarint(b, uint64(len(r.leases)))
	for _, id := range r.leases {
		b = appendText(b, id)
	}
	return b
}

func appendText(b []byte, text string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}

// sealFrame writes the header of a frame, for which it has room before its
// records.
func sealFrame(frame []byte) {
	binary.LittleEndian.PutUint32(frame, uint32(len(frame)-frameHeader))
	binary.LittleEndian.PutUint32(frame[4:], frameSum(frame))
}

// frameSum is the checksum of a frame: of its length and its records.
func frameSum(frame []byte) uint32 {
	return crc32.Update(crc32.Checksum(frame[:4], castagnoli), castagnoli, frame[frameHeader:])
}

// cutFrame returns the records of the frame that data begins with and the bytes
// after it. It reports whether there is a whole one.
func cutFrame(data []byte) (records []record, rest []byte, whole bool) {
	if len(data) < frameHeader {
		return nil, nil, false
	}
	n := int64(binary.LittleEndian.Uint32(data))
	if n == 0 || n > int64(len(data)-frameHeader) {
		return nil, nil, false
	}
	end := frameHeader + int(n)
	if frameSum(data[:end]) != binary.LittleEndian.Uint32(data[4:]) {
		return nil, nil, false
	}
	for p := (parser{data[frameHeader:end], nil}); len(p.data) > 0; {
		r := p.record()
		if p.err != nil {
			return nil, nil, false
		}
		records = append(records, r)
	}
	return records, data[end:], true
}

// parser takes values off the front of a record.
type parser struct {
	data []byte
	err  error
}

func (p *parser) record() (r record) {
	e := &r.entry
	for _, text := range []*string{&e.ID, &e.Spender.Tenant.OrganizationID, &e.Spender.Tenant.ProjectID, &e.Spender.KeyID, &e.Spender.UserID, &e.Kind, &e.Model, &e.Asked} {
		*text = p.text()
	}
	var at int64
	for _, n := range []*int64{&at, &e.InputTokens, &e.CachedTokens, &e.OutputTokens, &e.InputCost, &e.CachedCost, &e.OutputCost, &r.taken} {
		*n = p.number()
	}
	e.At = time.Unix(at, 0)
	for n := p.size(); n > 0 && p.err == nil; n-- {
		r.leases = append(r.leases, p.text())
	}
	return r
}

func (p *parser) text() string {
	length := p.size()
	if length > uint64(len(p.data)) {
		p.data, p.err = nil, errRecord
		return ""
	}
	text := string(p.data[:length])
	p.data = p.data[length:]
	return text
}

func (p *parser) size() uint64 {
	size, n := binary.Uvarint(p.data)
	return size * p.took(n)
}

func (p *parser) number() int64 {
	number, n := binary.Varint(p.data)
	return number * int64(p.took(n))
}

// took takes the n bytes of a number off and returns 1, or 0 where there is no
// number.
func (p *parser) took(n int) uint64 {
	if n <= 0 {
		p.data, p.err = nil, errRecord
		return 0
	}
	p.data = p.data[n:]
	return 1
}

// journalContent is what a file of a journal says.
type journalContent struct {
	records []record
	synced  bool
	hole    int // where something that is no frame stands before one; -1: nowhere
}

// readJournal reads a journal. What ends it that is no whole frame was being
// written when its process or its machine ended, and is left out. In a synced
// journal nothing but damage makes a hole, for a frame is written when those
// before it are on the disk; in one that is not, a loss of power may too.
func readJournal(data []byte) (j journalContent) {
	j.hole = -1
	if len(data) < journalHeader {
		return j // it was being made
	}
	rest, bad := data[journalHeader:], -1
	if j.synced = data[journalHeader-1] != 0; string(data[:len(journalMagic)]) != journalMagic {
		rest = data
	}
	for len(rest) > 0 {
		records, after, whole := cutFrame(rest)
		if !whole {
			if bad < 0 {
				bad = len(data) - len(rest)
			}
			rest = rest[1:]
			continue
		}
		if bad >= 0 && j.hole < 0 {
			j.hole = bad
		}
		bad, rest = -1, after
		j.records = append(j.records, records...)
	}
	return j
}
