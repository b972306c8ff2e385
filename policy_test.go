package ragstone

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The rules of this repository that a program can hold. Each test opens the
// source files itself: one that runs the go command would be answered from its
// cache and pass after the rule was broken.

const module = "github.com/ragstone/ragstone"

// floors is the import table, lowest floor first: a package may import only
// packages of a lower line. docs/architecture.md says what each is for.
//
// To add a package, put it on the lowest line above everything it imports. If
// an import you want points down this list, the code is in the wrong package:
// move the type to the package that owns its behaviour, or declare a small
// interface where it is used.
var floors = [][]string{
	{"internal/kernel", "internal/disk", "internal/openai", "internal/config"},
	{"internal/gguf", "internal/safetensors", "internal/quant"},
	{"internal/tokenizer", "internal/document"},
	{"internal/chunk", "internal/index", "internal/lexical", "internal/grammar"},
	{"internal/faiss"},
	{"vector/internal/container", "vector/internal/payload", "vector/internal/wal"},
	{"vector"},
	{"internal/model", "internal/chat"},
	{"internal/catalog"},
	{"llm", "eval"},
	{"rag"},
	{"internal/state", "internal/blobs"},
	{"internal/platform/account", "internal/platform/upstream"},
	{"internal/platform/inference", "internal/platform/files"},
	{"internal/api"},
	{"internal/server"},
	{"internal/cli"},
	{"cmd/ragstone"},
}

// testOnly may be imported by test files alone; they may import anything.
var testOnly = []string{"internal/testenv", "internal/disk/disktest", "internal/platform/upstream/upstreamtest"}

// environmentReaders may read the environment.
var environmentReaders = []string{"internal/config", "internal/testenv"}

func TestImportsPointDown(t *testing.T) {
	floor := floorOfPackages()
	for dir, files := range sourceFiles(t) {
		here, listed := floor[dir]
		if !listed && !slices.Contains(testOnly, dir) && !outsideTheProduct(dir) {
			t.Errorf("package %s is not in the import table: add it to floors in policy_test.go and to docs/architecture.md", dir)
			continue
		}
		for name, file := range files {
			if strings.HasSuffix(name, "_test.go") || !listed {
				continue
			}
			for _, spec := range file.Imports {
				target, _ := strconv.Unquote(spec.Path.Value)
				rest, ours := strings.CutPrefix(target, module+"/")
				if !ours {
					continue
				}
				if slices.Contains(testOnly, rest) {
					t.Errorf("%s imports %s, which is for tests only", name, rest)
				} else if below, ok := floor[rest]; ok && below >= here {
					t.Errorf("%s (floor %d) imports %s (floor %d): imports point to a lower floor only; see floors in policy_test.go", name, here, rest, below)
				}
			}
		}
	}
}

// floorOfPackages is the index in floors of every package.
func floorOfPackages() map[string]int {
	floor := map[string]int{}
	for i, line := range floors {
		for _, p := range line {
			floor[p] = i
		}
	}
	return floor
}

// tableRow finds the packages of a row of the table in docs/architecture.md.
var (
	tableRow = regexp.MustCompile("(?m)^\\| (`[^|]*) \\|")
	quoted   = regexp.MustCompile("`([^`]+)`")
)

func TestArchitectureListsTheFloors(t *testing.T) {
	const page = "docs/architecture.md"
	floor := floorOfPackages()
	above := len(floors)
	listed := map[string]bool{}
	for _, row := range tableRow.FindAllStringSubmatch(read(t, page), -1) {
		for _, m := range quoted.FindAllStringSubmatch(row[1], -1) {
			here, ok := floor[m[1]]
			if !ok {
				t.Errorf("%s lists %s, which is not in floors: remove the row, or add the package to floors in policy_test.go", page, m[1])
				continue
			}
			if here > above {
				t.Errorf("%s lists %s below a package that it may import: move its row up", page, m[1])
			}
			above, listed[m[1]] = min(above, here), true
		}
	}
	for p := range floor {
		if !listed[p] {
			t.Errorf("%s does not list %s: add a row that says what it is for", page, p)
		}
	}
}

func TestEveryPackageHasAComment(t *testing.T) {
	for dir, files := range sourceFiles(t) {
		documented, source := false, false
		for name, file := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			source = true
			documented = documented || file.Doc != nil && len(file.Doc.Text()) > 40
		}
		if source && !documented {
			t.Errorf("package %s has no package comment: say what it is for, its terms, how it works, what it promises and what it leaves out", dir)
		}
	}
}

func TestOnlyConfigReadsTheEnvironment(t *testing.T) {
	readers := []string{"Getenv", "LookupEnv", "Environ", "ExpandEnv"}
	for dir, files := range sourceFiles(t) {
		if slices.Contains(environmentReaders, dir) || outsideTheProduct(dir) {
			continue
		}
		for name, file := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if sel, ok := n.(*ast.SelectorExpr); ok && slices.Contains(readers, sel.Sel.Name) {
					if x, ok := sel.X.(*ast.Ident); ok && (x.Name == "os" || x.Name == "syscall") {
						t.Errorf("%s calls %s.%s: add a field to config.Config and pass the value in", name, x.Name, sel.Sel.Name)
					}
				}
				return true
			})
		}
	}
}

var markdownLink = regexp.MustCompile(`\]\(([^)#\s]+)(?:#[^)]*)?\)`)

func TestLinksInDocsExist(t *testing.T) {
	for _, doc := range documents(t) {
		for _, m := range markdownLink.FindAllStringSubmatch(prose(t, doc), -1) {
			if strings.Contains(m[1], "://") || strings.HasPrefix(m[1], "mailto:") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(doc), m[1])); err != nil {
				t.Errorf("%s links to %s, which does not exist: mend the link or remove it", doc, m[1])
			}
		}
	}
}

// codeSpan finds `pkg.Symbol` and `pkg.Type.Member` in the documents.
var codeSpan = regexp.MustCompile("`([a-z][a-z0-9]*)\\.([A-Z]\\w*)(?:\\.([A-Z]\\w*))?(?:\\(\\))?`")

// pathSpan finds `internal/...`, `docs/...` and other paths of this tree.
var pathSpan = regexp.MustCompile("`((?:internal|docs|test|examples|cmd|changes|rag|llm|eval)/[\\w./-]+)`")

func TestSymbolsAndPathsInDocsExist(t *testing.T) {
	symbols := map[string]map[string]bool{}
	for dir, files := range sourceFiles(t) {
		name := path.Base(dir)
		if symbols[name] == nil {
			symbols[name] = map[string]bool{}
		}
		for _, file := range files {
			collectSymbols(file, symbols[name])
		}
	}
	for _, doc := range documents(t) {
		text := prose(t, doc)
		for _, m := range codeSpan.FindAllStringSubmatch(text, -1) {
			known, ours := symbols[m[1]]
			if !ours {
				continue // another module's package
			}
			for _, symbol := range m[2:] {
				if symbol != "" && !known[symbol] {
					t.Errorf("%s names %s, but package %s has no %s: rename it in the document", doc, m[0], m[1], symbol)
				}
			}
		}
		for _, m := range pathSpan.FindAllStringSubmatch(text, -1) {
			if _, err := os.Stat(strings.TrimRight(m[1], "./")); err != nil {
				t.Errorf("%s names %s, which does not exist: mend the path or remove it", doc, m[0])
			}
		}
	}
}

// documentPath finds documents that comments of the code name.
var documentPath = regexp.MustCompile(`\bdocs/(?:decisions|formats)/[\w.-]+\.md`)

func TestDocumentsInCommentsExist(t *testing.T) {
	for _, files := range sourceFiles(t) {
		for name, file := range files {
			for _, group := range file.Comments {
				for _, doc := range documentPath.FindAllString(group.Text(), -1) {
					if _, err := os.Stat(doc); err != nil {
						t.Errorf("%s names %s, which does not exist: write the page or mend the comment", name, doc)
					}
				}
			}
		}
	}
}

func collectSymbols(file *ast.File, into map[string]bool) {
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			into[n.Name.Name] = true
			return false
		case *ast.TypeSpec:
			into[n.Name.Name] = true
		case *ast.ValueSpec:
			for _, id := range n.Names {
				into[id.Name] = true
			}
		case *ast.Field:
			for _, id := range n.Names {
				into[id.Name] = true
			}
		}
		return true
	})
}

var (
	requireLine    = regexp.MustCompile(`(?m)^(?:require)?\s+([\w./-]+\.[\w./-]+) v\S+( // indirect)?$`)
	dependencyLine = regexp.MustCompile("(?m)^\\| `([^`]+)` \\|")
)

func TestDependenciesAreExplained(t *testing.T) {
	var required []string
	for _, m := range requireLine.FindAllStringSubmatch(read(t, "go.mod"), -1) {
		if m[2] == "" {
			required = append(required, m[1])
		}
	}
	var explained []string
	for _, m := range dependencyLine.FindAllStringSubmatch(read(t, "docs/dependencies.md"), -1) {
		explained = append(explained, m[1])
	}
	for _, r := range required {
		if !slices.Contains(explained, r) {
			t.Errorf("go.mod requires %s, which docs/dependencies.md does not explain: add a row, or do without it", r)
		}
	}
	for _, e := range explained {
		if !slices.Contains(required, e) {
			t.Errorf("docs/dependencies.md explains %s, which go.mod does not require: remove the row", e)
		}
	}
	if len(required) == 0 {
		t.Error("found no requirement in go.mod: the pattern of this test no longer fits the file")
	}
}

// foreign marks what must not stand in the tree: it names somebody's machine.
var foreign = regexp.MustCompile(`(?:^|[^\w.$}])/(?:root|work|tmp/plan)/`)

func TestNoMachineInTheTree(t *testing.T) {
	walk(t, func(name string, entry fs.DirEntry) {
		switch path.Ext(name) {
		case ".go", ".md", ".s", ".sh", ".py", ".mjs", ".json", ".yml", ".txt", ".txtar", "":
		default:
			return
		}
		if info, err := entry.Info(); err != nil || info.Size() > 1<<20 || path.Base(name) == "policy_test.go" {
			return
		}
		if m := foreign.FindString(read(t, name)); m != "" {
			t.Errorf("%s contains %q, a path of one machine: use a path relative to the repository or a variable", name, m)
		}
	})
}

// outsideTheProduct says whether dir holds examples or a module of its own.
func outsideTheProduct(dir string) bool {
	return dir == "." || strings.HasPrefix(dir, "examples") || strings.HasPrefix(dir, "test/")
}

// sourceFiles parses every Go file of the module, by folder and file name.
func sourceFiles(t *testing.T) map[string]map[string]*ast.File {
	t.Helper()
	packages := map[string]map[string]*ast.File{}
	set := token.NewFileSet()
	walk(t, func(name string, entry fs.DirEntry) {
		if path.Ext(name) != ".go" {
			return
		}
		file, err := parser.ParseFile(set, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		dir := path.Dir(name)
		if packages[dir] == nil {
			packages[dir] = map[string]*ast.File{}
		}
		packages[dir][name] = file
	})
	if len(packages) == 0 {
		t.Fatal("found no Go files: run the test from the repository's root")
	}
	return packages
}

// walk visits the tree's files, leaving out hidden folders, test data, what is
// built or installed, and modules of their own.
func walk(t *testing.T, visit func(name string, entry fs.DirEntry)) {
	t.Helper()
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		if entry.IsDir() {
			base := entry.Name()
			if name == "." {
				return nil
			}
			if strings.HasPrefix(base, ".") || base == "testdata" || base == "node_modules" || base == "bin" {
				return filepath.SkipDir
			}
			if _, err := os.Stat(filepath.Join(name, "go.mod")); err == nil {
				return filepath.SkipDir
			}
			return nil
		}
		visit(name, entry)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// documents lists the Markdown files that promise something about the code.
func documents(t *testing.T) []string {
	t.Helper()
	var names []string
	walk(t, func(name string, _ fs.DirEntry) {
		if path.Ext(name) == ".md" {
			names = append(names, name)
		}
	})
	return names
}

var fence = regexp.MustCompile("(?ms)^ *```.*?^ *```")

// prose is a document without its fenced blocks.
func prose(t *testing.T, name string) string {
	t.Helper()
	return fence.ReplaceAllString(read(t, name), "")
}

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
