package grammar

import (
	"bufio"
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/ragstone/ragstone/internal/grammar"
	"github.com/ragstone/ragstone/internal/testenv"
)

// bfclSchemas returns the parameters of all tools, each once, as JSON Schemas.
func bfclSchemas(t testing.TB) [][]byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(testenv.Shared(t, "data", "bfcl"), "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	var schemas [][]byte
	known := map[string]bool{}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(bytes.NewReader(data))
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			var question struct {
				Function []struct {
					Parameters map[string]json.RawMessage `json:"parameters"`
				} `json:"function"`
			}
			if err := json.Unmarshal(lines.Bytes(), &question); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			for _, f := range question.Function {
				s := compact(t, jsonSchema(t, f.Parameters))
				if !known[string(s)] {
					known[string(s)] = true
					schemas = append(schemas, s)
				}
			}
		}
		if err := lines.Err(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	return schemas
}

// bfclTypes are the collection's own types and what they mean.
var bfclTypes = map[string]string{"dict": "object", "float": "number", "tuple": "array", "any": ""}

// jsonSchema turns the collection's notation into JSON Schema: its types are
// Python's, and optional says what required says better.
func jsonSchema(t testing.TB, tool map[string]json.RawMessage) map[string]any {
	t.Helper()
	schema := map[string]any{}
	decode := func(raw json.RawMessage, into any) {
		if err := json.Unmarshal(raw, into); err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
	}
	for name, raw := range tool {
		switch name {
		case "optional":
		case "type":
			var name string
			decode(raw, &name)
			if ours, ok := bfclTypes[name]; ok {
				name = ours
			}
			if name != "" {
				schema["type"] = name
			}
		case "items":
			var part map[string]json.RawMessage
			decode(raw, &part)
			schema[name] = jsonSchema(t, part)
		case "properties":
			var parts map[string]map[string]json.RawMessage
			decode(raw, &parts)
			all := map[string]any{}
			for property, part := range parts {
				all[property] = jsonSchema(t, part)
			}
			schema[name] = all
		default:
			schema[name] = raw
		}
	}
	return schema
}

// Whatever a model prefers, at any temperature and however little room it has,
// what it writes satisfies the tool's schema.
func TestBFCLValidity(t *testing.T) {
	v := vocabulary(t)
	schemas := bfclSchemas(t)
	var times []time.Duration
	texts, tight := 0, 0
	for i, schema := range schemas {
		rng := rand.New(rand.NewPCG(uint64(i), 7))
		c, took, err := timedCompile(schema, v)
		if err != nil {
			t.Errorf("%s: %v", schema, err)
			continue
		}
		times = append(times, took)
		s, err := validator(schema)
		if err != nil {
			t.Fatalf("%s: %v", schema, err)
		}
		least, ok := c.NewMatcher().Exit()
		if !ok {
			t.Errorf("%s: there is no exit", schema)
		}
		for round, choose := range []chooser{uniform(rng), fond(rng), uniform(rng), fond(rng)} {
			room := least
			if round < 2 {
				room += rng.IntN(80)
			} else {
				tight++
			}
			text, complete := write(t, c, v, room, choose, rng)
			if !complete {
				t.Errorf("%s: not complete in %d tokens, want at most %d: %s", schema, room, least, text)
			} else if err := valid(s, text); err != nil {
				t.Errorf("%s: %s: %v", schema, text, err)
			}
			texts++
		}
	}
	slices.Sort(times)
	t.Logf("%d schemas, %d texts, %d of them with no token to spare; compiled in %v, the slowest in %v",
		len(schemas), texts, tight, times[len(times)/2], times[len(times)-1])
	if slowest := times[len(times)-1]; slowest > 50*time.Millisecond {
		t.Errorf("a schema took %v to compile, want at most 50 ms", slowest)
	}
}

// timedCompile prepares a schema and tells how long that took, at its best of
// a few times if it was slow: the machine may be busy with something else.
func timedCompile(schema []byte, v *grammar.Vocabulary) (c *grammar.Compiled, best time.Duration, err error) {
	best = time.Hour
	for range 5 {
		start := time.Now()
		g, err := grammar.CompileSchema(schema)
		if err != nil {
			return nil, 0, err
		}
		if c, err = g.For(v); err != nil {
			return nil, 0, err
		}
		if best = min(best, time.Since(start)); best < 10*time.Millisecond {
			break
		}
	}
	return c, best, nil
}
