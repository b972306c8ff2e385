package openai

import "encoding/json"

// ResponseFormat is what an answer has to look like.
type ResponseFormat struct {
	Type   string        // text, json_object or json_schema
	Schema *SchemaFormat // of json_schema
	Raw    json.RawMessage
}

// SchemaFormat is a named JSON Schema.
type SchemaFormat struct {
	Name        string
	Description string
	Schema      json.RawMessage // an object; {} where none was given
	Strict      bool            // it must be satisfied; else it is advice
}

// responseFormat takes the optional object. A strict schema is held to the
// rules of structured outputs.
func (o *object) responseFormat(name string) *ResponseFormat {
	in := o.inner(name)
	if in == nil {
		return nil
	}
	kind := in.text("type")
	if kind == nil {
		in.state.fail(Missing(join(in.path, "type")))
		return nil
	}
	f := &ResponseFormat{Type: *kind, Raw: in.value.raw()}
	schema := in.inner("json_schema")
	in.rejectUnknown(unknownParameter)
	switch {
	case f.Type != "json_schema":
	case schema == nil:
		in.state.fail(Missing(join(in.path, "json_schema")))
	default:
		f.Schema = readSchemaFormat(schema, name)
	}
	return f
}

func readSchemaFormat(o *object, param string) *SchemaFormat {
	f := &SchemaFormat{Name: o.name(), Schema: json.RawMessage("{}")}
	if description := o.text("description"); description != nil {
		f.Description = *description
	}
	f.Strict = isSet(o.flag("strict"))
	if schema := o.inner("schema"); schema != nil {
		f.Schema = schema.value.raw()
		if f.Strict {
			if problem := strictProblem(schema.value); problem != "" {
				o.state.fail(Refuse(param, CodeInvalidValue, "Invalid schema for response_format '%s': %s", abbreviate(f.Name), problem))
			}
		}
	}
	o.rejectUnknown(unknownParameter)
	return f
}

// name takes the required name of a schema or function.
func (o *object) name() string {
	path := join(o.path, "name")
	name := o.text("name")
	switch {
	case name == nil:
		o.state.fail(Missing(path))
		return ""
	case len(*name) > maxName:
		o.state.fail(tooLong(path, maxName, *name))
	case !isName(*name):
		o.state.fail(Refuse(path, CodeInvalidValue, "Invalid '%s': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.", path))
	}
	return *name
}

// maxName is the most characters of a name.
const maxName = 64

func isName(s string) bool {
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' && c != '-' {
			return false
		}
	}
	return s != ""
}
