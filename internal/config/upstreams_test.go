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
		{`{url: "https://x", models: ["*"]}`, "name: it is missing"},
		{`{name: a, url: "ftp://x", models: ["*"]}`, "url: want one such as"},
		{`{name: a, url: "https://user:hunter2@x/v1", models: ["*"]}`, "without a key in it"},
		{`{name: a, url: "https://x"}`, "models: it is missing"},
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

// Every fault of every upstream is told at once, at the line it stands in, with
// what to write instead.
func TestEveryFaultOfUpstreams(t *testing.T) {
	_, err := CheckFile(writeFile(t, `upstreams:
  - name: a b
    url: https://x
    models: ["*", ""]
    retries: 99999
    weight: -1
    max_concurrent: 0
    timeout: 48h
    idle_timeout: soon
    rename: {ours: ""}
    headers:
      content-type: x
  - name: twice
    url: https://x
    models: x
    prices:
      - {model: gpt-4o, since: soon, input: 0.0000001}
  - name: twice
    url: https://x
    models: ["gpt-4o"]
    priority: 1
    prices:
      - {model: gpt-4o, since: 2026-11-01, input: 1, output: 2}
      - {model: gpt-4o, since: 2026-11-01, input: 1, cached: -1, output: 2}
      - {model: other, input: 1, output: 2}
`))
	if err == nil {
		t.Fatal("nothing is wrong")
	}
	wants := []string{
		":5: upstreams[0].retries is 99999: want a number from -1 to 10",
		":6: upstreams[0].weight is -1: want a number from 1 to 1000",
		":7: upstreams[0].max_concurrent is 0: want a number from 1 to 65536",
		`:8: upstreams[0].timeout is "48h": want a duration such as 90s, 10m or 2h, of at most a day`,
		`:9: upstreams[0].idle_timeout is "soon": want a duration`,
		`:2: upstreams[0].name: it is "a b": want letters, digits`,
		`:4: upstreams[0].models[1]: it is empty: write a name, or "*" for all`,
		`:10: upstreams[0].rename: "ours": "" is half empty: write OUR-NAME: ITS-NAME`,
		`:11: upstreams[0].headers: "content-type" cannot be sent`,
		":15: upstreams[1].models must be a list",
		`:17: upstreams[1].prices[0].since: it is "soon": want a day such as 2026-11-01`,
		`:17: upstreams[1].prices[0].input: it is "0.0000001": want dollars per million tokens such as 0.15`,
		":17: upstreams[1].prices[0].output: it is missing",
		`:18: upstreams[2].name: upstreams[1] is called twice too: give it another name`,
		`:24: upstreams[2].prices[1]: gpt-4o has a price from the same day on`,
		`:24: upstreams[2].prices[1].cached: it is "-1": want dollars`,
		`:25: upstreams[2].prices[2].model: models and rename have no "other"`,
	}
	for _, want := range wants {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no problem says %s", want)
		}
	}
	if got := strings.Split(err.Error(), "\n"); len(got) != len(wants) || t.Failed() {
		t.Errorf("%d problems, want %d:\n%v", len(got), len(wants), err)
	}
}

// A key's file lies beside the configuration's, whoever reads that from where.
func TestKeyFilesLieBesideTheConfiguration(t *testing.T) {
	path := writeFile(t, "upstreams:\n  - {name: a, url: https://x, models: [\"*\"], key_file: keys/a}\n")
	if err := os.Mkdir(filepath.Join(filepath.Dir(path), "keys"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(filepath.Dir(path), "keys", "a"), []byte("sk-of-a\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := load(environment("RAGSTONE_HOME", "/h"), []Override{{"config", path}})
	if err != nil || c.Upstreams[0].Key != "sk-of-a" {
		t.Errorf("the upstreams are %+v, %v; want the key of the file beside the configuration", c.Upstreams, err)
	}
}
