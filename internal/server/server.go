package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/ragstone/ragstone/internal/api"
	"github.com/ragstone/ragstone/internal/config"
	"github.com/ragstone/ragstone/internal/platform/account"
	"github.com/ragstone/ragstone/internal/platform/files"
	"github.com/ragstone/ragstone/internal/platform/inference"
	"github.com/ragstone/ragstone/internal/platform/upstream"
	"github.com/ragstone/ragstone/internal/state"
)

// Options is what Open needs beside the configuration.
type Options struct {
	// FindModel returns the folder or file of a local model by its catalog name
	// or path, fetching it if need be.
	FindModel func(ctx context.Context, ref string) (path string, err error)

	// Log takes the server's log; nil discards it.
	Log *slog.Logger
}

// Server is a server that listens and has its models loaded.
type Server struct {
	log          *slog.Logger
	drainTimeout time.Duration

	state     *state.Store
	accounts  *account.Accounts
	keys      *account.Keys
	listener  net.Listener
	cert      *certificate // nil: plain HTTP
	models    *models
	upstreams *upstream.Pool // nil: there are none
	inference *inference.Service
	files     *files.Service
	webhooks  *account.Webhooks
	traces    *traces // nil: there are none
	http      *http.Server
	notice    Notice

	draining chan struct{} // closed once Serve takes no more requests
	closers  closers
	close    func() error
}

// Notice is what an operator should see when the server has started.
type Notice struct {
	URL      string            // what clients on this machine use as their base URL
	URLs     []string          // and those on others, if they can reach it
	FirstKey string            // shown once; empty unless this start made it
	Models   []string          // local models that are loaded
	Aliases  []inference.Alias // names of others that mean one of them
	Upstream string            // what runs everything else; may be empty

	Upstreams []string // names of the configured servers that run some of it

	Chat, Embeds string // a local model that does; empty: none
}

// StateDir is the folder of a home that holds the durable rows.
func StateDir(home string) string { return filepath.Join(home, "state") }

// StateOptions are how the durable rows are kept.
func StateOptions(c config.Config) state.Options {
	return state.Options{Database: c.Database, SecretFile: c.SecretFile, SyncLedger: c.SyncLedger}
}

// Accounts are those of a store, with the limits and the upstreams' prices that
// the configuration has.
func Accounts(store *state.Store, c config.Config) (*account.Accounts, error) {
	accounts := account.New(store, account.Rates{RequestsPerMinute: c.RequestsPerMinute, TokensPerMinute: c.TokensPerMinute})
	var prices []account.UpstreamPrice
	for _, u := range c.Upstreams {
		for _, p := range u.Prices {
			prices = append(prices, account.UpstreamPrice{Upstream: u.Name, Model: p.Model, Since: p.From(), Input: p.Input, Cached: p.Cached, Output: p.Output})
		}
	}
	return accounts, accounts.Books.SetUpstreamPrices(prices)
}

// Open builds a server. The caller closes it, also when Serve has returned.
func Open(ctx context.Context, c config.Config, o Options) (_ *Server, err error) {
	s := &Server{log: o.Log, drainTimeout: c.DrainTimeout, draining: make(chan struct{})}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.drainTimeout <= 0 {
		s.drainTimeout = 30 * time.Second
	}
	s.close = sync.OnceValue(func() error { return s.closers.close() })
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()

	keeping := StateOptions(c)
	keeping.Log = s.log
	if s.state, err = state.OpenWith(ctx, StateDir(c.Home), keeping); err != nil {
		return nil, err
	}
	s.onClose(s.state.Close)
	if s.accounts, err = Accounts(s.state, c); err != nil {
		return nil, err
	}
	s.accounts.Books.Log = s.log
	if s.webhooks, err = account.NewWebhooks(s.state, c.Webhooks, c.WebhookSecret); err != nil {
		return nil, err
	}
	s.keys = s.accounts.Keys
	if err := s.listen(ctx, c); err != nil {
		return nil, err
	}
	s.onClose(s.closeListener)
	if err := s.openFiles(ctx, c); err != nil {
		return nil, err
	}
	if s.models, err = openModels(ctx, c, o.FindModel); err != nil {
		return nil, err
	}
	s.onClose(s.models.Close)
	counters := newMetrics(s.models.observed)
	if s.upstreams, err = openUpstreams(c, counters.attempt); err != nil {
		return nil, err
	}
	counters.observeUpstreams(s.upstreams)
	s.onClose(s.upstreams.Close)
	s.inference = inference.New(inference.Config{
		Models:    s.models.list,
		Aliases:   s.models.aliases,
		Upstreams: s.upstreams,
		Archive:   s.state,
		Limiter:   s.accounts.Limiter,
		Books:     s.accounts.Books,

		CompletionCap: c.CompletionCap,
	})
	if s.traces, err = openTraces(ctx, c, s.log); err != nil {
		return nil, err
	}
	s.onClose(s.traces.close)
	s.http = newHTTPServer(s.routes(c, counters), s.cert, s.log)
	return s, s.prepareNotice(ctx, c)
}

// routes returns the handler of every request, over the parts that are open.
func (s *Server) routes(c config.Config, counters *metrics) http.Handler {
	return api.Routes(api.Config{
		Keys: s.keys,

		Organization: s.accounts.Organization,
		Books:        s.accounts.Books,

		Inference: s.inference,
		Files:     s.files,
		Attempts:  s.state,
		Log:       s.log,
		Ready:     s.ready,
		Observe:   counters.observe,
		Metrics:   counters.handler(),
		Tracer:    s.traces.tracer(),

		Origins:       c.CORSOrigins,
		MaxBodyBytes:  c.MaxBody,
		MaxBodyMemory: c.MaxBodyMemory,
		AnswerTimeout: c.AnswerTimeout,
	})
}

// newHTTPServer sets the limits that hold before a handler runs; the handlers
// set the others.
func newHTTPServer(h http.Handler, cert *certificate, log *slog.Logger) *http.Server {
	server := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	if cert != nil {
		server.TLSConfig = cert.config()
	}
	return server
}

// prepareNotice makes the first key, if there has never been one.
func (s *Server) prepareNotice(ctx context.Context, c config.Config) error {
	created, made, err := s.keys.EnsureFirst(ctx)
	if err != nil {
		return err
	}
	urls := s.urls(c.Addr)
	s.notice = Notice{URL: urls[0], URLs: urls[1:], Upstream: c.Upstream}
	for _, a := range s.models.aliases {
		if runs, err := s.inference.Runs(a.Name); err == nil && runs == a.Model {
			s.notice.Aliases = append(s.notice.Aliases, a)
		}
	}
	for _, u := range c.Upstreams {
		s.notice.Upstreams = append(s.notice.Upstreams, u.Name)
	}
	if made {
		s.notice.FirstKey = created.Secret
	}
	for _, m := range s.models.list {
		s.notice.Models = append(s.notice.Models, m.Name)
		if m.Generator != nil {
			s.notice.Chat = m.Name
		} else {
			s.notice.Embeds = m.Name
		}
	}
	return nil
}

// Notice returns what an operator should see.
func (s *Server) Notice() Notice { return s.notice }

// Addr returns the address the server listens on.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// ready reports why requests cannot be taken.
func (s *Server) ready() error {
	select {
	case <-s.draining:
		return api.ErrShuttingDown
	default:
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	return s.state.Check(ctx)
}

// Serve answers requests until ctx ends and returns when the last answer has
// ended, with nil if it was ctx that ended it.
func (s *Server) Serve(ctx context.Context) (err error) {
	requests, abort := context.WithCancelCause(context.WithoutCancel(ctx))
	defer abort(api.ErrShuttingDown)
	s.http.BaseContext = func(net.Listener) context.Context { return requests }

	stopJobs, err := s.state.StartJobs(ctx, s.log, s.workers()...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stopJobs()) }()
	failed := make(chan error, 1)
	go func() { failed <- s.answer() }()
	s.log.Info("serving", "addr", s.listener.Addr().String(), "models", s.notice.Models)
	select {
	case err := <-failed:
		return fmt.Errorf("serve %s: %w", s.listener.Addr(), err)
	case <-ctx.Done():
	}

	s.log.Info("draining", "timeout", s.drainTimeout)
	close(s.draining)
	err = s.drain(abort)
	<-failed
	s.log.Info("stopped")
	return err
}

// answer takes connections until the server is shut down.
func (s *Server) answer() error {
	if s.cert != nil {
		return s.http.ServeTLS(s.listener, "", "") // the certificate is in its configuration
	}
	return s.http.Serve(s.listener)
}

// drain waits for running answers, then aborts those that remain and gives
// them a moment to say so.
func (s *Server) drain(abort context.CancelCauseFunc) error {
	ctx, cancel := context.WithTimeout(context.Background(), s.drainTimeout)
	defer cancel()
	if err := s.http.Shutdown(ctx); err == nil {
		return nil
	}
	abort(api.ErrShuttingDown)
	last, cancelLast := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancelLast()
	if err := s.http.Shutdown(last); err != nil {
		return s.http.Close()
	}
	return nil
}

// onClose adds what Close is to do, before what was added earlier.
func (s *Server) onClose(f func() error) { s.closers = append(s.closers, f) }

// closers free what was taken, in the order it was taken.
type closers []func() error

// close runs all of them in reverse.
func (c closers) close() error {
	var errs []error
	for _, f := range slices.Backward(c) {
		errs = append(errs, f())
	}
	return errors.Join(errs...)
}

// Close frees what Open took, in reverse. Closing twice is fine.
func (s *Server) Close() error { return s.close() }

// closeListener closes the listener unless Serve's end has.
func (s *Server) closeListener() error {
	if err := s.listener.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}
