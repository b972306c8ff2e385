package server

import (
	"github.com/ragstone/ragstone/internal/config"
	"github.com/ragstone/ragstone/internal/platform/upstream"
)

// openUpstreams makes the pool of the servers that the configuration names:
// those of its list, and the one of --upstream, which serves every name and is
// asked last. It is nil where there are none.
func openUpstreams(c config.Config, observe func(upstream.Attempt)) (*upstream.Pool, error) {
	var servers []upstream.Server
	last := 0
	for _, u := range c.Upstreams {
		last = max(last, u.Priority)
		servers = append(servers, upstream.Server{
			Name:             u.Name,
			URL:              u.URL,
			Key:              u.Key,
			Models:           u.Models,
			Renames:          u.Rename,
			Priority:         u.Priority,
			Weight:           u.Weight,
			Headers:          u.Headers,
			ConnectTimeout:   u.ConnectTimeout,
			FirstByteTimeout: u.FirstByteTimeout,
			IdleTimeout:      u.IdleTimeout,
			Timeout:          u.Timeout,
			MaxConcurrent:    u.MaxConcurrent,
			Retries:          u.Retries,
			Probe:            u.Probe,
			ListModels:       u.ListModels,
		})
	}
	if c.Upstream != "" {
		servers = append(servers, upstream.Server{Name: config.FlagUpstream, URL: c.Upstream, Key: c.UpstreamKey, Models: []string{"*"}, Priority: last + 1})
	}
	if len(servers) == 0 {
		return nil, nil
	}
	return upstream.New(servers, upstream.Options{Observe: observe})
}
