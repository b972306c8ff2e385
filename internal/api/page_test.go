package api

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ragstone/ragstone/internal/platform/account"
)

// notes are what the page says of operations beside that they are served.
var notes = map[string]string{
	"DELETE /v1/models/{model...}": "refused: no model here is one that a caller has made",
	"POST /v1/moderations":         "by an upstream; local models do not moderate",
	"POST /v1/chat/completions":    "streams; what a local model cannot honour is a 400 that names the parameter",
	"POST /v1/completions":         "streams; `suffix` and `best_of` where the model can",
	"POST /v1/embeddings":          "texts and token arrays, `dimensions`, base64",
	"POST /v1/uploads":             "up to 8 GB",
	"POST /v1/files":               "up to 512 MB",
	"GET /v1/organization/costs":   "in sum equal to the ledger",

	"GET /v1/organization/usage/moderations":               "empty: moderations are free",
	"GET /v1/organization/usage/images":                    "empty: nothing of the kind is done here",
	"GET /v1/organization/usage/audio_speeches":            "empty: nothing of the kind is done here",
	"GET /v1/organization/usage/audio_transcriptions":      "empty: nothing of the kind is done here",
	"GET /v1/organization/usage/vector_stores":             "empty: nothing of the kind is done here",
	"GET /v1/organization/usage/code_interpreter_sessions": "empty: nothing of the kind is done here",
	"GET /v1/organization/usage/file_search_calls":         "empty: nothing of the kind is done here",
	"GET /v1/organization/usage/web_search_calls":          "empty: nothing of the kind is done here",
}

// area is a group of the specification's operations.
type area struct {
	name       string
	promised   bool // they are, or are to be, served
	operations []string
}

// specifiedAreas are the areas of the specification.
func specifiedAreas() (areas []area) {
	for line := range strings.Lines(operations) {
		mark, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		if mark == "#" || mark == "=" {
			areas = append(areas, area{name: name, promised: mark == "#"})
			continue
		}
		last := &areas[len(areas)-1]
		last.operations = append(last.operations, mark+" /v1"+name)
	}
	return areas
}

// shape is an operation whatever its parameters are called.
func shape(operation string) string {
	return regexp.MustCompile(`\{[^}]*\}`).ReplaceAllString(operation, "{}")
}

// apiPage is docs/api.md.
func apiPage(areas []area, scopes map[string]account.Scope) string {
	routes := map[string]string{} // patterns, by their shape
	for pattern := range scopes {
		routes[shape(pattern)] = pattern
	}
	var b strings.Builder
	b.WriteString(pageHead)
	for _, a := range areas {
		if !a.promised {
			continue
		}
		fmt.Fprintf(&b, "\n## %s%s\n\n| operation | scope of the key | |\n|---|---|---|\n", strings.ToUpper(a.name[:1]), a.name[1:])
		for _, operation := range a.operations {
			pattern, served := routes[shape(operation)]
			delete(routes, shape(operation))
			switch {
			case served && notes[pattern] != "":
				fmt.Fprintf(&b, "| `%s` | `%s` | %s |\n", operation, scopes[pattern], notes[pattern])
			case served:
				fmt.Fprintf(&b, "| `%s` | `%s` | served |\n", operation, scopes[pattern])
			default:
				fmt.Fprintf(&b, "| `%s` | | not yet |\n", operation)
			}
		}
	}
	b.WriteString("\n## Beside the specification\n\n| operation | scope of the key |\n|---|---|\n")
	var more []string
	for _, pattern := range routes {
		more = append(more, fmt.Sprintf("| `%s` | `%s` |\n", pattern, scopes[pattern]))
	}
	slices.Sort(more)
	b.WriteString(strings.Join(more, ""))
	b.WriteString("| `GET /healthz`, `GET /readyz` | none |\n| `GET /metrics` | none on this machine; `api.management.write` from elsewhere |\n")
	b.WriteString("\n## Not served\n\nThese parts of the specification are outside what Ragstone is for. Their operations, and\nthose that are not served yet, are answered with 404, the code `unknown_url` and a\nmessage that says which of the two it is.\n\n| part | operations |\n|---|---|\n")
	for _, a := range areas {
		if !a.promised {
			fmt.Fprintf(&b, "| %s | %d |\n", a.name, len(a.operations))
		}
	}
	return b.String()
}

const pageHead = `# The API

Every operation of OpenAI's published specification (version 2.3.0) in the areas
that Ragstone serves or will, with what a key needs for it. The page is written
from the routes by ` + "`go test ./internal/api -run Page -update`" + ` and held to them by the
same test.

A key with the permission ` + "`all`" + ` has every scope of its kind, one that reads those that
end in ` + "`.read`" + `, and a restricted key those that it was made with; who may write may
read. Scopes of ` + "`api.management`" + ` and ` + "`api.usage`" + ` are an admin key's, all others a
project's. Without a good key the answer is 401; a missing scope is 403, or 401 for
` + "`model.request`" + `.
`

// The page of the API says what the routes do, and of every operation of the
// specification what becomes of it.
func TestThePageOfTheAPI(t *testing.T) {
	const page = "../../docs/api.md"
	routes := Routes(Config{}).(*api)
	for pattern := range notes {
		if _, ok := routes.routes[pattern]; !ok {
			t.Errorf("there is a note on %s, which is not routed", pattern)
		}
	}
	want := apiPage(specifiedAreas(), routes.scopes())
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	have, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(have), "\n"), strings.Split(want, "\n")); diff != "" {
		t.Errorf("%s is not what `go test ./internal/api -run Page -update` writes (-have +want):\n%s", page, diff)
	}
}

// What the page calls not served says so of itself, and of what no specification
// has the caller is asked to look again.
func TestOperationsThatAreNotServed(t *testing.T) {
	s := newTestServer(t, &fakeModel{}, account.Rates{}, nil)
	routed := map[string]bool{}
	for pattern := range Routes(Config{}).(*api).scopes() {
		routed[shape(pattern)] = true
	}
	for _, a := range specifiedAreas() {
		for _, operation := range a.operations {
			if routed[shape(operation)] || strings.Contains(operation, "?") { // the latter is a double
				continue
			}
			want := "does not serve."
			if a.promised {
				want = "does not serve yet."
			}
			status, text := s.call(t, s.project.Secret, strings.ReplaceAll(shape(operation), "{}", "none"), "{}")
			if status != 404 || !strings.Contains(text, want) || !strings.Contains(text, `"code":"unknown_url"`) {
				t.Errorf("%s: %d %s, want 404 unknown_url that ends with %q", operation, status, text, want)
			}
		}
	}
	for request, want := range map[string]int{"GET /v1/vector_store": 404, "GET /v1/nowhere": 404, "PUT /v1/vector_stores": 404, "PUT /v1/files": 405} {
		if status, text := s.call(t, s.project.Secret, request, ""); status != want || strings.Contains(text, "does not serve") {
			t.Errorf("%s: %d %s, want %d", request, status, text, want)
		}
	}
}
