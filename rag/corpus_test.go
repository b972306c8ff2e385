package rag

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestAPassageKnowsItsPlace(t *testing.T) {
	l := newLibrary(t, handbook())
	c := l.synced()
	hit := l.search(c, "How many days of leave does a new hire get?", 3).Hits[0]

	if want := filepath.Join(l.root, "leave.md"); hit.Path != want {
		t.Errorf("path is %s, want %s", hit.Path, want)
	}
	if got := strings.Join(hit.Headings, " / "); got != "Handbook / Leave" {
		t.Errorf("headings are %q, want Handbook / Leave", got)
	}
	text, err := c.DocumentText(hit.Path)
	if err != nil {
		t.Fatal(err)
	}
	if got := text[hit.Start:hit.End]; got != hit.Text || !strings.Contains(got, "25 days") {
		t.Errorf("bytes %d to %d are %q, and the passage says %q", hit.Start, hit.End, got, hit.Text)
	}
	if text != handbook()["leave.md"] {
		t.Errorf("the document's text is %q, want the file's own bytes", text)
	}
	if want := 1 + strings.Count(text[:hit.Start], "\n"); hit.Line != want || hit.Page != 0 {
		t.Errorf("line %d, page %d; want line %d and no page", hit.Line, hit.Page, want)
	}
	again, err := c.Passage(hit.ID)
	if err != nil || again.Text != hit.Text || again.Path != hit.Path {
		t.Errorf("Passage(%d) = %+v, %v", hit.ID, again, err)
	}
}

func TestAHitSaysWhoBroughtIt(t *testing.T) {
	l := newLibrary(t, handbook())
	c := l.synced()
	r := l.search(c, "when are salaries paid", 10)
	if len(r.Hits) != c.Len() {
		t.Fatalf("%d hits of %d passages: the vectors rank them all", len(r.Hits), c.Len())
	}
	best := r.Hits[0]
	if filepath.Base(best.Path) != "pay.txt" || best.Rank != 1 || best.Keyword.Rank != 1 || best.Vector.Rank != 1 {
		t.Errorf("best hit is %+v, want pay.txt, first with both retrievers", best)
	}
	if best.Keyword.Score != r.BestKeyword || best.Vector.Score != r.BestVector || best.Score != 1 {
		t.Errorf("best hit scores %v, %v and %v; best are %v and %v", best.Keyword.Score, best.Vector.Score, best.Score, r.BestKeyword, r.BestVector)
	}
	for i, hit := range r.Hits[1:] {
		if hit.Score > r.Hits[i].Score || hit.Rank != i+2 {
			t.Errorf("hit %d has rank %d and score %v after %v", i+1, hit.Rank, hit.Score, r.Hits[i].Score)
		}
		if (hit.Keyword.Rank == 0) != (hit.Keyword.Score == 0) || hit.Vector.Rank == 0 {
			t.Errorf("hit %d: %+v, %+v", i+1, hit.Keyword, hit.Vector)
		}
	}
	var terms []string
	for _, term := range r.Terms {
		terms = append(terms, term.Term)
	}
	if got := strings.Join(terms, " "); got != "when salari paid" {
		t.Errorf("terms are %q", got)
	}
}

func TestIdentifiersAreFoundByTheirParts(t *testing.T) {
	l := newLibrary(t, handbook())
	l.options.Embedding = nil
	c := l.synced()
	for _, question := range []string{"maxIdleConns", "idle conns", "what is MAX_IDLE?"} {
		if got := l.found(c, question, 1); got != "code/server.go" {
			t.Errorf("%q found %q", question, got)
		}
	}
}

func TestWithoutAnEmbedderKeywordsDo(t *testing.T) {
	l := newLibrary(t, handbook())
	l.options.Embedding = nil
	c := l.synced()
	r := l.search(c, "overtime rate", 5)
	if len(r.Hits) != 1 || r.Vector != nil || r.Hits[0].Vector != (Standing{}) || r.Hits[0].Score != 1 {
		t.Errorf("got %+v, want the one passage that holds the words", r)
	}
	if r := l.search(c, "xylophone", 5); len(r.Hits) != 0 {
		t.Errorf("a word that is nowhere found %+v", r.Hits)
	}
}

func TestAnUnsyncedCorpusIsEmpty(t *testing.T) {
	l := newLibrary(t, nil)
	c := l.open()
	if r := l.search(c, "anything", 5); len(r.Hits) != 0 || c.Len() != 0 {
		t.Errorf("an empty corpus found %+v", r.Hits)
	}
	if _, err := c.Passage(0); !errors.Is(err, ErrNotFound) {
		t.Errorf("Passage(0) = %v, want ErrNotFound", err)
	}
	if _, err := c.DocumentText("/nowhere"); !errors.Is(err, ErrNotFound) {
		t.Errorf("DocumentText = %v, want ErrNotFound", err)
	}
}

func TestAClosedCorpusSaysSo(t *testing.T) {
	l := newLibrary(t, handbook())
	c := l.synced()
	for range 2 {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.Search(t.Context(), "leave", SearchOptions{}); !errors.Is(err, ErrClosed) {
		t.Errorf("Search = %v, want ErrClosed", err)
	}
	if _, err := c.Sync(t.Context(), []string{l.root}, SyncOptions{}); !errors.Is(err, ErrClosed) {
		t.Errorf("Sync = %v, want ErrClosed", err)
	}
}

func TestPathsAreTheFilesWithText(t *testing.T) {
	files := handbook()
	files["bad.docx"] = "PK\x03\x04 and nothing more"
	l := newLibrary(t, files)
	paths, err := l.synced().Paths()
	if err != nil {
		t.Fatal(err)
	}
	for i, path := range paths {
		paths[i], _ = filepath.Rel(l.root, path)
	}
	if want := []string{filepath.FromSlash("code/server.go"), "leave.md", "pay.txt"}; !slices.Equal(paths, want) {
		t.Errorf("paths are %v, want %v", paths, want)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	embedding := (&wordEmbedder{}).embedding("w")
	for name, o := range map[string]CorpusOptions{
		"tiny passages":              {ChunkTokens: 3},
		"more overlap than passage":  {ChunkTokens: 20, ChunkOverlap: 20},
		"passages beyond the window": {ChunkTokens: 65, Embedding: embedding},
		"an embedding of nothing":    {Embedding: &Embedding{}},
	} {
		if _, err := OpenCorpus(t.TempDir(), o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestFusionByHand(t *testing.T) {
	tests := []struct {
		name                                           string
		weight, keyword, bestKeyword, vector, bestVect float64
		want                                           float64
	}{
		{"best of both", 0.5, 8, 8, 0.6, 0.6, 1},
		{"half of each", 0.5, 4, 8, 0.3, 0.6, 0.5},
		{"weighted", 0.25, 4, 8, 0.6, 0.6, 0.625},
		{"against the question", 0.5, 4, 8, -0.2, 0.6, 0.25},
		{"no words in common anywhere", 0.5, 0, 0, 0.6, 0.6, 0.5},
		{"keywords only", 0, 4, 8, 0, 0, 0.5},
	}
	for _, test := range tests {
		if got := fuse(test.weight, test.keyword, test.bestKeyword, test.vector, test.bestVect); got != test.want {
			t.Errorf("%s: got %v, want %v", test.name, got, test.want)
		}
	}
}
