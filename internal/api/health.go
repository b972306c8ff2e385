package api

import "net/http"

// health says that the process answers.
func (a *api) health(c *call) error {
	return c.reply(http.StatusOK, status{Status: "ok"})
}

// ready says whether requests can be served: not while the server is ending,
// nor without its database.
func (a *api) ready(c *call) error {
	if err := a.Ready(); err != nil {
		a.Log.Warn("not ready", "request", c.id, "error", err)
		return c.reply(http.StatusServiceUnavailable, status{Status: "unavailable"})
	}
	return c.reply(http.StatusOK, status{Status: "ok"})
}

type status struct {
	Status string `json:"status"`
}
