package upstream

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"
)

// Bounds of the lists of models that are fetched.
const (
	listTimeout  = 5 * time.Second
	maxListBytes = 4 << 20
	maxListed    = 1000             // names of one server
	listFor      = 5 * time.Minute  // a list is kept
	listAgain    = 30 * time.Second // after which a failure is tried again
)

// Model is a name that a server can be asked for.
type Model struct {
	Name    string
	Created int64 // Unix seconds; zero where the server does not tell
	OwnedBy string
}

// Models returns the names that the servers are known to serve: those that were
// configured without patterns and, of servers that are to be listed, what they
// list. A server that does not answer is left out.
func (p *Pool) Models(ctx context.Context) []Model {
	if p == nil {
		return nil
	}
	found := make([][]Model, len(p.peers))
	var wait sync.WaitGroup
	for i, s := range p.peers {
		if !s.ListModels {
			continue
		}
		wait.Go(func() { found[i] = p.lists[i].models(ctx) })
	}
	wait.Wait()
	var all []Model
	seen := map[string]bool{}
	add := func(m Model) {
		if !seen[m.Name] {
			seen[m.Name] = true
			all = append(all, m)
		}
	}
	for i, s := range p.peers {
		for _, name := range s.plainNames() {
			add(Model{Name: name, OwnedBy: s.Name})
		}
		for _, m := range found[i] {
			add(m)
		}
	}
	return all
}

// plainNames are the names of a server that are no patterns.
func (s Server) plainNames() []string {
	var names []string
	for name := range s.Renames {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range s.Models {
		if !strings.Contains(name, "*") {
			names = append(names, name)
		}
	}
	return names
}

// listing is what a server lists, fetched at most once at a time.
type listing struct {
	peer *peer

	mu    sync.Mutex // guards the rest; held while the list is fetched
	list  []Model
	until time.Time
}

// models is the list, or the one before where it cannot be fetched.
func (l *listing) models(ctx context.Context) []Model {
	l.mu.Lock()
	defer l.mu.Unlock()
	if time.Now().Before(l.until) {
		return l.list
	}
	list, err := l.peer.fetchModels(ctx)
	if ctx.Err() != nil {
		return l.list
	}
	if l.until = time.Now().Add(listAgain); err == nil {
		l.list, l.until = list, time.Now().Add(listFor)
	}
	return l.list
}

func (p *peer) fetchModels(ctx context.Context) ([]Model, error) {
	data, err := p.get(ctx, "/models", maxListBytes, listTimeout)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Data []struct {
			ID      string `json:"id"`
			Created int64  `json:"created"`
			OwnedBy string `json:"owned_by"`
		} `json:"data"`
	}
	if err := json.Unmarshal(p.hideIn(data), &answer); err != nil {
		return nil, err
	}
	var models []Model
	for _, m := range answer.Data {
		if own, ok := p.called(m.ID); ok && own == m.ID && len(models) < maxListed {
			models = append(models, Model{m.ID, m.Created, m.OwnedBy})
		}
	}
	return models, nil
}

// probe asks for the models from time to time. While the breaker is open that
// is not done; when it is half open, it is the request that decides.
func (p *peer) probe(ctx context.Context) {
	for sleep(ctx, p.Probe) == nil {
		done, err := p.breaker.Allow()
		if err != nil {
			continue
		}
		_, err = p.get(ctx, "/models", maxListBytes, min(p.Probe, p.FirstByteTimeout))
		done(countedAs(err))
	}
}
