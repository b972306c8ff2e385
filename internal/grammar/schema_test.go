package grammar

import (
	"errors"
	"strings"
	"testing"
)

func TestSchemas(t *testing.T) {
	tests := []struct {
		schema    string
		good, bad []string
	}{
		{`{"type":"string"}`,
			[]string{`""`, `"a"`, `"\u00e9é"`, `"\ud83d\ude00😀"`, `"\/\n"`},
			[]string{`"`, `"a`, `"\ud83d"`, "\"\n\"", `"\x"`, `5`, `"a" `, "\"\xff\""}},
		{`{"type":"integer"}`, []string{"0", "-5", "123"}, []string{"01", "1.0", "1e2", "-0x", ""}},
		{`{"type":"number"}`, []string{"0", "-0.5", "1e9", "1.25E-3"}, []string{"1.", ".5", "+1", "1e", "NaN"}},
		{`{"type":"boolean"}`, []string{"true", "false"}, []string{"True", "1"}},
		{`{"type":["null","integer"]}`, []string{"null", "3"}, []string{`"null"`, "true"}},
		{`{"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"string"}},"required":["b"],"additionalProperties":false}`,
			[]string{`{"b":""}`, `{"a":1,"b":"x"}`, `{"a": 1, "b": "x"}`},
			[]string{`{}`, `{"a":1}`, `{"b":"x","a":1}`, `{"b":"","c":1}`, `{"b":"",}`, `{,"b":""}`, `{"b":""`}},
		{`{"type":"object","properties":{"a":{},"b":{}},"additionalProperties":{"type":"null"}}`,
			[]string{`{}`, `{"a":[{}],"b":{"x":[1,true]},"c":null}`, `{"d":null,"c":null}`, `{"aa":null,"\"":null}`},
			[]string{`{"c":1}`, `{"c":null,"a":1}`, `{"a":1,"a":2}`}},
		{`{"type":"array","items":{"enum":["a",1,null]},"minItems":1,"maxItems":2}`,
			[]string{`["a"]`, `[1,null]`, `["a", "a"]`}, []string{`[]`, `[1,1,1]`, `[2]`}},
		{`{"type":"array","maxItems":0}`, []string{`[]`}, []string{`[1]`}},
		{`{"type":"array","items":false}`, []string{`[]`}, []string{`[1]`}},
		{`{"$ref":"#/$defs/tree","$defs":{"tree":{"type":"object","properties":{"kids":{"type":"array","items":{"$ref":"#/$defs/tree"}}},"required":["kids"],"additionalProperties":false}}}`,
			[]string{`{"kids":[]}`, `{"kids":[{"kids":[]},{"kids":[{"kids":[]}]}]}`}, []string{`{"kids":[1]}`, `{"kids":[{"kids":[}]}`}},
		{`{"anyOf":[{"type":"string","maxLength":2},{"type":"integer","minimum":5}]}`,
			[]string{`"ab"`, `5`, `"€😀"`}, []string{`"abc"`, `4`, `true`}},
		{`{"type":"string","anyOf":[{"maxLength":1},{"minLength":3}]}`, []string{`"a"`, `""`, `"abc"`}, []string{`"ab"`, "1"}},
		{`{"type":"string","pattern":"^[a-c]+$","minLength":2,"maxLength":3}`, []string{`"ab"`, `"ccc"`}, []string{`"a"`, `"abcd"`, `"ad"`}},
		{`{"type":"string","pattern":"b\\u0063?"}`, []string{`"abba"`, `"bc"`, `"\nb"`}, []string{`"a"`, `""`}},
		{`{"type":"string","enum":["a","bb"],"minLength":2}`, []string{`"bb"`}, []string{`"a"`}},
		{`{"const":{"a":[1.0,"é\n"]}}`, []string{`{"a":[1,"é\n"]}`, `{"a": [1, "é\n"]}`}, []string{`{"a":[1.0,"é\n"]}`}},
		{`{"type":"string","format":"date"}`, []string{`"2024-02-29"`, `"2023-12-31"`}, []string{`"2023-02-29"`, `"2023-13-01"`, `"2023-04-31"`}},
		{`{"type":"string","format":"ipv6"}`, []string{`"::"`, `"::1"`, `"1:2:3:4:5:6:7:8"`, `"1::8"`, `"::ffff:1.2.3.4"`, `"1:2:3:4:5:6:7::"`},
			[]string{`"1:2:3:4:5:6:7"`, `":::"`, `"1::2::3"`, `"1:2:3:4:5:6:7:8:9"`, `"::1.2.3.256"`}},
		{`{"type":"integer","minimum":-12,"exclusiveMaximum":105}`,
			[]string{"-12", "-9", "-1", "0", "7", "99", "104"}, []string{"-13", "-120", "105", "1000", "-0"}},
		{`{"type":"integer","minimum":10}`, []string{"10", "11", "100"}, []string{"9", "0", "-10"}},
		{`{"type":"integer","maximum":-10}`, []string{"-10", "-11", "-100"}, []string{"-9", "0", "10"}},
		{`{"type":"number","minimum":-1.5,"maximum":2.25}`,
			[]string{"-1.5", "-1.49", "0", "2.25", "2.250", "2", "-1"}, []string{"-1.51", "-2", "2.251", "2.3", "3"}},
		{`{"type":"number","exclusiveMinimum":0,"exclusiveMaximum":1}`, []string{"0.5", "0.001"}, []string{"0", "1", "0.0", "-0.5", "1.0"}},
		{`{"type":"integer","multipleOf":7,"minimum":1}`, []string{"7", "14", "700"}, []string{"0", "6", "15"}},
		{`{"type":"number","multipleOf":0.25}`, []string{"0", "1.25", "-3.5", "2.00"}, []string{"0.3", "1.1", "0.125"}},
		{`true`, []string{`{"a":[1,{}]}`, `null`, `"x"`}, []string{`{`, ``, `nul`}},
	}
	for _, tt := range tests {
		g, err := CompileSchema([]byte(tt.schema))
		if err != nil {
			t.Errorf("%s: %v", tt.schema, err)
			continue
		}
		for want, texts := range map[bool][]string{true: tt.good, false: tt.bad} {
			for _, text := range texts {
				if got, err := g.Matches([]byte(text)); got != want || err != nil {
					t.Errorf("%s: matches %s: got %v, %v; want %v", tt.schema, text, got, err, want)
				}
			}
		}
	}
}

// What is not supported is refused by its name, with where it stands.
func TestSchemasRefused(t *testing.T) {
	tests := []struct{ schema, path, keyword string }{
		{`{"type":"object","properties":{"a/b":{"items":{"oneOf":[]}}}}`, "#/properties/a~1b/items", "oneOf"},
		{`{"$defs":{"x":{"not":{}}},"$ref":"#/$defs/x"}`, "#/$defs/x", "not"},
		{`{"anyOf":[{},{"allOf":[]}]}`, "#/anyOf/1", "allOf"},
		{`{"type":"string","format":"uri"}`, "#", "format"},
		{`{"type":"text"}`, "#", "type"},
		{`{"pattern":"\\bx"}`, "#", "pattern"},
		{`{"pattern":"(?=x)"}`, "#", "pattern"},
		{`{"minLength":-1}`, "#", "minLength"},
		{`{"$ref":"http://example.com"}`, "#", "$ref"},
		{`{"$ref":"#/nowhere"}`, "#", "$ref"},
		{`{"$ref":"#"}`, "#", "$ref"},
		{`{"anyOf":[{"$ref":"#"},{"type":"string"}]}`, "#", "$ref"},
		{`{"multipleOf":0}`, "#", "multipleOf"},
		{`{"properties":{"a":5}}`, "#/properties/a", ""},
		{`false`, "#", ""},
		{`{"type":"object","properties":{"a":{"$ref":"#"}},"required":["a"]}`, "#", ""},
		{`{"type":"string","enum":[1]}`, "#", ""},
	}
	for _, tt := range tests {
		_, err := CompileSchema([]byte(tt.schema))
		var refused *SchemaError
		if !errors.As(err, &refused) || refused.Path != tt.path || refused.Keyword != tt.keyword {
			t.Errorf("%s: got error %v, want a SchemaError at %s of %q", tt.schema, err, tt.path, tt.keyword)
		}
	}
}

func TestJSONObject(t *testing.T) {
	g := JSONObject()
	for text, want := range map[string]bool{
		`{}`: true, `{"a":1}`: true, "{\n  \"a\": [\n    1,\n    2\n  ]\n}": true, `{ "a": {} }`: true,
		`[]`: false, `{"a"}`: false, `{"a":1,}`: false, "{" + strings.Repeat(" ", 50) + "}": false,
	} {
		if got, err := g.Matches([]byte(text)); got != want || err != nil {
			t.Errorf("matches %q: got %v, %v; want %v", text, got, err, want)
		}
	}
}
