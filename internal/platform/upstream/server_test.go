package upstream

import (
	"strings"
	"testing"
)

func TestMatches(t *testing.T) {
	tests := []struct {
		pattern, name string
		want          bool
	}{
		{"gpt-4o", "gpt-4o", true},
		{"gpt-4o", "gpt-4o-mini", false},
		{"gpt-*", "gpt-4o-mini", true},
		{"*", "any/thing", true},
		{"*-mini", "gpt-4o-mini", true},
		{"gpt-*-mini", "gpt-4o-mini", true},
		{"gpt-*-mini", "gpt-mini", false},
		{"a*b*c", "a-b-b-c", true},
		{"a*b*c", "a-c", false},
		{"*a*", "bab", true},
		{"ab*ba", "aba", false},
	}
	for _, test := range tests {
		if got := matches(test.pattern, test.name); got != test.want {
			t.Errorf("matches(%q, %q) = %v", test.pattern, test.name, got)
		}
	}
}

func TestValidate(t *testing.T) {
	_, err := New([]Server{
		{Name: "a b", URL: "ftp://x", Models: []string{"*"}},
		{Name: "c", URL: "https://user:pass@x/v1", Headers: map[string]string{"Host": "y"}},
		{Name: "d", URL: "https://x/v1", Models: []string{"*"}, Weight: -1, Timeout: -1},
		{Name: "d", URL: "https://x/v1", Models: []string{"*"}},
	}, Options{})
	if err == nil {
		t.Fatal("New took all of them")
	}
	for _, want := range []string{`its name is "a b"`, "its URL is not one", "the key goes elsewhere", "serves no models", `the header "Host"`, "weight", "a time cannot", "there are two"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v\ndoes not say %q", err, want)
		}
	}
	if strings.Contains(err.Error(), "pass") {
		t.Errorf("%v\nshows a password", err)
	}
}
