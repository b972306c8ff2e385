package rag

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func sampleTable() *table {
	return &table{
		documents: []documentRecord{
			{path: "/a.md", title: "A", size: 40, modTime: -5, hash: [32]byte{1}, length: 30, count: 2},
			{path: "/b.pdf", problem: "it is encrypted", size: 9, hash: [32]byte{2}, start: 30, first: 2},
			{path: "/c.pdf", title: "A", size: 1 << 40, modTime: 1 << 60, hash: [32]byte{3}, start: 30, length: 12, first: 2, count: 1,
				unit: unitPage, marks: []placeMark{{0, 7}, {9, 8}, {9, 3}}},
		},
		passages: []passageRecord{
			{document: 0, start: 0, end: 10, line: 1, headings: []string{"A"}, key: passageKey{4}},
			{document: 0, start: 8, end: 30, line: 3, headings: []string{"A", "B"}, key: passageKey{5}},
			{document: 2, start: 2, end: 12, key: passageKey{6}},
		},
	}
}

var tables = cmp.AllowUnexported(table{}, documentRecord{}, passageRecord{}, placeMark{})

func TestTablesAreReadAsWritten(t *testing.T) {
	for name, want := range map[string]*table{
		"empty":  {documents: []documentRecord{}, passages: []passageRecord{}},
		"sample": sampleTable(),
	} {
		length := 0
		for _, d := range want.documents {
			length += d.length
		}
		got, err := decodeTable(want.encode(), length, manifestVersion)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, got, tables); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestTablesThatDoNotHoldTogetherAreRefused(t *testing.T) {
	data := sampleTable().encode()
	for i := range data {
		if _, err := decodeTable(data[:i], 42, manifestVersion); err == nil {
			t.Errorf("cut to %d of %d bytes: no error", i, len(data))
		}
	}
	if _, err := decodeTable(append(data, 0), 42, manifestVersion); err == nil {
		t.Error("a byte more: no error")
	}
	if _, err := decodeTable(data, 41, manifestVersion); err == nil {
		t.Error("a text part that is too short: no error")
	}
}

func FuzzDecodeTable(f *testing.F) {
	f.Add(sampleTable().encode(), 42)
	f.Add((&table{}).encode(), 0)
	f.Fuzz(func(t *testing.T, data []byte, textBytes int) {
		got, err := decodeTable(data, max(0, textBytes), manifestVersion)
		if err != nil {
			return
		}
		for _, p := range got.passages {
			d := got.documents[p.document]
			if p.start < 0 || p.start > p.end || p.end > d.length || d.start+d.length > textBytes {
				t.Errorf("passage %+v lies outside its document %+v", p, d)
			}
		}
		if again, err := decodeTable(got.encode(), max(0, textBytes), manifestVersion); err != nil || !cmp.Equal(got, again, tables) {
			t.Errorf("written and read again: %v", err)
		}
	})
}

func FuzzDecodeManifest(f *testing.F) {
	var seed bytes.Buffer
	m := &manifest{Version: 1, Generation: 3, Parts: []part{{Kind: partText, Name: "000003.text", Bytes: 1, CRC32C: "00000000"}}}
	if err := m.encode(&seed); err != nil {
		f.Fatal(err)
	}
	f.Add(seed.String())
	f.Add(`{"crc32c": "", "manifest": null}`)
	f.Fuzz(func(t *testing.T, text string) {
		m, err := decodeManifest([]byte(text))
		if err != nil {
			return
		}
		for _, p := range m.Parts {
			if strings.ContainsAny(p.Name, `/\`) {
				t.Errorf("a part outside the directory: %q", p.Name)
			}
		}
	})
}

func TestPartNames(t *testing.T) {
	for _, kind := range partKinds {
		for _, generation := range []uint64{1, 999999, 1000000, 1 << 63} {
			got, n, ok := parsePartName(partName(kind, generation))
			if !ok || got != kind || n != generation {
				t.Errorf("parsePartName(%q) = %q, %d, %v", partName(kind, generation), got, n, ok)
			}
		}
	}
	for _, name := range []string{"manifest.json", "lock", "1.text", "000001.txt", "../000001.text", "000001", "-00001.text", "+00001.text"} {
		if _, _, ok := parsePartName(name); ok {
			t.Errorf("%q counts as a part", name)
		}
	}
}
