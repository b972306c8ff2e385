package openai

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const weatherTool = `{"type":"function","function":{"name":"get_weather","description":"The weather.","strict":true,"parameters":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"],"additionalProperties":false}}}`

func TestDecodeTools(t *testing.T) {
	weather := Tool{Type: "function", Name: "get_weather", Description: "The weather.", Strict: true,
		Parameters: json.RawMessage(`{"type":"object","properties":{"city":{"type":"string"}},"required":["city"],"additionalProperties":false}`)}
	tests := []struct {
		name, body string
		want       ChatCompletionRequest
	}{
		{"a function", `{"tools":[` + weatherTool + `],"tool_choice":"required","parallel_tool_calls":false}`,
			ChatCompletionRequest{Tools: []Tool{weather}, ToolChoice: ToolChoice{Mode: "required", Present: true}, ParallelToolCalls: ptr(false)}},
		{"a custom tool", `{"tools":[{"type":"custom","custom":{"name":"sql","format":{"type":"grammar","grammar":{"syntax":"regex","definition":"SELECT .*"}}}},{"type":"custom","custom":{"name":"any","format":{"type":"text"}}}]}`,
			ChatCompletionRequest{Tools: []Tool{{Type: "custom", Name: "sql", Format: &CustomFormat{"regex", "SELECT .*"}}, {Type: "custom", Name: "any"}}}},
		{"a named tool", `{"tool_choice":{"type":"function","function":{"name":"f"}}}`,
			ChatCompletionRequest{ToolChoice: ToolChoice{Mode: "required", Names: []string{"f"}, Named: true, Present: true}}},
		{"allowed tools", `{"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[{"type":"function","function":{"name":"f"}},{"type":"custom","custom":{"name":"g"}}]}}}`,
			ChatCompletionRequest{ToolChoice: ToolChoice{Mode: "auto", Names: []string{"f", "g"}, Present: true}}},
		{"functions of old", `{"functions":[{"name":"f"}],"function_call":{"name":"f"}}`,
			ChatCompletionRequest{Tools: []Tool{{Type: "function", Name: "f"}}, ToolChoice: ToolChoice{Mode: "required", Names: []string{"f"}, Named: true, Present: true}, ParallelToolCalls: ptr(false), OldFunctions: true}},
		{"a schema keeps its order and its numbers", `{"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"z":1.50,"a":["<",null,true]}}}}`,
			ChatCompletionRequest{ResponseFormat: &ResponseFormat{Type: "json_schema", Schema: &SchemaFormat{Name: "n", Schema: json.RawMessage(`{"z":1.50,"a":["<",null,true]}`)},
				Raw: json.RawMessage(`{"type":"json_schema","json_schema":{"name":"n","schema":{"z":1.50,"a":["<",null,true]}}}`)}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got ChatCompletionRequest
			if err := got.UnmarshalJSON([]byte(test.body)); err != nil {
				t.Fatalf("%s: %v", test.body, err)
			}
			if diff := cmp.Diff(test.want, got, cmpopts.IgnoreTypes(Body{})); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.body, diff)
			}
		})
	}
}

func TestDecodeToolsRefuses(t *testing.T) {
	tool := func(name, parameters string) string {
		return `{"tools":[{"type":"function","function":{"name":"` + name + `","strict":true,"parameters":` + parameters + `}}]}`
	}
	tests := []struct{ body, param, code, says string }{
		{`{"tools":{}}`, "tools", CodeInvalidType, "an array of objects"},
		{`{"tools":[{}]}`, "tools[0].type", CodeMissingParameter, ""},
		{`{"tools":[{"type":"function"}]}`, "tools[0].function", CodeMissingParameter, ""},
		{`{"tools":[{"type":"web"}]}`, "tools[0].type", CodeInvalidValue, "'function' and 'custom'"},
		{tool("a.b", "{}"), "tools[0].function.name", CodeInvalidValue, "pattern"},
		{tool(strings.Repeat("n", 65), "{}"), "tools[0].function.name", CodeStringTooLong, "64"},
		{tool("f", `{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}},"required":["a"],"additionalProperties":false}`),
			"tools[0].function.parameters", "invalid_function_parameters", "In context=(), 'required' is required to be supplied and to be an array including every key in properties. Missing 'b'."},
		{`{"tool_choice":"maybe"}`, "tool_choice", CodeInvalidValue, "'none', 'auto', and 'required'"},
		{`{"tool_choice":7}`, "tool_choice", CodeInvalidType, ""},
		{`{"tool_choice":{"type":"function","function":{}}}`, "tool_choice.function.name", CodeMissingParameter, ""},
		{`{"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[]}}}`, "tool_choice.allowed_tools.tools", CodeEmptyArray, ""},
		{`{"tools":[` + weatherTool + `],"functions":[]}`, "functions", CodeInvalidValue, "beside"},
		{`{"messages":[{"role":"assistant","tool_calls":[{"type":"function","function":{"name":"f","arguments":"{}"}}]}]}`, "messages[0].tool_calls[0].id", CodeMissingParameter, ""},
		{`{"messages":[{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"f"}}]}]}`, "messages[0].tool_calls[0].function.arguments", CodeMissingParameter, ""},
		{`{"response_format":{"type":"json_schema"}}`, "response_format.json_schema", CodeMissingParameter, ""},
		{`{"metadata":{"k":1}}`, "metadata.k", CodeInvalidType, ""},
		{`{"metadata":{"` + strings.Repeat("k", 65) + `":"v"}}`, "metadata." + strings.Repeat("k", 64) + "…", CodeStringTooLong, "64"},
		{`{"prediction":{"type":"guess","content":"x"}}`, "prediction.type", CodeInvalidValue, ""},
	}
	for _, test := range tests {
		var got ChatCompletionRequest
		err := got.UnmarshalJSON([]byte(test.body))
		refusal, ok := errors.AsType[*RequestError](err)
		if !ok || refusal.Param != test.param || refusal.Code != test.code || !strings.Contains(refusal.Message, test.says) {
			t.Errorf("%s\ngot  %v\nwant param %q, code %q, a message with %q", test.body, err, test.param, test.code, test.says)
		}
	}
}

func TestStrictSchemas(t *testing.T) {
	object := func(properties, rest string) string {
		return `{"type":"object","properties":{` + properties + `},"additionalProperties":false` + rest + `}`
	}
	deep := `{"type":"string"}`
	for range 12 {
		deep = object(`"a":`+deep, `,"required":["a"]`)
	}
	tests := []struct{ name, schema, problem string }{
		{"fine", object(`"a":{"anyOf":[{"type":"string"},{"type":"null"}]},"b":{"$ref":"#/$defs/x"}`, `,"required":["a","b"],"$defs":{"x":`+object("", "")+`}`), ""},
		{"no object", `{"type":"string"}`, `schema must be a JSON Schema of 'type: "object"', got 'type: "string"'.`},
		{"no type", `{}`, `got 'type: "None"'`},
		{"anyOf at the root", object("", `,"anyOf":[]`), "'anyOf' is not permitted"},
		{"open", `{"type":"object","properties":{}}`, "In context=(), 'additionalProperties' is required to be supplied and to be false."},
		{"open below", object(`"a":{"type":"object"}`, `,"required":["a"]`), "In context=('properties', 'a'), 'additionalProperties'"},
		{"open in a list", object(`"a":{"type":"array","items":{"type":["object","null"]}}`, `,"required":["a"]`), "In context=('properties', 'a', 'items'), 'additionalProperties'"},
		{"open in a definition", object("", `,"$defs":{"x":{"type":"object"}}`), "In context=('$defs', 'x'), 'additionalProperties'"},
		{"allOf", object("", `,"allOf":[]`), "'allOf' is not permitted"},
		{"too deep", deep, "more than 10 levels"},
		{"enum of a thousand and one", object(`"a":{"enum":[`+strings.Repeat(`"x",`, 1000)+`"y"]}`, `,"required":["a"]`), "'enum' has more than 1000"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			v, err := parse([]byte(test.schema))
			if err != nil {
				t.Fatal(err)
			}
			got := strictProblem(v)
			if test.problem == "" && got != "" || !strings.Contains(got, test.problem) {
				t.Errorf("%s\ngot  %q\nwant %q", test.schema, got, test.problem)
			}
		})
	}
}
