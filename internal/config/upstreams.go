package config

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"
)

// Upstream is a server that speaks OpenAI's API.
type Upstream struct {
	Name    string            `yaml:"name" doc:"what answers, metrics and the log call it"`
	URL     string            `yaml:"url" doc:"its base URL, such as https://api.openai.com/v1"`
	KeyEnv  string            `yaml:"key_env" doc:"the environment variable that has its key"`
	KeyFile string            `yaml:"key_file" doc:"the file that has its key" path:"true"`
	Key     string            `yaml:"key" doc:"its key, in a file that others cannot read; key_env and key_file are better places" secret:"true"`
	Models  []string          `yaml:"models" doc:"the names it serves; * stands for any text"`
	Rename  map[string]string `yaml:"rename" doc:"names it serves, and what it calls them"`

	Priority int `yaml:"priority" doc:"of servers that serve a name, those of the lowest number are asked first (default 0)" within:"-1000 1000"`
	Weight   int `yaml:"weight" doc:"how often it is asked beside those of the same priority (default 1)" within:"1 1000"`

	ConnectTimeout   time.Duration `yaml:"connect_timeout" doc:"the longest time to a connection (default 10s)"`
	FirstByteTimeout time.Duration `yaml:"first_byte_timeout" doc:"the longest time to the first byte of an answer (default 2m)"`
	IdleTimeout      time.Duration `yaml:"idle_timeout" doc:"the longest silence within an answer (default 2m)"`
	Timeout          time.Duration `yaml:"timeout" doc:"the longest time an answer may take (default 10m)"`

	MaxConcurrent int               `yaml:"max_concurrent" doc:"the requests it runs at once; one more goes elsewhere or is refused (default 256)" within:"1 65536"`
	Retries       int               `yaml:"retries" doc:"further attempts of one request at it; -1 is none (default 2)" within:"-1 10"`
	Headers       map[string]string `yaml:"headers" doc:"sent with every request; their values are secrets" secret:"true"`
	Probe         time.Duration     `yaml:"probe" doc:"ask it for its models so often, to know whether it is well (default never)"`
	ListModels    bool              `yaml:"list_models" doc:"show the models it lists in /v1/models"`

	Prices []Price `yaml:"prices" doc:"what its models cost, in dollars per million tokens, each from its day on"`
}

// FlagUpstream is the name of the upstream that --upstream names.
const FlagUpstream = "upstream"

const upstreamsExample = `upstreams:
  - name: openai
    url: https://api.openai.com/v1
    key_env: OPENAI_API_KEY
    models: ["gpt-*", "text-embedding-*", "omni-moderation-*"]
  - name: spare
    url: http://10.0.0.7:8000/v1
    models: ["qwen3-*"]
    rename: {gpt-4o-mini: qwen3-32b}
    priority: 1
    max_concurrent: 32
    prices:
      - {model: gpt-4o-mini, input: 0.05, cached: 0.01, output: 0.20}
      - {model: gpt-4o-mini, since: 2027-01-01, input: 0.04, output: 0.15}`

var upstreams = listSection("upstreams",
	"Servers that speak OpenAI's API and run models for this one.", upstreamsExample,
	func(c *Config) *[]Upstream { return &c.Upstreams },
	func(u *Upstream, lookup func(string) string) error { return u.complete(lookup) },
	func(u Upstream) string { return u.Name })

// complete finds the key and says all that is wrong with the description as far
// as it can be told without the server and the other upstreams.
func (u *Upstream) complete(lookup func(string) string) error {
	var problems []error
	add := func(field, format string, arguments ...any) {
		problems = append(problems, wrong(field, format, arguments...))
	}
	switch {
	case u.Name == "":
		add("name", "it is missing: write one word, such as openai")
	case strings.Trim(u.Name, nameLetters) != "":
		add("name", "it is %q: want letters, digits, dots, dashes and underscores", u.Name)
	}
	base, err := url.Parse(u.URL)
	if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "" || base.User != nil || base.RawQuery != "" || base.Fragment != "" {
		add("url", "want one such as https://api.openai.com/v1, without a key in it")
	}
	if len(u.Models)+len(u.Rename) == 0 {
		add("models", `it is missing: name some, or write models: ["*"]`)
	}
	for i, name := range u.Models {
		if strings.TrimSpace(name) == "" {
			add(fmt.Sprintf("models[%d]", i), `it is empty: write a name, or "*" for all`)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(u.Rename)) {
		if strings.TrimSpace(name) == "" || strings.TrimSpace(u.Rename[name]) == "" {
			add("rename", "%q: %q is half empty: write OUR-NAME: ITS-NAME", name, u.Rename[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(u.Headers)) {
		if strings.Trim(name, nameLetters) != "" || name == "" || slices.Contains(ownHeaders, strings.ToLower(name)) || strings.ContainsAny(u.Headers[name], "\r\n\x00") {
			add("headers", "%q cannot be sent: want a header that the request does not need itself, and a value of one line", name)
		}
	}
	priced := map[string]bool{}
	for i := range u.Prices {
		p, place := &u.Prices[i], fmt.Sprintf("prices[%d]", i)
		problems = append(problems, p.complete(place, func(name string) bool { return len(u.Models)+len(u.Rename) == 0 || u.serves(name) })...)
		if version := p.Model + " " + p.Since; priced[version] {
			add(place, "%s has a price from the same day on: keep one, or date them differently", p.Model)
		} else {
			priced[version] = true
		}
	}
	return errors.Join(append(problems, u.findKey(lookup))...)
}

// nameLetters are what names of upstreams are made of.
const nameLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_"

// ownHeaders are those that a request itself needs.
var ownHeaders = []string{"host", "content-length", "content-type", "transfer-encoding", "connection", "accept-encoding"}

// serves reports whether the upstream serves a name.
func (u *Upstream) serves(name string) bool {
	if _, ok := u.Rename[name]; ok {
		return true
	}
	return slices.ContainsFunc(u.Models, func(pattern string) bool { return Matches(pattern, name) })
}

// Matches reports whether a name is of a pattern, in which * stands for any
// text.
func Matches(pattern, name string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == name
	}
	rest, ok := strings.CutPrefix(name, parts[0])
	if !ok {
		return false
	}
	last := len(parts) - 1
	for _, part := range parts[1:last] {
		at := strings.Index(rest, part)
		if at < 0 {
			return false
		}
		rest = rest[at+len(part):]
	}
	return strings.HasSuffix(rest, parts[last])
}

func (u *Upstream) findKey(lookup func(string) string) error {
	given := 0
	for _, place := range []string{u.KeyEnv, u.KeyFile, u.Key} {
		if place != "" {
			given++
		}
	}
	switch {
	case given > 1:
		return errors.New("give one of key_env, key_file and key")
	case u.KeyEnv != "":
		if u.Key = strings.TrimSpace(lookup(u.KeyEnv)); u.Key == "" {
			return wrong("key_env", "the environment variable %s is not set", u.KeyEnv)
		}
	case u.KeyFile != "":
		text, err := os.ReadFile(u.KeyFile)
		if err != nil {
			return wrong("key_file", "%v", err)
		}
		if u.Key = strings.TrimSpace(string(text)); u.Key == "" {
			return wrong("key_file", "%s is empty", u.KeyFile)
		}
	}
	if strings.ContainsAny(u.Key, "\r\n\x00") {
		return errors.New("its key is more than one line")
	}
	return nil
}

// checkUpstreams notes what is wrong with the upstreams as a list.
func (l *loader) checkUpstreams() {
	first := map[string]int{}
	for i, u := range l.config.Upstreams {
		before, taken := first[u.Name]
		switch {
		case u.Name == "":
		case taken:
			l.failAt(fmt.Sprintf("upstreams[%d]", i), wrong("name", "upstreams[%d] is called %s too: give it another name", before, u.Name))
		default:
			first[u.Name] = i
		}
		if u.Name == FlagUpstream && l.config.Upstream != "" {
			l.failAt(fmt.Sprintf("upstreams[%d]", i), wrong("name", "the server of --upstream has the name %s: give this one another", u.Name))
		}
	}
}
