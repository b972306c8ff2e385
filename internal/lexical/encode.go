package lexical

import (
	"encoding/binary"
	"hash/crc32"
	"math"
)

// The encoding, described in docs/formats/lexical.md.
const (
	magic      = "RAGLEX\r\n"
	version    = 1
	headerSize = 72
	entrySize  = 20
	blockSize  = 128 // postings
	sumSize    = 4
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// encoder writes the sections of an index; terms come in order of their bytes.
type encoder struct {
	analyzer string
	params   Params
	lengths  []uint32
	norms    []float64
	total    uint64

	entries  []byte
	names    []byte
	postings []byte
	terms    uint64
	block    []byte // scratch
}

func newEncoder(analyzer string, params Params, lengths []uint32) *encoder {
	e := &encoder{analyzer: analyzer, params: params, lengths: lengths}
	for _, length := range lengths {
		e.total += uint64(length)
	}
	e.norms = norms(params, lengths, average(e.total, len(lengths)))
	return e
}

// average is the length of a document on average, at least 1.
func average(total uint64, documents int) float64 {
	return max(1, float64(total)/float64(max(documents, 1)))
}

// norms returns, for each document, the part of BM25's denominator that does
// not depend on the term: k1·(1 − b + b·length/average).
func norms(params Params, lengths []uint32, average float64) []float64 {
	norms := make([]float64, len(lengths))
	for doc, length := range lengths {
		norms[doc] = params.K1 * (1 - params.B + params.B*float64(length)/average)
	}
	return norms
}

// factor is how much of a term's idf a document earns.
func factor(tf uint32, norm float64) float64 {
	return float64(tf) / (float64(tf) + norm)
}

func (e *encoder) addTerm(name string, list []posting) {
	var termMax float32
	offset := len(e.postings)
	before := -1
	for rest := list; len(rest) > 0; {
		block := rest[:min(blockSize, len(rest))]
		rest = rest[len(block):]
		last := int(block[len(block)-1].doc)
		blockMax := e.encodeBlock(block, before)
		e.postings = binary.AppendUvarint(e.postings, uint64(last-before))
		e.postings = binary.AppendUvarint(e.postings, uint64(len(e.block)))
		e.postings = binary.LittleEndian.AppendUint32(e.postings, math.Float32bits(blockMax))
		e.postings = append(e.postings, e.block...)
		termMax = max(termMax, blockMax)
		before = last
	}
	e.entries = binary.LittleEndian.AppendUint64(e.entries, uint64(offset))
	e.entries = binary.LittleEndian.AppendUint32(e.entries, uint32(len(e.names)))
	e.entries = binary.LittleEndian.AppendUint32(e.entries, uint32(len(list)))
	e.entries = binary.LittleEndian.AppendUint32(e.entries, math.Float32bits(termMax))
	e.names = append(e.names, name...)
	if len(e.names) > math.MaxUint32 {
		panic("lexical: Build: the terms exceed 4 GiB")
	}
	e.terms++
}

// encodeBlock fills e.block with the postings after document before, and
// returns an upper bound of their factors. A posting is the distance from the
// document before it, doubled, with 1 added when tf is 1, else followed by tf.
func (e *encoder) encodeBlock(block []posting, before int) (bound float32) {
	e.block = e.block[:0]
	var highest float64
	for _, p := range block {
		distance := uint64(int(p.doc)-before) << 1
		if p.tf == 1 {
			e.block = binary.AppendUvarint(e.block, distance|1)
		} else {
			e.block = binary.AppendUvarint(e.block, distance)
			e.block = binary.AppendUvarint(e.block, uint64(p.tf))
		}
		before = int(p.doc)
		highest = max(highest, factor(p.tf, e.norms[p.doc]))
	}
	bound = float32(highest)
	if float64(bound) < highest {
		bound = math.Nextafter32(bound, 2)
	}
	return bound
}

func (e *encoder) bytes() []byte {
	var out []byte
	le := binary.LittleEndian
	out = append(out, magic...)
	out = le.AppendUint32(out, version)
	out = le.AppendUint32(out, uint32(len(e.analyzer)))
	out = le.AppendUint64(out, math.Float64bits(e.params.K1))
	out = le.AppendUint64(out, math.Float64bits(e.params.B))
	out = le.AppendUint64(out, uint64(len(e.lengths)))
	out = le.AppendUint64(out, e.terms)
	out = le.AppendUint64(out, e.total)
	out = le.AppendUint64(out, uint64(len(e.names)))
	out = le.AppendUint64(out, uint64(len(e.postings)))
	out = append(out, e.analyzer...)
	for _, length := range e.lengths {
		out = le.AppendUint32(out, length)
	}
	out = append(out, e.entries...)
	out = append(out, e.names...)
	out = append(out, e.postings...)
	return le.AppendUint32(out, crc32.Checksum(out, castagnoli))
}
