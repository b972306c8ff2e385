package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// FileName is what the configuration file is called in Ragstone's home.
const FileName = "ragstone.yaml"

// maxFile bounds the bytes of a configuration file.
const maxFile = 1 << 20

// FileError is something wrong at a line of the configuration file; line 0 is
// the file as a whole.
type FileError struct {
	Path    string
	Line    int
	Problem string
}

func (e *FileError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %s", e.Path, e.Problem)
	}
	return fmt.Sprintf("%s:%d: %s", e.Path, e.Line, e.Problem)
}

// CheckFile returns the path of the configuration file and every problem of it,
// joined; those of a line are a *FileError. With a path it checks that file, and
// what the file leaves open may come from the environment, this one or another.
// Without a path it checks all that Load would read, and the path is empty if
// there is no file.
func CheckFile(path string, overrides ...Override) (string, error) {
	return newLoader(os.Getenv).checkFile(path, overrides)
}

func (l *loader) checkFile(path string, overrides []Override) (string, error) {
	if path == "" {
		_, err := l.load(overrides)
		return l.path, err
	}
	l.findHome()
	l.readFile(path)
	l.partial = true
	for _, s := range settings {
		if l.sources[s.name] == "" {
			l.override(s, overrides)
		}
	}
	l.finish()
	return path, errors.Join(l.problems...)
}

// findFile returns the path of the file that is named, or that lies in the home;
// empty if there is none.
func (l *loader) findFile(overrides []Override) string {
	for _, o := range overrides {
		if o.Flag == "config" {
			return o.Value
		}
	}
	if path := l.getenv("RAGSTONE_CONFIG"); path != "" {
		return path
	}
	path := filepath.Join(l.config.Home, FileName)
	if _, err := os.Stat(path); err != nil {
		return "" // what is wrong with a home that cannot be looked into, its use will tell
	}
	return path
}

// file is a configuration file that is being read.
type file struct {
	*loader
	path   string
	shown  string // of the path, in sources
	secret int    // a line that holds a secret, if one does
}

// fail notes a problem at a line.
func (f *file) fail(line int, format string, arguments ...any) {
	f.problems = append(f.problems, &FileError{f.path, line, fmt.Sprintf(format, arguments...)})
}

// readFile takes what a configuration file has.
func (l *loader) readFile(path string) {
	l.path = path
	f := &file{loader: l, path: path, shown: filepath.Base(path)}
	info, err := os.Stat(path)
	if err != nil {
		f.fail(0, "%v: name a file that exists, or none", errors.Unwrap(err))
		return
	}
	if info.Size() > maxFile {
		f.fail(0, "it has more than %d bytes: is it a configuration file?", maxFile)
		return
	}
	data, err := os.ReadFile(path)
	if err != nil {
		f.fail(0, "%v", errors.Unwrap(err))
		return
	}
	f.parse(data)
	if f.secret > 0 && runtime.GOOS != "windows" && info.Mode().Perm()&0o004 != 0 {
		f.fail(f.secret, "the file holds a secret and everybody on this machine may read it: run `chmod 600 %s`, or put the secret into the environment", path)
	}
}

// parse takes what a file's text has.
func (f *file) parse(data []byte) {
	tree, err := parser.ParseBytes(data, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		line := 0
		if at, ok := errors.AsType[yaml.Error](err); ok && at.GetToken() != nil {
			line, err = at.GetToken().Position.Line, errors.New(at.GetMessage())
		}
		f.fail(line, "this is not YAML: %v", err)
		return
	}
	var body ast.Node
	for _, document := range tree.Docs {
		switch {
		case document.Body == nil || document.Body.Type() == ast.CommentType:
		case body != nil:
			f.fail(line(document.Body), "a second document begins: keep everything in one")
			return
		default:
			body = document.Body
		}
	}
	if body == nil || body.Type() == ast.NullType {
		return
	}
	for _, e := range f.entries(body, "the file") {
		f.take(e)
	}
}

// take sets the setting or section that an entry of the file is.
func (f *file) take(e entry) {
	known := []string{}
	for _, s := range settings {
		if s.noKey {
			continue
		}
		if s.key() == e.key {
			f.takeSetting(s, e)
			return
		}
		known = append(known, s.key())
	}
	for _, s := range sections {
		if s.key == e.key {
			s.read(f, e)
			f.sources[s.key] = f.at(e.line)
			return
		}
		known = append(known, s.key)
	}
	f.unknown(e, "", known)
}

func (f *file) takeSetting(s setting, e entry) {
	text, ok := f.scalar(e.value, s.key())
	if !ok || text == "" {
		return
	}
	if s.shown(text) != text {
		f.secret = e.line
	}
	if s.value.isPath {
		text = f.beside(text)
	}
	if err := s.value.set(&f.config, text); err != nil {
		f.fail(e.line, "%s is %q: %v", s.key(), s.shown(text), err)
		return
	}
	f.sources[s.name] = f.at(e.line)
	f.lines[s.key()] = e.line
}

func (f *file) at(line int) string { return fmt.Sprintf("%s:%d", f.shown, line) }

// unknown says that nothing has an entry's key.
func (f *file) unknown(e entry, in string, known []string) {
	if in != "" {
		in = " of " + in
	}
	if near := nearest(e.key, known); near != "" {
		f.fail(e.line, "there is no %q%s; did you mean %s?", e.key, in, near)
		return
	}
	f.fail(e.line, "there is no %q%s; `ragstone config example` shows what there is", e.key, in)
}

// nearest is the word that differs in the fewest letters from a mistyped one,
// if it is like it at all: at most a third of its letters, and never more than
// three.
func nearest(word string, known []string) string {
	best, least := "", min(3, len(word)/3)+1
	for _, k := range known {
		if d := distance(strings.ToLower(strings.ReplaceAll(word, "-", "_")), k); d < least {
			best, least = k, d
		}
	}
	return best
}

// distance is the number of letters to insert, delete or replace to turn a into
// b (Levenshtein 1966).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
