package config

import (
	"fmt"
	"strings"
)

// masked stands for a secret.
const masked = "***"

// Example returns a configuration file that names every setting and section, in
// comments, with their defaults.
func Example() string {
	var b strings.Builder
	b.WriteString("# Ragstone's configuration. Every line that sets something is a comment: what\n# stands there is the default, or an example where there is none.\n")
	for _, g := range groups {
		if g.inFile() {
			fmt.Fprintf(&b, "\n## %s\n", g.title)
		}
		for _, s := range g.settings {
			if !s.noKey {
				s.writeExample(&b)
			}
		}
		for _, s := range g.sections {
			s.writeExample(&b)
		}
	}
	return b.String()
}

// inFile reports whether the file has anything of a group.
func (g group) inFile() bool {
	for _, s := range g.settings {
		if !s.noKey {
			return true
		}
	}
	return len(g.sections) > 0
}

func (s setting) writeExample(b *strings.Builder) {
	places := s.names()
	if flag := s.flag(); flag != "" {
		places = append([]string{"--" + flag}, places...)
	}
	comment(b, sentence(s.usage)+" ["+strings.Join(places, ", ")+"]")
	b.WriteString(strings.TrimRight("# "+s.key()+": "+s.defaultText(), " ") + "\n")
}

func (s section) writeExample(b *strings.Builder) {
	comment(b, s.usage)
	for _, field := range s.fields {
		wrap(b, "#   ", "#     ", field.key+": "+field.usage)
	}
	for _, text := range strings.Split(s.example, "\n") {
		b.WriteString("# " + text + "\n")
	}
}

// sentence is a flag's usage as a sentence of its own.
func sentence(usage string) string {
	usage = strings.ReplaceAll(usage, "`", "")
	return strings.ToUpper(usage[:1]) + usage[1:] + "."
}

// comment begins a paragraph of comment.
func comment(b *strings.Builder, text string) {
	b.WriteString("\n")
	wrap(b, "# ", "# ", text)
}

// wrap writes text in lines that are not overlong: the first begins with first,
// the others with next.
func wrap(b *strings.Builder, first, next, text string) {
	const width = 90
	line := first
	for i, word := range strings.Fields(text) {
		if i > 0 && len(line)+1+len(word) > width {
			b.WriteString(line + "\n")
			line = next + word
			continue
		}
		if i > 0 {
			line += " "
		}
		line += word
	}
	b.WriteString(line + "\n")
}

// effective is what a configuration has of every setting and section, and where
// it is from.
func (l *loader) effective(c Config) []Effective {
	list := []Effective{{"RAGSTONE_HOME", c.Home, l.sourceOfHome()}}
	for _, g := range groups {
		for _, s := range g.settings {
			e := Effective{s.key(), s.shown(s.value.get(&c)), l.source(s.name)}
			if s.noKey {
				e.Key = s.names()[0]
			}
			list = append(list, e)
		}
		for _, s := range g.sections {
			list = append(list, Effective{s.key, s.show(&c), l.source(s.key)})
		}
	}
	return list
}

func (l *loader) source(name string) string {
	if source := l.sources[name]; source != "" {
		return source
	}
	return "default"
}

func (l *loader) sourceOfHome() string {
	if l.getenv("RAGSTONE_HOME") != "" {
		return "RAGSTONE_HOME"
	}
	return "default"
}
