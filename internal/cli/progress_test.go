package cli

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// progressOn is a progress on a terminal of so many columns (none: a pipe),
// with a clock that only moves when told.
func progressOn(columns int) (p *progress, out *strings.Builder, tick func(time.Duration)) {
	out = new(strings.Builder)
	now := time.Unix(0, 0)
	p = &progress{
		out: out, unit: bytesUnit, label: "Downloading tiny",
		terminal: columns > 0, width: func() int { return columns },
		now: func() time.Time { return now }, started: now,
	}
	return p, out, func(d time.Duration) { now = now.Add(d) }
}

func TestProgressFitsTheTerminal(t *testing.T) {
	for _, c := range []struct {
		columns int
		want    string
	}{
		{81, "Downloading tiny  ████████▊░░░░░░░░░░░░░  40%  40 MB of 100 MB  40 MB/s  2s left"},
		{71, "Downloading tiny  ████▊░░░░░░░  40%  40 MB of 100 MB  40 MB/s  2s left"},
		{60, "Downloading tiny  40%  40 MB of 100 MB  40 MB/s  2s left"},
		{30, "Downloading tiny  40%"},
		{8, "Downloa"},
		{1, ""},
	} {
		p, out, tick := progressOn(c.columns)
		p.Set(0, 100e6)
		tick(time.Second)
		p.Set(40e6, 100e6)
		got := strings.TrimSuffix(strings.TrimPrefix(out.String(), "\r"), "\x1b[K")
		if utf8.RuneCountInString(got) >= c.columns {
			t.Errorf("%d columns: %d are used: %q", c.columns, utf8.RuneCountInString(got), got)
		}
		if got != c.want {
			t.Errorf("%d columns:\n got %q\nwant %q", c.columns, got, c.want)
		}
	}
}

func TestProgressOfShortWorkShowsNothing(t *testing.T) {
	p, out, tick := progressOn(80)
	p.Set(1, 10)
	tick(progressDelay - 1)
	p.Set(10, 10)
	p.Close()
	if out.Len() != 0 {
		t.Errorf("got %q, want nothing", out)
	}
}

func TestProgressInAPipeIsPlain(t *testing.T) {
	p, out, tick := progressOn(0)
	for i := range int64(21) {
		p.Set(i*1000, 20_000)
		tick(500 * time.Millisecond)
	}
	p.Close()
	p.Close()
	want := "Downloading tiny  5%  1.0 kB of 20 kB  2.0 kB/s  10s left\n" +
		"Downloading tiny  55%  11 kB of 20 kB  2.0 kB/s  5s left\n"
	if out.String() != want {
		t.Errorf("got:\n%swant:\n%s", out, want)
	}
}

func TestProgressKeepsPrintedLines(t *testing.T) {
	p, out, tick := progressOn(40)
	tick(time.Second)
	p.Set(5, 0)
	p.Printf("a.pdf: %s", "no text")
	p.Close()
	want := "\rDownloading tiny  5 B\x1b[K" + "\r\x1b[K" + "a.pdf: no text\n"
	if out.String() != want {
		t.Errorf("got %q, want %q", out, want)
	}
}

func TestProgressColour(t *testing.T) {
	p, _, _ := progressOn(80)
	p.done, p.total, p.colour = 1, 2, true
	if got, want := p.bar(4), "\x1b[36m██\x1b[90m░░\x1b[0m"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestBytesUnit(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 B", 999: "999 B", 1000: "1.0 kB", 9949: "9.9 kB", 9950: "10 kB", 999_499: "999 kB",
		999_500: "1.0 MB", 98_362_432: "98 MB", 2_270_000_000: "2.3 GB", 1 << 62: "4.6 EB",
	} {
		if got := bytesUnit(n); got != want {
			t.Errorf("bytesUnit(%d): got %q, want %q", n, got, want)
		}
	}
}

func TestRoughly(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 59*time.Second + 600*time.Millisecond: "1m00s", 61 * time.Second: "1m01s", 3661 * time.Second: "1h01m",
	} {
		if got := roughly(d); got != want {
			t.Errorf("roughly(%v): got %q, want %q", d, got, want)
		}
	}
}
