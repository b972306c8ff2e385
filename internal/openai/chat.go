package openai

import (
	"encoding/json"
	"fmt"
	"strings"
)

// ChatCompletionRequest is the body of POST /chat/completions.
type ChatCompletionRequest struct {
	Metadata            []MetadataPair
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
	ResponseFormat      *ResponseFormat
	Store               *bool
	Stream              bool
	Stop                []string
	LogitBias           []TokenBias
	LogProbs            *bool
	MaxTokens           *int64
	N                   *int64
	Seed                *int64
	StreamOptions       *StreamOptions
	Prediction          string // text the answer may have much of
	Tools               []Tool
	ToolChoice          ToolChoice
	ParallelToolCalls   *bool
	OldFunctions        bool // tools came as functions, the choice as function_call

	// StoredMessages are the messages as they came, where Store asks to keep
	// them.
	StoredMessages json.RawMessage

	// Unserved names the parameters of the API that are given and that no local
	// model serves, in the order of the specification.
	Unserved []string

	// Body is the whole request, for a model that another server runs.
	Body Body
}

// UnmarshalJSON decodes a request; an error is a *RequestError.
func (r *ChatCompletionRequest) UnmarshalJSON(data []byte) error {
	return decode(data, func(o *object) {
		*r = ChatCompletionRequest{
			Metadata:         o.metadata("metadata"),
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
		r.Prediction = o.prediction("prediction")
		r.Seed = o.integer("seed")
		r.StreamOptions = o.streamOptions("stream_options")
		r.Tools, _ = o.tools("tools")
		r.ToolChoice = o.toolChoice("tool_choice")
		r.ParallelToolCalls = o.flag("parallel_tool_calls")
		r.readFunctions(o)
		if isSet(r.Store) && r.HasMessages {
			r.StoredMessages = o.value.field("messages").raw()
		}
		r.Body = Body{o.value}
	})
}

// readFunctions takes the older names of tools and tool_choice.
func (r *ChatCompletionRequest) readFunctions(o *object) {
	functions, given := o.functions("functions")
	choice := o.functionCall("function_call")
	if !given && !choice.Present {
		return
	}
	r.OldFunctions = true
	if r.Tools != nil || r.ToolChoice.Present {
		o.state.fail(Refuse("functions", CodeInvalidValue, "'functions' and 'function_call' cannot be used beside 'tools' and 'tool_choice'."))
		return
	}
	r.Tools, r.ToolChoice = functions, choice
	one := false
	r.ParallelToolCalls = &one
}

// prediction takes the union of a text and a list of text parts.
func (o *object) prediction(name string) string {
	in := o.inner(name)
	if in == nil {
		return ""
	}
	if kind := in.text("type"); kind == nil || *kind != "content" {
		in.state.fail(InvalidValue(join(in.path, "type"), textOr(kind), "content"))
	}
	var m ChatMessage
	m.readContent(in)
	in.rejectUnknown(unknownParameter)
	if m.UnservedContent != "" {
		in.state.fail(InvalidValue(m.UnservedContent, "", "text"))
	}
	return m.Content.Text()
}

// ChatMessage is one message of a conversation.
type ChatMessage struct {
	Role    string
	Content MessageContent
	Name    *string

	ToolCalls       []ToolCall // of an assistant; its function_call of old is one without an ID
	ToolCallID      *string    // of a tool: the call it answers
	HasAudio        bool
	UnservedContent string // path of the first part no local model reads: messages[0].content[1].image_url
	Media           []Media
}

// Media is a part of a message that is not text.
type Media struct {
	Kind   string // image_url, input_audio or file
	Bytes  int    // of its JSON text, data included
	FileID bool   // it is a file that was uploaded
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
	m.ToolCalls = o.toolCalls("tool_calls")
	if call := o.inner("function_call"); call != nil {
		called := ToolCall{Type: "function"}
		name, arguments := call.text("name"), call.text("arguments")
		call.rejectUnknown(unknownParameter)
		called.Name, called.Arguments = textOr(name), textOr(arguments)
		m.ToolCalls = append(m.ToolCalls, called)
	}
	m.ToolCallID = o.text("tool_call_id")
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
		m.Media = append(m.Media, Media{*kind, len(o.value.raw()), o.value.field("file").field("file_id") != nil})
	default:
		o.state.fail(InvalidValue(join(o.path, "type"), *kind, partKinds...))
	}
}

// MetadataPair is one entry of an object's metadata.
type MetadataPair struct{ Key, Value string }

// The bounds of metadata.
const (
	maxMetadataPairs = 16
	maxMetadataKey   = 64
	maxMetadataValue = 512
)

// metadata takes the optional map of up to 16 strings.
func (o *object) metadata(name string) []MetadataPair {
	in := o.inner(name)
	if in == nil {
		return nil
	}
	if n := len(in.value.kids); n > maxMetadataPairs {
		o.state.fail(Refuse(in.path, "object_above_max_properties", "Invalid '%s': too many properties. Expected an object with at most %d properties, but got an object with %d properties instead.", in.path, maxMetadataPairs, n))
		return nil
	}
	var pairs []MetadataPair
	for i := range in.value.kids {
		pair := &in.value.kids[i]
		path := join(in.path, abbreviate(pair.name))
		switch {
		case pair.kind != text:
			o.failType(path, "a string", pair)
		case len([]rune(pair.name)) > maxMetadataKey:
			o.state.fail(tooLong(path, maxMetadataKey, pair.name))
		case len([]rune(pair.text)) > maxMetadataValue:
			o.state.fail(tooLong(path, maxMetadataValue, pair.text))
		}
		pairs = append(pairs, MetadataPair{pair.name, pair.text})
	}
	return pairs
}

func tooLong(path string, most int, got string) *RequestError {
	return Refuse(path, CodeStringTooLong, "Invalid '%s': string too long. Expected a string with maximum length %d, but got a string with length %d instead.", path, most, len([]rune(got)))
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
