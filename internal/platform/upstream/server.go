package upstream

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/ragstone/ragstone/internal/config"
)

// Server is a server that speaks OpenAI's API, as the operator describes it.
type Server struct {
	Name string // what answers, metrics and the log call it
	URL  string // base, such as https://api.openai.com/v1
	Key  string // bearer token; empty sends none

	// Models are the names it serves; * in one stands for any text. Renames are
	// names it serves and what it calls them.
	Models  []string
	Renames map[string]string

	// Priority orders servers that serve the same name: the lowest number is
	// asked first. Weight is how often one is asked beside those of the same
	// number; zero means 1.
	Priority int
	Weight   int

	// Headers are sent with every request. Their values are kept as secret as
	// the key.
	Headers map[string]string

	// ConnectTimeout bounds the time to a connection, default 10 seconds;
	// FirstByteTimeout that to the first byte of an answer's body, default two
	// minutes; IdleTimeout a silence within it, default two minutes; Timeout
	// the whole, default ten minutes.
	ConnectTimeout   time.Duration
	FirstByteTimeout time.Duration
	IdleTimeout      time.Duration
	Timeout          time.Duration

	// MaxConcurrent bounds the requests that run at once; one more is sent to
	// another server or refused. Default 256.
	MaxConcurrent int

	// Retries are the further attempts of one request at this server. Zero
	// means 2; negative, none.
	Retries int

	// Probe asks for its models so often, to know whether it is well. Zero
	// never does.
	Probe time.Duration

	// ListModels shows the models it lists, and that match Models, among ours.
	ListModels bool
}

func (s Server) withDefaults() Server {
	s.URL = strings.TrimRight(s.URL, "/")
	s.Weight = cmp.Or(s.Weight, 1)
	s.ConnectTimeout = cmp.Or(s.ConnectTimeout, 10*time.Second)
	s.FirstByteTimeout = cmp.Or(s.FirstByteTimeout, 2*time.Minute)
	s.IdleTimeout = cmp.Or(s.IdleTimeout, 2*time.Minute)
	s.Timeout = cmp.Or(s.Timeout, 10*time.Minute)
	s.MaxConcurrent = cmp.Or(s.MaxConcurrent, 256)
	s.Retries = max(0, cmp.Or(s.Retries, 2))
	return s
}

// Validate reports all that is wrong with the description.
func (s Server) Validate() error {
	var problems []error
	add := func(format string, args ...any) {
		problems = append(problems, fmt.Errorf("upstream %s: "+format, append([]any{cmp.Or(s.Name, s.URL)}, args...)...))
	}
	if s.Name == "" || strings.TrimFunc(s.Name, isNameRune) != "" {
		add("its name is %q: want letters, digits, dots, dashes and underscores", s.Name)
	}
	base, err := url.Parse(s.URL)
	switch {
	case err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "":
		add("its URL is not one such as https://api.openai.com/v1")
	case base.User != nil || base.RawQuery != "" || base.Fragment != "":
		add("its URL may have a scheme, a host and a path only; the key goes elsewhere")
	}
	if len(s.Models)+len(s.Renames) == 0 {
		add("it serves no models: name some, or * for all")
	}
	for name, header := range s.Headers {
		if !validHeader(name) || strings.ContainsAny(header, "\r\n\x00") {
			add("the header %q cannot be sent", name)
		}
	}
	if strings.ContainsAny(s.Key, "\r\n\x00") {
		add("its key is more than one line")
	}
	if s.Weight < 0 || s.MaxConcurrent < 0 {
		add("weight and concurrent requests cannot be below zero")
	}
	for _, d := range []time.Duration{s.ConnectTimeout, s.FirstByteTimeout, s.IdleTimeout, s.Timeout, s.Probe} {
		if d < 0 {
			add("a time cannot be below zero")
			break
		}
	}
	return errors.Join(problems...)
}

func isNameRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '-' || r == '_'
}

// validHeader reports whether an operator may set a header: those that the
// request itself needs are ours.
func validHeader(name string) bool {
	switch http.CanonicalHeaderKey(name) {
	case "", "Host", "Content-Length", "Content-Type", "Transfer-Encoding", "Connection", "Accept-Encoding":
		return false
	}
	return strings.TrimFunc(name, func(r rune) bool { return isNameRune(r) && r != '.' }) == ""
}

// called is what the server calls a model, and whether it serves it.
func (s Server) called(name string) (string, bool) {
	if own, ok := s.Renames[name]; ok {
		return own, true
	}
	for _, pattern := range s.Models {
		if config.Matches(pattern, name) {
			return name, true
		}
	}
	return "", false
}
