package api

import (
	"net/http"
	"time"

	"github.com/ragstone/ragstone/internal/openai"
	"github.com/ragstone/ragstone/internal/platform/account"
)

func (a *api) listAdminKeys(c *call) error {
	page, err := c.page("asc", 100)
	if err != nil {
		return err
	}
	keys, more, err := a.Organization.Keys(c.Context(), c.organization(), "", page)
	if err != nil {
		return err
	}
	var data []openai.AdminAPIKey
	for _, k := range keys {
		wire, err := a.wireAdminKey(c, k, "")
		if err != nil {
			return err
		}
		data = append(data, wire)
	}
	return c.reply(http.StatusOK, openai.NewList(data, more, func(k openai.AdminAPIKey) string { return k.ID }))
}

// wireAdminKey is a key on the wire; secret is empty but for a new one.
func (a *api) wireAdminKey(c *call, k account.Key, secret string) (openai.AdminAPIKey, error) {
	user, err := a.Organization.User(c.Context(), c.organization(), k.User)
	return openai.AdminAPIKey{
		Object:        "organization.admin_api_key",
		ID:            k.ID,
		Name:          k.Name,
		RedactedValue: k.Redacted,
		Value:         secret,
		CreatedAt:     k.CreatedAt.Unix(),
		ExpiresAt:     unixOrNull(k.ExpiresAt),
		LastUsedAt:    unixOrNull(k.LastUsedAt),
		Owner:         openai.AdminKeyOwner{Type: "user", Object: "organization.user", ID: user.ID, Name: user.Name, CreatedAt: user.CreatedAt.Unix(), Role: user.Role},
	}, err
}

func (a *api) createAdminKey(c *call) error {
	var request openai.AdminAPIKeyRequest
	if err := c.decode(&request); err != nil {
		return err
	}
	name, err := named(request.Name)
	if err != nil {
		return err
	}
	lifetime, err := lifetimeOf(request.ExpiresInSeconds)
	if err != nil {
		return err
	}
	created, err := a.Keys.Create(c.Context(), account.KeyOptions{Name: name, Admin: true, Lifetime: lifetime})
	if err != nil {
		return err
	}
	return c.replyAdminKey(created.Key, created.Secret)
}

// lifetimeOf reads the parameter expires_in_seconds of a key; absent is zero, for
// ever.
func lifetimeOf(seconds *int64) (time.Duration, error) {
	if seconds == nil {
		return 0, nil
	}
	if *seconds < 1 || *seconds > 31_536_000 {
		return 0, openai.Refuse("expires_in_seconds", openai.CodeInvalidValue, "Invalid 'expires_in_seconds': expected a value from 1 to 31536000, but got %d instead.", *seconds)
	}
	return time.Duration(*seconds) * time.Second, nil
}

func (c *call) replyAdminKey(k account.Key, secret string) error {
	wire, err := c.api.wireAdminKey(c, k, secret)
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, wire)
}

func (a *api) retrieveAdminKey(c *call) error {
	key, err := a.Organization.Key(c.Context(), c.organization(), "", c.PathValue("key_id"))
	if err != nil {
		return err
	}
	return c.replyAdminKey(key, "")
}

func (a *api) deleteAdminKey(c *call) error {
	id := c.PathValue("key_id")
	if err := a.Organization.DeleteKey(c.Context(), c.organization(), "", id); err != nil {
		return err
	}
	return c.reply(http.StatusOK, openai.Deleted{Object: "organization.admin_api_key.deleted", ID: id, Deleted: true})
}

func (a *api) listProjectKeys(c *call) error {
	page, err := c.page("desc", 100)
	if err != nil {
		return err
	}
	switch access := c.URL.Query().Get("owner_project_access"); access {
	case "", "active", "any":
	case "inactive": // who has a key has access
		return c.reply(http.StatusOK, openai.NewList[openai.ProjectAPIKey](nil, false, nil))
	default:
		return openai.InvalidValue("owner_project_access", access, "active", "inactive", "any")
	}
	keys, more, err := a.Organization.Keys(c.Context(), c.organization(), c.PathValue("project_id"), page)
	if err != nil {
		return err
	}
	var data []openai.ProjectAPIKey
	for _, k := range keys {
		wire, err := a.wireProjectKey(c, k)
		if err != nil {
			return err
		}
		data = append(data, wire)
	}
	return c.reply(http.StatusOK, openai.NewList(data, more, func(k openai.ProjectAPIKey) string { return k.ID }))
}

func (a *api) wireProjectKey(c *call, k account.Key) (openai.ProjectAPIKey, error) {
	wire := openai.ProjectAPIKey{
		Object:             "organization.project.api_key",
		RedactedValue:      k.Redacted,
		Name:               k.Name,
		CreatedAt:          k.CreatedAt.Unix(),
		LastUsedAt:         unixOrNull(k.LastUsedAt),
		ExpiresAt:          unixOrNull(k.ExpiresAt),
		ID:                 k.ID,
		OwnerProjectAccess: "active",
	}
	if k.ServiceAccount != "" {
		s, err := a.Organization.ServiceAccount(c.Context(), c.organization(), k.Project, k.ServiceAccount)
		wire.Owner = openai.ProjectKeyOwner{Type: "service_account", ServiceAccount: &openai.ProjectKeyHolder{ID: s.ID, Name: s.Name, CreatedAt: s.CreatedAt.Unix(), Role: s.Role}}
		return wire, err
	}
	u, err := a.Organization.User(c.Context(), c.organization(), k.User)
	wire.Owner = openai.ProjectKeyOwner{Type: "user", User: &openai.ProjectKeyUser{ID: u.ID, Email: u.Email, Name: u.Name, CreatedAt: u.CreatedAt.Unix(), Role: u.Role}}
	return wire, err
}

func (a *api) retrieveProjectKey(c *call) error {
	return c.replyProjectKey(a.Organization.Key(c.Context(), c.organization(), c.PathValue("project_id"), c.PathValue("key_id")))
}

// replyProjectKey answers with a key, or returns why there is none.
func (c *call) replyProjectKey(key account.Key, err error) error {
	if err != nil {
		return err
	}
	wire, err := c.api.wireProjectKey(c, key)
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, wire)
}

func (a *api) updateProjectKey(c *call) error {
	var request openai.ProjectKeyUpdate
	if err := c.decode(&request); err != nil {
		return err
	}
	lifetime, err := lifetimeOf(request.ExpiresInSeconds)
	if err != nil {
		return err
	}
	change := account.KeyChange{Scopes: request.Scopes, Lifetime: lifetime}
	return c.replyProjectKey(a.Organization.UpdateKey(c.Context(), c.organization(), c.PathValue("project_id"), c.PathValue("key_id"), change))
}

func (a *api) deleteProjectKey(c *call) error {
	id := c.PathValue("key_id")
	if err := a.Organization.DeleteKey(c.Context(), c.organization(), c.PathValue("project_id"), id); err != nil {
		return err
	}
	return c.reply(http.StatusOK, openai.Deleted{Object: "organization.project.api_key.deleted", ID: id, Deleted: true})
}
