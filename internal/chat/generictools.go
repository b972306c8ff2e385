package chat

import (
	"encoding/json"
	"fmt"
	"strings"
)

// mentionsTools reports whether a template asks for the tools.
func mentionsTools(source string) bool {
	tokens, err := lex(source)
	if err != nil {
		return strings.Contains(source, "tools")
	}
	return asksForTools(tokens)
}

// asksForTools looks for the variable among a template's tokens.
func asksForTools(tokens []lexToken) bool {
	for _, t := range tokens {
		if t.kind == tokenName && t.s == "tools" {
			return true
		}
	}
	return false
}

// toolPreamble describes the tools to a model whose template does not, in the
// form of Hermes, which many models have seen.
const toolPreamble = `You may call functions. They are described here, one JSON object a line:
<tools>
%s
</tools>

To call one, write a JSON object with its name and its arguments between these tags, once for each call:
<tool_call>
{"name": "the function's name", "arguments": {"argument": "value"}}
</tool_call>
Their results come back between <tool_response> and </tool_response>. If no function helps, answer in plain text.`

// withTools rewrites a conversation for what the template does not know.
func (t *Template) withTools(c Conversation, style callStyle) Conversation {
	out := c
	out.Messages = nil
	for _, m := range c.Messages {
		if style.asContent {
			m = t.family.callsAsText(m)
		}
		if m.Role == "tool" && !t.tools {
			out.Messages = appendResult(out.Messages, m)
			continue
		}
		out.Messages = append(out.Messages, m)
	}
	if len(c.Tools) > 0 && !t.tools {
		out.Tools = nil
		out.Messages = describeTools(out.Messages, c.Tools, style)
	}
	return out
}

// describeTools puts the tools into the system message, or where there may be
// none into the first message.
func describeTools(messages []Message, tools []json.RawMessage, style callStyle) []Message {
	var described strings.Builder
	for i, tool := range tools {
		if i > 0 {
			described.WriteByte('\n')
		}
		described.Write(tool)
	}
	preamble := fmt.Sprintf(toolPreamble, described.String())
	if len(messages) > 0 && messages[0].Role == "system" {
		messages[0].Content = joinParagraphs(messages[0].Content, preamble)
		return messages
	}
	if style.systemless && len(messages) > 0 && messages[0].Role == "user" {
		messages[0].Content = joinParagraphs(preamble, messages[0].Content)
		return messages
	}
	return append([]Message{{Role: "system", Content: preamble}}, messages...)
}

// appendResult appends a tool's result as text of the user. Results in a row
// make one message, as templates want the roles to alternate.
func appendResult(messages []Message, m Message) []Message {
	const end = "</tool_response>"
	result := "<tool_response>\n" + m.Content + "\n" + end
	if last := len(messages) - 1; last >= 0 && messages[last].Role == "user" && strings.HasSuffix(messages[last].Content, end) {
		messages[last].Content += "\n" + result
		return messages
	}
	return append(messages, Message{Role: "user", Content: result})
}

// callsAsText moves a message's calls into its text, as the family writes them.
func (f Family) callsAsText(m Message) Message {
	if len(m.ToolCalls) == 0 {
		return m
	}
	c := f.form()
	var text strings.Builder
	text.WriteString(c.Before)
	for i, call := range m.ToolCalls {
		if i > 0 {
			text.WriteString(c.Between)
		}
		arguments := string(call.Arguments)
		if !json.Valid(call.Arguments) {
			arguments = "{}"
		}
		text.WriteString(fmt.Sprintf(c.open, call.Name) + arguments + c.shut)
	}
	text.WriteString(c.After)
	m.Content = joinLines(m.Content, text.String())
	m.ToolCalls = nil
	return m
}

func rawObjects(objects ...string) (out []json.RawMessage) {
	for _, o := range objects {
		out = append(out, json.RawMessage(o))
	}
	return out
}

func joinParagraphs(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "\n\n" + b
}

func joinLines(a, b string) string {
	if a == "" {
		return b
	}
	return a + "\n" + b
}

// hasTools reports whether a conversation speaks of tools.
func (c *Conversation) hasTools() bool {
	for _, m := range c.Messages {
		if m.Role == "tool" || len(m.ToolCalls) > 0 {
			return true
		}
	}
	return len(c.Tools) > 0
}
