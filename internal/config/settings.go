package config

import (
	"fmt"
	"math"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
)

// setting is one knob: where it can be turned, and how its text becomes a
// value.
type setting struct {
	variables []string // the first that is set counts
	flag      string   // empty: it has none
	usage     string   // of the flag; a word in backquotes names its value
	set       func(c *Config, text string) error
}

// settings lists every knob.
var settings = []setting{
	{variables: []string{"RAGSTONE_HOME"}, set: text(func(c *Config) *string { return &c.Home })},
	{variables: []string{"RAGSTONE_HUB", "HF_ENDPOINT"}, set: text(func(c *Config) *string { return &c.HubURL })},
	{variables: []string{"HF_TOKEN"}, set: text(func(c *Config) *string { return &c.HubToken })},
	{variables: []string{"RAGSTONE_THREADS"}, set: number(1, 1024, "a number from 1 to 1024", func(c *Config) *int { return &c.Threads })},
	{variables: []string{"NO_COLOR"}, set: func(c *Config, _ string) error { c.NoColor = true; return nil }},
	{variables: []string{"RAGSTONE_UPSTREAM_KEY"}, set: text(func(c *Config) *string { return &c.UpstreamKey })},

	{[]string{"RAGSTONE_ADDR"}, "addr", "listen on `HOST:PORT`; port 0 takes a free one (default 127.0.0.1:8080)", setAddr},
	{[]string{"RAGSTONE_UPSTREAM"}, "upstream", "send what is asked for under other names than local models' own to the OpenAI-compatible server at this `URL` (key: RAGSTONE_UPSTREAM_KEY)", setUpstream},
	{[]string{"RAGSTONE_MODEL"}, "model", "the local model that chats: a catalog `NAME` or a path, or none (default " + DefaultChatModel + ")", modelName(func(c *Config) *string { return &c.ChatModel })},
	{[]string{"RAGSTONE_EMBEDDING_MODEL"}, "embedding-model", "the local model that embeds: a catalog `NAME` or a path, or none (default " + DefaultEmbeddingModel + ")", modelName(func(c *Config) *string { return &c.EmbeddingModel })},
	{[]string{"RAGSTONE_MAX_MEMORY"}, "max-memory", "the `SIZE` models may take together with their requests, such as 2GB (default no limit)", setMaxMemory},
	{[]string{"RAGSTONE_IDLE"}, "idle", "unload a model that nobody has used for this `DURATION`, such as 10m; it is loaded again when asked for (default never)", setIdle},
	{[]string{"RAGSTONE_REQUESTS_PER_MINUTE"}, "requests-per-minute", "the `NUMBER` of requests a project may make a minute to one model (default 10000)", number(1, math.MaxInt32, "a number above 0", func(c *Config) *int { return &c.RequestsPerMinute })},
	{[]string{"RAGSTONE_TOKENS_PER_MINUTE"}, "tokens-per-minute", "the `NUMBER` of tokens a project may use a minute of one model (default 2000000)", number(1, math.MaxInt32, "a number above 0", func(c *Config) *int { return &c.TokensPerMinute })},
}

// Flags returns the names of the settings that have a flag.
func Flags() []string {
	var names []string
	for _, s := range settings {
		if s.flag != "" {
			names = append(names, s.flag)
		}
	}
	return names
}

// Usage returns the help text of a setting's flag, with the environment
// variable that does the same.
func Usage(flag string) string {
	for _, s := range settings {
		if s.flag == flag {
			return s.usage + " [" + s.variables[0] + "]"
		}
	}
	panic("config.Usage: no setting has the flag --" + flag)
}

// apply sets the setting from text; source is the variable or flag it came
// from, for the error.
func (s setting) apply(c *Config, source, text string) error {
	if err := s.set(c, text); err != nil {
		return fmt.Errorf("%s is %q: %w", source, text, err)
	}
	return nil
}

func text(field func(*Config) *string) func(*Config, string) error {
	return func(c *Config, text string) error {
		*field(c) = text
		return nil
	}
}

func number(low, high int, want string, field func(*Config) *int) func(*Config, string) error {
	return func(c *Config, text string) error {
		n, err := strconv.Atoi(text)
		if err != nil || n < low || n > high {
			return fmt.Errorf("want %s", want)
		}
		*field(c) = n
		return nil
	}
}

// modelName takes a name or path; the word none means no model.
func modelName(field func(*Config) *string) func(*Config, string) error {
	return func(c *Config, text string) error {
		if text == "none" {
			text = ""
		}
		*field(c) = text
		return nil
	}
}

func setMaxMemory(c *Config, text string) error {
	n, err := humanize.ParseBytes(text)
	if err != nil || n > math.MaxInt64 || strings.HasPrefix(text, "-") {
		return fmt.Errorf("want an amount of memory such as 2GB or 1.5GiB; a number alone is bytes, and 0 is no limit")
	}
	c.MaxMemory = int64(n)
	return nil
}

func setIdle(c *Config, text string) error {
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return fmt.Errorf("want a duration such as 90s, 10m or 2h; 0 is never")
	}
	c.Idle = d
	return nil
}

func setAddr(c *Config, text string) error {
	_, port, err := net.SplitHostPort(text)
	if n, bad := strconv.Atoi(port); err != nil || bad != nil || n < 0 || n > 65535 {
		return fmt.Errorf("want HOST:PORT, such as 127.0.0.1:8080 or :8080 for every address of this machine")
	}
	c.Addr = text
	return nil
}

func setUpstream(c *Config, text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("want a URL such as https://api.openai.com/v1")
	}
	c.Upstream = strings.TrimRight(text, "/")
	return nil
}
