package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// warmUp is what every side gets before it is measured.
const warmUp = time.Second

// rounds lets the sides take turns and returns their samples, by side and round.
func rounds(ctx context.Context, sides sides, o options, load func(*side) *sample) ([][]*sample, error) {
	samples := make([][]*sample, len(sides))
	for range o.rounds {
		for i, s := range sides {
			got := load(s)
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			samples[i] = append(samples[i], got)
		}
	}
	return samples, nil
}

func compareLatency(ctx context.Context, sides sides, rate int, o options) error {
	for _, s := range sides {
		s.openLoop(ctx, rate, warmUp)
	}
	samples, err := rounds(ctx, sides, o, func(s *side) *sample { return s.openLoop(ctx, rate, o.length) })
	if err != nil {
		return err
	}
	fmt.Printf("\n%d requests a second, open loop\n\n", rate)
	printRow("", "p50", "p99", "adds p50", "adds p99", "of bare", "of bare", "CPU each", "failed", "resident")
	for i, s := range sides {
		direct, bare := samples[0], samples[1]
		quantile := func(q float64) (whole, added time.Duration, ofBare float64) {
			var wholes, addeds []time.Duration
			var ratios []float64
			for n, mine := range samples[i] {
				add := mine.quantile(q) - direct[n].quantile(q)
				wholes, addeds = append(wholes, mine.quantile(q)), append(addeds, add)
				ratios = append(ratios, float64(mine.quantile(q))/float64(bare[n].quantile(q)))
			}
			return median(wholes), median(addeds), median(ratios)
		}
		whole50, added50, ratio50 := quantile(0.5)
		whole99, added99, ratio99 := quantile(0.99)
		printRow(s.name, whole50, whole99, added50, added99, ratio50, ratio99, medianOf(samples[i], (*sample).cpuEach), failures(samples[i]), s.usage().resident)
	}
	return nil
}

func compareThroughput(ctx context.Context, sides sides, o options) error {
	const atOnce = 64
	samples, err := rounds(ctx, sides, o, func(s *side) *sample { return s.closedLoop(ctx, atOnce, o.length) })
	if err != nil {
		return err
	}
	fmt.Printf("\n%d requests at once, as many as go\n\n", atOnce)
	printRow("", "a second", "of bare", "p50", "p99", "CPU each", "failed", "resident")
	for i, s := range sides {
		var ratios []float64
		for n, mine := range samples[i] {
			ratios = append(ratios, mine.perSecond()/samples[1][n].perSecond())
		}
		printRow(s.name, int(medianOf(samples[i], (*sample).perSecond)), median(ratios),
			medianOf(samples[i], func(s *sample) time.Duration { return s.quantile(0.5) }),
			medianOf(samples[i], func(s *sample) time.Duration { return s.quantile(0.99) }),
			medianOf(samples[i], (*sample).cpuEach), failures(samples[i]), s.usage().resident)
	}
	return nil
}

// measureStreams opens streams that have nothing to say, and shows what each
// takes in the bare proxy and in Ragstone.
func measureStreams(ctx context.Context, sides sides, o options) error {
	fmt.Printf("\n%d idle streams\n\n", o.streams)
	printRow("", "before", "with them", "each")
	for _, s := range sides[1:3] {
		before := s.usage().resident
		streams, err := openStreams(ctx, s, o.streams)
		time.Sleep(2 * time.Second)
		with := s.usage().resident
		for _, stream := range streams {
			stream.Close()
		}
		if err != nil {
			return fmt.Errorf("open stream %d of %d: %w", len(streams)+1, o.streams, err)
		}
		printRow(s.name, before, with, (with-before)/int64(o.streams))
	}
	return nil
}

func openStreams(ctx context.Context, s *side, n int) (streams []io.Closer, err error) {
	c := newClient(s)
	c.http = &http.Client{Transport: &http.Transport{DisableKeepAlives: true, ReadBufferSize: 1 << 10, WriteBufferSize: 1 << 10}}
	c.body = strings.Replace(chatRequest, "{", `{"stream":true,`+idle+",", 1)
	var mu sync.Mutex
	var running sync.WaitGroup
	const openers = 20
	for range openers {
		running.Go(func() {
			for range n / openers {
				stream, failed := c.openStream(ctx)
				mu.Lock()
				if failed == nil {
					streams = append(streams, stream)
				}
				err = cmp.Or(err, failed)
				mu.Unlock()
				if failed != nil {
					return
				}
			}
		})
	}
	running.Wait()
	return streams, err
}

func failures(samples []*sample) string {
	failed, all := 0, 0
	for _, s := range samples {
		failed, all = failed+s.failed, all+len(s.latencies)
	}
	return fmt.Sprintf("%d/%d", failed, all)
}

func medianOf[T cmp.Ordered](samples []*sample, of func(*sample) T) T {
	var values []T
	for _, s := range samples {
		values = append(values, of(s))
	}
	return median(values)
}

func median[T cmp.Ordered](values []T) T {
	slices.Sort(values)
	return values[len(values)/2]
}

// printRow prints cells: durations in microseconds, bytes in megabytes or, below
// one, in kilobytes.
func printRow(cells ...any) {
	for _, cell := range cells {
		text := fmt.Sprint(cell)
		switch v := cell.(type) {
		case time.Duration:
			text = fmt.Sprintf("%d µs", v.Microseconds())
		case float64:
			text = fmt.Sprintf("%.2f", v)
		case int64:
			text = fmt.Sprintf("%.1f MB", float64(v)/1e6)
			if v < 1e6 {
				text = fmt.Sprintf("%.1f kB", float64(v)/1e3)
			}
		}
		fmt.Printf("| %-10s ", text)
	}
	fmt.Println("|")
}
