package vector

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

var kills = flag.Int("kills", 4, "how often the kill test kills")

// TestMain starts the test binary again as the process to kill.
func TestMain(m *testing.M) {
	if len(os.Args) == 4 && os.Args[1] == "write-until-killed" {
		start, err := strconv.Atoi(os.Args[3])
		if err == nil {
			err = writeUntilKilled(os.Args[2], start)
		}
		fmt.Println(err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

const (
	killWorkers = 4
	killPoints  = 40 // of each worker
)

var killOptions = Options{SealBytes: 32 << 10, MaxBytes: 8 << 20}

// writeUntilKilled writes from several goroutines, while another searches, and
// prints each write once it is acknowledged. Write n of a worker sets two points
// to n, in one batch.
func writeUntilKilled(dir string, start int) error {
	db, err := Open(dir, killOptions)
	if err != nil {
		return err
	}
	c, err := db.Collection("killed", Dense(2, L2))
	if err != nil {
		return err
	}
	failed := make(chan error, killWorkers+1)
	for w := range killWorkers {
		go func() {
			for n := start; ; n++ {
				if err := c.Upsert(context.Background(), killPoint(w, n, 0), killPoint(w, n, 1)); err != nil {
					failed <- err
					return
				}
				fmt.Printf("ack %d %d\n", w, n) // one system call: whole or not at all
			}
		}()
	}
	go func() {
		for {
			if _, err := c.Search(context.Background(), Query{Vector: []float32{1, 1}}); err != nil {
				failed <- err
				return
			}
		}
	}()
	return <-failed
}

func killPoint(worker, n, half int) Point {
	return Point{
		ID: Str(fmt.Sprintf("%d/%d/%d", worker, n%killPoints, half)), Vector: []float32{float32(n), float32(worker)},
		Payload: Payload{"n": n},
	}
}

// TestKilledWhileWriting kills a process that writes, again and again, and looks
// for every acknowledged write.
func TestKilledWhileWriting(t *testing.T) {
	dir := t.TempDir()
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 0))
	t.Logf("seed %d", seed)
	acked := map[string]int{} // the last acknowledged write of each point
	next, total := 1, 0
	for round := range *kills {
		total += runAndKill(t, dir, next, 20+random.IntN(400), acked)
		if err := Check(dir); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		next = verifyKilled(t, dir, acked) + 1
		if t.Failed() {
			t.Fatalf("round %d", round)
		}
	}
	t.Logf("%d kills, %d writes acknowledged, none lost", *kills, total)
}

// runAndKill starts the writer and kills it after so many acknowledgements,
// which it notes and counts.
func runAndKill(t *testing.T, dir string, start, after int, acked map[string]int) (n int) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "write-until-killed", dir, strconv.Itoa(start))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill := sync.OnceFunc(func() { cmd.Process.Kill() })
	defer kill()
	for lines := bufio.NewScanner(out); lines.Scan(); n++ { // what it said before it died is read to the end
		var worker, write int
		if _, err := fmt.Sscanf(lines.Text(), "ack %d %d", &worker, &write); err != nil {
			t.Fatalf("the writer said %q", lines.Text())
		}
		acked[killPoint(worker, write, 0).ID.String()] = write
		if n == after {
			kill()
		}
	}
	cmd.Wait()
	return n
}

// verifyKilled wants every acknowledged write, or a later one of the same point,
// and both halves of each. It returns the highest write that is there.
func verifyKilled(t *testing.T, dir string, acked map[string]int) int {
	t.Helper()
	db, err := Open(dir, killOptions)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	c, err := db.Lookup("killed")
	if err != nil {
		t.Fatal(err)
	}
	if damage := c.Damage(); len(damage) > 0 {
		t.Errorf("a kill was taken for damage: %+v", damage)
	}
	s, err := c.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	got := map[string]int{}
	highest := 0
	for p, err := range s.Points(t.Context(), Scroll{}) {
		if err != nil {
			t.Fatal(err)
		}
		n := int(p.Payload["n"].(int64))
		got[p.ID.String()] = n
		highest = max(highest, n)
	}
	for id, n := range acked {
		if got[id] < n {
			t.Errorf("write %d of point %s was acknowledged, and it has %d", n, id, got[id])
		}
	}
	for id, n := range got {
		if half, ok := strings.CutSuffix(id, "/0"); ok && got[half+"/1"] != n {
			t.Errorf("half a batch: %s has %d, and %s/1 has %d", id, n, half, got[half+"/1"])
		}
	}
	return highest
}
