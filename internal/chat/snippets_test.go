package chat

import (
	"strings"
	"testing"
)

// snippetDifferences lists snippets that do not behave as in jinja2, and why.
var snippetDifferences = map[string]string{
	"{% generation %}x{% endgeneration %}": "the tag is transformers' own, which marks text for training",
}

// TestSnippetsRenderAsJinja2 compares small pieces of the language, wrong ones
// too, with jinja2; test/oracle/templates.py made the golden file.
func TestSnippetsRenderAsJinja2(t *testing.T) {
	var snippets []string
	var golden []rendering
	readJSON(t, "testdata/snippets.json", &snippets)
	readJSON(t, "testdata/snippets_rendered.json", &golden)
	if len(snippets) != len(golden) {
		t.Fatalf("%d snippets and %d golden results", len(snippets), len(golden))
	}
	c := conversations(t)["several turns"]
	for i, source := range snippets {
		if source == "" {
			continue // no template at all
		}
		reason := snippetDifferences[source]
		template, err := ParseTemplate(source)
		var diff string
		switch {
		case err == nil:
			diff = checkRendering(template, c, golden[i])
		case golden[i].Failed == "":
			diff = "got error " + err.Error()
		}
		if diff != "" && reason == "" {
			t.Errorf("%s\n%s", strings.ReplaceAll(source, "\n", "⏎"), diff)
		}
		if diff == "" && reason != "" {
			t.Errorf("%s\nis as in jinja2: take it off the list", source)
		}
	}
}
