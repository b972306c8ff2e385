// Command masks times internal/grammar on given schemas and texts, for
// test/bench/masks.py, which compares it with llguidance. It reads one JSON
// object a line, {"schema": …, "text": …}, and writes one line with the
// vocabulary of the model and one a line read: the text's tokens, the time to
// compile the schema, and the time of each mask on the way through the text,
// the first with nothing worked out before.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"time"

	"github.com/ragstone/ragstone/internal/gguf"
	"github.com/ragstone/ragstone/internal/grammar"
	"github.com/ragstone/ragstone/internal/tokenizer"
)

// item is a line read.
type item struct {
	Schema json.RawMessage `json:"schema"`
	Text   string          `json:"text"`
}

// result is the line written for it.
type result struct {
	Tokens   []int32 `json:"tokens"`
	Compile  int64   `json:"compile"`  // nanoseconds
	Masks    []int64 `json:"masks"`    // nanoseconds, one before each token
	Allowed  []int   `json:"allowed"`  // tokens in each mask
	Complete bool    `json:"complete"` // the text satisfies the schema
}

func main() {
	model := flag.String("model", "", "path of a GGUF file, for its vocabulary")
	flag.Parse()
	if err := run(*model); err != nil {
		fmt.Fprintln(os.Stderr, "masks:", err)
		os.Exit(1)
	}
}

func run(model string) error {
	f, err := gguf.Open(model)
	if err != nil {
		return err
	}
	defer f.Close()
	tok, err := tokenizer.FromGGUF(f)
	if err != nil {
		return err
	}
	out := json.NewEncoder(os.Stdout)
	var tokens [][]byte
	for id := range int32(tok.Size()) {
		tokens = append(tokens, tok.TokenBytes(id))
	}
	if err := out.Encode(map[string]any{"tokens": tokens, "end": tok.EndTokens()}); err != nil {
		return err
	}
	v := grammar.NewVocabulary(tok.Size(), tok.TokenBytes, func(text string) []int32 {
		return tok.Encode(text, tokenizer.Options{})
	})
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var it item
		if err := json.Unmarshal(lines.Bytes(), &it); err != nil {
			return err
		}
		r, err := measure(it, v, tok)
		if err != nil {
			return fmt.Errorf("%s: %w", it.Schema, err)
		}
		if err := out.Encode(r); err != nil {
			return err
		}
	}
	return lines.Err()
}

// measure compiles a schema afresh and follows a text.
func measure(it item, v *grammar.Vocabulary, tok *tokenizer.Tokenizer) (*result, error) {
	r := &result{Tokens: tok.Encode(it.Text, tokenizer.Options{})}
	start := time.Now()
	g, err := grammar.CompileSchema(it.Schema)
	if err != nil {
		return nil, err
	}
	c, err := g.For(v)
	if err != nil {
		return nil, err
	}
	m := c.NewMatcher()
	r.Compile = time.Since(start).Nanoseconds()
	mask := grammar.NewBitset(v.Size())
	for _, token := range r.Tokens {
		start := time.Now()
		if err := m.Mask(mask, math.MaxInt); err != nil {
			return nil, err
		}
		r.Masks = append(r.Masks, time.Since(start).Nanoseconds())
		r.Allowed = append(r.Allowed, mask.Count())
		if err := m.Accept(token); err != nil {
			return nil, fmt.Errorf("%s: %w", it.Text, err)
		}
	}
	r.Complete = m.Complete()
	return r, nil
}
