// Command gateway measures what it costs to put Ragstone between programs and
// a model server, beside two others: a bare httputil.ReverseProxy, which does
// nothing, and LiteLLM's proxy.
//
//	gateway -ragstone bin/ragstone [-litellm VENV/bin/litellm] [-rounds 5] [-seconds 4]
//
// Behind all of them is the same mock of an upstream, which answers at once.
// Ragstone runs with all it does for a request switched on: a key, rate limits, a
// hard budget, the ledger, metrics, an access log and traces. Every process is on
// this machine's loopback and shares its processors with the load.
//
// The sides take turns in every round, and the mock itself is one of them: what
// a side adds is its quantile less the mock's of the same round; ratios are of
// whole quantiles, since the bare proxy may add less than the noise. Latency is
// from the time a request is due, so that one that waits for a slow server
// counts its wait (open loop). Printed are medians of the rounds, and of the rounds'
// ratios. Needs Linux for what it reads in /proc.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

// options are the flags.
type options struct {
	ragstone string
	litellm  string // empty: not measured
	rounds   int
	length   time.Duration // of a measurement
	streams  int
	idle     bool // nothing but the streams
}

func main() {
	if err := command(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "gateway:", err)
		os.Exit(1)
	}
}

// command runs the measurement, or one of the servers that it starts of itself.
func command(args []string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if len(args) == 2 && args[0] == "mock" {
		return serveMock(args[1])
	}
	if len(args) == 3 && args[0] == "bare" {
		return serveBare(args[1], args[2])
	}
	var o options
	flag.StringVar(&o.ragstone, "ragstone", "bin/ragstone", "the `program` to measure")
	flag.StringVar(&o.litellm, "litellm", "", "LiteLLM's `program`; none leaves it out")
	flag.IntVar(&o.rounds, "rounds", 5, "the `number` of times that the sides take turns")
	flag.DurationVar(&o.length, "length", 4*time.Second, "the `duration` of a measurement")
	flag.IntVar(&o.streams, "streams", 5000, "the `number` of idle streams")
	flag.BoolVar(&o.idle, "idle", false, "measure the idle streams alone")
	flag.Parse()
	return measure(ctx, o)
}

func measure(ctx context.Context, o options) error {
	dir, err := os.MkdirTemp("", "gateway-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	sides, err := startSides(ctx, o, dir)
	defer sides.stop()
	if err != nil {
		return err
	}
	if err := openFiles(2*o.streams + 1000); err != nil {
		return err
	}
	if o.idle {
		return measureStreams(ctx, sides, o)
	}
	for _, rate := range []int{300, 1000} {
		if err := compareLatency(ctx, sides, rate, o); err != nil {
			return err
		}
	}
	if err := compareThroughput(ctx, sides, o); err != nil {
		return err
	}
	return measureStreams(ctx, sides, o)
}

// openFiles checks that a process may have so many files open, as Ragstone needs
// two for each stream: Go raises the soft limit to the hard one.
func openFiles(n int) error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	if limit.Max < uint64(n) {
		return fmt.Errorf("a process may have %d files open, and the streams need %d: raise it (ulimit -Hn) or ask for fewer -streams", limit.Max, n)
	}
	return nil
}

// startSides starts the mock and everything that stands before it, the mock
// first and the bare proxy second.
func startSides(ctx context.Context, o options, dir string) (sides sides, err error) {
	add := func(s *side, err error) error {
		if err == nil {
			sides = append(sides, s)
		}
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if err := add(startMock(ctx, self)); err != nil {
		return sides, err
	}
	if err := add(startBare(ctx, self, sides[0].url)); err != nil {
		return sides, err
	}
	if err := add(startRagstone(ctx, o.ragstone, filepath.Join(dir, "home"), sides[0].url)); err != nil {
		return sides, err
	}
	if o.litellm == "" {
		return sides, nil
	}
	return sides, add(startLiteLLM(ctx, o.litellm, dir, sides[0].url))
}
