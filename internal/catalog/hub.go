package catalog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// How patient a hub is dealt with. A hub that cannot be reached must cost
// seconds; one that is slow but alive may take its time.
const (
	dialTimeout   = 5 * time.Second
	tlsTimeout    = 5 * time.Second
	headerTimeout = 10 * time.Second // from the request to the first line of the answer
	stallTimeout  = 30 * time.Second // without a byte
	maxRetryAfter = 10 * time.Second // a longer wait is the user's decision
	maxRedirects  = 10
)

// A hub speaks to a model hub in Hugging Face's layout: the file FILE of the
// repository OWNER/NAME at a revision is at OWNER/NAME/resolve/REVISION/FILE. A
// file in large-file storage is answered with a redirect to another host, and
// the headers X-Linked-ETag and X-Linked-Size of that first answer say its
// SHA-256 and size; a small file has its git blob identifier as ETag.
type hub struct {
	base   *url.URL
	token  string
	client *http.Client
	stall  time.Duration
	pause  time.Duration // before the first retry; doubles
}

func newHub(base, token string) (*hub, error) {
	u, err := url.Parse(strings.TrimSuffix(base, "/"))
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, fmt.Errorf("the model hub %q is not a web address such as https://huggingface.co", base)
	}
	return &hub{
		base:  u,
		token: token,
		stall: stallTimeout,
		pause: 500 * time.Millisecond,
		client: &http.Client{
			Transport: &http.Transport{
				Proxy:                 http.ProxyFromEnvironment,
				DialContext:           (&net.Dialer{Timeout: dialTimeout}).DialContext,
				TLSHandshakeTimeout:   tlsTimeout,
				ResponseHeaderTimeout: headerTimeout,
				IdleConnTimeout:       time.Minute,
				DisableCompression:    true, // sizes, ranges and hashes are of the file itself
				ForceAttemptHTTP2:     true,
			},
			// Redirects are followed by send, which must see the headers of each
			// answer and decide who gets the token.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// String is the hub's address as messages name it, without a password in it.
func (h *hub) String() string { return h.base.Redacted() }

// resolve is the address of a repository's file.
func (h *hub) resolve(repo, revision, path string) *url.URL {
	elems := []string{repo, "resolve", url.PathEscape(revision)}
	for elem := range strings.SplitSeq(path, "/") {
		elems = append(elems, url.PathEscape(elem))
	}
	return h.base.JoinPath(elems...)
}

// An announcement is what the headers of an answer say about a file, gathered
// over its redirects.
type announcement struct {
	digest
	commit string // the revision's commit
}

var hexDigits = regexp.MustCompile(`^[0-9a-f]+$`)

// note takes what one answer announces. The first to announce something is
// right: what follows is a storage host, which speaks of its own objects.
func (a *announcement) note(header http.Header) {
	if a.commit == "" {
		a.commit = header.Get("X-Repo-Commit")
	}
	for _, name := range []string{"X-Linked-Etag", "Etag"} {
		tag := strings.Trim(strings.TrimPrefix(header.Get(name), "W/"), `"`)
		switch {
		case a.SHA256 != "" || a.GitSHA1 != "" || !hexDigits.MatchString(tag):
		case len(tag) == 64:
			a.SHA256 = tag
		case len(tag) == 40:
			a.GitSHA1 = tag
		}
	}
	if size, err := strconv.ParseInt(header.Get("X-Linked-Size"), 10, 64); err == nil && a.Bytes == 0 {
		a.Bytes = size
	}
}

// A statusError is an answer that is not the file.
type statusError struct {
	url        string
	status     int
	retryAfter time.Duration
	token      bool // whether one was sent
}

func (e *statusError) Error() string {
	what := fmt.Sprintf("%s answered %d %s", e.url, e.status, http.StatusText(e.status))
	switch e.status {
	case http.StatusUnauthorized, http.StatusForbidden:
		if e.token {
			return what + ": the token in HF_TOKEN may not read this repository (some need their conditions accepted on the hub's page)"
		}
		return what + ": the repository is private, gated or misspelt; set HF_TOKEN if you have access"
	case http.StatusNotFound:
		return what + ": no such repository, revision or file"
	case http.StatusTooManyRequests:
		if e.retryAfter > 0 {
			return fmt.Sprintf("%s: too many requests, try again in %s", what, e.retryAfter)
		}
		return what + ": too many requests, try again later"
	}
	return what
}

// temporary reports whether asking again soon may help.
func (e *statusError) temporary() bool {
	return e.status >= 500 || e.status == http.StatusTooManyRequests && e.retryAfter <= maxRetryAfter ||
		e.status == http.StatusRequestTimeout
}

// send makes a request and follows its redirects. The caller closes the body of
// the answer, whose status is 200, 206 or 416.
func (h *hub) send(ctx context.Context, method string, at *url.URL, from int64) (*http.Response, announcement, error) {
	var told announcement
	for range maxRedirects {
		req, err := http.NewRequestWithContext(ctx, method, at.String(), nil)
		if err != nil {
			return nil, told, err
		}
		req.Header.Set("User-Agent", "ragstone")
		if from > 0 {
			req.Header.Set("Range", fmt.Sprintf("bytes=%d-", from))
		}
		ours := at.Scheme == h.base.Scheme && at.Host == h.base.Host
		if h.token != "" && ours {
			req.Header.Set("Authorization", "Bearer "+h.token)
		}
		resp, err := h.client.Do(req)
		if err != nil {
			return nil, told, fmt.Errorf("%w: %w", ErrUnreachable, withoutURL(err))
		}
		told.note(resp.Header)
		switch {
		case resp.StatusCode == http.StatusOK, resp.StatusCode == http.StatusPartialContent,
			resp.StatusCode == http.StatusRequestedRangeNotSatisfiable && from > 0:
			return resp, told, nil
		case resp.StatusCode < 300 || resp.StatusCode > 399:
			resp.Body.Close()
			seconds, _ := strconv.Atoi(resp.Header.Get("Retry-After"))
			return nil, told, &statusError{
				url: plain(at), status: resp.StatusCode, token: h.token != "" && ours,
				retryAfter: time.Duration(seconds) * time.Second,
			}
		}
		resp.Body.Close()
		next, err := at.Parse(resp.Header.Get("Location"))
		if err != nil || resp.Header.Get("Location") == "" {
			return nil, told, fmt.Errorf("%s redirects to nowhere", plain(at))
		}
		if next.Scheme != "https" && next.Scheme != at.Scheme {
			return nil, told, fmt.Errorf("%s redirects to %s, which is not encrypted", plain(at), plain(next))
		}
		at = next
	}
	return nil, told, fmt.Errorf("more than %d redirects", maxRedirects)
}

// plain is an address for messages: signed storage addresses have queries that
// nobody wants to read and nobody should see.
func plain(u *url.URL) string {
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// withoutURL drops the method and address that http.Client puts before its
// errors: they may hold a signed query, and the source is named already.
func withoutURL(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

// announce asks what a file is without fetching it.
func (h *hub) announce(ctx context.Context, at *url.URL) (told announcement, err error) {
	err = h.retry(ctx, func() (again bool, err error) {
		resp, got, err := h.send(ctx, http.MethodHead, at, 0)
		if err != nil {
			return false, err
		}
		resp.Body.Close()
		told = got
		if told.Bytes == 0 {
			told.Bytes = resp.ContentLength
		}
		return false, nil
	})
	if err == nil && (told.SHA256 == "" && told.GitSHA1 == "" || told.Bytes < 0) {
		err = fmt.Errorf("%s announces no hash or size, so the file could not be checked", plain(at))
	}
	return told, err
}

// fetch appends to p what it lacks of the file, over as many connections as it
// takes.
func (h *hub) fetch(ctx context.Context, at *url.URL, p *part) error {
	return h.retry(ctx, func() (again bool, err error) {
		before := p.n
		err = h.fetchOnce(ctx, at, p)
		return p.n > before, err
	})
}

// fetchOnce reads one answer into p until it ends or breaks.
func (h *hub) fetchOnce(ctx context.Context, at *url.URL, p *part) error {
	if p.whole() {
		return nil
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	resp, told, err := h.send(ctx, http.MethodGet, at, p.n)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if told.SHA256 != "" && p.want.SHA256 != "" && told.SHA256 != p.want.SHA256 {
		return &HashError{File: p.name, Kind: "SHA-256 announced by the hub", Got: told.SHA256, Want: p.want.SHA256}
	}
	if err := p.align(resp); err != nil {
		return err
	}
	silence := time.AfterFunc(h.stall, func() {
		cancel(fmt.Errorf("%s sent nothing for %s", plain(at), h.stall))
	})
	defer silence.Stop()
	_, err = io.Copy(p, readerFunc(func(b []byte) (int, error) {
		n, err := resp.Body.Read(b)
		silence.Reset(h.stall)
		return n, err
	}))
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return cause
	}
	if err == nil && !p.whole() {
		err = fmt.Errorf("the answer ended after %d bytes of %d", p.n, p.want.Bytes)
	}
	return err
}

// align makes the part end where the answer begins.
func (p *part) align(resp *http.Response) error {
	switch resp.StatusCode {
	case http.StatusPartialContent:
		var start, end, total int64
		said := resp.Header.Get("Content-Range")
		_, err := fmt.Sscanf(said, "bytes %d-%d/%d", &start, &end, &total)
		if err != nil || start != p.n || total != p.want.Bytes {
			return errors.Join(fmt.Errorf("asked from byte %d of %d, the answer is %q", p.n, p.want.Bytes, said), p.restart())
		}
		return nil
	case http.StatusRequestedRangeNotSatisfiable:
		return errors.Join(fmt.Errorf("there is nothing from byte %d on", p.n), p.restart())
	}
	if p.n > 0 { // the server knows no ranges
		return p.restart()
	}
	return nil
}

// retry calls f until it succeeds, fails for good, or has failed three times
// running without getting further.
func (h *hub) retry(ctx context.Context, f func() (further bool, err error)) error {
	answered := false
	pause := h.pause
	for failures := 0; ; {
		further, err := f()
		if err == nil || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		var status *statusError
		var local *storeError
		var hash *HashError
		isStatus := errors.As(err, &status)
		switch {
		case errors.As(err, &local), errors.As(err, &hash), errors.Is(err, errTooLong):
			return err
		case isStatus && !status.temporary():
			return err
		case errors.Is(err, ErrUnreachable) && !answered:
			return err // the first contact failed: do not keep the user waiting
		case isStatus:
			pause = max(pause, status.retryAfter)
		}
		answered = answered || isStatus || further
		if further {
			failures, pause = 0, h.pause
		}
		if failures++; failures == 3 {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
		pause *= 2
	}
}

// readerFunc is a function as an io.Reader.
type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }
