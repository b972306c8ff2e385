package openai

import (
	"encoding/json"
	"fmt"
)

// ForeignAnswer is a completion that another server wrote, or an event of its
// stream: what this server reads of it, and the rest as it came.
type ForeignAnswer struct {
	Pieces []Piece
	Usage  *Usage // nil where it does not tell

	object Object
}

// Piece is what an answer says of one choice.
type Piece struct {
	Index        int
	Content      string // also the text of a completion, and of what was spoken
	Refusal      string
	Reasoning    string
	ToolCalls    []ToolCallDelta
	FunctionCall *FunctionDelta
	FinishReason string // empty until the choice has ended
}

// Identity is what a relayed answer says of itself in place of what its writer
// said.
type Identity struct {
	ID      string
	Object  string // such as chat.completion.chunk
	Created int64
	Model   string // as it was asked for
}

// maxForeignIndex bounds the numbers of choices and calls.
const maxForeignIndex = 128

// maxForeignTokens bounds the tokens that another server says an answer took.
const maxForeignTokens = 1 << 30

// ReadForeign reads an answer or an event of POST /chat/completions or of POST
// /completions.
func ReadForeign(data []byte) (*ForeignAnswer, error) {
	object, err := ParseObject(data)
	if err != nil {
		return nil, err
	}
	raw := object.Get("choices")
	if raw == nil {
		return nil, fmt.Errorf("it has no choices")
	}
	var choices []foreignChoice
	if err := json.Unmarshal(raw, &choices); err != nil {
		return nil, err
	}
	answer := &ForeignAnswer{object: object}
	if answer.Pieces, err = piecesOf(choices); err != nil {
		return nil, err
	}
	if raw := object.Get("usage"); raw != nil {
		err = json.Unmarshal(raw, &answer.Usage)
	}
	if u := answer.Usage; u != nil && !(plausible(u.PromptTokens) && plausible(u.CompletionTokens)) {
		answer.Usage = nil
		answer.object.set("usage", json.RawMessage("null"))
	}
	return answer, err
}

// piecesOf are the pieces of choices.
func piecesOf(choices []foreignChoice) ([]Piece, error) {
	var pieces []Piece
	for i := range choices {
		piece := choices[i].piece()
		if piece.Index < 0 || piece.Index >= maxForeignIndex {
			return nil, fmt.Errorf("it has a choice %d", piece.Index)
		}
		pieces = append(pieces, piece)
	}
	return pieces, nil
}

// plausible says whether an answer can have taken so many tokens. A server that
// says otherwise has told nothing.
func plausible(tokens int) bool { return 0 <= tokens && tokens <= maxForeignTokens }

type foreignChoice struct {
	Index        int            `json:"index"`
	Text         looseText      `json:"text"`    // of completions
	Delta        foreignMessage `json:"delta"`   // of streamed chats
	Message      foreignMessage `json:"message"` // of chats
	FinishReason looseText      `json:"finish_reason"`
}

type foreignMessage struct {
	Content          looseText       `json:"content"`
	Refusal          looseText       `json:"refusal"`
	ReasoningContent looseText       `json:"reasoning_content"` // DeepSeek's name, and vLLM's
	Reasoning        looseText       `json:"reasoning"`         // OpenRouter's
	ToolCalls        []ToolCallDelta `json:"tool_calls"`
	FunctionCall     *FunctionDelta  `json:"function_call"`
	Audio            struct {
		Transcript looseText `json:"transcript"`
	} `json:"audio"`
}

func (c *foreignChoice) piece() Piece {
	said := c.Delta
	if m := c.Message; m.Content != "" || m.Refusal != "" || m.Audio.Transcript != "" || m.ToolCalls != nil || m.FunctionCall != nil || m.ReasoningContent+m.Reasoning != "" {
		said = m
	}
	return Piece{
		Index:        c.Index,
		Content:      string(c.Text + said.Content + said.Audio.Transcript),
		Refusal:      string(said.Refusal),
		Reasoning:    string(said.ReasoningContent + said.Reasoning),
		ToolCalls:    said.ToolCalls,
		FunctionCall: said.FunctionCall,
		FinishReason: string(c.FinishReason),
	}
}

// looseText is a text, or the texts of a list of parts, which some servers
// write; anything else is none.
type looseText string

// UnmarshalJSON never fails.
func (t *looseText) UnmarshalJSON(data []byte) error {
	switch data[0] {
	case '"':
		*t = looseText(unquote(data))
		return nil
	case '[':
	default:
		return nil
	}
	var parts []struct {
		Text string `json:"text"`
	}
	_ = json.Unmarshal(data, &parts) // of what is no list nothing is read
	for _, p := range parts {
		*t += looseText(p.Text)
	}
	return nil
}

// Chunk is an event in our shape; asked says that each has a usage, which is
// null. It is nil where the event says nothing but the usage, which comes last
// and by itself: UsageChunk.
func (a *ForeignAnswer) Chunk(id Identity, asked bool) json.RawMessage {
	if len(a.Pieces) == 0 && a.Usage != nil {
		return nil
	}
	a.object.remove("usage")
	if asked {
		a.object.set("usage", json.RawMessage("null"))
	}
	return a.relay(id, "delta", "{}")
}

// UsageChunk is the last event of a stream whose caller wants its usage: u as
// the server wrote it, where this answer is the one that told it.
func (a *ForeignAnswer) UsageChunk(id Identity, u Usage) json.RawMessage {
	o := Object{{Name: "choices", Value: json.RawMessage("[]")}}
	for _, name := range []string{"service_tier", "system_fingerprint"} {
		if v := a.object.Get(name); v != nil {
			o = append(o, Member{name, v})
		}
	}
	o = append(o, Member{"usage", relayedUsage(a.object.Get("usage"), u)})
	return (&ForeignAnswer{object: o}).relay(id, "delta", "{}")
}

// Whole is the answer in our shape with a usage, which is as the server wrote
// it where it did.
func (a *ForeignAnswer) Whole(id Identity, u Usage) json.RawMessage {
	a.object.set("usage", relayedUsage(a.object.Get("usage"), u))
	return a.relay(id, "message", `{"role":"assistant","content":null,"refusal":null}`)
}

// relay writes the object under another identity, with what the API promises of
// choices and servers leave out.
func (a *ForeignAnswer) relay(id Identity, content, empty string) json.RawMessage {
	o := &a.object
	o.set("id", Text(id.ID))
	o.set("object", Text(id.Object))
	o.set("created", Number(int(id.Created)))
	o.set("model", Text(id.Model))
	items := parseArray(o.Get("choices"))
	choices := []byte{'['}
	for i, item := range items {
		if i > 0 {
			choices = append(choices, ',')
		}
		choices = appendChoice(choices, item, id.Object == "text_completion", content, empty)
	}
	o.set("choices", append(choices, ']'))
	return o.appendJSON(nil)
}

func appendChoice(b []byte, item json.RawMessage, isText bool, content, empty string) []byte {
	choice, ok := splitObject(item)
	if !ok {
		return append(b, item...)
	}
	choice.supply("index", "0")
	choice.supply("logprobs", "null")
	if reason := choice.Get("finish_reason"); reason == nil || string(reason) == `""` {
		choice.set("finish_reason", json.RawMessage("null"))
	}
	if isText {
		choice.supply("text", `""`)
		return choice.appendJSON(b)
	}
	choice.supply(content, empty)
	if content == "message" {
		if message, ok := splitObject(choice.Get("message")); ok {
			message.supply("role", `"assistant"`)
			message.supply("content", "null")
			message.supply("refusal", "null")
			choice.set("message", message.appendJSON(nil))
		}
	}
	return choice.appendJSON(b)
}

// relayedUsage is a usage as a server wrote it, with the entries that the API
// promises; u where it wrote none.
func relayedUsage(raw json.RawMessage, u Usage) json.RawMessage {
	own, _ := json.Marshal(u) // numbers only
	written, err := ParseObject(raw)
	if err != nil {
		return own
	}
	promised, _ := ParseObject(own)
	for _, m := range promised {
		if v := written.Get(m.Name); v == nil || string(v) == "null" {
			written.set(m.Name, m.Value)
		}
	}
	return written.appendJSON(nil)
}
