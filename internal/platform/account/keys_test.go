package account

import (
	"errors"
	"strings"
	"testing"

	"github.com/ragstone/ragstone/internal/state"
)

func newKeys(t *testing.T) (*Keys, state.Tenant) {
	t.Helper()
	store, err := state.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	tenant, err := store.DefaultTenant(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return NewKeys(store), tenant
}

func create(t *testing.T, k *Keys, o KeyOptions) Created {
	t.Helper()
	c, err := k.Create(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAuthenticate(t *testing.T) {
	keys, tenant := newKeys(t)
	project := create(t, keys, KeyOptions{})
	admin := create(t, keys, KeyOptions{Admin: true})
	revoked := create(t, keys, KeyOptions{})
	if err := keys.Revoke(t.Context(), revoked.ID); err != nil {
		t.Fatal(err)
	}
	bearer := func(secret string) Credentials { return Credentials{Authorization: "Bearer " + secret} }
	keyError := new(KeyError)
	tests := []struct {
		name        string
		credentials Credentials
		scope       Scope
		want        any // nil, an error, or a *KeyError for any of that type
	}{
		{"a project key uses models", bearer(project.Secret), ScopeModels, nil},
		{"an admin key administers", bearer(admin.Secret), ScopeOrganization, nil},
		{"a project key does not administer", bearer(project.Secret), ScopeOrganization, ErrScope},
		{"an admin key uses no models", bearer(admin.Secret), ScopeModels, ErrScope},
		{"the scheme has any case", Credentials{Authorization: "bearer " + project.Secret}, ScopeModels, nil},
		{"no header", Credentials{}, ScopeModels, ErrNoKey},
		{"no key", bearer(""), ScopeModels, ErrNoKey},
		{"another scheme", Credentials{Authorization: "Basic " + project.Secret}, ScopeModels, ErrNoKey},
		{"the key alone", Credentials{Authorization: project.Secret}, ScopeModels, ErrNoKey},
		{"an unknown key", bearer("sk-proj-unknown"), ScopeModels, keyError},
		{"a revoked key", bearer(revoked.Secret), ScopeModels, keyError},
		{"a key cut short", bearer(project.Secret[:len(project.Secret)-1]), ScopeModels, keyError},
		{"a key's redacted form", bearer(project.Redacted), ScopeModels, keyError},
		{"its own organization and project", Credentials{"Bearer " + project.Secret, tenant.OrganizationID, tenant.ProjectID}, ScopeModels, nil},
		{"another organization", Credentials{"Bearer " + project.Secret, "org-x", ""}, ScopeModels, ErrForeignTenant},
		{"another project", Credentials{"Bearer " + project.Secret, "", "proj_x"}, ScopeModels, ErrForeignTenant},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			caller, err := keys.Authenticate(t.Context(), test.credentials, test.scope)
			switch want := test.want.(type) {
			case nil:
				if err != nil || caller.Tenant.OrganizationID != tenant.OrganizationID {
					t.Errorf("Authenticate = %+v, %v; want a caller of %s", caller, err, tenant.OrganizationID)
				}
			case *KeyError:
				if !errors.As(err, &want) {
					t.Errorf("Authenticate = %v, want a KeyError", err)
				}
			case error:
				if !errors.Is(err, want) {
					t.Errorf("Authenticate = %v, want %v", err, want)
				}
			}
		})
	}
}

func TestRevocationHoldsAtOnce(t *testing.T) {
	keys, _ := newKeys(t)
	key := create(t, keys, KeyOptions{Name: "short-lived"})
	use := func() error {
		_, err := keys.Authenticate(t.Context(), Credentials{Authorization: "Bearer " + key.Secret}, ScopeModels)
		return err
	}
	if err := use(); err != nil {
		t.Fatal(err)
	}
	if err := keys.Revoke(t.Context(), key.ID); err != nil {
		t.Fatal(err)
	}
	if err := use(); err == nil {
		t.Error("a revoked key was accepted")
	}
	if err := keys.Revoke(t.Context(), "key_none"); !errors.Is(err, ErrNoSuchKey) {
		t.Errorf("Revoke of an unknown id = %v, want ErrNoSuchKey", err)
	}
	if any, err := keys.AnyInForce(t.Context()); any || err != nil {
		t.Errorf("AnyInForce = %v, %v; want false", any, err)
	}
}

func TestFirstKeyIsMadeOnce(t *testing.T) {
	keys, _ := newKeys(t)
	for i, want := range []bool{true, false, false} {
		if _, made, err := keys.EnsureFirst(t.Context()); made != want || err != nil {
			t.Errorf("EnsureFirst, call %d = %v, %v; want %v", i, made, err, want)
		}
	}
	list, err := keys.List(t.Context())
	if err != nil || len(list) != 1 || list[0].Admin {
		t.Errorf("List = %+v, %v; want one project key", list, err)
	}
}

func TestNamesAreOneShortLine(t *testing.T) {
	keys, _ := newKeys(t)
	for _, name := range []string{strings.Repeat("ü", maxNameLength+1), "two\nlines"} {
		if _, err := keys.Create(t.Context(), KeyOptions{Name: name}); !errors.Is(err, ErrName) {
			t.Errorf("Create(%q) = %v, want ErrName", name, err)
		}
	}
	create(t, keys, KeyOptions{Name: strings.Repeat("ü", maxNameLength)})
}

func TestRedact(t *testing.T) {
	tests := []struct{ secret, want string }{
		{"sk-proj-ab345678901234567890wxyz", "sk-proj-ab***wxyz"},
		{"sk-admin-ab345678901234567890wxyz", "sk-admin-ab***wxyz"},
		{"sk-wrong-0000000000000000", "sk-wr***0000"},
		{"some-other-text", "so***text"},
		{"sk-short", "sk-***"},
		{"password", "***"},
		{"", "***"},
		{"line\nbreaks and \x00 more things", "***"},
	}
	for _, test := range tests {
		if got := redact(test.secret); got != test.want {
			t.Errorf("redact(%q) = %q, want %q", test.secret, got, test.want)
		}
	}
}
