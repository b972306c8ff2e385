package grammar

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

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
	run := suiteRun{T: t, vocabulary: vocabulary(t), refused: map[string]int{}}
	suite := readSuite(t)
	for _, file := range slices.Sorted(maps.Keys(suite)) {
		for _, group := range suite[file] {
			run.group(file, group)
		}
	}
	t.Logf("%d schemas compiled, %d satisfied by nothing; %d texts written; of the valid values %d are matched and %d are not; refused by keyword: %v",
		run.compiled, run.unsatisfiable, run.texts, run.matched, run.left, run.refused)
	if run.compiled < 150 || run.texts < 3*140 || run.matched < 400 {
		t.Error("the suite has become small, or too much of it is refused")
	}
}

// suiteRun counts what has been done.
type suiteRun struct {
	*testing.T
	vocabulary *grammar.Vocabulary

	compiled, unsatisfiable int
	refused                 map[string]int
	texts                   int // written
	matched, left           int // valid values of the suite
}

func (r *suiteRun) group(file string, group suiteGroup) {
	g, err := grammar.CompileSchema(group.Schema)
	if reason, ok := errors.AsType[*grammar.SchemaError](err); ok && reason.Keyword != "" {
		r.refused[reason.Keyword]++
		return
	} else if ok {
		r.unsatisfiable++
		for _, test := range group.Tests {
			if test.Valid {
				r.Errorf("%s: %s: %v, but %s is valid", file, group.Schema, err, test.Data)
			}
		}
		return
	}
	if err != nil {
		r.Errorf("%s: %s: %v", file, group.Schema, err)
		return
	}
	r.compiled++
	r.match(file, group, g)
	if s, err := validator(group.Schema); err != nil {
		r.Logf("%s: the validator refuses a schema, whose texts are not checked: %v", file, err)
	} else {
		r.write(file, group, g, s)
	}
}

// match holds the grammar against the suite's values.
func (r *suiteRun) match(file string, group suiteGroup, g *grammar.Grammar) {
	for _, test := range group.Tests {
		text := compactText(r.T, test.Data)
		got, err := g.Matches(text)
		if err != nil {
			r.Fatal(err)
		}
		switch {
		case got && !test.Valid:
			r.Errorf("%s: %s: matches %s, which is not valid: %s", file, group.Schema, text, test.Description)
		case got:
			r.matched++
		case test.Valid:
			r.left++
			if otherwiseWritten[file] == "" {
				r.Errorf("%s: %s: does not match %s, which is valid: %s", file, group.Schema, text, test.Description)
			}
		}
	}
}

// write holds what the grammar lets be written against the validator.
func (r *suiteRun) write(file string, group suiteGroup, g *grammar.Grammar, s *jsonschema.Schema) {
	c, err := g.For(r.vocabulary)
	if err != nil {
		r.Errorf("%s: %s: %v", file, group.Schema, err)
		return
	}
	rng := rand.New(rand.NewPCG(uint64(r.compiled), 3))
	least, _ := c.NewMatcher().Exit()
	for _, choose := range []chooser{uniform(rng), fond(rng), fond(rng)} {
		text, complete := write(r.T, c, r.vocabulary, least+rng.IntN(60), choose, rng)
		if !complete {
			r.Errorf("%s: %s: not complete: %s", file, group.Schema, text)
		} else if err := valid(s, text); err != nil {
			r.Errorf("%s: %s: wrote %s: %v", file, group.Schema, text, err)
		}
		r.texts++
	}
}

// compactText is a JSON value on one line, as it was spelled.
func compactText(t *testing.T, data json.RawMessage) []byte {
	t.Helper()
	var text bytes.Buffer
	if err := json.Compact(&text, data); err != nil {
		t.Fatal(err)
	}
	return text.Bytes()
}
