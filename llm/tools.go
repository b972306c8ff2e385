package llm

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/ragstone/ragstone/internal/chat"
	"github.com/ragstone/ragstone/internal/grammar"
)

// offered returns the tools the model is told of: all, unless none are to be
// called.
func (r *Request) offered() []Tool {
	if r.ToolMode == ToolsNone {
		return nil
	}
	return r.Tools
}

// callable returns the tools the model may call.
func (r *Request) callable() []Tool {
	if len(r.ToolNames) == 0 {
		return r.offered()
	}
	var tools []Tool
	for _, t := range r.offered() {
		if slices.Contains(r.ToolNames, t.Name) {
			tools = append(tools, t)
		}
	}
	return tools
}

// checkTools reports what is wrong with a request's tools.
func (r *Request) checkTools() error {
	var names []string
	for i, t := range r.Tools {
		switch {
		case t.Name == "" || slices.Contains(names, t.Name):
			return &InvalidError{"Tools", fmt.Sprintf("tool %d has the name %q: want one that no other has", i, t.Name)}
		case len(t.Parameters) > 0 && !json.Valid(t.Parameters):
			return &InvalidError{"Tools", fmt.Sprintf("the parameters of %s are not valid JSON", t.Name)}
		}
		names = append(names, t.Name)
	}
	for _, name := range r.ToolNames {
		if !slices.Contains(names, name) {
			return &InvalidError{"ToolNames", fmt.Sprintf("there is no tool %q", name)}
		}
	}
	switch {
	case len(r.Tools) > 0 && len(r.Messages) == 0:
		return &InvalidError{"Tools", "want Messages with them"}
	case r.ToolMode == ToolsRequired && len(r.Tools) == 0:
		return &InvalidError{"ToolMode", "a call is required, and there are no Tools"}
	case r.ToolMode != ToolsAuto && r.ToolMode != ToolsNone && r.ToolMode != ToolsRequired:
		return &InvalidError{"ToolMode", fmt.Sprintf("%q is none of the modes", r.ToolMode)}
	}
	return nil
}

// raw is the tool as the API writes it, which is what chat templates are made
// for; strict says whether to tell that it is.
func (t Tool) raw(strict bool) json.RawMessage {
	type function struct {
		Name        string          `json:"name"`
		Description string          `json:"description,omitempty"`
		Parameters  json.RawMessage `json:"parameters,omitempty"`
		Strict      bool            `json:"strict,omitempty"`
	}
	raw, err := json.Marshal(struct {
		Type     string   `json:"type"`
		Function function `json:"function"`
	}{"function", function{t.Name, t.Description, t.Parameters, t.Strict && strict}})
	if err != nil {
		panic(fmt.Sprintf("llm: write tool %s: %v", t.Name, err)) // its JSON has been checked
	}
	return raw
}

// answerLanguage is the constraint of a request with tools: calls where one is
// required; text, or what the request's own constraint allows, or calls where
// the model may choose. It is nil for free text.
func (d *dialect) answerLanguage(r *Request) (*Constraint, error) {
	tools := r.callable()
	if len(tools) == 0 {
		return r.Constraint, nil
	}
	var raw []json.RawMessage
	for _, t := range tools {
		raw = append(raw, t.raw(false))
	}
	calls, err := d.family.Calls(raw)
	if err != nil {
		return nil, &InvalidError{"Tools", err.Error()}
	}
	most := r.MaxCalls
	switch {
	case most == 0 && !d.trained:
		most = 1
	case most == 0:
		most = mostCalls
	}
	c := &Constraint{key: callsKey(d.family, tools, r, most)}
	switch {
	case r.ToolMode == ToolsRequired:
		c.build = func() (*grammar.Grammar, error) { return callsGrammar(calls, tools, most) }
	case r.Constraint != nil:
		c.build = func() (*grammar.Grammar, error) {
			g, err := callsGrammar(calls, tools, most)
			if err != nil {
				return nil, err
			}
			return grammar.Alternatives(g, r.Constraint.grammar)
		}
	default:
		c.trigger = calls.Trigger
		c.build = func() (*grammar.Grammar, error) { return callsGrammar(calls, tools, most) }
	}
	return c, nil
}

// callsKey is equal for requests with equal languages.
func callsKey(family chat.Family, tools []Tool, r *Request, most int) [sha256.Size]byte {
	h := sha256.New()
	fmt.Fprintf(h, "%q %q %d", family, r.ToolMode, most)
	for _, t := range tools {
		fmt.Fprintf(h, "%q %q %t", t.Name, t.Parameters, t.Strict)
	}
	if r.Constraint != nil {
		h.Write(r.Constraint.key[:])
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// mostCalls bounds the calls of an answer that nobody else bounds.
const mostCalls = 16

// callsGrammar is the language of one to most calls.
func callsGrammar(calls chat.Calls, tools []Tool, most int) (*grammar.Grammar, error) {
	var each []*grammar.Grammar
	for i, form := range calls.Tools {
		g, err := callGrammar(form, tools[i].Strict)
		if err != nil {
			return nil, err
		}
		each = append(each, g)
	}
	call, err := grammar.Alternatives(each...)
	if err != nil {
		return nil, err
	}
	parts := []*grammar.Grammar{literal(calls.Before), call}
	if calls.Parallel && most > 1 {
		next, err := grammar.Sequence(literal(calls.Between), call)
		if err != nil {
			return nil, err
		}
		more, err := grammar.Repeat(next, 0, most-1)
		if err != nil {
			return nil, err
		}
		parts = append(parts, more)
	}
	return grammar.Sequence(append(parts, literal(calls.After))...)
}

// callGrammar is the language of a call of one tool. A schema that is not
// strict is advice: where it cannot be enforced, any object will do.
func callGrammar(form chat.CallForm, strict bool) (*grammar.Grammar, error) {
	arguments, err := grammar.CompileSchema(form.Arguments)
	if err != nil && strict {
		return nil, fmt.Errorf("function %s: %w", form.Name, err)
	} else if err != nil {
		arguments = grammar.JSONObject()
	}
	return grammar.Sequence(literal(form.Open), arguments, literal(form.Shut))
}

// literal is grammar.Literal for a text of ours, which is short.
func literal(text string) *grammar.Grammar {
	g, err := grammar.Literal(text)
	if err != nil {
		panic(fmt.Sprintf("llm: the literal %q: %v", text, err))
	}
	return g
}
