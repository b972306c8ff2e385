package account

import (
	"context"
	"strings"

	"github.com/ragstone/ragstone/internal/state"
)

// Scope is what a key may be used for.
type Scope int

const (
	ScopeModels       Scope = iota // models and the project's objects
	ScopeOrganization              // keys, projects, usage
)

// Caller is who made a request.
type Caller struct {
	KeyID  string
	Tenant state.Tenant // ProjectID is empty for an admin key
}

// Credentials are the parts of a request that say who makes it.
type Credentials struct {
	Authorization string // the header: Bearer KEY
	Organization  string // the header OpenAI-Organization, if any
	Project       string // the header OpenAI-Project, if any
}

// Authenticate returns who is calling, if they may do what scope says. The
// error is ErrNoKey, a *KeyError, ErrForeignTenant, ErrScope, or one of the
// store's.
func (k *Keys) Authenticate(ctx context.Context, c Credentials, scope Scope) (Caller, error) {
	scheme, secret, _ := strings.Cut(c.Authorization, " ")
	secret = strings.TrimSpace(secret)
	if !strings.EqualFold(scheme, "Bearer") || secret == "" {
		return Caller{}, ErrNoKey
	}
	key, err := k.find(ctx, secret)
	if err != nil {
		return Caller{}, err
	}
	caller := Caller{KeyID: key.ID, Tenant: key.Tenant}
	if c.Organization != "" && c.Organization != key.Tenant.OrganizationID ||
		c.Project != "" && c.Project != key.Tenant.ProjectID {
		return caller, ErrForeignTenant
	}
	if key.Admin() != (scope == ScopeOrganization) {
		return caller, ErrScope
	}
	return caller, nil
}
