package llm

import "github.com/ragstone/ragstone/internal/tokenizer"

// parseTemplate returns the renderer of a chat template. Until internal/chat
// is here, no model has one.
func parseTemplate(string, *tokenizer.Tokenizer) (renderer, error) { return nil, nil }
