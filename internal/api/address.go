package api

import (
	_ "embed"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// operations are those of OpenAI's published specification, version 2.3.0 of
// 2026-08-21, one a line. "# area" begins those that Ragstone is to serve,
// "= area" the others.
//
//go:embed operations.list
var operations string

// specified reports whether the specification has an operation, and whether that
// is to be served.
func specified(method, address string) (known, later bool) {
	for line := range strings.Lines(operations) {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch {
		case word == "#" || word == "=":
			later = word == "#"
		case word == method && fits("/v1"+rest, address):
			return true, later
		}
	}
	return false, false
}

// fits reports whether an address is one of a template, whose parts in braces are
// any text.
func fits(template, address string) bool {
	want, have := strings.Split(template, "/"), strings.Split(address, "/")
	return slices.EqualFunc(want, have, func(want, have string) bool {
		return want == have || strings.HasPrefix(want, "{") && have != ""
	})
}

// addressError means that nothing answers at a request's address.
type addressError struct {
	status  int
	message string
}

func (e *addressError) Error() string { return e.message }

// unknownURL answers where no address is routed.
func (a *api) unknownURL(c *call) error {
	if err := a.unserved(c); err != nil {
		return err
	}
	return &addressError{http.StatusNotFound, fmt.Sprintf("Unknown request URL: %s %s. Please check the URL for typos.", c.Method, c.URL.Path)}
}

// wrongMethod answers where an address is routed for other methods.
func (a *api) wrongMethod(c *call) error {
	if err := a.unserved(c); err != nil {
		return err
	}
	return &addressError{http.StatusMethodNotAllowed, fmt.Sprintf("Not allowed to %s on %s (HINT: the address is right, the method is not).", c.Method, c.URL.Path)}
}

// unserved is the error of a request that has no route and is for an operation
// of the API: its caller has made no mistake.
func (a *api) unserved(c *call) error {
	known, later := specified(c.Method, c.URL.Path)
	if !known {
		return nil
	}
	when := ""
	if later {
		when = " yet"
	}
	return &addressError{http.StatusNotFound, fmt.Sprintf("Unknown request URL: %s %s is an operation of the OpenAI API that this server does not serve%s.", c.Method, c.URL.Path, when)}
}
