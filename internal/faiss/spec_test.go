package faiss

import (
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"Flat":                   "",
		"IVF1024,Flat":           "",
		"IVF1024,PQ32":           "",
		"IVF1024,PQ64x4fs,RFlat": "",
		"OPQ32,IVF1024,PQ32":     "",
		"OPQ32_64,IVF16,PQ32":    "",
		"HNSW32":                 "",
		"HNSW32,SQ8":             "",
		"PCA64,Flat":             "",
		"LSH":                    "",
		"LSH64rt":                "",
		"SQ8":                    "",
		"IDMap,SQfp16":           "",
		"PQ32":                   "",
		"BFlat":                  "",
		"IDMap,BHNSW32":          "",
		"IVF65536_HNSW32,SQ4":    "",
		"L2norm,PCAR64,HNSW16":   "",
		"PQ32x8":                 "PQ32",
		"HNSW32,Flat":            "HNSW32",
		"HNSW32,Refine(Flat)":    "HNSW32,RFlat",
		"IDMap2,Flat":            "IDMap,Flat",
	} {
		if want == "" {
			want = text
		}
		if s, err := Parse(text); err != nil || s.String() != want {
			t.Errorf("%s is read as %s, %v; want %s", text, s, err, want)
		}
	}
}

func TestParseNamesWhatIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		"":                                    `part ""`,
		"IVF1024":                             "does not say how vectors are kept",
		"IVF0,Flat":                           "0 is not between 1",
		"IVF16,PQ32x5":                        `"PQ32x5"`,
		"Flat,Flat":                           `"Flat" is not known there`,
		"NSG32":                               `"NSG32"`,
		"IMI2x8,PQ8":                          `"IMI2x8"`,
		"IVF16,HNSW32":                        "IVF16_HNSW32",
		"IVF16,LSH":                           "behind transforms",
		"HNSW32,PQ8x4fs":                      "PQ8x4fs is for scans",
		"HNSW1":                               "at least 2 links",
		"PCA8,BFlat":                          "stands alone",
		"HNSW999":                             "999 is not between",
		"PCA99999999999,Flat":                 "is not between",
		"Flat,RFlat,RFlat":                    `"RFlat" is not known there`,
		strings.Repeat("IDMap,", 90) + "Flat": "at most 256 bytes",
	} {
		if s, err := Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, %v; want %s", text, s, err, want)
		}
	}
}

// FuzzParse wants a factory string that is read to be read the same from how it is printed.
func FuzzParse(f *testing.F) {
	for _, s := range buildSpecs {
		f.Add(s.spec)
	}
	f.Add("OPQ32_64,IVF65536_HNSW32,PQ32x4fs,RFlat")
	f.Add("IVF,PQ,LSHrt,SQ")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse(text)
		if err != nil {
			return
		}
		again, err := Parse(s.String())
		if err != nil || again.String() != s.String() {
			t.Errorf("%q is printed as %q, which is read as %q, %v", text, s, again, err)
		}
	})
}
