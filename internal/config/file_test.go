package config

import (
	"flag"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// writeFile writes a configuration file for its owner's eyes only.
func writeFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), FileName)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestEnvironmentOverFile(t *testing.T) {
	path := writeFile(t, "addr: 127.0.0.1:1\nidle: 10m\nmodel: none\nmax_memory: 2GB\n")
	c, err := load(environment("RAGSTONE_HOME", filepath.Dir(path), "RAGSTONE_IDLE", "5m"), []Override{{"addr", "127.0.0.1:2"}})
	if err != nil {
		t.Fatal(err)
	}
	if c.Addr != "127.0.0.1:2" || c.Idle != 5*time.Minute || c.ChatModel != "" || c.MaxMemory != 2e9 {
		t.Errorf("got addr %s, idle %s, model %q, max memory %d; want the flag's, the variable's and the file's", c.Addr, c.Idle, c.ChatModel, c.MaxMemory)
	}
}

func TestWhichFile(t *testing.T) {
	home, variable, flag := writeFile(t, "threads: 1"), writeFile(t, "threads: 2"), writeFile(t, "threads: 3")
	tests := []struct {
		name  string
		env   []string
		flags []Override
		want  int
	}{
		{"in the home", []string{"RAGSTONE_HOME", filepath.Dir(home)}, nil, 1},
		{"of the variable", []string{"RAGSTONE_HOME", filepath.Dir(home), "RAGSTONE_CONFIG", variable}, nil, 2},
		{"of the flag", []string{"RAGSTONE_HOME", filepath.Dir(home), "RAGSTONE_CONFIG", variable}, []Override{{"config", flag}}, 3},
		{"none", []string{"RAGSTONE_HOME", t.TempDir()}, nil, runtime.GOMAXPROCS(0)},
	}
	for _, test := range tests {
		c, err := load(environment(test.env...), test.flags)
		if err != nil || c.Threads != test.want {
			t.Errorf("%s: threads %d, %v; want %d", test.name, c.Threads, err, test.want)
		}
	}
	if _, err := load(environment("RAGSTONE_HOME", t.TempDir(), "RAGSTONE_CONFIG", "/no/such/file"), nil); err == nil {
		t.Error("a file that is named and does not exist was passed over")
	}
}

// Every problem of a file is reported at once, with its line and what to do.
func TestFileProblems(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string
	}{
		{"unknown keys", "adr: x\nmax-memory: 2GB\nquux: 1", []string{`:1: there is no "adr"; did you mean addr?`, `:2: there is no "max-memory"; did you mean max_memory?`, ":3: there is no \"quux\"; `ragstone config example`"}},
		{"bad values", "\naddr: 8080\nidle: soon\nthreads: -1\n", []string{`:2: addr is "8080": want HOST:PORT`, `:3: idle is "soon": want a duration`, `:4: threads is "-1": want a number`}},
		{"twice", "model: a\nmodel: b", []string{":2: model stands here and in line 1"}},
		{"not a mapping", "- a\n- b", []string{":1: the file must be lines of NAME: VALUE"}},
		{"not YAML", "model: [", []string{":1: this is not YAML"}},
		{"a list for a value", "model: [a, b]", []string{":1: model must be one value"}},
		{"anchors", "model: &m a\nembedding_model: *m", []string{":1: model is an anchor", ":2: embedding_model is an anchor"}},
		{"two documents", "model: a\n---\nmodel: b", []string{":3: a second document begins"}},
		{"an empty alias", "aliases:\n  gpt-4:\n", []string{":2: an alias has no name or no model"}},
		{"aliases that mean nothing", "aliases:\n  a: a\n  b: nowhere\n  c: b\n  all-minilm-l6-v2: smollm2-135m-instruct\n", []string{
			":2: aliases.a: it means itself", ":3: aliases.b: no local model and no upstream has the name nowhere: write one that has, such as smollm2-135m-instruct",
			":4: aliases.c: b is an alias itself", ":5: aliases.all-minilm-l6-v2: a local model has that name"}},
		{"other values", "blobs: bad\nhub: bad\ntrace_endpoint: bad\nmax_body: 1GiB\n", []string{
			":1: blobs is \"bad\": want a URL such as file:///FOLDER or s3://BUCKET", ":2: hub is \"bad\": want a URL such as https://huggingface.co",
			":3: trace_endpoint is \"bad\": want a URL such as http://127.0.0.1:4318", "max_body_memory is 512MiB and max_body 1GiB"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := CheckFile(writeFile(t, test.text))
			if err == nil {
				t.Fatalf("nothing is wrong with\n%s", test.text)
			}
			if got := strings.Split(err.Error(), "\n"); len(got) != len(test.want) {
				t.Errorf("%d problems, want %d:\n%v", len(got), len(test.want), err)
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
		})
	}
}

// A check without a file's name sees what a server would see; one of a file alone
// does not miss what an environment can add.
func TestCheckOfWhatGoesTogether(t *testing.T) {
	tests := []struct {
		name, text string
		env        []string
		want       string // of the check of all that Load reads
	}{
		{"a certificate alone", "tls_cert: a.pem", nil, "tls_cert and tls_key go together"},
		{"its key is in the environment", "tls_cert: a.pem", []string{"RAGSTONE_TLS_KEY", "b.pem"}, ""},
		{"webhooks alone", "webhooks: https://a.example/hook", nil, "webhook_secret is not"},
		{"their secret is in the environment", "webhooks: https://a.example/hook", []string{"RAGSTONE_WEBHOOK_SECRET", "whsec_c2VjcmV0"}, ""},
		{"room for bodies is in the environment", "max_body: 1GiB", []string{"RAGSTONE_MAX_BODY_MEMORY", "2GiB"}, ""},
	}
	for _, test := range tests {
		path := writeFile(t, test.text)
		env := environment(append(test.env, "RAGSTONE_HOME", filepath.Dir(path))...)
		got, err := newLoader(env).checkFile("", nil)
		if got != path || (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: the check of %s says %v, want %q", test.name, got, err, test.want)
		}
		if _, err := newLoader(env).checkFile(path, nil); err != nil {
			t.Errorf("%s: the check of the file alone says %v", test.name, err)
		}
	}
}

func TestAliasesAndPathsOfAFile(t *testing.T) {
	path := writeFile(t, "model: small\nembedding_model: c\naliases: {gpt-4: small, \"a:b\": c}\ntls_cert: cert.pem\ntls_key: /keys/key.pem\ncors_origins: https://a.example, https://b.example:8443\n")
	c, err := load(environment("RAGSTONE_HOME", "/h"), []Override{{"config", path}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Alias{{"gpt-4", "small"}, {"a:b", "c"}}, c.Aliases); diff != "" {
		t.Errorf("aliases (-want +got):\n%s", diff)
	}
	if want := filepath.Join(filepath.Dir(path), "cert.pem"); c.TLSCert != want || c.TLSKey != "/keys/key.pem" {
		t.Errorf("tls_cert %s, tls_key %s; want %s, beside the file, and /keys/key.pem", c.TLSCert, c.TLSKey, want)
	}
	if diff := cmp.Diff([]string{"https://a.example", "https://b.example:8443"}, c.CORSOrigins); diff != "" {
		t.Errorf("origins (-want +got):\n%s", diff)
	}
}

func TestSecretsOfAFile(t *testing.T) {
	const secret = "sk-very-secret-0123456789"
	path := writeFile(t, "upstream: https://a.example\nupstream_key: "+secret+"\n")
	l := newLoader(environment("RAGSTONE_HOME", "/h", "RAGSTONE_TRACE_HEADERS", secret))
	c, err := l.load([]Override{{"config", path}})
	if c.UpstreamKey != secret {
		t.Errorf("the key is %q", c.UpstreamKey)
	}
	if err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("the error of a bad secret is %v: want one that does not show it", err)
	}
	for _, e := range l.effective(c) {
		if strings.Contains(e.Value, secret) {
			t.Errorf("%s is shown as %q", e.Key, e.Value)
		}
		if e.Key == "upstream_key" && (e.Value != masked || e.Source != FileName+":2") {
			t.Errorf("upstream_key is shown as %q from %q", e.Value, e.Source)
		}
	}
	if runtime.GOOS == "windows" {
		return
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := CheckFile(path); err == nil || !strings.Contains(err.Error(), ":2: the file holds a secret") || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a secret that everybody may read: %v", err)
	}
}

// A list of structs, as sections have them.
func TestListSection(t *testing.T) {
	type server struct {
		URL    string            `yaml:"url" doc:"where it is"`
		Key    string            `yaml:"key" doc:"its key" secret:"true"`
		Weight int               `yaml:"weight" doc:"how much of it"`
		Wait   time.Duration     `yaml:"wait" doc:"how long"`
		Models []string          `yaml:"models" doc:"which"`
		Names  map[string]string `yaml:"names" doc:"their names"`
	}
	var got []server
	s := listSection("servers", "Servers.", "servers: []", func(*Config) *[]server { return &got },
		func(item *server, lookup func(string) string) error {
			if item.Key == "" {
				item.Key = lookup("KEY")
			}
			return nil
		}, func(item server) string { return item.URL })
	f := &file{loader: newLoader(environment("KEY", "k")), path: "f"}
	read := func(text string) {
		t.Helper()
		saved := sections
		sections = []section{s}
		defer func() { sections = saved }()
		f.parse([]byte(text))
	}
	read("servers:\n  - url: https://a\n    weight: 2\n    wait: 3s\n    models: [x, y]\n    names: {a: b}\n  - {url: https://b, key: own}\n")
	want := []server{{"https://a", "k", 2, 3 * time.Second, []string{"x", "y"}, map[string]string{"a": "b"}}, {URL: "https://b", Key: "own"}}
	if diff := cmp.Diff(want, got); diff != "" || len(f.problems) > 0 {
		t.Errorf("%v (-want +got):\n%s", f.problems, diff)
	}
	read("servers:\n  - url: https://a\n    wieght: 2\n    wait: soon\n  - models: x\n")
	for i, want := range []string{`f:3: there is no "wieght" of servers[0]; did you mean weight?`, `f:4: servers[0].wait is "soon"`, `f:5: servers[1].models must be a list`} {
		if i >= len(f.problems) || !strings.Contains(f.problems[i].Error(), want) {
			t.Errorf("problems %v, want %q", f.problems, want)
		}
	}
}

var update = flag.Bool("update", false, "rewrite the example in docs/configuration.md")

// The page that explains the configuration has the example as it is printed.
func TestThePageHasTheExample(t *testing.T) {
	const page = "../../docs/configuration.md"
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(data), "```yaml\n")
	_, after, closed := strings.Cut(rest, "\n```\n")
	if !ok || !closed {
		t.Fatalf("%s has no fenced yaml", page)
	}
	want := before + "```yaml\n" + strings.TrimSuffix(Example(), "\n") + "\n```\n" + after
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(strings.Split(string(data), "\n"), strings.Split(want, "\n")); diff != "" {
		t.Errorf("%s is not what `go test ./internal/config -update` writes (-have +want):\n%s", page, diff)
	}
}

// The example is a file that sets nothing, and with its comment marks gone one
// that sets what is the default anyhow.
func TestExampleIsAFile(t *testing.T) {
	if _, err := CheckFile(writeFile(t, Example())); err != nil {
		t.Error(err)
	}
	for _, s := range settings {
		c := defaults()
		if text := s.value.get(&c); text != "" && !s.noKey {
			if err := s.value.set(&c, text); err != nil || s.value.get(&c) != text {
				t.Errorf("%s: its default %q, set again, gives %q, %v", s.name, text, s.value.get(&c), err)
			}
		}
		if !s.noKey && !strings.Contains(Example(), "\n# "+s.key()+":") {
			t.Errorf("the example has no %s", s.key())
		}
	}
	t.Setenv("OPENAI_API_KEY", "sk-of-the-example")
	for _, s := range sections {
		if _, err := CheckFile(writeFile(t, s.example)); err != nil {
			t.Errorf("the example of %s: %v", s.key, err)
		}
	}
}

// FuzzFile: whatever the bytes, reading ends with a configuration or problems
// that have lines.
func FuzzFile(f *testing.F) {
	for _, seed := range []string{"addr: x", "aliases: {a: b}", "a: &a [*a]", "? [x]: y", "!!binary x", "model: |\n  a\n  b", "<<: {a: b}", "- - -", "\t", "a: 'x"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		f := &file{loader: newLoader(environment()), path: "f"}
		f.parse(data)
		for _, problem := range f.problems {
			if problem.Error() == "" {
				t.Errorf("%q: a problem without words", data)
			}
		}
	})
}
