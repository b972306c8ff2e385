package upstream

import (
	"strings"
	"testing"
)

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
