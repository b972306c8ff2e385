package document

import (
	"os"
	"path"
	"strings"
	"testing"
)

// TestIgnoreLikeGit reads verdicts that git gave (test/oracle/gitignore.py).
func TestIgnoreLikeGit(t *testing.T) {
	golden, err := os.ReadFile("testdata/gitignore.txt")
	if err != nil {
		t.Fatal(err)
	}
	for group := range strings.SplitSeq(strings.TrimSuffix(string(golden), "\n"), "\n\n") {
		patterns, cases, _ := strings.Cut(group, "\n----\n")
		rules := parseIgnore(".gitignore", patterns)
		for line := range strings.SplitSeq(cases, "\n") {
			want, name := line[:1] == "-", line[2:]
			if got := ignoredWithParents(rules, name); got != want {
				t.Errorf("under %q, %q is ignored: %v, want %v", patterns, name, got, want)
			}
		}
	}
}

// ignoredWithParents judges a path as Walk reaches it, from the top down.
func ignoredWithParents(rules ignoreRules, name string) bool {
	dir := strings.HasSuffix(name, "/")
	name = strings.TrimSuffix(name, "/")
	if parent := path.Dir(name); parent != "." && ignoredWithParents(rules, parent+"/") {
		return true
	}
	v, _ := rules.judge(name, dir)
	return v == ignored
}

func FuzzIgnoreRule(f *testing.F) {
	f.Add("**/a[!b-c]*?\\*/", "x/abc/")
	f.Add("[[:alpha:]]\\", "é")
	f.Fuzz(func(t *testing.T, pattern, name string) {
		rules := parseIgnore(".gitignore", pattern)
		rules.judge(name, false)
		if strings.ContainsAny(pattern, "\n\r") || len(rules.rules) > 1 {
			return
		}
		// A pattern without marks matches itself and nothing longer.
		if pattern != "" && !strings.ContainsAny(pattern, "*?[]\\!#/ \uFEFF") && len(rules.rules) == 1 {
			if v, _ := rules.judge(pattern, false); v != ignored {
				t.Errorf("pattern %q does not match itself", pattern)
			}
			if v, _ := rules.judge(pattern+"x", false); v == ignored {
				t.Errorf("pattern %q matches %q", pattern, pattern+"x")
			}
		}
	})
}
