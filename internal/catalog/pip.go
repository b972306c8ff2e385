package catalog

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// A patience says how long pip may take for what.
type patience struct {
	version time.Duration // to say its version; uv may fetch pip first
	index   time.Duration // until the package index has answered
	stall   time.Duration // without a byte
	poll    time.Duration // between two looks
}

var usualPatience = patience{
	version: 30 * time.Second,
	index:   15 * time.Second,
	stall:   60 * time.Second,
	poll:    200 * time.Millisecond,
}

// A pip runs the user's pip.
type pip struct {
	command []string
	patience
}

func (p pip) String() string { return strings.Join(p.command, " ") }

// pips are the ways to run pip, in the order they are tried.
var pips = [][]string{
	{"pip"},
	{"pip3"},
	{"python3", "-m", "pip"},
	{"python", "-m", "pip"},
	{"py", "-m", "pip"},
	{"uv", "tool", "run", "pip"},
}

// findPip returns the first pip that runs. The error lists every one.
func findPip(ctx context.Context, lookPath func(string) (string, error), patience patience) (pip, error) {
	var reasons []string
	for _, command := range pips {
		program, err := lookPath(command[0])
		if err != nil {
			reasons = append(reasons, command[0]+" is not installed")
			continue
		}
		found := pip{append([]string{program}, command[1:]...), patience}
		err = found.works(ctx)
		if err == nil {
			return found, nil
		}
		if ctx.Err() != nil {
			return pip{}, ctx.Err()
		}
		reasons = append(reasons, fmt.Sprintf("%s: %v", found, err))
	}
	return pip{}, fmt.Errorf("no Python pip on this machine (%s)", strings.Join(reasons, "; "))
}

func (p pip) works(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, p.version)
	defer cancel()
	out, err := p.run(ctx, "--version").CombinedOutput()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		return fmt.Errorf("%s (%w)", lines[len(lines)-1], err)
	case strings.Contains(string(out), "(python 2."):
		return errors.New("it is Python 2's")
	}
	return nil
}

// run makes a command that ends, with its children, when ctx ends.
func (p pip) run(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, p.command[0], slices.Concat(p.command[1:], args)...)
	endWithChildren(cmd)
	cmd.WaitDelay = 3 * time.Second
	return cmd
}

// download fetches one package into dir, which must be empty, and tells grew how
// many bytes are there so far. Pip's own settings (mirror, proxy, certificates)
// hold; only what would make it ask questions, run code or wait for ever is set.
func (p pip) download(ctx context.Context, pkg Package, sourceArchive bool, dir string, grew func(int64)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	args := []string{"download", "--no-deps", "--no-input", "--no-color",
		"--disable-pip-version-check", "--progress-bar", "off", "--retries", "1", "--dest", dir}
	if !sourceArchive {
		args = append(args, "--only-binary", ":all:")
	}
	cmd := p.run(ctx, append(args, pkg.Requirement)...)
	// Pip downloads to its temporary folder first: below dir it can be measured,
	// lies on the disk whose room was checked, and is swept with the rest.
	temp := filepath.Join(dir, "tmp")
	if err := os.Mkdir(temp, 0o755); err != nil {
		return inStore(err)
	}
	cmd.Env = append(cmd.Environ(), "TMPDIR="+temp, "TEMP="+temp, "TMP="+temp, "PYTHONUNBUFFERED=1")

	said := &pipOutput{}
	lines, w := io.Pipe()
	cmd.Stdout, cmd.Stderr = w, w
	read := make(chan struct{})
	go func() {
		defer close(read)
		said.read(lines)
	}()
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		p.watch(ctx, cancel, said, dir, grew)
	}()
	err := cmd.Run()
	w.Close()
	<-read
	cause := context.Cause(ctx)
	cancel(nil)
	<-watched
	switch {
	case cause != nil:
		return cause
	case err != nil:
		return fmt.Errorf("%s: %s", p, said.reason(err))
	}
	return nil
}

// watch reports how much is there, and ends a pip whose index does not answer or
// falls silent.
func (p pip) watch(ctx context.Context, cancel context.CancelCauseFunc, said *pipOutput, dir string, grew func(int64)) {
	tick := time.NewTicker(p.poll)
	defer tick.Stop()
	started := time.Now()
	last, size := started, int64(0)
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			if n := largestBelow(dir); n != size {
				last, size = now, n
				grew(n)
			}
			switch {
			case size == 0 && !said.answered.Load() && now.Sub(started) > p.index:
				cancel(fmt.Errorf("%w: the package index did not answer within %s", ErrUnreachable, p.index))
			case now.Sub(last) > p.stall:
				cancel(fmt.Errorf("pip made no progress for %s", p.stall))
			}
		}
	}
}

// largestBelow is the size of the largest file below dir: pip's download so far.
func largestBelow(dir string) int64 {
	var size int64
	filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if at, err := d.Info(); err == nil {
				size = max(size, at.Size())
			}
		}
		return nil // files come and go while pip works
	})
	return size
}

// A pipOutput keeps from pip's output what explains a failure.
type pipOutput struct {
	answered atomic.Bool // the index has answered
	problem  string      // the first error
	network  string      // why a connection failed
	last     string      // the last line
}

func (o *pipOutput) read(r io.Reader) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		o.line(strings.TrimSpace(lines.Text()))
	}
	io.Copy(io.Discard, r) // a line beyond the buffer must not block pip
}

func (o *pipOutput) line(s string) {
	first, rest, _ := strings.Cut(s, " ")
	switch first {
	case "":
		return
	case "Downloading", "Using", "Saved", "Processing", "File":
		o.answered.Store(true)
	case "ERROR:":
		if o.problem == "" {
			o.problem = rest
		}
	case "WARNING:":
		if strings.HasPrefix(rest, "Retrying") {
			o.network = connectionProblem(rest)
		}
	}
	o.last = s
}

// connectionProblem takes the cause out of pip's warning that it tries again,
// such as "…: Failed to establish a new connection: [Errno -2] Name or service
// not known')': /simple/x/".
func connectionProblem(warning string) string {
	quoted, _, _ := strings.Cut(warning, "')'")
	if i := strings.LastIndex(quoted, ": "); i >= 0 {
		return quoted[i+2:]
	}
	return warning
}

// reason says why pip failed, in its own words.
func (o *pipOutput) reason(err error) string {
	switch {
	case o.network != "" && !o.answered.Load():
		return fmt.Sprintf("the package index is %v: %s", ErrUnreachable, o.network)
	case o.problem != "":
		return o.problem
	case o.last != "":
		return fmt.Sprintf("%s (%v)", o.last, err)
	}
	return err.Error()
}
