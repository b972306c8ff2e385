package state

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ragstone/ragstone/internal/disk"
)

// anEntry is an entry whose every field is set.
func anEntry(id string) Entry {
	who := Spender{Tenant{"org-a", "proj_a"}, "key_a", "user-a"}
	return Entry{id, time.Unix(1_760_000_000, 0), who, "completions", "gpt-4o-mini", "fast", 1000, 100, 10, 150_000_000, 7_500_000, 6_000_000}
}

// aJournal is a synced journal of frames, which have the records with ids.
func aJournal(synced bool, frames ...[]string) []byte {
	data := beginning(synced)
	for _, ids := range frames {
		frame := make([]byte, frameHeader)
		for _, id := range ids {
			frame = appendRecord(frame, &record{anEntry(id), []string{"lease_a", "lease_b"}, 163_500_000})
		}
		sealFrame(frame)
		data = append(data, frame...)
	}
	return data
}

func recordIDs(j journalContent) string {
	var ids []string
	for _, r := range j.records {
		ids = append(ids, r.entry.ID)
	}
	return strings.Join(ids, " ")
}

func TestWhatAJournalSays(t *testing.T) {
	whole := aJournal(true, []string{"a", "b"}, []string{"c"}, []string{"d"})
	if j := readJournal(whole); len(j.records) != 4 || !j.synced || j.hole != -1 {
		t.Fatalf("a whole journal: got %q, synced %t, hole at %d", recordIDs(j), j.synced, j.hole)
	} else if diff := cmp.Diff(anEntry("b"), j.records[1].entry); diff != "" {
		t.Errorf("an entry (-want +got):\n%s", diff)
	} else if diff := cmp.Diff([]string{"lease_a", "lease_b"}, j.records[1].leases); diff != "" || j.records[1].taken != 163_500_000 {
		t.Errorf("what it takes: %d (-want +got):\n%s", j.records[1].taken, diff)
	}
	second := len(aJournal(true, []string{"a", "b"}))
	third := len(aJournal(true, []string{"a", "b"}, []string{"c"}))

	// Whatever its end was cut at, the frames before are all there.
	for end := range len(whole) {
		want := ""
		switch {
		case end >= third:
			want = "a b c"
		case end >= second:
			want = "a b"
		}
		if j := readJournal(whole[:end]); recordIDs(j) != want || j.hole != -1 {
			t.Errorf("cut at %d: got %q and a hole at %d, want %q and none", end, recordIDs(j), j.hole, want)
		}
	}
	// Whichever bit of the second frame is wrong, the others are there, and where
	// it is is told.
	for at := second; at < third; at++ {
		broken := bytes.Clone(whole)
		broken[at] ^= 0x10
		if j := readJournal(broken); recordIDs(j) != "a b d" || j.hole != second {
			t.Errorf("damaged at %d: got %q and a hole at %d, want %q and one at %d", at, recordIDs(j), j.hole, "a b d", second)
		}
	}
}

// FuzzJournal checks that no bytes are more than an error, and that what is read
// of them reads the same when written.
func FuzzJournal(f *testing.F) {
	whole := aJournal(true, []string{"a", "b"}, []string{"c"})
	f.Add(whole)
	f.Add(whole[:len(whole)-3])
	f.Add(aJournal(false))
	f.Add([]byte(journalMagic))
	f.Fuzz(func(t *testing.T, data []byte) {
		j := readJournal(data)
		if j.hole >= len(data) {
			t.Errorf("a hole at %d of %d bytes", j.hole, len(data))
		}
		if len(j.records) == 0 {
			return
		}
		frame := make([]byte, frameHeader)
		for i := range j.records {
			frame = appendRecord(frame, &j.records[i])
		}
		sealFrame(frame)
		again := readJournal(append(beginning(j.synced), frame...))
		if diff := cmp.Diff(j.records, again.records, cmp.AllowUnexported(record{})); diff != "" || again.hole != -1 {
			t.Errorf("written again it has a hole at %d and differs (-read +again):\n%s", again.hole, diff)
		}
	})
}

// onSQLite skips a test of what PostgreSQL has no need of.
func onSQLite(t *testing.T) {
	t.Helper()
	if *onPostgres {
		t.Skip("on PostgreSQL settlements are transactions")
	}
}

// A settlement of a process that has ended without a word is in the ledger once
// somebody opens its folder, once, and what its lease has left is given back.
func TestAJournalIsReplayed(t *testing.T) {
	onSQLite(t)
	dir := t.TempDir()
	s := reopen(t, dir)
	who := spender(t, s)
	b := setBudget(t, s, who, who.KeyID, 1_000_000, true)
	if _, err := s.Hold(t.Context(), "a", who, noon, 10); err != nil {
		t.Fatal(err)
	}
	lease := s.server.purses[purseKey{b.ID, b.begins(noon)}].lease
	id := s.server.id
	dead := bytes.Clone(beginning(false))
	for _, entryID := range []string{"b", "c"} {
		frame := appendRecord(make([]byte, frameHeader), &record{entry(entryID, who, noon, 4), []string{lease}, 4})
		sealFrame(frame)
		dead = append(dead, frame...)
	}
	// It dies after the ledger got its first record.
	if err := s.Settle(t.Context(), Settlement{Entry: entry("b", who, noon, 4)}); err != nil {
		t.Fatal(err)
	}
	if err := s.settleJournal(t.Context()); err != nil {
		t.Fatal(err)
	}
	held := heldOf(t, s, b)
	s.server.journal.stop() // it is not closed: that would be a farewell
	if err := errors.Join(s.server.unmark(), s.write.Close(), s.read.Close(), os.WriteFile(filepath.Join(dir, "servers", segmentName(id, 9)), dead, 0o600)); err != nil {
		t.Fatal(err)
	}

	next := open(t, dir)
	standings, err := next.BudgetStandings(t.Context(), who.Tenant.OrganizationID, noon)
	if err != nil || standings[0].Spent != 8 || standings[0].Held != 0 {
		t.Errorf("after its death: got %+v, %v; want 8 spent and nothing held of the %d", standings, err, held)
	}
	files, _ := filepath.Glob(filepath.Join(dir, "servers", "*"))
	if len(files) != 0 {
		t.Errorf("of the dead server there are still %v", files)
	}
}

// What one process has answered another reads at once, also while the ledger of
// the first has not got it.
func TestAnotherProcessReadsTheJournal(t *testing.T) {
	onSQLite(t)
	dir := t.TempDir()
	a, b := open(t, dir), open(t, dir)
	who := spender(t, a)
	a.applying.Lock() // its journal waits
	for i := range 600 {
		if err := a.Settle(t.Context(), Settlement{Entry: entry(fmt.Sprint(i), who, noon, 1)}); err != nil {
			t.Fatal(err)
		}
		if i%100 != 0 {
			continue
		}
		rows, err := b.Usage(t.Context(), UsageQuery{OrganizationID: who.Tenant.OrganizationID, From: noon, Until: noon.Add(time.Hour), Width: time.Hour})
		if err != nil || len(rows) != 1 || rows[0].Requests != int64(i)+1 {
			t.Errorf("after %d answers another process sees %+v, %v", i+1, rows, err)
		}
	}
	a.applying.Unlock()
	rows, err := a.Usage(t.Context(), UsageQuery{OrganizationID: who.Tenant.OrganizationID, From: noon, Until: noon.Add(time.Hour), Width: time.Hour})
	if err != nil || len(rows) != 1 || rows[0].Requests != 600 {
		t.Errorf("in the end: got %+v, %v; want 600 answers", rows, err)
	}
}

// A journal that is damaged is told of and kept, and all of it that can be read
// is in the ledger.
func TestADamagedJournalIsTold(t *testing.T) {
	onSQLite(t)
	for _, synced := range []bool{true, false} {
		dir := t.TempDir()
		s := reopen(t, dir)
		who := spender(t, s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		data := beginning(synced)
		for i := range 3 {
			frame := appendRecord(make([]byte, frameHeader), &record{entry: entry(fmt.Sprint(i), who, noon, 1)})
			sealFrame(frame)
			if i == 1 {
				frame[20] ^= 1
			}
			data = append(data, frame...)
		}
		name := filepath.Join(dir, "servers", segmentName("server_dead", 1))
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o700), os.WriteFile(name, data, 0o600)); err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		s, err := OpenWith(t.Context(), dir, Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, err := range s.Entries(t.Context(), who.Tenant.OrganizationID, noon, noon.Add(time.Second)) {
			if n++; err != nil {
				t.Fatal(err)
			}
		}
		if n != 2 || !strings.Contains(log.String(), "may be missing") {
			t.Errorf("synced %t: %d of 2 entries that can be read, and the log says %q", synced, n, log.String())
		}
		_, kept := os.Stat(name + damagedSuffix)
		if err := s.Verify(t.Context()); (err != nil) != synced || (kept == nil) != synced {
			t.Errorf("synced %t: Verify says %v, the file aside: %v; want both for a synced journal alone", synced, err, kept)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// A journal beside a database that does not have its projects, as after a
// restore of an older copy, is told of and kept, and stops nothing.
func TestAJournalOfAnotherDatabaseIsSetAside(t *testing.T) {
	onSQLite(t)
	dir := t.TempDir()
	if err := reopen(t, dir).Close(); err != nil {
		t.Fatal(err)
	}
	frame := appendRecord(make([]byte, frameHeader), &record{entry: anEntry("1")})
	sealFrame(frame)
	name := filepath.Join(dir, "servers", segmentName("server_dead", 1))
	if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o700), os.WriteFile(name, append(beginning(true), frame...), 0o600)); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	s, err := OpenWith(t.Context(), dir, Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(name + damagedSuffix); err != nil || !strings.Contains(log.String(), "does not have") {
		t.Errorf("kept: %v; the log says %q", err, log.String())
	}
	if err := s.Verify(t.Context()); err == nil {
		t.Error("Verify does not tell of it")
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// Whatever goes wrong with the disk, what was not acknowledged is not there, and
// what comes after it is.
func TestAJournalOnABadDisk(t *testing.T) {
	for n := 1; n <= 12; n++ {
		files := disk.NewMemFS()
		if err := files.MkdirAll("/servers", 0o700); err != nil {
			t.Fatal(err)
		}
		files.Settle()
		j := newJournal(files, "/servers", "server_a", true)
		files.FailAt(n, syscall.EIO)
		var acknowledged []string
		for i := range 4 {
			id := fmt.Sprint(i)
			if err := j.post(&posting{record: record{entry: anEntry(id)}}); err == nil {
				acknowledged = append(acknowledged, id)
			}
		}
		if len(acknowledged) < 3 {
			t.Errorf("operation %d fails: only %v were acknowledged", n, acknowledged)
		}
		files.Crash()
		found, err := journalFiles(files, "/servers")
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range found {
			data, err := disk.ReadFile(files, f.path)
			if err != nil {
				t.Fatal(err)
			}
			content := readJournal(data)
			if content.hole >= 0 {
				t.Errorf("operation %d fails: %s has a hole", n, f.path)
			}
			if len(content.records) > 0 {
				got = append(got, recordIDs(content))
			}
		}
		if want := strings.Join(acknowledged, " "); strings.Join(got, " ") != want {
			t.Errorf("operation %d fails: got %q after a loss of power, want %q", n, got, want)
		}
	}
}

// Segments are removed once the ledger has them, and no sooner.
func TestSegmentsGo(t *testing.T) {
	files := disk.NewMemFS()
	if err := files.MkdirAll("/servers", 0o700); err != nil {
		t.Fatal(err)
	}
	j := newJournal(files, "/servers", "server_a", false)
	long := anEntry("a")
	long.Asked = strings.Repeat("x", mostRecord/2)
	const records = 3 * segmentSize / (mostRecord / 2)
	for range records {
		if err := j.post(&posting{record: record{entry: long}}); err != nil {
			t.Fatal(err)
		}
	}
	count := func() int {
		found, err := journalFiles(files, "/servers")
		if err != nil {
			t.Fatal(err)
		}
		return len(found)
	}
	for left := records; left > 0; left-- {
		if left := j.waiting(1); len(left) != 1 || count() != j.number-left[0].segment+1 {
			t.Fatalf("the next record is of segment %d of %d, and there are %d", left[0].segment, j.number, count())
		}
		j.done(1)
	}
	if j.number < 2 || count() != 1 {
		t.Errorf("of %d segments %d are left, want the last", j.number, count())
	}
	j.stop()
	if err := j.remove(); err != nil || count() != 0 {
		t.Errorf("closed: %v, and %d segments are left", err, count())
	}
	if err := j.post(&posting{record: record{entry: long}}); !errors.Is(err, os.ErrClosed) {
		t.Errorf("a record after the end: %v", err)
	}
}

// Leases grow with what requests need and shrink to it near a budget's end; what
// is idle comes back.
func TestLeases(t *testing.T) {
	dir := t.TempDir()
	a, b := open(t, dir), open(t, dir)
	who := spender(t, a)
	budget := setBudget(t, a, who, who.KeyID, 100_000, true)
	const most = 10
	turns := 0
	for i := range 1000 {
		id := fmt.Sprint("a", i)
		before := heldOf(t, a, budget)
		if _, err := a.Hold(t.Context(), id, who, noon, most); err != nil {
			t.Fatal(err)
		}
		if heldOf(t, a, budget) > before {
			turns++
		}
		if err := a.Release(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	if turns > 100 { // ten or so, and one for each time that a slow machine left the lease idle
		t.Errorf("a thousand requests, one at a time, took money from the budget %d times", turns)
	}
	// Another server gets nearly all of the rest, and all of it once the first has
	// been idle.
	if _, err := b.Hold(t.Context(), "b", who, noon, 90_000); err != nil {
		t.Errorf("beside a lease: %v", err)
	}
	if err := b.Release(t.Context(), "b"); err != nil {
		t.Fatal(err)
	}
	unheld(t, a, who)
	if _, err := b.Hold(t.Context(), "all", who, noon, 100_000); err != nil {
		t.Errorf("with nobody beside: %v", err)
	}
	if _, err := a.Hold(t.Context(), "more", who, noon, 1); err == nil {
		t.Error("more than all")
	}
	if err := b.Release(t.Context(), "all"); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Hold(t.Context(), "again", who, noon, 100_000); err != nil {
		t.Errorf("what was exact came back late: %v", err)
	}
}

// heldOf is what is held of a budget, 0 where the period has not begun.
func heldOf(t *testing.T, s *Store, b Budget) int64 {
	t.Helper()
	var held int64
	if err := s.read.QueryRowContext(context.Background(), "SELECT coalesce(sum(held), 0) FROM budget_periods WHERE budget_id = ?", b.ID).Scan(&held); err != nil {
		t.Fatal(err)
	}
	return held
}

// A budget that is lowered, by whichever process, binds the next request that
// knows of it, though a lease from before would cover it.
func TestALoweredBudgetBindsLeases(t *testing.T) {
	dir := t.TempDir()
	a, b := open(t, dir), open(t, dir)
	who := spender(t, a)
	setBudget(t, a, who, who.KeyID, 1_000_000, true)
	if _, err := a.Hold(t.Context(), "a", who, noon, 10); err != nil {
		t.Fatal(err)
	}
	setBudget(t, b, who, who.KeyID, 15, true)
	if _, err := a.Revision(t.Context()); err != nil { // as a request's key is checked
		t.Fatal(err)
	}
	if _, err := a.Hold(t.Context(), "b", who, noon, 10); err == nil {
		t.Error("10 and 10 of a budget lowered to 15 were held")
	}
	if _, err := a.Hold(t.Context(), "c", who, noon, 5); err != nil {
		t.Errorf("10 and 5 of 15: %v", err)
	}
	setBudget(t, a, who, who.Tenant.ProjectID, 3, true)
	if err := errors.Join(a.Release(t.Context(), "a"), a.Release(t.Context(), "c")); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Hold(t.Context(), "d", who, noon, 4); err == nil {
		t.Error("4 were held beside a new budget of 3")
	}
	verify(t, a)
}
