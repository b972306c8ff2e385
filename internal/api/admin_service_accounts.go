package api

import (
	"net/http"

	"github.com/ragstone/ragstone/internal/openai"
	"github.com/ragstone/ragstone/internal/platform/account"
	"github.com/ragstone/ragstone/internal/state"
)

func (a *api) listServiceAccounts(c *call) error {
	page, err := c.page("desc", 100)
	if err != nil {
		return err
	}
	accounts, more, err := a.Organization.ServiceAccounts(c.Context(), c.organization(), c.PathValue("project_id"), page)
	if err != nil {
		return err
	}
	var data []openai.ServiceAccount
	for _, s := range accounts {
		data = append(data, wireServiceAccount(s))
	}
	return c.reply(http.StatusOK, openai.NewList(data, more, func(s openai.ServiceAccount) string { return s.ID }))
}

func wireServiceAccount(s state.ServiceAccount) openai.ServiceAccount {
	return openai.ServiceAccount{Object: "organization.project.service_account", ID: s.ID, Name: s.Name, Role: s.Role, CreatedAt: s.CreatedAt.Unix()}
}

func wireServiceAccountKey(k account.Created) openai.ServiceAccountKey {
	return openai.ServiceAccountKey{Object: "organization.project.service_account.api_key", Value: k.Secret, Name: k.Name, CreatedAt: k.CreatedAt.Unix(), ID: k.ID}
}

func (a *api) createServiceAccount(c *call) error {
	var request openai.ServiceAccountRequest
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
	if request.AccountOnly { // the lifetime is of no key
		s, err := a.Organization.CreateServiceAccountOnly(c.Context(), c.organization(), c.PathValue("project_id"), name)
		if err != nil {
			return err
		}
		return c.reply(http.StatusOK, openai.NewServiceAccount{ServiceAccount: wireServiceAccount(s)})
	}
	s, key, err := a.Organization.CreateServiceAccount(c.Context(), c.organization(), c.PathValue("project_id"), name, lifetime)
	if err != nil {
		return err
	}
	wire := wireServiceAccountKey(key)
	return c.reply(http.StatusOK, openai.NewServiceAccount{ServiceAccount: wireServiceAccount(s), APIKey: &wire})
}

func (a *api) retrieveServiceAccount(c *call) error {
	s, err := a.Organization.ServiceAccount(c.Context(), c.organization(), c.PathValue("project_id"), c.PathValue("account_id"))
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, wireServiceAccount(s))
}

func (a *api) updateServiceAccount(c *call) error {
	var request openai.ServiceAccountUpdate
	if err := c.decode(&request); err != nil {
		return err
	}
	var name, role string
	if request.Name != nil {
		var err error
		if name, err = named(request.Name); err != nil {
			return err
		}
	}
	if request.Role != nil {
		if role = *request.Role; role != "member" && role != "owner" {
			return openai.InvalidValue("role", role, "member", "owner")
		}
	}
	s, err := a.Organization.UpdateServiceAccount(c.Context(), c.organization(), c.PathValue("project_id"), c.PathValue("account_id"), name, role)
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, wireServiceAccount(s))
}

func (a *api) deleteServiceAccount(c *call) error {
	id := c.PathValue("account_id")
	if err := a.Organization.DeleteServiceAccount(c.Context(), c.organization(), c.PathValue("project_id"), id); err != nil {
		return err
	}
	return c.reply(http.StatusOK, openai.Deleted{Object: "organization.project.service_account.deleted", ID: id, Deleted: true})
}

func (a *api) createServiceAccountKey(c *call) error {
	var request openai.ServiceAccountKeyRequest
	if err := c.decode(&request); err != nil {
		return err
	}
	lifetime, err := lifetimeOf(request.ExpiresInSeconds)
	if err != nil {
		return err
	}
	options := account.KeyOptions{Name: "Secret Key", Lifetime: lifetime, ForeignScopes: true}
	options.Permission, options.Scopes = account.PermissionOf(request.Scopes)
	if request.Name != nil {
		options.Name = *request.Name
	}
	key, err := a.Organization.CreateServiceAccountKey(c.Context(), c.organization(), c.PathValue("project_id"), c.PathValue("account_id"), options)
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, wireServiceAccountKey(key))
}
