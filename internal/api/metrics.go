package api

import (
	"net"
	"net/http"

	"github.com/ragstone/ragstone/internal/platform/account"
)

// metrics answers with the operator's counters. Who has an account on this
// machine may see them; from elsewhere it takes an admin key.
func (a *api) metrics(c *call) error {
	if a.Metrics == nil {
		return a.unknownURL(c)
	}
	if !isLocal(c.Request) {
		if err := c.authenticate(account.ScopeOrganization); err != nil {
			return err
		}
	}
	a.Metrics.ServeHTTP(c.w, c.Request)
	return nil
}

// isLocal reports whether a request comes from this machine and no proxy here has
// brought it from elsewhere.
func isLocal(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	forwarded := r.Header.Get("Forwarded") != "" || r.Header.Get("X-Forwarded-For") != ""
	return err == nil && net.ParseIP(host).IsLoopback() && !forwarded
}
