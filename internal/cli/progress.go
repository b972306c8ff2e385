package cli

import (
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"golang.org/x/term"
)

// How a progress line behaves: work shorter than progressDelay shows nothing,
// a terminal is redrawn no more often than redrawEvery, and a pipe or a file
// gets a plain line every plainEvery.
const (
	progressDelay = 500 * time.Millisecond
	redrawEvery   = 100 * time.Millisecond
	plainEvery    = 5 * time.Second
)

// A unit says how amounts of work are written.
type unit func(amount int64) string

// countOf is a unit of things, such as "files".
func countOf(things string) unit {
	return func(n int64) string { return fmt.Sprintf("%d %s", n, things) }
}

// bytesUnit writes sizes as people who pay for them do, in powers of ten.
func bytesUnit(n int64) string {
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	size, prefixes := float64(n)/1000, "kMGTPE"
	for size >= 999.5 { // it would be written as 1000
		size, prefixes = size/1000, prefixes[1:]
	}
	if size < 9.95 {
		return fmt.Sprintf("%.1f %cB", size, prefixes[0])
	}
	return fmt.Sprintf("%.0f %cB", size, prefixes[0])
}

// A progress shows how far a piece of work is: on a terminal one line that is
// redrawn, with a bar, the rate and the remaining time; elsewhere a plain line
// now and then. Its methods may be called from several goroutines and cost next
// to nothing when there is nothing to draw.
//
//	p := a.newProgress("Indexing ./docs", countOf("files"))
//	defer p.Close()
//	p.Set(done, total)
type progress struct {
	out      io.Writer
	terminal bool
	colour   bool
	width    func() int // columns of the terminal
	now      func() time.Time
	unit     unit

	mu          sync.Mutex // guards what follows
	label       string
	done, total int64
	started     time.Time
	drawn       time.Time // when the last line was written; zero: never
	onScreen    bool      // a line that must be erased before another
	rate        rate
	closed      bool
}

// newProgress starts a piece of work. Label says what is done, unit how the
// amounts given to Set are written.
func (a *app) newProgress(label string, unit unit) *progress {
	p := &progress{out: a.stderr, unit: unit, label: label, now: time.Now}
	if f, ok := a.stderr.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.terminal = true
		p.colour = !a.config.NoColor
		p.width = func() int {
			columns, _, err := term.GetSize(int(f.Fd()))
			if err != nil || columns < 1 {
				return 80
			}
			return columns
		}
	}
	p.started = p.now()
	return p
}

// Set says how much is done and how much there is; a total of zero or less
// means that nobody knows.
func (p *progress) Set(done, total int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	p.done, p.total = done, total
	p.rate.add(now, done)
	pause := plainEvery
	if p.terminal {
		pause = redrawEvery
	}
	if p.closed || now.Sub(p.started) < progressDelay || !p.drawn.IsZero() && now.Sub(p.drawn) < pause {
		return
	}
	p.draw(now)
}

// Label changes what is done, as when a second file or stage begins.
func (p *progress) Label(label string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.label = label
}

// Printf writes a line that stays, above the progress line.
func (p *progress) Printf(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.erase()
	fmt.Fprintf(p.out, strings.TrimSuffix(format, "\n")+"\n", args...)
}

// Close ends the progress and takes its line off the terminal. A second call
// does nothing.
func (p *progress) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.erase()
}

func (p *progress) erase() {
	if p.onScreen {
		io.WriteString(p.out, "\r\x1b[K")
		p.onScreen = false
	}
}

func (p *progress) draw(now time.Time) {
	p.drawn = now
	if !p.terminal {
		fmt.Fprintln(p.out, p.line(math.MaxInt, false))
		return
	}
	// One column stays free: a full line makes some terminals scroll.
	io.WriteString(p.out, "\r"+p.line(p.width()-1, true)+"\x1b[K")
	p.onScreen = true
}

// line writes the label, the bar and the amounts in at most width columns. It
// leaves out the bar first, then the amounts from the right, then cuts the
// label.
func (p *progress) line(width int, bar bool) string {
	facts := p.facts()
	for {
		text := strings.Join(append([]string{p.label}, facts...), "  ")
		free := width - utf8.RuneCountInString(text)
		switch {
		case bar && p.total > 0 && free >= 12:
			return p.label + "  " + p.bar(min(free-2, 30)) + text[len(p.label):]
		case free >= 0:
			return text
		case len(facts) == 0:
			return string([]rune(p.label)[:max(0, width)])
		}
		facts = facts[:len(facts)-1]
	}
}

// facts are the parts of the line after the label, most telling first.
func (p *progress) facts() []string {
	if p.total <= 0 {
		facts := []string{p.unit(p.done)}
		if r := p.rate.perSecond(); r > 0 {
			facts = append(facts, p.unit(int64(r))+"/s")
		}
		return facts
	}
	facts := []string{
		fmt.Sprintf("%d%%", 100*p.done/p.total),
		fmt.Sprintf("%s of %s", p.unit(p.done), p.unit(p.total)),
	}
	if r := p.rate.perSecond(); r > 0 {
		left := time.Duration(float64(p.total-p.done) / r * float64(time.Second))
		facts = append(facts, p.unit(int64(math.Ceil(r)))+"/s", roughly(left)+" left")
	}
	return facts
}

// bar draws the done part in eighths of a column.
func (p *progress) bar(columns int) string {
	eighths := int(float64(columns*8) * min(1, float64(p.done)/float64(p.total)))
	bar := strings.Repeat("█", eighths/8)
	if eighths%8 > 0 {
		bar += string([]rune("▏▎▍▌▋▊▉")[eighths%8-1])
	}
	rest := strings.Repeat("░", columns-utf8.RuneCountInString(bar))
	if p.colour {
		return "\x1b[36m" + bar + "\x1b[90m" + rest + "\x1b[0m"
	}
	return bar + rest
}

// roughly writes a duration as a person would say it.
func roughly(d time.Duration) string {
	switch d = d.Round(time.Second); {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
}

// A rate is the speed of the last seconds: it forgets a slow start and notices
// a stall.
type rate struct {
	samples []sample
}

type sample struct {
	at   time.Time
	done int64
}

const (
	rateWindow  = 5 * time.Second
	rateSpacing = 100 * time.Millisecond
)

func (r *rate) add(at time.Time, done int64) {
	n := len(r.samples)
	if n > 0 && done < r.samples[n-1].done { // the work began anew
		r.samples, n = r.samples[:0], 0
	}
	if n > 1 && at.Sub(r.samples[n-2].at) < rateSpacing {
		r.samples[n-1] = sample{at, done}
		return
	}
	r.samples = append(r.samples, sample{at, done})
	for len(r.samples) > 2 && at.Sub(r.samples[0].at) > rateWindow {
		r.samples = r.samples[1:]
	}
}

func (r *rate) perSecond() float64 {
	if len(r.samples) < 2 {
		return 0
	}
	first, last := r.samples[0], r.samples[len(r.samples)-1]
	if !last.at.After(first.at) {
		return 0
	}
	return float64(last.done-first.done) / last.at.Sub(first.at).Seconds()
}
