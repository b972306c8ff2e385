package openai

import (
	"fmt"
	"strings"
)

// ChatCompletionRequest is the body of POST /chat/completions.
type ChatCompletionRequest struct {
	HasMetadata         bool // metadata with at least one pair
	TopLogProbs         *int64
	Temperature         *float64
	TopP                *float64
	User                *string
	SafetyIdentifier    *string
	Messages            []ChatMessage
	HasMessages         bool // the parameter is there, if only as an empty array
	Model               string
	ServiceTier         *string
	Modalities          []string
	MaxCompletionTokens *int64
	FrequencyPenalty    *float64
	PresencePenalty     *float64
	ResponseFormat      *string // its type
	Store               *bool
	Stream              bool
	Stop                []string
	LogitBias           []TokenBias
	LogProbs            *bool
	MaxTokens           *int64
	N                   *int64
	Seed                *int64
	StreamOptions       *StreamOptions

	// Unserved names the parameters of the API that are given and that no
	// Ragstone of this version serves, in the order of the specification.
	Unserved []string
}

// UnmarshalJSON decodes a request; an error is a *RequestError.
func (r *ChatCompletionRequest) UnmarshalJSON(data []byte) error {
	return decode(data, func(o *object) {
		*r = ChatCompletionRequest{
			HasMetadata:      o.metadata("metadata"),
			TopLogProbs:      o.integer("top_logprobs"),
			Temperature:      o.decimal("temperature"),
			TopP:             o.decimal("top_p"),
			User:             o.text("user"),
			SafetyIdentifier: o.text("safety_identifier"),
		}
		// Advice about a prompt cache changes no answer; ours keeps prefixes of
		// its own accord.
		o.text("prompt_cache_key")
		o.text("prompt_cache_retention")
		o.advice("prompt_cache_options")

		r.HasMessages = o.each("messages", "an array of objects", func(m *object) {
			r.Messages = append(r.Messages, readChatMessage(m))
		})
		if model := o.text("model"); model != nil {
			r.Model = *model
		}
		r.ServiceTier = o.text("service_tier")
		r.Modalities = o.texts("modalities")
		r.Unserved = append(r.Unserved, o.unserved("verbosity", text)...)
		r.Unserved = append(r.Unserved, o.unserved("reasoning_effort", text)...)
		r.MaxCompletionTokens = o.integer("max_completion_tokens")
		r.FrequencyPenalty = o.decimal("frequency_penalty")
		r.PresencePenalty = o.decimal("presence_penalty")
		r.Unserved = append(r.Unserved, o.unserved("web_search_options", dictionary)...)
		r.ResponseFormat = o.responseFormat("response_format")
		r.Unserved = append(r.Unserved, o.unserved("audio", dictionary)...)
		r.Store = o.flag("store")
		r.Unserved = append(r.Unserved, o.unserved("moderation", dictionary)...)
		r.Stream = isSet(o.flag("stream"))
		r.Stop = o.stop("stop")
		r.LogitBias = o.logitBias("logit_bias")
		r.LogProbs = o.flag("logprobs")
		r.MaxTokens = o.integer("max_tokens")
		r.N = o.integer("n")
		o.advice("prediction") // speeds up an answer, never changes it
		r.Seed = o.integer("seed")
		r.StreamOptions = o.streamOptions("stream_options")
		r.Unserved = append(r.Unserved, o.unserved("tools", array)...)
		r.Unserved = append(r.Unserved, o.unserved("tool_choice", text, dictionary)...)
		r.Unserved = append(r.Unserved, o.unserved("parallel_tool_calls", boolean)...)
		r.Unserved = append(r.Unserved, o.unserved("function_call", text, dictionary)...)
		r.Unserved = append(r.Unserved, o.unserved("functions", array)...)
	})
}

// ChatMessage is one message of a conversation.
type ChatMessage struct {
	Role    string
	Content MessageContent
	Name    *string

	HasToolCalls    bool // an assistant's calls, or its function_call of old
	HasToolCallID   bool
	HasAudio        bool
	UnservedContent string // path of the first part we cannot read: messages[0].content[1].image_url
}

// MessageContent is the union of a text and a list of parts. Parts of another
// kind than text are not kept; see ChatMessage.UnservedContent.
type MessageContent struct {
	Given bool // neither absent nor null
	Null  bool // null
	Parts []ContentPart
}

// ContentPart is a piece of text in a message.
type ContentPart struct {
	Text string
}

// Text is the parts joined by newlines: a model whose template knows no parts
// reads them as paragraphs.
func (c MessageContent) Text() string {
	texts := make([]string, len(c.Parts))
	for i, p := range c.Parts {
		texts[i] = p.Text
	}
	return strings.Join(texts, "\n")
}

func readChatMessage(o *object) ChatMessage {
	var m ChatMessage
	if role := o.text("role"); role != nil {
		m.Role = *role
	} else {
		o.state.fail(Missing(join(o.path, "role")))
	}
	m.readContent(o)
	m.Name = o.text("name")
	if refusal := o.text("refusal"); refusal != nil && !m.Content.Given {
		m.Content = MessageContent{Given: true, Parts: []ContentPart{{*refusal}}}
	}
	calls, call := o.takeNullable("tool_calls"), o.take("function_call")
	m.HasToolCalls = calls != nil && calls.kind != null && len(calls.kids) > 0 || call != nil
	m.HasToolCallID = o.text("tool_call_id") != nil
	m.HasAudio = o.take("audio") != nil
	o.take("annotations") // of an answer that is sent back as it came
	o.rejectUnknown(unknownParameter)
	return m
}

func (m *ChatMessage) readContent(o *object) {
	path := join(o.path, "content")
	v := o.takeNullable("content")
	switch {
	case v == nil:
	case v.kind == null:
		m.Content.Null = true
	case v.kind == text:
		m.Content = MessageContent{Given: true, Parts: []ContentPart{{v.text}}}
	case v.kind == array:
		m.Content.Given = true
		for i := range v.kids {
			at := fmt.Sprintf("%s[%d]", path, i)
			if v.kids[i].kind != dictionary {
				o.failType(at, "an object", &v.kids[i])
				return
			}
			m.readPart(&object{path: at, value: &v.kids[i], state: o.state})
		}
	default:
		o.failType(path, "one of an array of objects or string", v)
	}
}

// partKinds are the parts the API knows, and the field each keeps its content
// in.
var partKinds = []string{"text", "image_url", "input_audio", "file", "refusal"}

func (m *ChatMessage) readPart(o *object) {
	kind := o.text("type")
	if kind == nil {
		o.state.fail(Missing(join(o.path, "type")))
		return
	}
	switch *kind {
	case "text", "refusal":
		content := o.text(*kind)
		if content == nil {
			o.state.fail(Missing(join(o.path, *kind)))
			return
		}
		m.Content.Parts = append(m.Content.Parts, ContentPart{*content})
		o.take("prompt_cache_breakpoint")
		o.rejectUnknown(unknownParameter)
	case "image_url", "input_audio", "file":
		if m.UnservedContent == "" {
			m.UnservedContent = join(o.path, *kind)
		}
	default:
		o.state.fail(InvalidValue(join(o.path, "type"), *kind, partKinds...))
	}
}

// responseFormat takes the type of the optional object.
func (o *object) responseFormat(name string) *string {
	in := o.inner(name)
	if in == nil {
		return nil
	}
	kind := in.text("type")
	if kind == nil {
		in.state.fail(Missing(join(in.path, "type")))
	}
	in.take("json_schema")
	in.rejectUnknown(unknownParameter)
	return kind
}

// metadata takes the optional map of up to 16 strings and reports whether it
// holds any.
func (o *object) metadata(name string) bool {
	in := o.inner(name)
	if in == nil {
		return false
	}
	for i := range in.value.kids {
		if pair := &in.value.kids[i]; pair.kind != text {
			o.failType(join(in.path, pair.name), "a string", pair)
		}
	}
	return len(in.value.kids) > 0
}

// texts takes an optional array of strings.
func (o *object) texts(name string) []string {
	v := o.take(name)
	if v == nil {
		return nil
	}
	path := join(o.path, name)
	if v.kind != array {
		o.failType(path, "an array of strings", v)
		return nil
	}
	texts, err := readTexts(v, path)
	if err != nil {
		o.state.fail(err)
	}
	return texts
}

func isSet(flag *bool) bool { return flag != nil && *flag }
