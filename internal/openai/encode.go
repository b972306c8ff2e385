package openai

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Encode is v as JSON on one line, with < > and & as they are. What another
// server wrote stays as it was relayed.
func Encode(v any) ([]byte, error) {
	if r, ok := v.(interface{ relayed() json.RawMessage }); ok && r.relayed() != nil {
		return r.relayed(), nil
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("encode answer: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

func (c *ChatCompletion) relayed() json.RawMessage      { return c.Relayed }
func (c *ChatCompletionChunk) relayed() json.RawMessage { return c.Relayed }
func (c *Completion) relayed() json.RawMessage          { return c.Relayed }
func (l *EmbeddingList) relayed() json.RawMessage       { return l.Relayed }
