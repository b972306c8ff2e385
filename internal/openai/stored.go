package openai

import (
	"bytes"
	"encoding/json"
)

// List is a page of objects.
type List[T any] struct {
	Object  string  `json:"object"` // list
	Data    []T     `json:"data"`
	FirstID *string `json:"first_id"` // null where the page is empty
	LastID  *string `json:"last_id"`
	HasMore bool    `json:"has_more"`
}

// NewList returns a page; id tells an object's id.
func NewList[T any](data []T, more bool, id func(T) string) List[T] {
	l := List[T]{Object: "list", Data: data, HasMore: more}
	if len(data) == 0 {
		l.Data = []T{}
		return l
	}
	first, last := id(data[0]), id(data[len(data)-1])
	l.FirstID, l.LastID = &first, &last
	return l
}

// Deleted is the answer to the deletion of an object.
type Deleted struct {
	Object  string `json:"object"` // chat.completion.deleted and the like
	ID      string `json:"id"`
	Deleted bool   `json:"deleted"`
}

// StoredCompletion is a chat completion that was kept: the answer as it was
// given, and its metadata.
type StoredCompletion struct {
	ID         string
	Completion json.RawMessage // an object
	Metadata   []MetadataPair
}

// MarshalJSON writes the answer with its metadata as one object.
func (s StoredCompletion) MarshalJSON() ([]byte, error) {
	pairs := &value{kind: dictionary}
	for _, p := range s.Metadata {
		pairs.kids = append(pairs.kids, value{name: p.Key, kind: text, text: p.Value})
	}
	return splice(s.Completion, "metadata", pairs.raw()), nil
}

// splice adds a field at the end of an object.
func splice(object []byte, name string, field []byte) []byte {
	object = bytes.TrimSuffix(bytes.TrimSpace(object), []byte("}"))
	var b bytes.Buffer
	b.Write(object)
	if !bytes.HasSuffix(object, []byte("{")) {
		b.WriteByte(',')
	}
	writeText(&b, name)
	b.WriteByte(':')
	b.Write(field)
	b.WriteByte('}')
	return b.Bytes()
}

// StoredMessage is a message of a stored completion's request.
type StoredMessage struct {
	ID           string          `json:"id"`
	Role         string          `json:"role"`
	Content      *string         `json:"content"`       // null where it came in parts
	ContentParts json.RawMessage `json:"content_parts"` // null where it came as one text
	Refusal      *string         `json:"refusal"`
	Name         string          `json:"name,omitempty"`
	ToolCalls    json.RawMessage `json:"tool_calls,omitempty"`
	ToolCallID   string          `json:"tool_call_id,omitempty"`
}

// UnmarshalJSON reads a message as a request has it.
func (m *StoredMessage) UnmarshalJSON(data []byte) error {
	type plain StoredMessage
	var in struct {
		plain
		Content json.RawMessage `json:"content"`
	}
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	*m = StoredMessage(in.plain)
	if bytes.HasPrefix(bytes.TrimSpace(in.Content), []byte("[")) {
		m.ContentParts = in.Content
		return nil
	}
	return json.Unmarshal(in.Content, &m.Content)
}

// MetadataRequest is the body of an update that changes an object's metadata.
type MetadataRequest struct {
	Metadata []MetadataPair
	Given    bool // as an object or as null, which takes it all away
}

// UnmarshalJSON decodes a request; an error is a *RequestError.
func (r *MetadataRequest) UnmarshalJSON(data []byte) error {
	return decode(data, func(o *object) {
		*r = MetadataRequest{Given: o.value.field("metadata") != nil}
		r.Metadata = o.metadata("metadata")
	})
}
