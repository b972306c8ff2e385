package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestUpstreamsOfAFile(t *testing.T) {
	const inEnv, inFile, inline = "sk-in-the-environment", "sk-in-a-file", "sk-in-the-configuration"
	keyFile := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(keyFile, []byte(inFile+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	path := writeFile(t, `upstreams:
  - name: a
    url: https://a.example/v1
    key_env: A_KEY
    models: ["gpt-*"]
    rename: {ours: theirs}
    priority: 2
    weight: 3
    first_byte_timeout: 30s
    headers: {api-key: `+inline+`}
  - name: b
    url: http://10.0.0.7:8000/v1
    key_file: `+keyFile+`
    models: ["*"]
    retries: -1
  - name: c
    url: http://c.example
    key: `+inline+`
    models: ["*"]
    list_models: true
`)
	l := newLoader(environment("RAGSTONE_HOME", "/h", "A_KEY", inEnv))
	c, err := l.load([]Override{{"config", path}})
	if err != nil {
		t.Fatal(err)
	}
	want := []Upstream{
		{Name: "a", URL: "https://a.example/v1", KeyEnv: "A_KEY", Key: inEnv, Models: []string{"gpt-*"}, Rename: map[string]string{"ours": "theirs"}, Priority: 2, Weight: 3, FirstByteTimeout: 30 * time.Second, Headers: map[string]string{"api-key": inline}},
		{Name: "b", URL: "http://10.0.0.7:8000/v1", KeyFile: keyFile, Key: inFile, Models: []string{"*"}, Retries: -1},
		{Name: "c", URL: "http://c.example", Key: inline, Models: []string{"*"}, ListModels: true},
	}
	if diff := cmp.Diff(want, c.Upstreams); diff != "" {
		t.Errorf("upstreams (-want +got):\n%s", diff)
	}
	for _, e := range l.effective(c) {
		for _, secret := range []string{inEnv, inFile, inline} {
			if strings.Contains(e.Value, secret) {
				t.Errorf("%s is shown as %q", e.Key, e.Value)
			}
		}
	}
}

func TestUpstreamsThatCannotBe(t *testing.T) {
	for _, test := range []struct{ file, want string }{
		{`{url: "https://x", models: ["*"]}`, "name is missing"},
		{`{name: a, url: "ftp://x", models: ["*"]}`, "url: want one such as"},
		{`{name: a, url: "https://user:hunter2@x/v1", models: ["*"]}`, "without a key in it"},
		{`{name: a, url: "https://x"}`, "models is missing"},
		{`{name: a, url: "https://x", models: ["*"], key_env: NOWHERE}`, "NOWHERE is not set"},
		{`{name: a, url: "https://x", models: ["*"], key_file: /nowhere/key}`, "key_file: open /nowhere/key"},
		{`{name: a, url: "https://x", models: ["*"], key_env: A, key_file: b}`, "give one of"},
		{`{name: a, url: "https://x", models: ["*"], wieght: 1}`, "wieght"},
	} {
		_, err := newLoader(environment("RAGSTONE_HOME", "/h")).load([]Override{{"config", writeFile(t, "upstreams: ["+test.file+"]\n")}})
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v, want an error that says %q", test.file, err, test.want)
		}
	}
}
