package rag

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// These tell the test binary, started again as a child process, to sync or to ask
// instead of testing: the index and the folder of documents follow.
const (
	syncInChild = "sync"
	askInChild  = "ask"
)

func TestMain(m *testing.M) {
	if len(os.Args) == 4 && os.Args[1] == syncInChild {
		os.Exit(childSync(os.Args[2], os.Args[3]))
	}
	if len(os.Args) == 4 && os.Args[1] == askInChild {
		os.Exit(childAsk(os.Args[2], os.Args[3]))
	}
	os.Exit(m.Run())
}

// childAsk opens the index anew and asks, again and again, until the sixth turn
// of the keeper is there. It wants the turns one after the other, and whole.
func childAsk(dir, root string) int {
	options := CorpusOptions{Embedding: (&wordEmbedder{}).embedding("w1"), ChunkTokens: 30}
	last := 0
	for last < 6 {
		c, err := OpenCorpus(dir, options)
		if err == nil {
			last, err = turnOf(c, root, last)
			c.Close()
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return 0
}

// turnOf asks for the keeper and returns the turn that the index has, which all
// that it says must agree on.
func turnOf(c *Corpus, root string, last int) (turn int, err error) {
	results, err := c.Search(context.Background(), "the keeper of the turn", SearchOptions{K: 1})
	if err != nil {
		return 0, err
	}
	if len(results.Hits) == 0 {
		return 0, fmt.Errorf("nothing was found after turn %d", last)
	}
	text, err := c.DocumentText(filepath.Join(root, "keeper.txt"))
	if err != nil {
		return 0, err
	}
	_, err = fmt.Sscanf(text, "The keeper of turn %d.", &turn)
	if err != nil || turn < last || text != results.Hits[0].Text {
		return 0, fmt.Errorf("found %q of a document %q after turn %d: %v", results.Hits[0].Text, text, last, err)
	}
	return turn, nil
}

// Two processes ask while others, one after the other, sync: by batches, and by
// databases that replace one another.
func TestProcessesAskWhileOthersSync(t *testing.T) {
	l := newLibrary(t, map[string]string{"keeper.txt": "The keeper of turn 0."})
	for i := range 20 {
		l.write(fmt.Sprintf("%02d.txt", i), strings.Repeat(fmt.Sprintf("Lamp %d stands on the pier.\n\n", i), 20))
	}
	runChild(t, l, -1)
	var asking []*exec.Cmd
	var said [2]strings.Builder
	for i := range said {
		child := exec.Command(os.Args[0], askInChild, l.dir, l.root)
		child.Stderr = &said[i]
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		asking = append(asking, child)
		t.Cleanup(func() { _ = child.Process.Kill() }) // it has ended, unless this test failed
	}
	for turn := 1; turn <= 6; turn++ {
		l.write("keeper.txt", fmt.Sprintf("The keeper of turn %d.", turn))
		if turn%2 == 0 {
			l.options.logBytes = 1 // nothing fits, so a new database is written
			l.synced().Close()
		} else {
			runChild(t, l, -1)
		}
	}
	for i, child := range asking {
		if err := child.Wait(); err != nil {
			t.Errorf("process %d: %v\n%s", i, err, said[i].String())
		}
	}
}

// childSync syncs once and says so.
func childSync(dir, root string) int {
	options := CorpusOptions{Embedding: (&wordEmbedder{}).embedding("w1"), ChunkTokens: 30}
	c, err := OpenCorpus(dir, options)
	if err == nil {
		defer c.Close()
		_, err = c.Sync(context.Background(), []string{root}, SyncOptions{})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println("synced")
	return 0
}

// TestAKilledSyncLeavesTheOldIndexOrTheNew kills a process at random moments of
// a Sync on the real disk, the first of an index and later ones. What it leaves
// must be whole, the old index or the new, and the next Sync must complete.
func TestAKilledSyncLeavesTheOldIndexOrTheNew(t *testing.T) {
	kills := 60
	if testing.Short() {
		kills = 10
	}
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 0))
	t.Logf("seed %d", seed)
	files := map[string]string{}
	for i := range 40 {
		files[fmt.Sprintf("%02d.txt", i)] = strings.Repeat(fmt.Sprintf("Lamp %d stands on the pier.\n\n", i), 20)
	}
	l := newLibrary(t, files)
	longest := runChild(t, l, -1) // as long as an undisturbed one takes
	if err := os.RemoveAll(l.dir); err != nil {
		t.Fatal(err)
	}

	killed, before := 0, ""
	for i := range kills {
		after := fmt.Sprintf("The keeper of turn %d.", i)
		l.write("keeper.txt", after)
		if runChild(t, l, time.Duration(random.Int64N(int64(longest)))) >= 0 {
			killed++
			longest = longest * 10 / 9 // so that about half of them get through
		} else {
			longest = longest * 9 / 10
		}
		if err := Check(l.dir); err != nil {
			t.Fatalf("kill %d: the index is not whole: %v", i, err)
		}
		c := l.open()
		if got := keeper(l, c); got != before && got != after {
			t.Fatalf("kill %d: the index has %q, want %q or %q", i, got, before, after)
		}
		if i%5 == 4 { // else the next child finds what this one left
			l.sync(c)
			if got := keeper(l, c); got != after {
				t.Fatalf("kill %d: synced again, the index has %q, want %q", i, got, after)
			}
			onlyLiveFiles(t, l.dir)
		}
		before = keeper(l, c)
		c.Close()
	}
	if killed < kills/4 {
		t.Errorf("only %d of %d processes were killed before they had done", killed, kills)
	}
}

// keeper is what the index has of the file that changes, "" without an index.
func keeper(l *library, c *Corpus) string {
	l.Helper()
	if c.Len() == 0 {
		return ""
	}
	text, err := c.DocumentText(filepath.Join(l.root, "keeper.txt"))
	if err != nil {
		l.Fatal(err)
	}
	return text
}

// runChild syncs the library in a child process and kills it after a while, or
// lets it end if the while is negative. It returns how long an undisturbed one
// took, or a negative time if the child ended before it was killed.
func runChild(t *testing.T, l *library, while time.Duration) time.Duration {
	t.Helper()
	child := exec.Command(os.Args[0], syncInChild, l.dir, l.root)
	var out strings.Builder
	child.Stdout, child.Stderr = &out, &out
	start := time.Now()
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	if while >= 0 {
		time.Sleep(while)
		_ = child.Process.Kill() // it may have ended
	}
	err := child.Wait()
	done := strings.Contains(out.String(), "synced")
	switch {
	case err != nil && while >= 0 && (done || out.Len() == 0):
		return 0 // killed: it had nothing to complain about
	case err != nil || !done:
		t.Fatalf("the child failed: %v\n%s", err, &out)
	case while >= 0:
		return -1
	}
	return time.Since(start)
}

// onlyLiveFiles fails when a Sync left files of dead writers.
func onlyLiveFiles(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	if len(names) != 3 || !databaseNames.MatchString(names[0]) || names[1] != lockName || names[2] != manifestName {
		t.Errorf("the directory holds %v, want one database, the lock and the manifest", names)
	}
}
