package grammar

import (
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ragstone/ragstone/internal/grammar"
	"github.com/ragstone/ragstone/internal/testenv"
)

// suiteGroup is a schema of the JSON Schema Test Suite and its tests.
type suiteGroup struct {
	Description string          `json:"description"`
	Schema      json.RawMessage `json:"schema"`
	Tests       []struct {
		Description string          `json:"description"`
		Data        json.RawMessage `json:"data"`
		Valid       bool            `json:"valid"`
	} `json:"tests"`
}

// readSuite returns all groups by file.
func readSuite(t *testing.T) map[string][]suiteGroup {
	t.Helper()
	root := testenv.Shared(t, "data", "json-schema-test-suite", "tests", "draft2020-12")
	groups := map[string][]suiteGroup{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".json" {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		var all []suiteGroup
		if err := json.Unmarshal(data, &all); err != nil {
			return err
		}
		groups[filepath.ToSlash(name)] = all
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return groups
}

// otherwiseWritten says why valid values of some files may be left out: the
// grammar writes them in another way, or not at all; see CompileSchema.
var otherwiseWritten = map[string]string{
	"const.json":                     "numbers without a fraction, members in the schema's order",
	"enum.json":                      "numbers without a fraction",
	"type.json":                      "integers without a fraction",
	"format.json":                    "a format is held, not an annotation",
	"vocabulary.json":                "keywords are those of the standard's own vocabularies",
	"optional/bignum.json":           "at most 18 digits",
	"optional/float-overflow.json":   "no exponent beside multipleOf",
	"optional/ecmascript-regex.json": "escapes only where JSON wants them, RE2's classes",
	"optional/format/date-time.json": "no leap seconds, capital letters, nine digits of a second",
	"optional/format/time.json":      "no leap seconds, capital letters",
	"optional/format/duration.json":  "at most nine digits",
	"optional/format/email.json":     "no quoted local part, no address literal",
	"optional/format/hostname.json":  "no encoded names, labels of at most 61 characters",
}

// What the grammar of a schema of the suite lets a model write satisfies the
// schema, none of the suite's invalid values is among it, and its valid ones
// are, unless they are written in another way.
func TestSuite(t *testing.T) {
	v := vocabulary(t)
	refused := map[string]int{}
	compiled, unsatisfiable, texts, accepted, left := 0, 0, 0, 0, 0
	suite := readSuite(t)
	for _, file := range slices.Sorted(maps.Keys(suite)) {
		for i, group := range suite[file] {
			g, err := grammar.CompileSchema(group.Schema)
			var reason *grammar.SchemaError
			switch {
			case errors.As(err, &reason) && reason.Keyword != "":
				refused[reason.Keyword]++
				continue
			case errors.As(err, &reason):
				unsatisfiable++
				for _, test := range group.Tests {
					if test.Valid {
						t.Errorf("%s: %s: %v, but %s is valid", file, group.Schema, err, test.Data)
					}
				}
				continue
			case err != nil:
				t.Errorf("%s: %s: %v", file, group.Schema, err)
				continue
			}
			compiled++
			for _, test := range group.Tests {
				text := compactText(t, test.Data)
				got, err := g.Matches(text)
				if err != nil {
					t.Fatal(err)
				}
				switch {
				case got && !test.Valid:
					t.Errorf("%s: %s: matches %s, which is not valid: %s", file, group.Schema, text, test.Description)
				case got:
					accepted++
				case test.Valid:
					left++
					if otherwiseWritten[file] == "" {
						t.Errorf("%s: %s: does not match %s, which is valid: %s", file, group.Schema, text, test.Description)
					}
				}
			}
			c, err := g.For(v)
			if err != nil {
				t.Errorf("%s: %s: %v", file, group.Schema, err)
				continue
			}
			s, err := validator(group.Schema)
			if err != nil {
				t.Logf("%s: %s: the validator refuses it: %v", file, group.Schema, err)
				continue
			}
			rng := rand.New(rand.NewPCG(uint64(i), 3))
			least, _ := c.NewMatcher().Exit()
			for _, choose := range []chooser{uniform(rng), fond(rng), fond(rng)} {
				text, complete := write(t, c, v, least+rng.IntN(60), choose, rng)
				if !complete {
					t.Errorf("%s: %s: not complete: %s", file, group.Schema, text)
				} else if err := valid(s, text); err != nil {
					t.Errorf("%s: %s: wrote %s: %v", file, group.Schema, text, err)
				}
				texts++
			}
		}
	}
	t.Logf("%d schemas compiled, %d satisfied by nothing; %d texts written; of the valid values %d are matched and %d are not; refused by keyword: %v",
		compiled, unsatisfiable, texts, accepted, left, refused)
}

// compactText is a JSON value on one line, as it was spelled.
func compactText(t *testing.T, data json.RawMessage) []byte {
	t.Helper()
	var s strings.Builder
	e := json.NewEncoder(&s)
	e.SetEscapeHTML(false)
	if err := e.Encode(data); err != nil {
		t.Fatal(err)
	}
	return []byte(strings.TrimSuffix(s.String(), "\n"))
}
