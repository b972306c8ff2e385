package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// side is a running server that takes part.
type side struct {
	name string
	url  string // the base, with /v1
	key  string

	process *exec.Cmd
	output  *bytes.Buffer // what it last wrote, for when it does not start
}

type sides []*side

func (s sides) stop() {
	for _, side := range s {
		side.stop()
	}
}

// freeAddr returns a loopback address that nobody listens on.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

func startMock(ctx context.Context, self string) (*side, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	return start(ctx, &side{name: "mock", url: "http://" + addr + "/v1"}, exec.Command(self, "mock", addr))
}

func startBare(ctx context.Context, self, upstream string) (*side, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	return start(ctx, &side{name: "bare", url: "http://" + addr + "/v1"}, exec.Command(self, "bare", addr, upstream))
}

// mostAtOnce bounds the requests that Ragstone runs at once, and its connections.
const mostAtOnce = 20_000

// startRagstone starts it on a home of its own, with an organization that has a
// hard budget, and limits that are kept count of and not reached.
func startRagstone(ctx context.Context, program, home, upstream string) (*side, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	environment := append(os.Environ(), "RAGSTONE_HOME="+home, "RAGSTONE_TRACE_ENDPOINT="+strings.TrimSuffix(upstream, "/v1"))
	prepare := func(args ...string) (string, error) {
		c := exec.Command(program, args...)
		c.Env = environment
		out, err := c.Output()
		if err != nil {
			return "", fmt.Errorf("%s %s: %w", program, strings.Join(args, " "), err)
		}
		return strings.TrimSpace(string(out)), nil
	}
	if err := os.MkdirAll(home, 0o700); err != nil {
		return nil, err
	}
	key, err := prepare("keys", "create")
	if err != nil {
		return nil, err
	}
	if _, err := prepare("budgets", "set", "1000000"); err != nil {
		return nil, err
	}
	// More at once than there will be of requests, connections and open files.
	config := filepath.Join(home, "ragstone.yaml")
	text := fmt.Sprintf("max_connections: %d\nupstreams:\n- {name: mock, url: %q, models: [\"*\"], max_concurrent: %[1]d}\n", mostAtOnce, upstream)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return nil, err
	}
	serve := exec.Command(program, "serve", "--config", config, "--addr", addr, "--model", "none", "--embedding-model", "none",
		"--requests-per-minute", "100000000", "--tokens-per-minute", "2000000000", "--log-format", "json")
	serve.Env = environment
	return start(ctx, &side{name: "ragstone", url: "http://" + addr + "/v1", key: key}, serve)
}

// startLiteLLM starts its proxy with a key, and without the database that its
// budgets need.
func startLiteLLM(ctx context.Context, program, dir, upstream string) (*side, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	config := filepath.Join(dir, "litellm.yaml")
	text := "model_list:\n- model_name: gpt-4o-mini\n  litellm_params: {model: openai/gpt-4o-mini, api_base: " + upstream + ", api_key: none}\n" +
		"general_settings: {master_key: sk-litellm}\nlitellm_settings: {telemetry: false}\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return nil, err
	}
	_, port, _ := net.SplitHostPort(addr)
	c := exec.Command(program, "--config", config, "--host", "127.0.0.1", "--port", port, "--num_workers", "2")
	c.Env = append(os.Environ(), "LITELLM_LOCAL_MODEL_COST_MAP=True", "LITELLM_LOG=ERROR", "PATH="+filepath.Dir(program)+":"+os.Getenv("PATH"))
	return start(ctx, &side{name: "litellm", url: "http://" + addr + "/v1", key: "sk-litellm"}, c)
}

// start runs a server, in a group of processes of its own, and returns once it
// answers.
func start(ctx context.Context, s *side, c *exec.Cmd) (*side, error) {
	s.process, s.output = c, &bytes.Buffer{}
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	log, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	c.Stdout, c.Stderr = log, log // what a log costs, without a disk
	if err := c.Start(); err != nil {
		return nil, err
	}
	deadline := time.Now().Add(3 * time.Minute)
	client := newClient(s)
	for {
		err := client.send(ctx)
		if err == nil {
			return s, nil
		}
		if ctx.Err() != nil || time.Now().After(deadline) {
			s.stop()
			return nil, fmt.Errorf("%s does not answer: %w", s.name, errors.Join(err, ctx.Err()))
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// stop ends the server and what it started.
func (s *side) stop() {
	syscall.Kill(-s.process.Process.Pid, syscall.SIGTERM)
	ended := time.AfterFunc(10*time.Second, func() { syscall.Kill(-s.process.Process.Pid, syscall.SIGKILL) })
	s.process.Wait()
	ended.Stop()
}

// usage is what the processes of a side have taken.
type usage struct {
	resident int64         // bytes, now
	cpu      time.Duration // since they began
}

// usage reads /proc of every process in the side's group.
func (s *side) usage() (u usage) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		_, rest, _ := strings.Cut(string(text), ") ")
		fields := strings.Fields(rest) // from the third of proc(5) on
		if len(fields) < 22 || fields[2] != strconv.Itoa(s.process.Process.Pid) {
			continue
		}
		number := func(i int) int64 { n, _ := strconv.ParseInt(fields[i-3], 10, 64); return n }
		u.cpu += time.Duration(number(14)+number(15)) * (time.Second / 100)
		u.resident += number(24) * int64(os.Getpagesize())
	}
	return u
}
