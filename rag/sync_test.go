package rag

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestSyncReadsOnlyWhatChanged(t *testing.T) {
	l := newLibrary(t, handbook())
	c := l.open()
	first := l.sync(c)
	if first.Added != 3 || first.Files != 3 || first.Embedded != first.Passages || !first.Written {
		t.Errorf("first sync: %+v", first)
	}
	if again := l.sync(c); again.Unchanged != 3 || again.Written || again.Embedded != 0 {
		t.Errorf("nothing changed, and sync says %+v", again)
	}

	// One passage of a file changes, one file comes and one leaves.
	l.write("pay.txt", "Salaries are paid on the last working day of the month.\n\nOvertime is paid twice.\n")
	l.write("new.txt", "The canteen opens at noon.")
	l.remove("code/server.go")
	l.embedder.texts.Store(0)
	got := l.sync(c)
	if got.Changed != 1 || got.Added != 1 || got.Removed != 1 || got.Unchanged != 1 || got.Files != 3 {
		t.Errorf("sync says %+v", got)
	}
	if n := int(l.embedder.texts.Load()); n != got.Embedded || got.Embedded+got.Reused != got.Passages || n > 2 {
		t.Errorf("%d passages were embedded, and sync says %+v", n, got)
	}
	if got := l.found(c, "maxIdleConns", 9); strings.Contains(got, "server.go") {
		t.Errorf("a removed file is still found: %s", got)
	}
	if got := l.found(c, "when does the canteen open", 1); got != "new.txt" {
		t.Errorf("a new file is not found, but %s", got)
	}
}

func TestAMovedFileKeepsItsVectors(t *testing.T) {
	l := newLibrary(t, handbook())
	c := l.synced()
	if err := os.Rename(filepath.Join(l.root, "pay.txt"), filepath.Join(l.root, "wages.txt")); err != nil {
		t.Fatal(err)
	}
	got := l.sync(c)
	if got.Added != 1 || got.Removed != 1 || got.Embedded != 0 {
		t.Errorf("sync says %+v, want one file added, one removed and nothing embedded", got)
	}
	if got := l.found(c, "overtime", 1); got != "wages.txt" {
		t.Errorf("found %s, want wages.txt", got)
	}
}

// A file rewritten within the resolution of its time of change, with the same
// size, looks untouched.
func TestAChangeRightAfterASyncIsSeen(t *testing.T) {
	l := newLibrary(t, map[string]string{"a.txt": "the first text"})
	path := filepath.Join(l.root, "a.txt")
	when := l.started()
	if err := os.Chtimes(path, when, when); err != nil {
		t.Fatal(err)
	}
	c := l.synced()
	if err := os.WriteFile(path, []byte("the other text"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, when, when); err != nil {
		t.Fatal(err)
	}
	if got := l.sync(c); got.Changed != 1 {
		t.Errorf("sync says %+v, want one file changed", got)
	}
}

// Random edits: an index kept up to date equals one built from nothing.
func TestKeepingUpEqualsBuildingAnew(t *testing.T) {
	random := rand.New(rand.NewPCG(11, 12))
	l := newLibrary(t, nil)
	kept := l.open()
	present := map[string]bool{}
	for round := range 12 {
		for range 1 + random.IntN(4) {
			name := fmt.Sprintf("%c/%d.md", 'a'+rune(random.IntN(3)), random.IntN(4))
			if present[name] && random.IntN(3) == 0 {
				l.remove(name)
				delete(present, name)
			} else {
				l.write(name, randomDocument(random))
				present[name] = true
			}
		}
		_, err := kept.Sync(t.Context(), []string{l.root}, SyncOptions{})
		if err != nil && !(errors.Is(err, ErrEmptyCorpus) && len(present) == 0) {
			t.Fatal(err)
		}
		fresh := newLibrary(t, nil)
		anew, err := OpenCorpus(fresh.dir, l.options)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := anew.Sync(t.Context(), []string{l.root}, SyncOptions{}); err != nil && len(present) > 0 {
			t.Fatal(err)
		}
		ranks := cmpopts.IgnoreFields(Standing{}, "Rank") // of equal scores they differ
		if diff := cmp.Diff(contents(t, anew), contents(t, kept), ranks, cmp.AllowUnexported(Passage{}, placeMark{})); diff != "" {
			t.Fatalf("round %d: an index kept up to date differs from one built anew (-anew +kept):\n%s", round, diff)
		}
		anew.Close()
	}
}

func randomDocument(random *rand.Rand) string {
	var b strings.Builder
	for range 1 + random.IntN(4) {
		fmt.Fprintf(&b, "# Part %d\n\n", random.IntN(5))
		for range 3 + random.IntN(40) {
			fmt.Fprintf(&b, "word%d ", random.IntN(60))
		}
		b.WriteString("end.\n\n")
	}
	return b.String()
}

// contents is everything that an index answers with: its passages, and what it
// says to some questions, to the last bit.
func contents(t *testing.T, c *Corpus) (all []any) {
	t.Helper()
	for id := range c.Len() {
		p, err := c.Passage(id)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	for _, question := range []string{"word1", "word2 word30 end", "part word59 word58 word57 nowhere"} {
		r, err := c.Search(t.Context(), question, SearchOptions{K: c.Len()})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

func TestAnotherModelNeverMixes(t *testing.T) {
	l := newLibrary(t, handbook())
	l.synced().Close()

	l.options.Embedding = l.embedder.embedding("w2")
	c := l.open()
	if _, err := c.Search(t.Context(), "leave", SearchOptions{}); !errors.Is(err, ErrStale) {
		t.Errorf("Search on another model's index = %v, want ErrStale", err)
	}
	got := l.sync(c)
	if got.Reused != 0 || got.Embedded != got.Passages || got.Unchanged != 3 {
		t.Errorf("sync says %+v, want every passage embedded anew", got)
	}
	l.found(c, "leave", 1)

	// The model goes away: the vectors leave, the words stay.
	l.options.Embedding = nil
	c = l.open()
	l.sync(c)
	if r := l.search(c, "leave", 1); r.Vector != nil || filepath.Base(r.Hits[0].Path) != "leave.md" {
		t.Errorf("without a model: %+v", r)
	}
}

func TestOtherChunksAreCutAnew(t *testing.T) {
	l := newLibrary(t, handbook())
	before := l.synced().Len()
	l.options.ChunkTokens = 8
	c := l.open()
	if got := l.sync(c); got.Passages <= before {
		t.Errorf("%d passages of 8 tokens, %d of 30", got.Passages, before)
	}
}

func TestABadFileStopsNothing(t *testing.T) {
	files := handbook()
	files["broken.docx"] = "PK\x03\x04 and nothing more"
	l := newLibrary(t, files)
	c := l.open()
	for range 2 { // read once, remembered the second time
		got := l.sync(c)
		if got.Files != 3 || len(got.Failed) != 1 || filepath.Base(got.Failed[0].Path) != "broken.docx" || got.Failed[0].Reason == "" {
			t.Errorf("sync says %+v, want broken.docx with a reason", got)
		}
	}
	l.write("broken.docx", "It is text now, about xylophones.")
	if got := l.sync(c); len(got.Failed) != 0 && got.Changed != 1 {
		t.Errorf("the file was mended, and sync says %+v", got)
	}
}

func TestWhatIsLeftOutIsListed(t *testing.T) {
	files := handbook()
	files["old/leave.md"] = "Leave was 20 days."
	files["picture.png"] = "\x89PNG\r\n\x1a\n"
	l := newLibrary(t, files)
	c := l.open()
	got, err := c.Sync(t.Context(), []string{l.root}, SyncOptions{Exclude: []string{"old/"}})
	if err != nil {
		t.Fatal(err)
	}
	left := map[string]bool{}
	for _, skipped := range got.Skipped {
		name, _ := filepath.Rel(l.root, skipped.Path)
		left[filepath.ToSlash(name)] = skipped.Reason != ""
	}
	if !left["old"] && !left["old/"] || !left["picture.png"] {
		t.Errorf("left out: %v, want the excluded folder and the picture with reasons", got.Skipped)
	}
}

func TestNothingToIndexIsSaid(t *testing.T) {
	l := newLibrary(t, map[string]string{"picture.png": "\x89PNG\r\n\x1a\n"})
	c := l.open()
	if _, err := c.Sync(t.Context(), []string{l.root}, SyncOptions{}); !errors.Is(err, ErrEmptyCorpus) {
		t.Errorf("Sync = %v, want ErrEmptyCorpus", err)
	}
	if _, err := c.Sync(t.Context(), []string{filepath.Join(l.root, "no such folder")}, SyncOptions{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Sync = %v, want os.ErrNotExist", err)
	}
}

func TestRootsMayBeFilesAndMayOverlap(t *testing.T) {
	l := newLibrary(t, handbook())
	c := l.open()
	roots := []string{filepath.Join(l.root, "pay.txt"), l.root, filepath.Join(l.root, "code")}
	got, err := c.Sync(t.Context(), roots, SyncOptions{})
	if err != nil || got.Files != 3 {
		t.Errorf("Sync = %+v, %v; want each file once", got, err)
	}
	if got, err = c.Sync(t.Context(), roots[:1], SyncOptions{}); err != nil || got.Files != 1 || got.Removed != 2 {
		t.Errorf("Sync = %+v, %v; want one file left", got, err)
	}
}

func TestAFailedEmbedderLeavesTheOldIndex(t *testing.T) {
	l := newLibrary(t, handbook())
	c := l.synced()
	l.write("new.txt", "The canteen opens at noon.")
	l.embedder.fail = errors.New("the model burnt down")
	if _, err := c.Sync(t.Context(), []string{l.root}, SyncOptions{}); !errors.Is(err, l.embedder.fail) {
		t.Errorf("Sync = %v, want the embedder's error", err)
	}
	l.embedder.fail = nil
	if got := l.found(c, "leave", 1); got != "leave.md" {
		t.Errorf("found %s, want leave.md", got)
	}
}

// A large folder whose first Sync is stopped half way: the next one embeds the
// rest only.
func TestAStoppedSyncGoesOnWhereItWas(t *testing.T) {
	l := newLibrary(t, nil)
	for i := range 5 * embedBatch {
		l.write(fmt.Sprintf("%d.txt", i), fmt.Sprintf("The room number %d is free.", i))
	}
	c := l.open()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, err := c.Sync(ctx, []string{l.root}, SyncOptions{Progress: func(p Progress) {
		if p.Phase == PhaseEmbed && p.Done == 2*embedBatch {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("Sync = %v, want it cancelled", err)
	}
	got := l.sync(c)
	if got.Reused != 2*embedBatch || got.Embedded != 3*embedBatch {
		t.Errorf("the second sync says %+v, want %d passages reused", got, 2*embedBatch)
	}
	onlyLiveFiles(t, l.dir)
}

// What a Sync that ended early has left is nothing to another model, nor is it
// taken from a damaged file.
func TestForeignAndDamagedWorkIsIgnored(t *testing.T) {
	for name, spoil := range map[string]func(*library){
		"foreign": func(l *library) { l.options.Embedding = l.embedder.embedding("w2") },
		"damaged": func(l *library) {
			logs, err := filepath.Glob(filepath.Join(l.dir, "*.db", collectionName, "*.log"))
			if err != nil || len(logs) != 1 {
				l.Fatalf("logs of what was left: %v, %v; want one", logs, err)
			}
			if err := flipMiddleByte(logs[0]); err != nil {
				l.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLibrary(t, nil)
			for i := range 5 * embedBatch {
				l.write(fmt.Sprintf("%d.txt", i), fmt.Sprintf("The room number %d is free.", i))
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			_, err := l.open().Sync(ctx, []string{l.root}, SyncOptions{Progress: func(p Progress) {
				if p.Phase == PhaseEmbed && p.Done == 4*embedBatch {
					cancel()
				}
			}})
			if !errors.Is(err, context.Canceled) {
				t.Fatalf("Sync = %v, want it cancelled", err)
			}
			spoil(l)
			if got := l.sync(l.open()); got.Reused != 0 || got.Embedded != got.Passages {
				t.Errorf("sync says %+v, want every passage embedded", got)
			}
		})
	}
}

func TestACancelledSyncLeavesTheOldIndex(t *testing.T) {
	l := newLibrary(t, handbook())
	c := l.synced()
	l.write("pay.txt", "Nobody is paid.")
	for _, phase := range []Phase{PhaseScan, PhaseRead, PhaseEmbed} {
		ctx, cancel := context.WithCancel(t.Context())
		_, err := c.Sync(ctx, []string{l.root}, SyncOptions{Progress: func(p Progress) {
			if p.Phase == phase {
				cancel()
			}
		}})
		cancel()
		if !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled in phase %s: Sync = %v", phase, err)
		}
		if got := l.search(c, "overtime rate", 1).Hits[0].Text; !strings.Contains(got, "half times") {
			t.Errorf("cancelled in phase %s: the index has %q", phase, got)
		}
	}
}

func TestProgressIsTold(t *testing.T) {
	l := newLibrary(t, handbook())
	last := map[Phase]Progress{}
	_, err := l.open().Sync(t.Context(), []string{l.root}, SyncOptions{Progress: func(p Progress) {
		if before := last[p.Phase]; p.Done < before.Done {
			t.Errorf("progress goes back from %+v to %+v", before, p)
		}
		last[p.Phase] = p
	}})
	if err != nil {
		t.Fatal(err)
	}
	if p := last[PhaseRead]; p.Done != 3 || p.Total != 3 {
		t.Errorf("reading ended with %+v", p)
	}
	if p := last[PhaseEmbed]; p.Done == 0 || p.Done != p.Total {
		t.Errorf("embedding ended with %+v", p)
	}
	if _, ok := last[PhaseWrite]; !ok {
		t.Error("writing was not told")
	}
}

// Several corpora on one directory, as several processes have, sync and search
// at once.
func TestManyAtOnce(t *testing.T) {
	l := newLibrary(t, handbook())
	var wait sync.WaitGroup
	for worker := range 4 {
		wait.Go(func() {
			c, err := OpenCorpus(l.dir, l.options)
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			for round := range 6 {
				if worker == 0 {
					l.write("pay.txt", fmt.Sprintf("Salaries are paid on day %d.", round))
				}
				if _, err := c.Sync(t.Context(), []string{l.root}, SyncOptions{}); err != nil {
					t.Error(err)
					return
				}
				r, err := c.Search(t.Context(), "how many days of leave", SearchOptions{K: 1})
				if err != nil || len(r.Hits) != 1 || filepath.Base(r.Hits[0].Path) != "leave.md" {
					t.Errorf("worker %d, round %d: %+v, %v", worker, round, r, err)
				}
			}
		})
	}
	wait.Wait()
}

func TestEachParallelStopsAtTheFirstError(t *testing.T) {
	boom := errors.New("boom")
	items := make([]int, 1000)
	done := 0
	err := eachParallel(t.Context(), items, func(int) error { return boom }, func(int) { done++ })
	if !errors.Is(err, boom) || done > 100 {
		t.Errorf("got %v after %d items, want the error soon", err, done)
	}
	if err := eachParallel(t.Context(), items, func(int) error { return nil }, func(n int) { done = n }); err != nil || done != 1000 {
		t.Errorf("got %v after %d items, want all", err, done)
	}
}

func TestAFileThatCannotBeReadIsNoNewFile(t *testing.T) {
	l := newLibrary(t, handbook())
	l.write("broken.docx", "PK\x03\x04 no archive follows")
	c := l.open()
	first := l.sync(c)
	if first.Added != 3 || first.Files != 3 || len(first.Failed) != 1 || first.Failed[0].Known {
		t.Errorf("sync says %+v, want three files added and one that failed for the first time", first)
	}
	again := l.sync(c)
	if again.Added != 0 || again.Unchanged != 3 || again.Removed != 0 || len(again.Failed) != 1 || !again.Failed[0].Known {
		t.Errorf("synced again: %+v, want three unchanged and the failure known", again)
	}
	l.write("pay.txt", "")
	l.write("broken.docx", "Now it is text.")
	mended := l.sync(c)
	if mended.Files != 3 || mended.Unchanged != 2 || mended.Added != 1 || mended.Removed != 1 || len(mended.Failed) != 0 {
		t.Errorf("one emptied, one mended: %+v; want one removed and one added", mended)
	}
}
