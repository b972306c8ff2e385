package openai

import (
	"encoding/json"
	"strings"
	"testing"
)

// FuzzValid checks that what is JSON for encoding/json is for us, and nothing
// else.
func FuzzValid(f *testing.F) {
	for _, text := range []string{
		``, ` `, `{}`, ` { } `, `[]`, `[1,2]`, `[1,]`, `{"a":1}`, `{"a":1,}`, `{"a" : [ {"b":null} , true,false ] }`, `{a:1}`, `{"a"}`, `{"a":}`, `[,1]`, `{,}`,
		`"`, `"a`, `"\"`, `"\u12aF"`, `"\u12a"`, `"\u12ag"`, `"\uGGGG"`, `"\u 123"`, `"\x"`, "\"\x00\"", "\"\xff\"", `"a" "b"`, "\"\n\"", `"\u001`, "\"\\u\x10\x10\x10\x10\"",
		`0`, `-0`, `-`, `01`, `1.`, `1.5`, `.5`, `1e5`, `1E+5`, `1e-`, `1e`, `1 2`, `+1`, `0x1`, `-a`, `tru`, `true1`, `nullnull`, `[1}`, `{"a":1]`, `]`, "\x00", "1\x00", "[\x00]",
	} {
		f.Add([]byte(text))
	}
	for _, n := range []int{mostNested, mostNested + 1} {
		f.Add([]byte(strings.Repeat("[", n) + strings.Repeat("]", n)))
		f.Add([]byte(strings.Repeat(`{"a":`, n) + "1" + strings.Repeat("}", n)))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if got, want := valid(data), json.Valid(data); got != want {
			t.Errorf("%q: got %t, want %t", data, got, want)
		}
	})
}

func BenchmarkValid(b *testing.B) {
	text := []byte(`{"model":"gpt-4o-mini","messages":[{"role":"user","content":"` + strings.Repeat("How many days of leave? ", 40) + `"}],"temperature":0.2}`)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if !valid(text) {
			b.Fatal("it is valid")
		}
	}
}

func BenchmarkValidOfEncodingJSON(b *testing.B) {
	text := []byte(`{"model":"gpt-4o-mini","messages":[{"role":"user","content":"` + strings.Repeat("How many days of leave? ", 40) + `"}],"temperature":0.2}`)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if !json.Valid(text) {
			b.Fatal("it is valid")
		}
	}
}
