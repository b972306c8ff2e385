package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	connections = 256              // that a load keeps at most
	patience    = 10 * time.Second // for an answer; a request without one counts as if it had taken so long
)

// chatRequest is a body of 1 kB.
var chatRequest = func() string {
	const head = `{"model":"gpt-4o-mini","temperature":0.2,"max_completion_tokens":64,"messages":[{"role":"system","content":"Answer from the handbook, in two sentences, and name the section."},{"role":"user","content":"`
	const tail = `"}]}`
	question := strings.Repeat("How many days of leave does a new hire get, and which of them may be taken later? ", 13)
	return head + question[:1024-len(head)-len(tail)] + tail
}()

// client sends chat requests to a side.
type client struct {
	side *side
	http *http.Client
	body string
}

func newClient(s *side) *client {
	transport := &http.Transport{MaxIdleConnsPerHost: connections, MaxConnsPerHost: connections, DisableCompression: true}
	return &client{s, &http.Client{Transport: transport, Timeout: patience}, chatRequest}
}

// send makes a request and reads its answer.
func (c *client) send(ctx context.Context) error {
	response, err := c.post(ctx)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return err
}

func (c *client) post(ctx context.Context) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.side.url+"/chat/completions", strings.NewReader(c.body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+c.side.key)
	response, err := c.http.Do(r)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(response.Body, 500))
		response.Body.Close()
		return nil, fmt.Errorf("%s answers %s: %s", c.side.name, response.Status, text)
	}
	return response, nil
}

func (c *client) close() { c.http.CloseIdleConnections() }

// sample is what came of a load.
type sample struct {
	latencies []time.Duration // sorted
	failed    int
	lastError error
	took      time.Duration
	cpu       time.Duration // of the side
}

func (s *sample) quantile(q float64) time.Duration {
	if len(s.latencies) == 0 {
		return patience
	}
	return s.latencies[min(int(q*float64(len(s.latencies))), len(s.latencies)-1)]
}

func (s *sample) perSecond() float64 {
	return float64(len(s.latencies)-s.failed) / s.took.Seconds()
}

// cpuEach is the processor time that the side took for a request.
func (s *sample) cpuEach() time.Duration { return s.cpu / time.Duration(max(1, len(s.latencies))) }

// recorder gathers a sample from many goroutines.
type recorder struct {
	mu     sync.Mutex
	sample sample
}

func (r *recorder) add(latency time.Duration, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.sample.failed++
		r.sample.lastError = err
		latency = patience
	}
	r.sample.latencies = append(r.sample.latencies, latency)
}

// openLoop sends so many requests a second, whatever becomes of those before.
func (s *side) openLoop(ctx context.Context, perSecond int, length time.Duration) *sample {
	return s.record(func(c *client, r *recorder) {
		var running sync.WaitGroup
		began := time.Now()
		for i := range int(length.Seconds() * float64(perSecond)) {
			due := began.Add(time.Duration(i) * time.Second / time.Duration(perSecond))
			time.Sleep(time.Until(due))
			running.Go(func() {
				err := c.send(ctx)
				r.add(time.Since(due), err)
			})
		}
		running.Wait()
	})
}

// closedLoop keeps so many requests under way.
func (s *side) closedLoop(ctx context.Context, atOnce int, length time.Duration) *sample {
	return s.record(func(c *client, r *recorder) {
		var running sync.WaitGroup
		end := time.Now().Add(length)
		for range atOnce {
			running.Go(func() {
				for ctx.Err() == nil && time.Now().Before(end) {
					began := time.Now()
					err := c.send(ctx)
					r.add(time.Since(began), err)
				}
			})
		}
		running.Wait()
	})
}

func (s *side) record(load func(*client, *recorder)) *sample {
	c, r := newClient(s), &recorder{}
	defer c.close()
	before, began := s.usage(), time.Now()
	load(c, r)
	r.sample.took = time.Since(began)
	r.sample.cpu = s.usage().cpu - before.cpu
	slices.Sort(r.sample.latencies)
	return &r.sample
}

// openStream begins a streamed answer and returns it after its first event.
func (c *client) openStream(ctx context.Context) (io.Closer, error) {
	response, err := c.post(ctx)
	if err != nil {
		return nil, err
	}
	lines := bufio.NewReaderSize(response.Body, 512)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			response.Body.Close()
			return nil, err
		}
		if bytes.HasPrefix(line, []byte("data: ")) {
			return response.Body, nil
		}
	}
}
