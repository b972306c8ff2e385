package account

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Scope is one thing that a key may be used for, by the name the API gives it.
type Scope string

// What operations ask for. Those of the organization want an admin key, all
// others a project's.
const (
	ScopeModels           Scope = "model.request"  // run a model
	ScopeModelsRead       Scope = "api.model.read" // list models
	ScopeCompletionsRead  Scope = "api.chat.completions.read"
	ScopeCompletionsWrite Scope = "api.chat.completions.write"

	ScopeFilesRead  Scope = "api.files.read"
	ScopeFilesWrite Scope = "api.files.write" // uploads among them

	ScopeOrganization     Scope = "api.management.write" // keys, projects, limits
	ScopeOrganizationRead Scope = "api.management.read"
	ScopeUsage            Scope = "api.usage.read"
)

// scopes are those that a restricted key may be given. The names of objects
// that are still to come are the API's.
var scopes = []Scope{
	ScopeModels, "model.read", ScopeModelsRead, ScopeCompletionsRead, ScopeCompletionsWrite,
	ScopeFilesRead, ScopeFilesWrite,
	"api.vector_stores.read", "api.vector_stores.write",
	"api.assistants.read", "api.assistants.write",
	"api.threads.read", "api.threads.write",
	"api.batch.read", "api.batch.write",
	"api.fine_tuning.jobs.read", "api.fine_tuning.jobs.write",
	"api.responses.read", "api.responses.write",
	ScopeOrganization, ScopeOrganizationRead, ScopeUsage,
}

// scopeEverythingRead is how the API says PermissionReadOnly where it speaks of
// scopes.
const scopeEverythingRead = "api.all.read"

// PermissionOf is the permission and the scopes of a project's key of which the
// API names scopes: none are everything.
func PermissionOf(named []string) (permission string, granted []string) {
	switch {
	case len(named) == 0:
		return PermissionAll, nil
	case len(named) == 1 && named[0] == scopeEverythingRead:
		return PermissionReadOnly, nil
	}
	return PermissionRestricted, named
}

// administers reports whether the scope is of the organization's business.
func (s Scope) administers() bool {
	return s == ScopeOrganization || s == ScopeOrganizationRead || s == ScopeUsage
}

// Permissions of a key.
const (
	PermissionAll        = "all"        // everything its kind may do
	PermissionReadOnly   = "read_only"  // what only reads
	PermissionRestricted = "restricted" // the scopes it names
)

var (
	// ErrScope means that a key is good, but not for this: an admin key asked
	// for a model, or a project's key for the organization's business.
	ErrScope = errors.New("the API key may not do this")

	// ErrPermission means that a key was to be made with a permission or a scope
	// that does not exist.
	ErrPermission = errors.New("no such permission")
)

// ScopeError means that a key is of the right kind and lacks a scope.
type ScopeError struct{ Missing Scope }

func (e *ScopeError) Error() string { return "the API key lacks the scope " + string(e.Missing) }

// grants reports whether a key with a permission has a scope of its kind. Who
// may write may read.
func grants(permission string, granted []string, s Scope) bool {
	switch permission {
	case PermissionAll:
		return true
	case PermissionReadOnly:
		return strings.HasSuffix(string(s), ".read")
	}
	if slices.Contains(granted, string(s)) || s == ScopeModelsRead && slices.Contains(granted, "model.read") {
		return true
	}
	object, reads := strings.CutSuffix(string(s), ".read")
	return reads && slices.Contains(granted, object+".write")
}

// checkPermission reports what is wrong with what a key is to be allowed. With
// foreign, a scope that there is not is fine if it has the form of one.
func checkPermission(permission string, granted []string, admin, foreign bool) error {
	switch permission {
	case PermissionAll, PermissionReadOnly:
		if len(granted) > 0 {
			return fmt.Errorf("%w: scopes go with the permission %s, not with %s", ErrPermission, PermissionRestricted, permission)
		}
		return nil
	case PermissionRestricted:
	default:
		return fmt.Errorf("%w: %q; want %s, %s or %s", ErrPermission, permission, PermissionAll, PermissionReadOnly, PermissionRestricted)
	}
	if len(granted) == 0 {
		return fmt.Errorf("%w: a restricted key needs at least one scope", ErrPermission)
	}
	for _, s := range granted {
		if !(slices.Contains(scopes, Scope(s)) || foreign && named(s)) || Scope(s).administers() != admin {
			return fmt.Errorf("%w: scope %q; there are: %s", ErrPermission, s, scopeNames(admin))
		}
	}
	return nil
}

// named reports whether a text has the form of a scope.
func named(scope string) bool {
	return scope != "" && len(scope) <= 64 && strings.Trim(scope, "abcdefghijklmnopqrstuvwxyz_.") == ""
}

func scopeNames(admin bool) string {
	var names []string
	for _, s := range scopes {
		if s.administers() == admin {
			names = append(names, string(s))
		}
	}
	return strings.Join(names, ", ")
}
