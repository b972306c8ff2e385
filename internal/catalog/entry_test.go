package catalog

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// The models that everything is tested with must never change unnoticed: a new
// file is a new entry.
func TestPinsOfTheKnownModels(t *testing.T) {
	for name, want := range map[string]File{
		DefaultChat:    {Name: "SmolLM2-135M-Instruct.Q4_1.gguf", Bytes: 98_362_432, SHA256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"},
		DefaultEmbed:   {Name: "model.safetensors", Bytes: 90_868_376, SHA256: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"},
		"gemma-3-270m": {Name: "gemma-3-270m-q4_k_m.gguf", Bytes: 253_113_024, SHA256: "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818"},
	} {
		e, ok := Find(name)
		if !ok {
			t.Errorf("%s is not in the catalog", name)
			continue
		}
		if diff := cmp.Diff(want, e.Files[0], cmpopts.IgnoreUnexported(File{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestFindIgnoresCase(t *testing.T) {
	if e, ok := Find("All-MiniLM-L6-v2"); !ok || e.Name != DefaultEmbed {
		t.Errorf("got %q, %v", e.Name, ok)
	}
	if e, ok := Find("gpt-4o"); ok {
		t.Errorf("got %q, want none", e.Name)
	}
}

func TestSpeedFollowsSize(t *testing.T) {
	for name, want := range map[string]Speed{DefaultChat: Fast, "qwen3-0.6b": Moderate, "qwen3-1.7b": Slow} {
		if e, _ := Find(name); e.Speed() != want {
			t.Errorf("%s of %d bytes: got %s, want %s", name, e.Bytes(), e.Speed(), want)
		}
	}
}

func TestParseReportsEveryMistake(t *testing.T) {
	_, err := parse([]byte(`{"models": [
		{"name": "Two Words", "family": "f", "task": "sing", "licence": "MIT", "size": "1B", "tested": true,
		 "files": [{"name": "../up", "bytes": 0}, {"name": "f", "bytes": 1, "sha256": "XYZ"}],
		 "sources": [{}, {"hub": {"repo": "noslash"}},
		             {"packages": {"packages": [{"requirement": "unpinned", "bytes": 1}], "folder": "f"}}]},
		{"name": "e", "family": "f", "task": "embed", "licence": "MIT", "size": "1B", "tested": false,
		 "files": [{"name": "f", "bytes": 1}],
		 "sources": [{"packages": {"packages": [{"requirement": "p==1.0", "bytes": 1}], "folder": "f"}}]},
		{"name": "e", "family": "", "task": "base", "licence": "MIT", "size": "1B", "tested": false, "files": [], "sources": []}
	]}`))
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		"name is not a plain", `unknown task "sing"`, `"../up" leaves the folder`, "../up has no size",
		`f has the hash "XYZ"`, "tested model has no hash", "must be a hub or packages", `"noslash" is not owner/name`,
		`"unpinned" is not pinned`, "dimensions belong", "announces no hash of it", "listed twice", "family, licence or size", "no files or no sources",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q:\n%v", want, err)
		}
	}
	if _, err := parse([]byte(`{"models": [{"nmae": "typo"}]}`)); err == nil {
		t.Error("an unknown field: no error")
	}
}

func TestDocsListEveryModel(t *testing.T) {
	docs, err := os.ReadFile(filepath.Join("..", "..", "docs", "models.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range List() {
		i := strings.Index(string(docs), "| `"+e.Name+"` | "+string(e.Task))
		if i < 0 {
			t.Errorf("docs/models.md has no row for %s, task %s: add one", e.Name, e.Task)
			continue
		}
		row, _, _ := strings.Cut(string(docs[i:]), "\n")
		for _, want := range []string{string(e.Speed()), strings.Fields(e.Licence)[0]} {
			if !strings.Contains(row, want) {
				t.Errorf("docs/models.md says of %s\n%s\nwant %q in it", e.Name, row, want)
			}
		}
		if e.Tested != strings.Contains(row, "run in our tests") || (e.Needs != "") != strings.Contains(row, "needs") {
			t.Errorf("docs/models.md says of %s\n%s\nbut tested is %v and needs is %q", e.Name, row, e.Tested, e.Needs)
		}
	}
}
