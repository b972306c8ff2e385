package grammar

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/ragstone/ragstone/internal/gguf"
	"github.com/ragstone/ragstone/internal/grammar"
	"github.com/ragstone/ragstone/internal/testenv"
	"github.com/ragstone/ragstone/internal/tokenizer"
)

// vocabulary is SmolLM2's.
func vocabulary(t testing.TB) *grammar.Vocabulary {
	t.Helper()
	path := testenv.Model(t, testenv.ChatModel, testenv.ChatModelFile)
	v, err := loadVocabulary(path)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

var loaded struct {
	once sync.Once
	v    *grammar.Vocabulary
	err  error
}

func loadVocabulary(path string) (*grammar.Vocabulary, error) {
	loaded.once.Do(func() {
		f, err := gguf.Open(path)
		if err != nil {
			loaded.err = err
			return
		}
		defer f.Close()
		tok, err := tokenizer.FromGGUF(f)
		if err != nil {
			loaded.err = err
			return
		}
		loaded.v = grammar.NewVocabulary(tok.Size(), tok.TokenBytes, func(text string) []int32 {
			return tok.Encode(text, tokenizer.Options{})
		})
		for id := range int32(tok.Size()) {
			tokens = append(tokens, tok.TokenBytes(id))
		}
	})
	return loaded.v, loaded.err
}

// tokens are the bytes of the vocabulary, once it is loaded.
var tokens [][]byte

// chooser takes a token from a mask.
type chooser func(mask grammar.Bitset) int32

// uniform takes any token, as sampling at an infinite temperature does.
func uniform(rng *rand.Rand) chooser {
	return func(mask grammar.Bitset) int32 {
		n := rng.IntN(mask.Count())
		chosen := int32(-1)
		mask.All(func(token int32) bool {
			chosen = token
			n--
			return n >= 0
		})
		return chosen
	}
}

// fond is a made-up model: it has a random opinion of each token, of short ones
// a better one, and takes the best of those allowed.
func fond(rng *rand.Rand) chooser {
	return func(mask grammar.Bitset) int32 {
		seed := rng.Uint64()
		best, chosen := uint64(0), int32(-1)
		mask.All(func(token int32) bool {
			x := (seed + uint64(token)) * 0x9E3779B97F4A7C15
			if x = (x ^ x>>29) / uint64(len(tokens[token])); x >= best {
				best, chosen = x, token
			}
			return true
		})
		return chosen
	}
}

// write writes a text of at most room tokens. Where it could end it does so
// with a chance of one in three; forced runs are taken as they come.
func write(t *testing.T, c *grammar.Compiled, v *grammar.Vocabulary, room int, choose chooser, rng *rand.Rand) (text []byte, complete bool) {
	t.Helper()
	m := c.NewMatcher()
	mask := grammar.NewBitset(v.Size())
	accept := func(token int32) {
		if err := m.Accept(token); err != nil {
			t.Fatalf("after %q: %v", text, err)
		}
		text = append(text, tokens[token]...)
		room--
	}
	for room > 0 && !m.Done() && !(m.Complete() && rng.IntN(3) == 0) {
		if forced := m.Forced(room); len(forced) > 0 {
			for _, token := range forced {
				accept(token)
			}
			continue
		}
		if err := m.Mask(mask, room); err != nil {
			t.Fatalf("after %q: %v", text, err)
		}
		if mask.Count() == 0 {
			if !m.Complete() {
				t.Fatalf("after %q: no token may follow", text)
			}
			break
		}
		accept(choose(mask))
	}
	return text, m.Complete()
}

// validator compiles a schema for the independent validator, formats asserted.
func validator(schema []byte) (*jsonschema.Schema, error) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	if err := c.AddResource("schema.json", doc); err != nil {
		return nil, err
	}
	return c.Compile("schema.json")
}

// valid reports what is wrong with a text.
func valid(s *jsonschema.Schema, text []byte) error {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return err
	}
	return s.Validate(doc)
}

func compact(t testing.TB, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
