package config

import (
	"regexp"
	"time"
)

// Price is what an upstream's model costs from a day on, in dollars per million
// tokens, as decimal texts.
type Price struct {
	Model  string `yaml:"model" doc:"the name it is asked for by"`
	Since  string `yaml:"since" doc:"the first day, in UTC, such as 2026-11-01 (default always)"`
	Input  string `yaml:"input" doc:"of a million tokens of prompts"`
	Cached string `yaml:"cached" doc:"of a million of them that it had computed before (default as input)"`
	Output string `yaml:"output" doc:"of a million tokens of answers"`
}

// From is the moment from which the price holds; zero is always.
func (p Price) From() time.Time {
	at, _ := time.Parse(time.DateOnly, p.Since) // complete has looked at it
	return at
}

// perMillion is a price that the ledger, whose unit is 10⁻¹² dollar a token, has
// without rounding.
var perMillion = regexp.MustCompile(`^[0-9]{1,6}(\.[0-9]{1,6})?$`)

// complete fills the defaults and says all that is wrong with a price of an
// upstream that serves what serves says.
func (p *Price) complete(place string, serves func(string) bool) (problems []error) {
	add := func(field, format string, arguments ...any) {
		problems = append(problems, wrong(place+"."+field, format, arguments...))
	}
	switch {
	case p.Model == "":
		add("model", "it is missing: name a model that this upstream serves")
	case !serves(p.Model):
		add("model", "models and rename have no %q: write the name that programs ask for", p.Model)
	}
	if _, err := time.Parse(time.DateOnly, p.Since); p.Since != "" && err != nil {
		add("since", "it is %q: want a day such as 2026-11-01", p.Since)
	}
	if p.Cached == "" {
		p.Cached = p.Input
	}
	for _, f := range []struct{ name, text string }{{"input", p.Input}, {"cached", p.Cached}, {"output", p.Output}} {
		switch {
		case perMillion.MatchString(f.text) || f.name == "cached" && p.Cached == p.Input:
		case f.text == "":
			add(f.name, "it is missing: want dollars per million tokens such as 0.15; 0 is free")
		default:
			add(f.name, "it is %q: want dollars per million tokens such as 0.15, with at most six decimals", f.text)
		}
	}
	return problems
}
