package config

import (
	"math"
	"strings"
	"time"
)

// setting is one knob: what it is called everywhere, and how its text becomes a
// value. Its flag is --NAME, its variable RAGSTONE_NAME, its key in the file name
// with underscores.
type setting struct {
	name  string
	usage string // of the flag; a word in backquotes names its value
	value value

	variables []string // instead of the one after the name; the first that is set counts
	secret    bool     // no flag, and never shown

	// redact is the value without the secret part it may have.
	redact func(text string) string
	noFlag bool
	noKey  bool // the file does not have it
}

// group is settings and sections that belong together.
type group struct {
	title    string
	settings []setting
	sections []section
}

// groups lists every knob.
var groups = []group{
	{title: "Listening", settings: []setting{
		{name: "addr", usage: "listen on `HOST:PORT`; port 0 takes a free one, and an address that other machines can reach needs a key to exist", value: hostPort(func(c *Config) *string { return &c.Addr })},
		{name: "tls-cert", usage: "serve HTTPS with the certificate chain in this `FILE` of PEM; it is read again when it changes", value: path(func(c *Config) *string { return &c.TLSCert })},
		{name: "tls-key", usage: "the private key of --tls-cert, a `FILE` of PEM", value: path(func(c *Config) *string { return &c.TLSKey })},
		{name: "cors-origins", usage: "let the pages of these `ORIGINS`, such as https://app.example.com, call the server from a browser; with commas between, * is any", value: origins(func(c *Config) *[]string { return &c.CORSOrigins })},
		{name: "max-connections", usage: "refuse connections beyond this `NUMBER`; 0 is no limit", value: number(0, math.MaxInt32, func(c *Config) *int { return &c.MaxConnections })},
		{name: "max-body", usage: "the `SIZE` a JSON request may have", value: size(1, func(c *Config) *int64 { return &c.MaxBody })},
		{name: "max-body-memory", usage: "the `SIZE` all requests that are being read may take together; beyond it they are refused for a while", value: size(1, func(c *Config) *int64 { return &c.MaxBodyMemory })},
		{name: "answer-timeout", usage: "end an answer that takes longer than this `DURATION`", value: duration(1, func(c *Config) *time.Duration { return &c.AnswerTimeout })},
		{name: "drain-timeout", usage: "when the server is stopped, let running answers take this `DURATION`", value: duration(1, func(c *Config) *time.Duration { return &c.DrainTimeout })},
	}},
	{title: "Models", settings: []setting{
		{name: "model", usage: "the local model that chats: a catalog `NAME` or a path, or none", value: modelName(func(c *Config) *string { return &c.ChatModel })},
		{name: "embedding-model", usage: "the local model that embeds: a catalog `NAME` or a path, or none", value: modelName(func(c *Config) *string { return &c.EmbeddingModel })},
		{name: "precision", usage: "how the embedding model computes: `f32`, or int8, which is about three times as fast and nearly the same", value: oneOf(func(c *Config) *string { return &c.Precision }, "f32", "int8")},
		{name: "kv", usage: "how the chat model keeps keys and values: `f16`, or q8, which takes half the memory and is nearly the same", value: oneOf(func(c *Config) *string { return &c.CachePrecision }, "f16", "q8")},
		{name: "threads", usage: "the `NUMBER` of threads models compute with; 0 is one for each processor", value: number(0, 1024, func(c *Config) *int { return &c.Threads })},
		{name: "max-memory", usage: "the `SIZE` models may take together with their requests, such as 2GB; 0 is no limit", value: size(0, func(c *Config) *int64 { return &c.MaxMemory })},
		{name: "idle", usage: "unload a model that nobody has used for this `DURATION`, such as 10m; it is loaded again when asked for; 0 is never", value: duration(0, func(c *Config) *time.Duration { return &c.Idle })},
		{name: "completion-cap", usage: "the most `TOKENS` of an answer that is asked for without such a number, from a model whose context is not known", value: number(1, math.MaxInt32, func(c *Config) *int { return &c.CompletionCap })},
	}, sections: []section{aliases}},
	{title: "Limits", settings: []setting{
		{name: "requests-per-minute", usage: "the `NUMBER` of requests a project may make a minute to one model", value: number(1, math.MaxInt32, func(c *Config) *int { return &c.RequestsPerMinute })},
		{name: "tokens-per-minute", usage: "the `NUMBER` of tokens a project may use a minute of one model", value: number(1, math.MaxInt32, func(c *Config) *int { return &c.TokensPerMinute })},
		{name: "max-project-files", usage: "the `SIZE` the files of a project may have together, such as 100GB; 0 is no limit", value: size(0, func(c *Config) *int64 { return &c.MaxProjectFiles })},
	}},
	{title: "Webhooks", settings: []setting{
		{name: "webhooks", usage: "tell these `URLS` when 80, 95 and 100 percent of a budget are spent; with commas between", value: webAddresses(func(c *Config) *[]string { return &c.Webhooks })},
		{name: "webhook-secret", usage: "what webhooks are signed with: whsec_ and base64, or any other text", value: text(func(c *Config) *string { return &c.WebhookSecret }), secret: true},
	}},
	{title: "Other servers", settings: []setting{
		{name: "upstream", usage: "send what is asked for under other names than local models' own to the OpenAI-compatible server at this `URL` (key: RAGSTONE_UPSTREAM_KEY)", value: webAddress("https://api.openai.com/v1", func(c *Config) *string { return &c.Upstream })},
		{name: "upstream-key", usage: "the key that --upstream's server is given; without --upstream it does nothing", value: text(func(c *Config) *string { return &c.UpstreamKey }), secret: true},
	}, sections: []section{upstreams}},
	{title: "State", settings: []setting{
		{name: "database", usage: "keep accounts, the ledger and other rows in the PostgreSQL database at this `URL` instead of a file of the home", value: databaseURL(func(c *Config) *string { return &c.Database }), redact: redactURL},
		{name: "secret-file", usage: "the `FILE` with the secret that keys are hashed with, which servers of one database share; default secret in the home's folder state", value: path(func(c *Config) *string { return &c.SecretFile })},
		{name: "blobs", usage: "keep the contents of files at this `URL`, s3://BUCKET?region=REGION or file:///FOLDER, instead of the home's folder blobs (credentials for S3: as AWS's own programs take them)", value: blobURL(func(c *Config) *string { return &c.Blobs }), redact: redactURL},
		{name: "sync-ledger", usage: "`true` makes what requests cost survive a power loss too: the disk has it before an answer ends", value: toggle(func(c *Config) *bool { return &c.SyncLedger })},
	}},
	{title: "Logs and traces", settings: []setting{
		{name: "log-format", usage: "`text` or json, one line an entry on standard error", value: oneOf(func(c *Config) *string { return &c.LogFormat }, "text", "json")},
		{name: "log-level", usage: "log from this `LEVEL` on: debug, info, warn or error", value: oneOf(func(c *Config) *string { return &c.LogLevel }, "debug", "info", "warn", "error")},
		{name: "trace-endpoint", usage: "send traces to the OpenTelemetry collector at this `URL` (OTLP over HTTP), such as http://127.0.0.1:4318", value: webAddress("http://127.0.0.1:4318", func(c *Config) *string { return &c.TraceEndpoint })},
		{name: "trace-headers", usage: "what the collector is sent with them, such as api-key=SECRET; with commas between", value: headers(func(c *Config) *string { return &c.TraceHeaders }), secret: true},
		{name: "trace-sample", usage: "the `PART` of requests that are traced, from 0 to 1; a caller who traces decides for its own", value: fraction(func(c *Config) *float64 { return &c.TraceSample })},
	}},
	{title: "Where models come from", settings: []setting{
		{name: "hub", usage: "the `URL` of the model hub, in Hugging Face layout", value: webAddress("https://huggingface.co", func(c *Config) *string { return &c.HubURL }), variables: []string{"RAGSTONE_HUB", "HF_ENDPOINT"}, noFlag: true},
		{name: "hub-token", usage: "sent to the hub, and nowhere else", value: text(func(c *Config) *string { return &c.HubToken }), variables: []string{"RAGSTONE_HUB_TOKEN", "HF_TOKEN"}, secret: true},
	}},
	{title: "The terminal", settings: []setting{
		{name: "no-color", usage: "turns colour off when it is set to anything", value: presence(func(c *Config) *bool { return &c.NoColor }), variables: []string{"NO_COLOR"}, noFlag: true, noKey: true},
	}},
}

// settings and sections are all of the groups'.
var settings, sections = func() (all []setting, parts []section) {
	for _, g := range groups {
		all = append(all, g.settings...)
		parts = append(parts, g.sections...)
	}
	return all, parts
}()

// names are the setting's environment variables.
func (s setting) names() []string {
	if s.variables != nil {
		return s.variables
	}
	return []string{"RAGSTONE_" + strings.ToUpper(s.key())}
}

// flag is the name of the setting's flag; empty if it has none.
func (s setting) flag() string {
	if s.noFlag || s.secret {
		return ""
	}
	return s.name
}

// key is the setting's key in the file.
func (s setting) key() string { return strings.ReplaceAll(s.name, "-", "_") }

// Flags returns the names of the settings that have a flag.
func Flags() []string {
	var names []string
	for _, s := range settings {
		if flag := s.flag(); flag != "" {
			names = append(names, flag)
		}
	}
	return names
}

// Usage returns the help text of a setting's flag, with its default and the
// environment variable that does the same.
func Usage(flag string) string {
	for _, s := range settings {
		if s.flag() == flag {
			return s.usage + s.defaultNote() + " [" + s.names()[0] + "]"
		}
	}
	panic("config.Usage: no setting has the flag --" + flag)
}

// defaultNote is the setting's default in brackets, if it has one.
func (s setting) defaultNote() string {
	if value := s.defaultText(); value != "" {
		return " (default " + value + ")"
	}
	return ""
}

// shown is a value as it may be shown.
func (s setting) shown(text string) string {
	switch {
	case text == "":
		return ""
	case s.secret:
		return masked
	case s.redact != nil:
		return s.redact(text)
	}
	return text
}

func (s setting) defaultText() string {
	c := defaults()
	return s.value.get(&c)
}
