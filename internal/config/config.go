// Package config is Ragstone's one configuration and the only reader of the
// environment: every other package is told what it needs.
//
// A value is taken from the first place that names it: a command-line flag,
// an environment variable, the built-in default. Load reports every problem
// it finds at once.
//
// The settings are one table (settings.go): each has an environment variable,
// and most have the name of a flag, which a command offers where the setting
// means something to it.
package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

// Config is what an operator may choose. Its zero value is not usable; Load
// fills the defaults.
type Config struct {
	// Home holds everything Ragstone keeps: models, indexes, keys.
	// RAGSTONE_HOME; default is the platform's per-user data directory.
	Home string

	// HubURL is the model hub models are fetched from, in Hugging Face layout.
	// RAGSTONE_HUB, else HF_ENDPOINT; default https://huggingface.co.
	HubURL string

	// HubToken is sent to HubURL, and nowhere else. HF_TOKEN; default none.
	HubToken string

	// Threads is the number of threads the model runtime uses.
	// RAGSTONE_THREADS; default is the number of processors.
	Threads int

	// MaxMemory bounds the bytes of loaded models and their caches.
	// --max-memory, RAGSTONE_MAX_MEMORY, such as 2GB; zero means no limit.
	MaxMemory int64

	// Idle is how long the server keeps a model loaded that nobody uses.
	// --idle, RAGSTONE_IDLE; zero means for ever.
	Idle time.Duration

	// NoColor turns colour off. NO_COLOR, when set to anything.
	NoColor bool

	// UpstreamKey is the bearer token for an upstream that a flag names.
	// RAGSTONE_UPSTREAM_KEY. It has no effect without such a flag: a key that
	// happens to lie in the environment never sends a document out.
	UpstreamKey string

	// Addr is where the server listens, HOST:PORT. --addr, RAGSTONE_ADDR;
	// default 127.0.0.1:8080. Port 0 takes a free one.
	Addr string

	// Upstream is the base URL of an OpenAI-compatible server that runs what
	// is asked of the server under any name but a local model's own.
	// --upstream, RAGSTONE_UPSTREAM; default none.
	Upstream string

	// ChatModel and EmbeddingModel are the local models the server loads: a
	// catalog name or a path; empty loads none. --model, RAGSTONE_MODEL,
	// default smollm2-135m-instruct; --embedding-model,
	// RAGSTONE_EMBEDDING_MODEL, default all-minilm-l6-v2.
	ChatModel      string
	EmbeddingModel string

	// RequestsPerMinute and TokensPerMinute are how fast a project may use one
	// model of the server. --requests-per-minute, --tokens-per-minute and their
	// variables; defaults 10,000 and 2,000,000.
	RequestsPerMinute int
	TokensPerMinute   int
}

// The models that are loaded unless others are named.
const (
	DefaultChatModel      = "smollm2-135m-instruct"
	DefaultEmbeddingModel = "all-minilm-l6-v2"
)

// Override is a value that a command-line flag gives to a setting.
type Override struct {
	Flag  string // its name, without the dashes
	Value string
}

// Load reads the process's environment and puts the overrides over it.
func Load(overrides ...Override) (Config, error) { return load(os.Getenv, overrides) }

func load(getenv func(string) string, overrides []Override) (Config, error) {
	c := Config{
		HubURL:            "https://huggingface.co",
		Threads:           runtime.GOMAXPROCS(0),
		Addr:              "127.0.0.1:8080",
		ChatModel:         DefaultChatModel,
		EmbeddingModel:    DefaultEmbeddingModel,
		RequestsPerMinute: 10_000,
		TokensPerMinute:   2_000_000,
	}
	var problems []error
	for _, s := range settings {
		for _, name := range s.variables {
			if value := getenv(name); value != "" {
				problems = append(problems, s.apply(&c, name, value))
				break
			}
		}
		for _, o := range overrides {
			if o.Flag == s.flag {
				problems = append(problems, s.apply(&c, "--"+s.flag, o.Value))
			}
		}
	}
	if c.Home == "" {
		home, err := defaultHome(getenv)
		problems = append(problems, err)
		c.Home = home
	}
	return c, errors.Join(problems...)
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
