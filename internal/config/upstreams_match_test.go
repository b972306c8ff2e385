package config

import "testing"

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
		if got := Matches(test.pattern, test.name); got != test.want {
			t.Errorf("Matches(%q, %q) = %v", test.pattern, test.name, got)
		}
	}
}
