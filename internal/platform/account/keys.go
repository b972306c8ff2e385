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
	adminPrefix   = "sk-admin-"
	secretLength  = 48 // letters and digits: 285 bits
	maxNameLength = 256
)

var (
	// ErrNoKey means that a request carries no key.
	ErrNoKey = errors.New("no API key was given")

	// ErrScope means that a key is good, but not for this: an admin key asked
	// for a model, or a project's key for the organization's business.
	ErrScope = errors.New("the API key may not do this")

	// ErrForeignTenant means that a request names an organization or project
	// that its key does not belong to.
	ErrForeignTenant = errors.New("the API key does not belong to the organization or project that the request names")

	// ErrNoSuchKey means that no key has the id given.
	ErrNoSuchKey = errors.New("no such API key")

	// ErrName means that the name wanted for a key is too long or not text.
	ErrName = fmt.Errorf("a key's name is one line of at most %d characters", maxNameLength)
)

// KeyError means that a key is unknown or revoked.
type KeyError struct {
	Redacted string // as much of the key as may be shown
}

func (e *KeyError) Error() string { return "incorrect API key: " + e.Redacted }

// Keys makes, checks and revokes API keys.
type Keys struct {
	store *state.Store
}

// NewKeys returns the keys kept in store.
func NewKeys(store *state.Store) *Keys { return &Keys{store} }

// Key describes a key. It does not hold the key.
type Key struct {
	ID        string
	Name      string
	Admin     bool
	Redacted  string
	CreatedAt time.Time
	RevokedAt time.Time // zero while the key is in force
}

// Created is a key as only its maker gets to see it.
type Created struct {
	Key
	Secret string // the key itself
}

// KeyOptions says what key to make.
type KeyOptions struct {
	Name  string
	Admin bool // for the organization's business; default: for a project's models
}

// Create makes a key of the default project or, for an admin key, of the
// organization.
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
	if len([]rune(o.Name)) > maxNameLength || strings.ContainsFunc(o.Name, func(r rune) bool { return r < ' ' }) {
		return Created{}, state.Key{}, ErrName
	}
	tenant, err := k.store.DefaultTenant(ctx)
	if err != nil {
		return Created{}, state.Key{}, fmt.Errorf("find the default project: %w", err)
	}
	prefix := projectPrefix
	if o.Admin {
		prefix, tenant.ProjectID = adminPrefix, ""
	}
	secret := prefix + state.RandomText(secretLength)
	row := state.Key{
		ID:        state.NewID("key_"),
		Tenant:    tenant,
		Name:      o.Name,
		Hash:      k.store.HashKey(secret),
		Redacted:  redact(secret),
		CreatedAt: time.Now().Truncate(time.Second),
	}
	return Created{describe(row), secret}, row, nil
}

func describe(k state.Key) Key {
	return Key{k.ID, k.Name, k.Admin(), k.Redacted, k.CreatedAt, k.RevokedAt}
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
		if !key.Admin && key.RevokedAt.IsZero() {
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
	row, err := k.store.KeyByHash(ctx, hash)
	if errors.Is(err, state.ErrNotFound) {
		return state.Key{}, &KeyError{redact(secret)}
	}
	if err != nil {
		return state.Key{}, err
	}
	// The index lookup compares hashes whose values a caller cannot choose;
	// the comparison that decides takes the same time for all of them.
	if !hmac.Equal(row.Hash, hash) || !row.RevokedAt.IsZero() {
		return state.Key{}, &KeyError{redact(secret)}
	}
	return row, nil
}

// redact shows as much of a key as helps its owner to tell it from others:
// the prefix, two characters and the last four.
func redact(secret string) string {
	const head, tail = 2, 4
	prefix := ""
	for _, p := range []string{projectPrefix, adminPrefix, "sk-"} {
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
