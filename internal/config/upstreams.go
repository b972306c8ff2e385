package config

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"
)

// Upstream is a server that speaks OpenAI's API.
type Upstream struct {
	Name    string            `yaml:"name" doc:"what answers, metrics and the log call it"`
	URL     string            `yaml:"url" doc:"its base URL, such as https://api.openai.com/v1"`
	KeyEnv  string            `yaml:"key_env" doc:"the environment variable that has its key"`
	KeyFile string            `yaml:"key_file" doc:"the file that has its key"`
	Key     string            `yaml:"key" doc:"its key, in a file that others cannot read; key_env and key_file are better places" secret:"true"`
	Models  []string          `yaml:"models" doc:"the names it serves; * stands for any text"`
	Rename  map[string]string `yaml:"rename" doc:"names it serves, and what it calls them"`

	Priority int `yaml:"priority" doc:"of servers that serve a name, those of the lowest number are asked first (default 0)"`
	Weight   int `yaml:"weight" doc:"how often it is asked beside those of the same priority (default 1)"`

	ConnectTimeout   time.Duration `yaml:"connect_timeout" doc:"the longest time to a connection (default 10s)"`
	FirstByteTimeout time.Duration `yaml:"first_byte_timeout" doc:"the longest time to the first byte of an answer (default 2m)"`
	IdleTimeout      time.Duration `yaml:"idle_timeout" doc:"the longest silence within an answer (default 2m)"`
	Timeout          time.Duration `yaml:"timeout" doc:"the longest time an answer may take (default 10m)"`

	MaxConcurrent int               `yaml:"max_concurrent" doc:"the requests it runs at once; one more goes elsewhere or is refused (default 256)"`
	Retries       int               `yaml:"retries" doc:"further attempts of one request at it; -1 is none (default 2)"`
	Headers       map[string]string `yaml:"headers" doc:"sent with every request; their values are secrets" secret:"true"`
	Probe         time.Duration     `yaml:"probe" doc:"ask it for its models so often, to know whether it is well (default never)"`
	ListModels    bool              `yaml:"list_models" doc:"show the models it lists in /v1/models"`
}

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
    max_concurrent: 32`

var upstreams = listSection("upstreams",
	"Servers that speak OpenAI's API and run models for this one.", upstreamsExample,
	func(c *Config) *[]Upstream { return &c.Upstreams },
	func(u *Upstream, lookup func(string) string) error { return u.complete(lookup) },
	func(u Upstream) string { return u.Name })

// complete finds the key and says all that is wrong with the description as far
// as it can be told without the server.
func (u *Upstream) complete(lookup func(string) string) error {
	var problems []error
	add := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if u.Name == "" {
		add("name is missing")
	}
	base, err := url.Parse(u.URL)
	if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "" || base.User != nil || base.RawQuery != "" || base.Fragment != "" {
		add("url: want one such as https://api.openai.com/v1, without a key in it")
	}
	if len(u.Models)+len(u.Rename) == 0 {
		add(`models is missing: name some, or write models: ["*"]`)
	}
	if err := u.findKey(lookup); err != nil {
		problems = append(problems, err)
	}
	return errors.Join(problems...)
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
		if u.Key = lookup(u.KeyEnv); u.Key == "" {
			return fmt.Errorf("key_env: the environment variable %s is not set", u.KeyEnv)
		}
	case u.KeyFile != "":
		text, err := os.ReadFile(u.KeyFile)
		if err != nil {
			return fmt.Errorf("key_file: %w", err)
		}
		if u.Key = strings.TrimSpace(string(text)); u.Key == "" {
			return fmt.Errorf("key_file: %s is empty", u.KeyFile)
		}
	}
	return nil
}
