package files

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func linesProblem(content string, piece int) error {
	l := newLineChecker()
	for len(content) > 0 {
		n := min(piece, len(content))
		l.Write([]byte(content[:n]))
		content = content[n:]
	}
	return l.problem()
}

func TestLinesOfJSON(t *testing.T) {
	tests := []struct{ content, says string }{
		{`{"messages":[{"role":"user","content":"ü – 語 🦉"}]}` + "\n{}\n", ""},
		{`{"a":-0.5e+7,"b":[true,false,null,{}],"c":"\"\\\u00e9"}`, ""},
		{" {} \r\n\n\t{}\r\n", ""},
		{"", "no line"},
		{"\n \n", "no line"},
		{"not json", "line 1"},
		{"{}\n[]\n", "line 2"},
		{"{}\n\"text\"\n", "line 2"},
		{"{}\n{} {}\n", "line 2"},
		{"{}\n{\"a\":\n1}\n", "line 2 ends"},
		{`{"a":1`, "line 1 ends"},
		{`{"a":01}`, "line 1"},
		{`{"a":1.}`, "line 1"},
		{`{a:1}`, "line 1"},
		{`{"a":1,}`, "line 1"},
		{`{"a":"tab	inside"}`, "line 1"},
		{`{"a":truth}`, "line 1"},
		{"{\"a\":\"\xff\"}", "UTF-8"},
		{"{\"a\":\"\xe4\xb8", "line 1 ends"},
		{"{\"a\":\"\xe4\xb8\"}", "UTF-8"},
		{strings.Repeat(`{"a":`, maxNesting+1), "line 1"},
	}
	for _, test := range tests {
		for _, piece := range []int{1, 2, 3, 7, 1000} {
			err := linesProblem(test.content, piece)
			if test.says == "" && err != nil || test.says != "" && (err == nil || !strings.Contains(err.Error(), test.says)) {
				t.Errorf("%.60q in pieces of %d: %v, want %q", test.content, piece, err, test.says)
			}
		}
	}
}

// The checker says of one line what encoding/json says.
func FuzzLines(f *testing.F) {
	for _, seed := range []string{`{"a":[1,-2.5e-3,"\u00e9\n",{"b":null}]}`, `{"a":{}}x`, "{\"\xc3\xa4\":0}", `{"":"\ud800"}`} {
		f.Add(seed, 3)
	}
	f.Fuzz(func(t *testing.T, line string, piece int) {
		if strings.Contains(line, "\n") || strings.Count(line, "{")+strings.Count(line, "[") > maxNesting {
			return
		}
		object := bytes.HasPrefix(bytes.TrimLeft([]byte(line), " \t\r"), []byte("{"))
		want := object && json.Valid([]byte(line)) && utf8.ValidString(line)
		if err := linesProblem(line, max(1, piece)); (err == nil) != want {
			t.Errorf("%q in pieces of %d: %v, encoding/json says %t", line, piece, err, want)
		}
	})
}
