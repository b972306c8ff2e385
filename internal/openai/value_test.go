package openai

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// plain is a value as encoding/json has it.
func (v *value) plain() any {
	switch v.kind {
	case boolean:
		return v.text == "true"
	case number:
		return json.Number(v.text)
	case text:
		return v.text
	case array:
		items := []any{}
		for i := range v.kids {
			items = append(items, v.kids[i].plain())
		}
		return items
	case dictionary:
		fields := map[string]any{}
		for i := range v.kids {
			fields[v.kids[i].name] = v.kids[i].plain()
		}
		return fields
	}
	return nil
}

// FuzzParse holds what parse reads to what encoding/json reads.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{"a":[1,-2.5e+3,0],"b":{"c":null,"d":true,"e":false},"f":""}`,
		" \t\n\r{ \"a\" : [ ] , \"b\" : { } , \"c\" : [ 1 , \"x\" ] } \n",
		`{"quote\"":"a\\\"b\u00e9\ud83d\ude00\ud800\n\/","\\":"\\"}`,
		`"text"`, `17`, `null`, `[[[]],{"a":{}}]`, `{"":{"":0}}`,
		`{"a0":0,"a1":1,"a2":2,"a3":3,"a4":4,"a5":5,"a6":6,"a7":7,"a8":8,"a9":9,"b0":0,"b1":1,"b2":2,"b3":3,"b4":4,"b5":5,"b6":6,"b7":7}`,
		`{"a0":0,"a1":1,"a2":2,"a3":3,"a4":4,"a5":5,"a6":6,"a7":7,"a8":8,"a9":9,"b0":0,"b1":1,"b2":2,"b3":3,"b4":4,"b5":5,"b6":6,"a0":7}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := parse(data)
		d := json.NewDecoder(bytes.NewReader(data))
		d.UseNumber()
		var want any
		failed := d.Decode(&want)
		if err != nil {
			return // it refuses more than encoding/json does, of which other tests tell
		}
		if failed != nil {
			t.Fatalf("parse takes %q, encoding/json says %v", data, failed)
		}
		if diff := cmp.Diff(want, v.plain()); diff != "" {
			t.Errorf("parse of %q (-want +got):\n%s", data, diff)
		}
	})
}
