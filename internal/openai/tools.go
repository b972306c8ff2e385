package openai

import "encoding/json"

// Tool is something a model may call: a function with a JSON object of
// arguments, or a custom tool with a text.
type Tool struct {
	Type        string // function or custom
	Name        string
	Description string
	Parameters  json.RawMessage // of a function: a JSON Schema; nil where none was given
	Strict      bool            // of a function: the arguments must satisfy the schema
	Format      *CustomFormat   // of a custom tool; nil is any text
}

// CustomFormat is the grammar of a custom tool's input.
type CustomFormat struct {
	Syntax     string // lark or regex
	Definition string
}

// ToolChoice says whether the model calls, and what.
type ToolChoice struct {
	Mode    string   // none, auto or required; required also where a tool is named
	Names   []string // the tools it may call; empty: all
	Named   bool     // one tool was named, not a set allowed
	Present bool     // the parameter is there
}

// ToolCall is an assistant's call.
type ToolCall struct {
	ID        string
	Type      string // function or custom
	Name      string
	Arguments string // of a function JSON, if the model kept to it; of a custom tool its input
}

// tools takes the optional list.
func (o *object) tools(name string) (tools []Tool, given bool) {
	given = o.each(name, "an array of objects", func(t *object) {
		if kind := t.text("type"); kind == nil {
			t.state.fail(Missing(join(t.path, "type")))
		} else {
			tools = append(tools, readTool(t, *kind))
		}
		t.rejectUnknown(unknownParameter)
	})
	return tools, given
}

func readTool(t *object, kind string) Tool {
	tool := Tool{Type: kind}
	switch kind {
	case "function":
		if f := t.inner("function"); f != nil {
			readFunction(f, &tool)
		} else {
			t.state.fail(Missing(join(t.path, "function")))
		}
	case "custom":
		if c := t.inner("custom"); c != nil {
			readCustom(c, &tool)
		} else {
			t.state.fail(Missing(join(t.path, "custom")))
		}
	default:
		t.state.fail(InvalidValue(join(t.path, "type"), kind, "function", "custom"))
	}
	return tool
}

// readFunction takes the fields of a function, which are those of the older
// functions parameter too.
func readFunction(f *object, tool *Tool) {
	tool.Name = f.name()
	if description := f.text("description"); description != nil {
		tool.Description = *description
	}
	tool.Strict = isSet(f.flag("strict"))
	if parameters := f.inner("parameters"); parameters != nil {
		tool.Parameters = parameters.value.raw()
		if tool.Strict {
			if problem := strictProblem(parameters.value); problem != "" {
				f.state.fail(Refuse(join(f.path, "parameters"), "invalid_function_parameters", "Invalid schema for function '%s': %s", abbreviate(tool.Name), problem))
			}
		}
	}
	f.rejectUnknown(unknownParameter)
}

func readCustom(c *object, tool *Tool) {
	tool.Name = c.name()
	if description := c.text("description"); description != nil {
		tool.Description = *description
	}
	if format := c.inner("format"); format != nil {
		tool.Format = readCustomFormat(format)
	}
	c.rejectUnknown(unknownParameter)
}

func readCustomFormat(o *object) *CustomFormat {
	kind := o.text("type")
	grammar := o.inner("grammar")
	o.rejectUnknown(unknownParameter)
	switch {
	case kind == nil:
		o.state.fail(Missing(join(o.path, "type")))
		return nil
	case *kind == "text":
		return nil
	case *kind != "grammar":
		o.state.fail(InvalidValue(join(o.path, "type"), *kind, "text", "grammar"))
		return nil
	case grammar == nil:
		o.state.fail(Missing(join(o.path, "grammar")))
		return nil
	}
	syntax, definition := grammar.text("syntax"), grammar.text("definition")
	grammar.rejectUnknown(unknownParameter)
	if syntax == nil || definition == nil {
		o.state.fail(Missing(join(grammar.path, "definition")))
		return nil
	}
	return &CustomFormat{Syntax: *syntax, Definition: *definition}
}

// functions takes the older form of tools.
func (o *object) functions(name string) (tools []Tool, given bool) {
	given = o.each(name, "an array of objects", func(f *object) {
		tool := Tool{Type: "function"}
		readFunction(f, &tool)
		tools = append(tools, tool)
	})
	return tools, given
}

// toolChoice takes the union of a mode, a named tool and a set of allowed ones.
func (o *object) toolChoice(name string) ToolChoice {
	v := o.take(name)
	path := join(o.path, name)
	switch {
	case v == nil:
		return ToolChoice{}
	case v.kind == text:
		switch v.text {
		case "none", "auto", "required":
		default:
			o.state.fail(InvalidValue(path, v.text, "none", "auto", "required"))
		}
		return ToolChoice{Mode: v.text, Present: true}
	case v.kind != dictionary:
		o.failType(path, "one of a string or object", v)
		return ToolChoice{}
	}
	in := &object{path: path, value: v, state: o.state}
	kind := in.text("type")
	if kind == nil {
		o.state.fail(Missing(join(path, "type")))
		return ToolChoice{}
	}
	defer in.rejectUnknown(unknownParameter)
	switch *kind {
	case "function", "custom":
		return ToolChoice{Mode: "required", Names: []string{chosenName(in, *kind)}, Named: true, Present: true}
	case "allowed_tools":
		return readAllowedTools(in)
	}
	o.state.fail(InvalidValue(join(path, "type"), *kind, "allowed_tools", "function", "custom"))
	return ToolChoice{}
}

// chosenName takes the name in {"type": kind, kind: {"name": …}}.
func chosenName(o *object, kind string) string {
	in := o.inner(kind)
	if in == nil {
		o.state.fail(Missing(join(o.path, kind)))
		return ""
	}
	name := in.text("name")
	in.rejectUnknown(unknownParameter)
	if name == nil {
		o.state.fail(Missing(join(in.path, "name")))
		return ""
	}
	return *name
}

func readAllowedTools(o *object) ToolChoice {
	in := o.inner("allowed_tools")
	if in == nil {
		o.state.fail(Missing(join(o.path, "allowed_tools")))
		return ToolChoice{}
	}
	choice := ToolChoice{Mode: "auto", Present: true}
	if mode := in.text("mode"); mode == nil {
		o.state.fail(Missing(join(in.path, "mode")))
	} else if choice.Mode = *mode; *mode != "auto" && *mode != "required" {
		o.state.fail(InvalidValue(join(in.path, "mode"), *mode, "auto", "required"))
	}
	given := in.each("tools", "an array of objects", func(t *object) {
		kind := t.text("type")
		if kind == nil || *kind != "function" && *kind != "custom" {
			t.state.fail(InvalidValue(join(t.path, "type"), textOr(kind), "function", "custom"))
			return
		}
		choice.Names = append(choice.Names, chosenName(t, *kind))
	})
	in.rejectUnknown(unknownParameter)
	if !given || len(choice.Names) == 0 {
		o.state.fail(Refuse(join(in.path, "tools"), CodeEmptyArray, "Invalid '%s': empty array. Expected an array with minimum length 1, but got an empty array instead.", join(in.path, "tools")))
	}
	return choice
}

// functionCall takes the older form of a tool choice.
func (o *object) functionCall(name string) ToolChoice {
	v := o.take(name)
	path := join(o.path, name)
	switch {
	case v == nil:
		return ToolChoice{}
	case v.kind == text:
		if v.text != "none" && v.text != "auto" {
			o.state.fail(InvalidValue(path, v.text, "none", "auto"))
		}
		return ToolChoice{Mode: v.text, Present: true}
	case v.kind != dictionary:
		o.failType(path, "one of a string or object", v)
		return ToolChoice{}
	}
	in := &object{path: path, value: v, state: o.state}
	called := in.text("name")
	in.rejectUnknown(unknownParameter)
	if called == nil {
		o.state.fail(Missing(join(path, "name")))
		return ToolChoice{}
	}
	return ToolChoice{Mode: "required", Names: []string{*called}, Named: true, Present: true}
}

// toolCalls takes the calls of an assistant's message.
func (o *object) toolCalls(name string) (calls []ToolCall) {
	v := o.takeNullable(name)
	if v == nil || v.kind == null {
		return nil
	}
	o.each(name, "an array of objects", func(c *object) {
		call := ToolCall{Type: "function"}
		if kind := c.text("type"); kind != nil {
			call.Type = *kind
		}
		if id := c.text("id"); id != nil {
			call.ID = *id
		} else {
			c.state.fail(Missing(join(c.path, "id")))
		}
		switch call.Type {
		case "function":
			readCalled(c, "function", "arguments", &call)
		case "custom":
			readCalled(c, "custom", "input", &call)
		default:
			c.state.fail(InvalidValue(join(c.path, "type"), call.Type, "function", "custom"))
		}
		c.rejectUnknown(unknownParameter)
		calls = append(calls, call)
	})
	return calls
}

// readCalled takes the name and the arguments of a call.
func readCalled(c *object, kind, arguments string, call *ToolCall) {
	in := c.inner(kind)
	if in == nil {
		c.state.fail(Missing(join(c.path, kind)))
		return
	}
	name, given := in.text("name"), in.text(arguments)
	in.rejectUnknown(unknownParameter)
	if name == nil || given == nil {
		missing := "name"
		if name != nil {
			missing = arguments
		}
		c.state.fail(Missing(join(in.path, missing)))
		return
	}
	call.Name, call.Arguments = *name, *given
}

func textOr(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
