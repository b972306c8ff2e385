package account

import (
	"context"
	"strings"

	"github.com/ragstone/ragstone/internal/state"
)

// Caller is who made a request.
type Caller struct {
	KeyID  string
	Tenant state.Tenant // ProjectID is empty for an admin key
	UserID string       // the user or service account whose key it is
}

// spender is the caller as the one who pays.
func (c Caller) spender() state.Spender {
	return state.Spender{Tenant: c.Tenant, KeyID: c.KeyID, UserID: c.UserID}
}

// Credentials are the parts of a request that say who makes it.
type Credentials struct {
	Authorization string // the header: Bearer KEY
	Organization  string // the header OpenAI-Organization, if any
	Project       string // the header OpenAI-Project, if any
}

// Authenticate returns who is calling, if they may do what scope says. The
// error is ErrNoKey, a *KeyError, ErrForeignTenant, ErrScope, a *ScopeError, or
// one of the store's.
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
	caller := Caller{KeyID: key.ID, Tenant: key.Tenant, UserID: owner(key)}
	if c.Organization != "" && c.Organization != key.Tenant.OrganizationID ||
		c.Project != "" && c.Project != key.Tenant.ProjectID {
		return caller, ErrForeignTenant
	}
	if key.Admin() != scope.administers() {
		return caller, ErrScope
	}
	if !grants(key.Permission, strings.Fields(key.Scopes), scope) {
		return caller, &ScopeError{scope}
	}
	return caller, nil
}

func owner(k state.Key) string {
	if k.ServiceAccountID != "" {
		return k.ServiceAccountID
	}
	return k.UserID
}
