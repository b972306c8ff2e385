package document

import (
	"errors"
	"regexp"
	"strings"
)

// An ignoreRule is one line of a .gitignore file, as gitignore(5) defines it.
type ignoreRule struct {
	path    *regexp.Regexp // matches a slash-separated path relative to the rule's folder
	negated bool           // "!": matching paths are kept
	dirOnly bool           // "/" at the end: only folders match
	source  string         // for the reason shown, as "docs/.gitignore"
}

// ignoreRules are the rules of one folder, in the file's order.
type ignoreRules struct {
	// A name is relative to the root of the walk; the rules judge it relative
	// to their own folder. That is without below ("docs/") where the folder lies
	// in the root, and with above ("manual/en/") before it where it is the
	// other way about.
	below, above string

	rules []ignoreRule
}

// parseIgnore reads the lines of a .gitignore file. As git does, it drops the
// lines it cannot read.
func parseIgnore(source, text string) ignoreRules {
	var set ignoreRules
	for line := range strings.Lines(strings.TrimPrefix(text, "\uFEFF")) {
		rule, err := parseIgnoreRule(strings.TrimRight(line, "\r\n"))
		if err == nil && rule.path != nil {
			rule.source = source
			set.rules = append(set.rules, rule)
		}
	}
	return set
}

// verdict is what a set of rules says about a path.
type verdict int

const (
	silent verdict = iota // no rule names it
	ignored
	kept
)

// judge applies the rules to a name; the last one that matches decides. The
// second result is the rule's source.
func (s ignoreRules) judge(name string, dir bool) (verdict, string) {
	path := s.above + strings.TrimPrefix(name, s.below)
	for i := len(s.rules) - 1; i >= 0; i-- {
		r := s.rules[i]
		if (r.dirOnly && !dir) || !r.path.MatchString(path) {
			continue
		}
		if r.negated {
			return kept, r.source
		}
		return ignored, r.source
	}
	return silent, ""
}

// errBadPattern is returned for a pattern that can match nothing.
var errBadPattern = errors.New("a [ without its ] or a \\ at the end")

// parseIgnoreRule reads one line. A blank line or comment gives a rule without
// a path.
func parseIgnoreRule(line string) (ignoreRule, error) {
	var rule ignoreRule
	line = trimIgnoreSpaces(line)
	if line == "" || line[0] == '#' {
		return rule, nil
	}
	if line[0] == '!' {
		rule.negated = true
		line = line[1:]
	}
	if trimmed, ok := strings.CutSuffix(line, "/"); ok {
		rule.dirOnly = true
		line = trimmed
	}
	if line == "" {
		return rule, nil
	}
	// A slash at the start or inside ties the pattern to the rule's folder;
	// without one it may match at any depth.
	anchored := strings.Contains(line, "/")
	expr, err := globToRegexp(strings.TrimPrefix(line, "/"))
	if err != nil {
		return rule, err
	}
	if !anchored {
		expr = "(?:.*/)?" + expr
	}
	rule.path, err = regexp.Compile("(?s)^" + expr + "$")
	return rule, err
}

// trimIgnoreSpaces drops the spaces at the end that no backslash protects.
func trimIgnoreSpaces(line string) string {
	end := len(line)
	for end > 0 && line[end-1] == ' ' {
		end--
	}
	slashes := end
	for slashes > 0 && line[slashes-1] == '\\' {
		slashes--
	}
	if (end-slashes)%2 == 1 && end < len(line) {
		end++
	}
	return line[:end]
}

// globToRegexp translates the notation of gitignore(5). A regular expression
// matches in linear time, which a hostile pattern cannot spoil.
func globToRegexp(glob string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(glob); {
		rest := glob[i:]
		atStart := i == 0 || glob[i-1] == '/'
		switch {
		case atStart && strings.HasPrefix(rest, "**/"):
			b.WriteString("(?:.*/)?")
			i += 3
		case atStart && rest == "**":
			b.WriteString(".+")
			i += 2
		case rest[0] == '*':
			b.WriteString("[^/]*")
			i += len(rest) - len(strings.TrimLeft(rest, "*"))
		case rest[0] == '?':
			b.WriteString("[^/]")
			i++
		case rest[0] == '[':
			class, n, err := globClass(rest)
			if err != nil {
				return "", err
			}
			b.WriteString(class)
			i += n
		case rest[0] == '\\':
			if len(rest) == 1 {
				return "", errBadPattern
			}
			b.WriteString(regexp.QuoteMeta(rest[1:2]))
			i += 2
		default:
			b.WriteString(regexp.QuoteMeta(rest[:1]))
			i++
		}
	}
	return b.String(), nil
}

// globClass translates a bracket expression and returns its length in the
// glob. A class never matches a slash.
func globClass(glob string) (string, int, error) {
	var b strings.Builder
	i := 1
	if i < len(glob) && (glob[i] == '!' || glob[i] == '^') {
		b.WriteString("[^/")
		i++
	} else {
		b.WriteString("[")
	}
	for first := i; i < len(glob); i++ {
		switch c := glob[i]; {
		case c == ']' && i > first:
			b.WriteByte(']')
			return b.String(), i + 1, nil
		case c == '[' && strings.HasPrefix(glob[i:], "[:"):
			name, _, ok := strings.Cut(glob[i+2:], ":]")
			if !ok {
				return "", 0, errBadPattern
			}
			b.WriteString("[:" + name + ":]")
			i += len(name) + 3
		case c == '-' && i > first && i+1 < len(glob) && glob[i+1] != ']':
			b.WriteByte('-') // a range
		case c == '\\' && i+1 < len(glob):
			i++
			b.WriteString(regexp.QuoteMeta(glob[i : i+1]))
		case strings.IndexByte(`\[]^-&~`, c) >= 0:
			b.WriteString(`\` + string(rune(c)))
		default:
			b.WriteByte(c)
		}
	}
	return "", 0, errBadPattern
}
