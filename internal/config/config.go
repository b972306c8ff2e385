// Package config is Ragstone's one configuration and the only reader of the
// environment: every other package is told what it needs.
//
// # Where a value comes from
//
// The first place that names it: a command-line flag, an environment variable,
// the configuration file, the built-in default. The file is YAML: the one that
// --config or RAGSTONE_CONFIG names, else ragstone.yaml in Ragstone's home if
// there is one. Load reports every problem of every place at once, and those of
// the file with its line.
//
// # The table
//
// The settings are one table (settings.go), from which come flags, variables,
// keys of the file, their help, and docs/configuration.md. A setting called
// max-memory is --max-memory, RAGSTONE_MAX_MEMORY, and max_memory in the file. What does
// not fit a line is a section (sections.go): a map or a list that only the file
// has.
//
// # The file
//
// A file is taken whole or not at all. An unknown key is an error that names the
// nearest known one; a key may stand once; anchors, tags and several documents
// in one file are refused. A relative path is relative to the file's folder. A file
// that holds a secret must not be readable by everybody on the machine
// (docs/decisions/0017-configuration.md).
package config

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"
)

// Config is what an operator may choose. Its zero value is not usable; Load
// fills the defaults. The table says what the fields mean.
type Config struct {
	Home     string // holds everything Ragstone keeps: models, indexes, keys
	HubURL   string
	HubToken string // sent to HubURL, and nowhere else
	NoColor  bool

	Addr           string // HOST:PORT
	TLSCert        string // a file of PEM; empty serves plain HTTP
	TLSKey         string
	CORSOrigins    []string // whose pages may call the server from a browser
	MaxConnections int      // zero: no limit
	MaxBody        int64    // bytes of a JSON request
	MaxBodyMemory  int64    // bytes, of all requests together
	AnswerTimeout  time.Duration
	DrainTimeout   time.Duration

	// ChatModel and EmbeddingModel are the local models the server loads: a
	// catalog name or a path; empty loads none.
	ChatModel      string
	EmbeddingModel string
	Threads        int // of the model runtime; Load resolves 0 to the processors
	Precision      string
	CachePrecision string
	MaxMemory      int64 // bytes of loaded models and their caches; zero: no limit
	Idle           time.Duration
	CompletionCap  int
	Aliases        []Alias

	RequestsPerMinute int // of one project and model
	TokensPerMinute   int
	MaxProjectFiles   int64 // bytes; zero: no limit

	Webhooks      []string // URLs that are told how far budgets are spent
	WebhookSecret string   // what they are signed with

	// Upstream is the base URL of an OpenAI-compatible server that runs what
	// is asked of the server under any name but a local model's own; empty is
	// none. UpstreamKey is its bearer token; it has no effect without one: a key
	// that happens to lie in the environment never sends a document out.
	Upstream    string
	UpstreamKey string

	// Upstreams are further such servers. Only the file has them.
	Upstreams []Upstream

	Database   string // postgres://…; empty: a file in the home
	Blobs      string // s3://… or file://…; empty: a folder in the home
	SecretFile string // empty: in the home
	SyncLedger bool

	LogFormat     string // text or json
	LogLevel      string // debug, info, warn or error
	TraceEndpoint string // an OTLP collector over HTTP; empty: no traces
	TraceHeaders  string // NAME=VALUE,… sent to it
	TraceSample   float64
}

// The models that are loaded unless others are named.
const (
	DefaultChatModel      = "smollm2-135m-instruct"
	DefaultEmbeddingModel = "all-minilm-l6-v2"
)

func defaults() Config {
	return Config{
		HubURL:            "https://huggingface.co",
		Addr:              "127.0.0.1:8080",
		MaxConnections:    8192,
		MaxBody:           16 << 20,
		MaxBodyMemory:     512 << 20,
		AnswerTimeout:     10 * time.Minute,
		DrainTimeout:      30 * time.Second,
		ChatModel:         DefaultChatModel,
		EmbeddingModel:    DefaultEmbeddingModel,
		Precision:         "f32",
		CachePrecision:    "f16",
		CompletionCap:     4096,
		RequestsPerMinute: 10_000,
		TokensPerMinute:   2_000_000,
		LogFormat:         "text",
		LogLevel:          "info",
		TraceSample:       1,
	}
}

// Override is a value that a command-line flag gives to a setting; that of the
// flag config names the configuration file.
type Override struct {
	Flag  string // its name, without the dashes
	Value string
}

// Load reads the configuration file and the process's environment and puts the
// overrides over them.
func Load(overrides ...Override) (Config, error) {
	l := newLoader(os.Getenv)
	return l.load(overrides)
}

// Effective is a setting's value and the place it came from.
type Effective struct {
	Key    string `json:"setting"` // as the file has it, else its variable
	Value  string `json:"value"`   // secrets are masked
	Source string `json:"from"`    // such as default, --addr, or ragstone.yaml:7
}

// LoadEffective is Load that also tells where each value came from.
func LoadEffective(overrides ...Override) ([]Effective, error) {
	l := newLoader(os.Getenv)
	c, err := l.load(overrides)
	return l.effective(c), err
}

// loader collects a configuration and all that is wrong with it.
type loader struct {
	getenv   func(string) string
	config   Config
	path     string            // of the file, if there is one
	sources  map[string]string // of settings and sections, by name
	lines    map[string]int    // of the file, by what stands there: max_memory, upstreams[0].url
	failed   map[string]bool   // what could not be read, of lines
	partial  bool              // another environment may add to what is here
	problems []error
}

func newLoader(getenv func(string) string) *loader {
	return &loader{getenv: getenv, config: defaults(), sources: map[string]string{}, lines: map[string]int{}, failed: map[string]bool{}}
}

func (l *loader) load(overrides []Override) (Config, error) {
	l.findHome()
	if path := l.findFile(overrides); path != "" {
		l.readFile(path)
	}
	for _, s := range settings {
		l.override(s, overrides)
	}
	l.finish()
	return l.config, errors.Join(l.problems...)
}

// override sets a setting that the environment or a flag names.
func (l *loader) override(s setting, overrides []Override) {
	for _, name := range s.names() {
		if value := l.getenv(name); value != "" {
			l.apply(s, name, value)
			break
		}
	}
	for _, o := range overrides {
		if o.Flag == s.flag() {
			l.apply(s, "--"+o.Flag, o.Value)
		}
	}
}

// apply sets a setting from text; source is the variable or flag it came from.
func (l *loader) apply(s setting, source, text string) {
	if err := s.value.set(&l.config, text); err != nil {
		l.problems = append(l.problems, fmt.Errorf("%s is %q: %w", source, s.shown(text), err))
		return
	}
	l.sources[s.name] = source
}

// finish fills what depends on the machine and checks what goes together.
func (l *loader) finish() {
	c := &l.config
	if c.Threads == 0 {
		c.Threads = runtime.GOMAXPROCS(0)
	}
	if (c.TLSCert == "") != (c.TLSKey == "") && !l.partial {
		l.problems = append(l.problems, errors.New("tls_cert and tls_key go together: name the files of both the certificate and its key, or of neither"))
	}
	if c.MaxBodyMemory < c.MaxBody {
		l.problems = append(l.problems, fmt.Errorf("max_body_memory is %s and max_body %s: a body of that size would never be read; raise the first or lower the second", sizeText(c.MaxBodyMemory), sizeText(c.MaxBody)))
	}
	if len(c.Webhooks) > 0 && c.WebhookSecret == "" && !l.partial {
		l.problems = append(l.problems, errors.New("webhooks is set and webhook_secret is not: set it, or RAGSTONE_WEBHOOK_SECRET, so that whoever receives them can tell them from others'"))
	}
	l.checkUpstreams()
	l.checkAliases()
	slices.SortStableFunc(l.problems, func(a, b error) int { return cmp.Compare(lineOf(a), lineOf(b)) })
}

// lineOf orders problems: those of the file by line, then the others.
func lineOf(problem error) int {
	if e, ok := errors.AsType[*FileError](problem); ok {
		return e.Line
	}
	return math.MaxInt
}

// findHome sets the home, which the environment alone can name: the file is
// looked for there.
func (l *loader) findHome() {
	if l.config.Home = l.getenv("RAGSTONE_HOME"); l.config.Home != "" {
		return
	}
	home, err := defaultHome(l.getenv)
	if err != nil {
		l.problems = append(l.problems, err)
	}
	l.config.Home = home
}

// defaultHome is the platform's folder for a user's application data: the XDG
// base directory specification on Unix, Application Support on macOS, and
// LocalAppData on Windows.
func defaultHome(getenv func(string) string) (string, error) {
	if dir := getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "ragstone"), nil
	}
	if dir := getenv("LocalAppData"); runtime.GOOS == "windows" && dir != "" {
		return filepath.Join(dir, "ragstone"), nil
	}
	user, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("no home directory (%w): set RAGSTONE_HOME to a folder Ragstone may write to", err)
	}
	if runtime.GOOS == "darwin" {
		return filepath.Join(user, "Library", "Application Support", "ragstone"), nil
	}
	return filepath.Join(user, ".local", "share", "ragstone"), nil
}
