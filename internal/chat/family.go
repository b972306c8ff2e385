package chat

import "strings"

// Family is a way of writing tool calls and reasoning that some models share.
type Family string

// The families. Generic is Hermes' form, which is also what models whose
// template knows no tools are asked for.
const (
	Hermes        Family = "hermes"        // Hermes 2 and 3, Qwen 2.5 and 3
	Llama3        Family = "llama3"        // Llama 3.1 to 3.3
	Mistral       Family = "mistral"       // Mistral Nemo and others: a list after [TOOL_CALLS]
	MistralNamed  Family = "mistral-named" // Mistral Small 3.2, Devstral: [TOOL_CALLS]name[ARGS]
	Functionary31 Family = "functionary31" // Functionary 3.1: <function=name>
	Functionary32 Family = "functionary32" // Functionary 3.2: >>>name
	CommandR      Family = "command-r"     // Command-R and R+: Action: and a list
	CommandR7B    Family = "command-r7b"   // Command-R7B: <|START_ACTION|>
	DeepSeek      Family = "deepseek"      // DeepSeek R1
	DeepSeek31    Family = "deepseek31"    // DeepSeek V3.1
	Granite       Family = "granite"       // Granite 3: <|tool_call|> and a list
	Harmony       Family = "harmony"       // gpt-oss
	Kimi          Family = "kimi"          // Kimi K2
	Nemotron      Family = "nemotron"      // Nemotron Nano 2: <TOOLCALL> and a list
	Firefunction  Family = "firefunction"  // Firefunction 2: functools and a list
)

// FamilyOf tells the family from the source of a model's chat template, by the
// marks it writes calls with. A template that knows no tools is Hermes, since
// that is the form [Template.RenderSpans] then asks for.
func FamilyOf(template string) Family {
	if strings.Contains(template, "<|channel|>") {
		return Harmony
	}
	if !mentionsTools(template) {
		return Hermes
	}
	for _, known := range [...]struct {
		family Family
		marks  []string
	}{
		{Functionary32, []string{">>>all"}},
		{Functionary31, []string{"<function=", "</function>", "python_tag"}},
		{CommandR7B, []string{"<|START_ACTION|>"}},
		{CommandR, []string{"Action:", "tool_name"}},
		{DeepSeek31, []string{"'<｜tool▁sep｜>' + tool['function']['arguments']"}},
		{DeepSeek, []string{"<｜tool▁call▁begin｜>"}},
		{Kimi, []string{"<|tool_calls_section_begin|>"}},
		{MistralNamed, []string{"[TOOL_CALLS]", "[ARGS]"}},
		{Mistral, []string{"[TOOL_CALLS]"}},
		{Granite, []string{"<|tool_call|>"}},
		{Nemotron, []string{"<TOOLCALL>"}},
		{Hermes, []string{"<tool_call>"}},
		{Llama3, []string{"<|start_header_id|>", "parameters"}},
	} {
		all := true
		for _, mark := range known.marks {
			all = all && strings.Contains(template, mark)
		}
		if all {
			return known.family
		}
	}
	return Hermes
}

// Marks returns the spellings that mean something in what a model of the family
// writes. Where one is a control token of the vocabulary, its spelling must be
// pushed into the parser like text.
func (f Family) Marks() []string {
	s := f.syntax()
	var out []string
	for _, m := range s.marks {
		out = append(out, m.text)
	}
	if f == Harmony {
		out = append(out, "<|constrain|>")
	}
	if f == DeepSeek || f == DeepSeek31 {
		out = append(out, deepSeekSeparator)
	}
	if f == Kimi {
		out = append(out, "<|tool_call_argument_begin|>")
	}
	if f == MistralNamed || f == Mistral {
		out = append(out, "[CALL_ID]", "[ARGS]")
	}
	for _, m := range s.marks {
		if m.close != "" {
			out = append(out, m.close)
		}
	}
	return out
}

const deepSeekSeparator = "<｜tool▁sep｜>"

// markKind is what a mark means.
type markKind int

const (
	beginsCall      markKind = iota
	beginsReasoning          // up to the mark's close
	dropped                  // means nothing
	droppedAfter             // means nothing right after a call
	beginsHeader             // of a message, up to <|message|>
	endsMessage
)

// markWhere is where a mark counts; elsewhere it is text.
type markWhere int

const (
	anywhere markWhere = iota
	first              // before any text
)

// mark is a spelling with a meaning.
type mark struct {
	text  string
	kind  markKind
	where markWhere
	close string   // of reasoning
	head  headFunc // of a call
}

// syntax is how a family writes.
type syntax struct {
	marks   []mark
	firsts  [256]bool // the bytes marks begin with
	pending string    // a mark that the prompt ends with, when a call may come next
}

var thinking = []mark{
	{text: "<think>", kind: beginsReasoning, where: first, close: "</think>"},
}

func call(text string, h headFunc) mark {
	return mark{text: text, kind: beginsCall, head: h}
}

func after(texts ...string) (out []mark) {
	for _, t := range texts {
		out = append(out, mark{text: t, kind: droppedAfter})
	}
	return out
}

// syntax returns the family's marks. Those of Hermes' form count everywhere,
// because it is so common that models of other families write it too.
func (f Family) syntax() *syntax {
	s := &syntax{marks: append([]mark(nil), thinking...)}
	add := func(m ...mark) { s.marks = append(s.marks, m...) }
	if f != Harmony && f != Functionary32 {
		add(call("<tool_call>", toolCallHead))
		add(after("</tool_call>")...)
	}
	switch f {
	case Llama3:
		add(mark{text: "{", kind: beginsCall, where: first, head: bareObjectHead},
			call("<|python_tag|>", objectHead))
		add(after(";")...)
	case Mistral, MistralNamed:
		add(call("[TOOL_CALLS]", mistralHead),
			mark{text: "[THINK]", kind: beginsReasoning, where: first, close: "[/THINK]"})
	case Functionary31:
		add(call("<function=", namedHead(">")))
		add(after("</function>")...)
	case Functionary32:
		add(call(">>>", namedHead("\n")))
		s.pending = ">>>"
	case CommandR:
		add(call("Action:", afterMark("```json", listHead)))
		add(after("```")...)
	case CommandR7B:
		add(call("<|START_ACTION|>", listHead),
			mark{text: "<|START_THINKING|>", kind: beginsReasoning, where: first, close: "<|END_THINKING|>"},
			mark{text: "<|START_RESPONSE|>", kind: dropped}, mark{text: "<|END_RESPONSE|>", kind: dropped})
		add(after("<|END_ACTION|>")...)
	case DeepSeek, DeepSeek31:
		const each = "<｜tool▁call▁begin｜>"
		add(call("<｜tool▁calls▁begin｜>", afterMark(each, deepSeekHead)), call(each, deepSeekHead))
		add(after("```", "<｜tool▁call▁end｜>", "<｜tool▁calls▁end｜>")...)
	case Granite:
		add(call("<|tool_call|>", listHead),
			mark{text: "<response>", kind: dropped}, mark{text: "</response>", kind: dropped})
	case Kimi:
		const each = "<|tool_call_begin|>"
		add(call("<|tool_calls_section_begin|>", afterMark(each, kimiHead)), call(each, kimiHead))
		add(after("<|tool_call_end|>", "<|tool_calls_section_end|>")...)
	case Nemotron:
		add(call("<TOOLCALL>", listHead))
		add(after("</TOOLCALL>")...)
	case Harmony:
		add(mark{text: "<|start|>", kind: beginsHeader}, mark{text: "<|channel|>", kind: beginsHeader},
			mark{text: "<|end|>", kind: endsMessage}, mark{text: "<|return|>", kind: endsMessage}, mark{text: "<|call|>", kind: endsMessage})
	}
	for _, m := range s.marks {
		s.firsts[m.text[0]] = true
	}
	return s
}

// toolCallHead is that of Hermes' object, or of the list that Granite writes
// behind the same mark.
func toolCallHead(s string) (head, status) {
	if c := (cursor{s: s, st: yes}); c.peek() == '[' {
		return listHead(s)
	}
	return objectHead(s)
}
