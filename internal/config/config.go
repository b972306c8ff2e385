// Package config is Ragstone's one configuration and the only reader of the
// environment: every other package is told what it needs.
//
// A value is taken from the first place that names it: a command-line flag,
// an environment variable, the built-in default. Load reports every problem
// it finds at once.
package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
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
	// RAGSTONE_MAX_MEMORY, in bytes; zero means no limit.
	MaxMemory int64

	// NoColor turns colour off. NO_COLOR, when set to anything.
	NoColor bool

	// UpstreamKey is the bearer token for an upstream that a flag names.
	// RAGSTONE_UPSTREAM_KEY. It has no effect without such a flag: a key that
	// happens to lie in the environment never sends a document out.
	UpstreamKey string
}

// Load reads the process's environment.
func Load() (Config, error) { return load(os.Getenv) }

func load(getenv func(string) string) (Config, error) {
	c := Config{
		Home:        getenv("RAGSTONE_HOME"),
		HubURL:      first(getenv("RAGSTONE_HUB"), getenv("HF_ENDPOINT"), "https://huggingface.co"),
		HubToken:    getenv("HF_TOKEN"),
		Threads:     runtime.GOMAXPROCS(0),
		NoColor:     getenv("NO_COLOR") != "",
		UpstreamKey: getenv("RAGSTONE_UPSTREAM_KEY"),
	}
	var problems []error
	if c.Home == "" {
		home, err := defaultHome(getenv)
		problems = append(problems, err)
		c.Home = home
	}
	if s := getenv("RAGSTONE_THREADS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > 1024 {
			problems = append(problems, fmt.Errorf("RAGSTONE_THREADS is %q: want a number from 1 to 1024", s))
		}
		c.Threads = n
	}
	if s := getenv("RAGSTONE_MAX_MEMORY"); s != "" {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || n < 0 {
			problems = append(problems, fmt.Errorf("RAGSTONE_MAX_MEMORY is %q: want a number of bytes", s))
		}
		c.MaxMemory = n
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

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
