package account

import (
	"context"
	"crypto/hmac"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ragstone/ragstone/internal/state"
)

const (
	projectPrefix = "sk-proj-"
	accountPrefix = "sk-svcacct-"
	adminPrefix   = "sk-admin-"
	secretLength  = 48 // letters and digits: 285 bits
	maxNameLength = 256
)

var (
	// ErrNoKey means that a request carries no key.
	ErrNoKey = errors.New("no API key was given")

	// ErrForeignTenant means that a request names an organization or project
	// that its key does not belong to.
	ErrForeignTenant = errors.New("the API key does not belong to the organization or project that the request names")

	// ErrNoSuchKey means that no key has the id given.
	ErrNoSuchKey = errors.New("no such API key")

	// ErrName means that a name is too long or not text.
	ErrName = fmt.Errorf("a name is one line of at most %d characters", maxNameLength)
)

// KeyError means that a key is unknown, revoked or expired, or that its project
// is archived.
type KeyError struct {
	Redacted string // as much of the key as may be shown
}

func (e *KeyError) Error() string { return "incorrect API key: " + e.Redacted }

// Keys makes, checks and revokes API keys.
type Keys struct {
	store     *state.Store
	directory *directory
}

// NewKeys returns the keys kept in store.
func NewKeys(store *state.Store) *Keys { return New(store, Rates{}).Keys }

// Key describes a key. It does not hold the key.
type Key struct {
	ID             string
	Name           string
	Admin          bool
	Project        string // empty for an admin key
	User           string // whose it is, or
	ServiceAccount string // which program's
	Permission     string
	Scopes         []string // of a restricted key
	Redacted       string
	CreatedAt      time.Time
	ExpiresAt      time.Time // zero: never
	LastUsedAt     time.Time // to the minute; zero: never
	RevokedAt      time.Time // zero while the key is in force
}

// InForce reports whether the key is neither revoked nor expired.
func (k Key) InForce() bool {
	return k.RevokedAt.IsZero() && (k.ExpiresAt.IsZero() || time.Now().Before(k.ExpiresAt))
}

// Created is a key as only its maker gets to see it.
type Created struct {
	Key
	Secret string // the key itself
}

// KeyOptions says what key to make.
type KeyOptions struct {
	Name       string
	Admin      bool   // for the organization's business; default: for a project's models
	Project    string // whose models; default: the first project
	User       string // whose it is; default: the owner
	Permission string // default: all
	Scopes     []string
	Lifetime   time.Duration // zero: for ever

	// ForeignScopes lets Scopes name some that are of operations this server does
	// not have. They are kept and grant nothing.
	ForeignScopes bool

	serviceAccount string
}

// Create makes a key of a project or, for an admin key, of the organization.
// The error is ErrName, ErrPermission, a *NotFoundError, ErrArchived or one of
// the store's.
func (k *Keys) Create(ctx context.Context, o KeyOptions) (Created, error) {
	created, row, err := k.newKey(ctx, o)
	if err != nil {
		return Created{}, err
	}
	return created, k.store.AddKey(ctx, row)
}

// EnsureFirst makes a project key if there has never been a key, and reports
// whether it did.
func (k *Keys) EnsureFirst(ctx context.Context) (Created, bool, error) {
	created, row, err := k.newKey(ctx, KeyOptions{Name: "first key"})
	if err != nil {
		return Created{}, false, err
	}
	made, err := k.store.AddFirstKey(ctx, row)
	return created, made, err
}

func (k *Keys) newKey(ctx context.Context, o KeyOptions) (Created, state.Key, error) {
	if o.Permission == "" {
		o.Permission = PermissionAll
	}
	if err := errors.Join(checkName(o.Name), checkPermission(o.Permission, o.Scopes, o.Admin, o.ForeignScopes)); err != nil {
		return Created{}, state.Key{}, err
	}
	tenant, err := k.tenantOf(ctx, o)
	if err != nil {
		return Created{}, state.Key{}, err
	}
	user := o.User
	if user == "" && o.serviceAccount == "" {
		owner, err := k.store.Owner(ctx, tenant.OrganizationID)
		if err != nil {
			return Created{}, state.Key{}, err
		}
		user = owner.ID
	}
	prefix := projectPrefix
	switch {
	case o.Admin:
		prefix = adminPrefix
	case o.serviceAccount != "":
		prefix = accountPrefix
	}
	secret := prefix + state.RandomText(secretLength)
	now := time.Now().Truncate(time.Second)
	row := state.Key{
		ID:               state.NewID("key_"),
		Tenant:           tenant,
		UserID:           user,
		ServiceAccountID: o.serviceAccount,
		Name:             o.Name,
		Hash:             k.store.HashKey(secret),
		Redacted:         redact(secret),
		Permission:       o.Permission,
		Scopes:           strings.Join(o.Scopes, " "),
		CreatedAt:        now,
	}
	if o.Lifetime > 0 {
		row.ExpiresAt = now.Add(o.Lifetime)
	}
	return Created{describe(row), secret}, row, nil
}

// tenantOf is whose a new key is.
func (k *Keys) tenantOf(ctx context.Context, o KeyOptions) (state.Tenant, error) {
	tenant, err := k.store.DefaultTenant(ctx)
	switch {
	case err != nil:
		return tenant, fmt.Errorf("find the default project: %w", err)
	case o.Admin:
		tenant.ProjectID = ""
	case o.Project != "":
		project, err := k.store.Project(ctx, tenant.OrganizationID, o.Project)
		if err != nil {
			return tenant, notFound(err, "project", o.Project)
		}
		if !project.ArchivedAt.IsZero() {
			return tenant, fmt.Errorf("project %s: %w", o.Project, ErrArchived)
		}
		tenant.ProjectID = o.Project
	}
	return tenant, nil
}

// checkName reports a name that is no single short line.
func checkName(name string) error {
	if len([]rune(name)) > maxNameLength || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' }) {
		return ErrName
	}
	return nil
}

func describe(k state.Key) Key {
	return Key{
		ID:             k.ID,
		Name:           k.Name,
		Admin:          k.Admin(),
		Project:        k.Tenant.ProjectID,
		User:           k.UserID,
		ServiceAccount: k.ServiceAccountID,
		Permission:     k.Permission,
		Scopes:         strings.Fields(k.Scopes),
		Redacted:       k.Redacted,
		CreatedAt:      k.CreatedAt,
		ExpiresAt:      k.ExpiresAt,
		LastUsedAt:     k.LastUsedAt,
		RevokedAt:      k.RevokedAt,
	}
}

// List returns all keys, oldest first, the revoked ones included.
func (k *Keys) List(ctx context.Context) ([]Key, error) {
	rows, err := k.store.Keys(ctx)
	keys := make([]Key, len(rows))
	for i := range rows {
		keys[i] = describe(rows[i])
	}
	return keys, err
}

// AnyInForce reports whether some project key would be accepted.
func (k *Keys) AnyInForce(ctx context.Context) (bool, error) {
	keys, err := k.List(ctx)
	for _, key := range keys {
		if !key.Admin && key.InForce() {
			return true, err
		}
	}
	return false, err
}

// Revoke takes a key out of force for good, from the next request on. An
// unknown id is ErrNoSuchKey.
func (k *Keys) Revoke(ctx context.Context, id string) error {
	err := k.store.RevokeKey(ctx, id, time.Now())
	if errors.Is(err, state.ErrNotFound) {
		return fmt.Errorf("%w: %s", ErrNoSuchKey, id)
	}
	return err
}

// find returns the key in force whose text is secret, or a *KeyError.
func (k *Keys) find(ctx context.Context, secret string) (state.Key, error) {
	hash := k.store.HashKey(secret)
	row, err := k.directory.key(ctx, hash)
	if errors.Is(err, state.ErrNotFound) {
		return state.Key{}, &KeyError{redact(secret)}
	}
	if err != nil {
		return state.Key{}, err
	}
	// The index lookup compares hashes whose values a caller cannot choose;
	// the comparison that decides takes the same time for all of them.
	if !hmac.Equal(row.Hash, hash) || row.ProjectArchived || !describe(row).InForce() {
		return state.Key{}, &KeyError{redact(secret)}
	}
	return row, nil
}

// redact shows as much of a key as helps its owner to tell it from others:
// the prefix, two characters and the last four.
func redact(secret string) string {
	const head, tail = 2, 4
	prefix := ""
	for _, p := range []string{projectPrefix, accountPrefix, adminPrefix, "sk-"} {
		if strings.HasPrefix(secret, p) {
			prefix = p
			break
		}
	}
	rest := secret[len(prefix):]
	if len(rest) < 4*(head+tail)/2 || strings.ContainsFunc(rest, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return prefix + "***"
	}
	return prefix + rest[:head] + "***" + rest[len(rest)-tail:]
}
