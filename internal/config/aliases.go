package config

import (
	"path/filepath"
	"slices"
	"strings"
)

// Alias is a name that means a model.
type Alias struct {
	Name  string // what programs ask for
	Model string // what runs: the name of a local model or of an upstream's
}

var aliases = section{
	key:     "aliases",
	usage:   "Names that programs ask for, and the models they mean. They win over the built-in ones.",
	example: "aliases:\n  gpt-4.1-mini: smollm2-135m-instruct\n  text-embedding-3-large: all-minilm-l6-v2",
	read: func(f *file, e entry) {
		for _, alias := range f.entries(e.value, "aliases") {
			model, ok := f.scalar(alias.value, alias.key)
			switch {
			case ok && (alias.key == "" || model == ""):
				f.fail(alias.line, "an alias has no name or no model: write NAME: MODEL")
			case ok:
				f.lines["aliases."+alias.key] = alias.line
				f.config.Aliases = append(f.config.Aliases, Alias{alias.key, model})
			}
		}
	},
	show: func(c *Config) string {
		var names []string
		for _, a := range c.Aliases {
			names = append(names, a.Name+"="+a.Model)
		}
		slices.Sort(names)
		return strings.Join(names, ", ")
	},
}

// LocalName is what a local model is called whose catalog name or path is ref.
func LocalName(ref string) string {
	name := filepath.Base(filepath.ToSlash(ref))
	return strings.TrimSuffix(name, ".gguf")
}

// localModels are the names of the local models.
func (c *Config) localModels() (names []string) {
	for _, ref := range []string{c.ChatModel, c.EmbeddingModel} {
		if ref != "" {
			names = append(names, LocalName(ref))
		}
	}
	return names
}

// checkAliases notes aliases that do not mean what they are to.
func (l *loader) checkAliases() {
	c := &l.config
	local := c.localModels()
	served := func(name string) bool {
		return c.Upstream != "" || slices.Contains(local, name) ||
			slices.ContainsFunc(c.Upstreams, func(u Upstream) bool { return u.serves(name) })
	}
	for _, a := range c.Aliases {
		switch {
		case a.Name == a.Model:
			l.failAt("aliases", wrong(a.Name, "it means itself: leave it out, or name another model"))
		case slices.Contains(local, a.Name):
			l.failAt("aliases", wrong(a.Name, "a local model has that name and wins: choose another name"))
		case slices.ContainsFunc(c.Aliases, func(b Alias) bool { return b.Name == a.Model }) && !slices.Contains(local, a.Model):
			l.failAt("aliases", wrong(a.Name, "%s is an alias itself: name the model that it means", a.Model))
		case !served(a.Model):
			l.failAt("aliases", wrong(a.Name, "no local model and no upstream has the name %s: write one that has, such as %s", a.Model, strings.Join(append(local, "a name in an upstream's models"), " or ")))
		}
	}
}
