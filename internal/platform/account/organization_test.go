package account

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ragstone/ragstone/internal/state"
)

// newAccounts are the accounts of a new folder.
func newAccounts(t *testing.T, rates Rates) (*Accounts, state.Tenant) {
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
	return New(store, rates), tenant
}

// use reports what comes of a key used for a scope.
func use(t *testing.T, k *Keys, secret string, s Scope) error {
	t.Helper()
	_, err := k.Authenticate(t.Context(), Credentials{Authorization: "Bearer " + secret}, s)
	return err
}

func TestScopes(t *testing.T) {
	a, _ := newAccounts(t, Rates{})
	all := create(t, a.Keys, KeyOptions{}).Secret
	reads := create(t, a.Keys, KeyOptions{Permission: PermissionReadOnly}).Secret
	runs := create(t, a.Keys, KeyOptions{Permission: PermissionRestricted, Scopes: []string{"model.request"}}).Secret
	writes := create(t, a.Keys, KeyOptions{Permission: PermissionRestricted, Scopes: []string{"api.chat.completions.write"}}).Secret
	lists := create(t, a.Keys, KeyOptions{Permission: PermissionRestricted, Scopes: []string{"model.read"}}).Secret
	admin := create(t, a.Keys, KeyOptions{Admin: true}).Secret
	watches := create(t, a.Keys, KeyOptions{Admin: true, Permission: PermissionReadOnly}).Secret
	bills := create(t, a.Keys, KeyOptions{Admin: true, Permission: PermissionRestricted, Scopes: []string{"api.usage.read"}}).Secret
	everything := []Scope{ScopeModels, ScopeModelsRead, ScopeCompletionsRead, ScopeCompletionsWrite, ScopeOrganization, ScopeOrganizationRead, ScopeUsage}
	for _, test := range []struct {
		name, secret string
		may          []Scope
	}{
		{"all", all, []Scope{ScopeModels, ScopeModelsRead, ScopeCompletionsRead, ScopeCompletionsWrite}},
		{"read only", reads, []Scope{ScopeModelsRead, ScopeCompletionsRead}},
		{"runs models", runs, []Scope{ScopeModels}},
		{"who writes reads", writes, []Scope{ScopeCompletionsRead, ScopeCompletionsWrite}},
		{"lists models", lists, []Scope{ScopeModelsRead}},
		{"admin", admin, []Scope{ScopeOrganization, ScopeOrganizationRead, ScopeUsage}},
		{"admin that reads", watches, []Scope{ScopeOrganizationRead, ScopeUsage}},
		{"admin that bills", bills, []Scope{ScopeUsage}},
	} {
		var may []Scope
		for _, s := range everything {
			err := use(t, a.Keys, test.secret, s)
			_, lacks := errors.AsType[*ScopeError](err)
			switch {
			case err == nil:
				may = append(may, s)
			case !lacks && !errors.Is(err, ErrScope):
				t.Errorf("%s used for %s: %v", test.name, s, err)
			}
		}
		if diff := cmp.Diff(test.may, may); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
	for _, o := range []KeyOptions{
		{Permission: "some"},
		{Permission: PermissionRestricted},
		{Permission: PermissionRestricted, Scopes: []string{"model.requests"}},
		{Permission: PermissionRestricted, Scopes: []string{"api.usage.read"}},
		{Permission: PermissionAll, Scopes: []string{"model.request"}},
		{Admin: true, Permission: PermissionRestricted, Scopes: []string{"model.request"}},
	} {
		if _, err := a.Keys.Create(t.Context(), o); !errors.Is(err, ErrPermission) {
			t.Errorf("Create(%+v) = %v, want ErrPermission", o, err)
		}
	}
}

func TestKeysExpire(t *testing.T) {
	a, _ := newAccounts(t, Rates{})
	k := create(t, a.Keys, KeyOptions{Lifetime: time.Hour})
	if err := use(t, a.Keys, k.Secret, ScopeModels); err != nil {
		t.Fatal(err)
	}
	if (Key{ExpiresAt: time.Now()}).InForce() {
		t.Error("a key is in force at the end of its lifetime")
	}
	spent := create(t, a.Keys, KeyOptions{Lifetime: time.Nanosecond})
	if err := use(t, a.Keys, spent.Secret, ScopeModels); err == nil {
		t.Error("an expired key was accepted")
	}
}

// What ends a key ends it with the next request: its own deletion, its service
// account's, its project's; also where another process has done it.
func TestKeysEndAtOnce(t *testing.T) {
	dir := t.TempDir()
	var here, elsewhere *Accounts
	for _, a := range []**Accounts{&here, &elsewhere} {
		store, err := state.Open(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		*a = New(store, Rates{})
	}
	tenant, err := here.Keys.store.DefaultTenant(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	org := tenant.OrganizationID
	o := elsewhere.Organization
	project, err := o.CreateProject(t.Context(), org, "p")
	if err != nil {
		t.Fatal(err)
	}
	ends := map[string]func(key Created) error{
		"its deletion": func(k Created) error { return o.DeleteKey(t.Context(), org, project.ID, k.ID) },
		"its service account's": func(k Created) error {
			return o.DeleteServiceAccount(t.Context(), org, project.ID, k.ServiceAccount)
		},
		"its project's": func(Created) error { _, err := o.ArchiveProject(t.Context(), org, project.ID); return err },
	}
	for _, name := range []string{"its deletion", "its service account's", "its project's"} {
		_, key, err := o.CreateServiceAccount(t.Context(), org, project.ID, "bot", 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := use(t, here.Keys, key.Secret, ScopeModels); err != nil {
			t.Errorf("before %s: %v", name, err)
		}
		if err := ends[name](key); err != nil {
			t.Fatal(err)
		}
		if err := use(t, here.Keys, key.Secret, ScopeModels); err == nil {
			t.Errorf("after %s: the key was accepted", name)
		}
	}
	if _, _, err := o.CreateServiceAccount(t.Context(), org, project.ID, "bot", 0); !errors.Is(err, ErrArchived) {
		t.Errorf("a service account in an archived project: %v, want ErrArchived", err)
	}
	if _, err := o.ArchiveProject(t.Context(), org, tenant.ProjectID); !errors.Is(err, ErrDefaultProject) {
		t.Errorf("archive the default project: %v, want ErrDefaultProject", err)
	}
}

// Another organization's objects, and another project's, are not there.
func TestOthersObjectsAreNotThere(t *testing.T) {
	a, tenant := newAccounts(t, Rates{})
	o := a.Organization
	mine, err := o.CreateProject(t.Context(), tenant.OrganizationID, "mine")
	if err != nil {
		t.Fatal(err)
	}
	bot, key, err := o.CreateServiceAccount(t.Context(), tenant.OrganizationID, mine.ID, "bot", 0)
	if err != nil {
		t.Fatal(err)
	}
	second := func(_ any, err error) error { return err }
	for name, err := range map[string]error{
		"project of another organization":      second(o.Project(t.Context(), "org-x", mine.ID)),
		"account of another organization":      second(o.ServiceAccount(t.Context(), "org-x", mine.ID, bot.ID)),
		"account of another project":           second(o.ServiceAccount(t.Context(), tenant.OrganizationID, tenant.ProjectID, bot.ID)),
		"deletion of another project's":        o.DeleteServiceAccount(t.Context(), tenant.OrganizationID, tenant.ProjectID, bot.ID),
		"key of another project":               second(o.Key(t.Context(), tenant.OrganizationID, tenant.ProjectID, key.ID)),
		"change of another project's key":      second(o.UpdateKey(t.Context(), tenant.OrganizationID, tenant.ProjectID, key.ID, KeyChange{})),
		"deletion of another project's key":    o.DeleteKey(t.Context(), tenant.OrganizationID, tenant.ProjectID, key.ID),
		"a project's key among the admin keys": second(o.Key(t.Context(), tenant.OrganizationID, "", key.ID)),
		"rename of another organization's":     second(o.RenameProject(t.Context(), "org-x", mine.ID, "x")),
	} {
		if _, ok := errors.AsType[*NotFoundError](err); !ok {
			t.Errorf("%s: %v, want a *NotFoundError", name, err)
		}
	}
	if err := use(t, a.Keys, key.Secret, ScopeModels); err != nil {
		t.Errorf("the key is still there and was refused: %v", err)
	}
}

func TestStoredLimitsHoldAtOnce(t *testing.T) {
	a, tenant := newAccounts(t, Rates{RequestsPerMinute: 100, TokensPerMinute: 1000})
	o := a.Organization
	other, err := o.CreateProject(t.Context(), tenant.OrganizationID, "other")
	if err != nil {
		t.Fatal(err)
	}
	every := state.Tenant{OrganizationID: tenant.OrganizationID}
	rates := func(project string) Rates {
		r, err := o.Rates(t.Context(), state.Tenant{OrganizationID: tenant.OrganizationID, ProjectID: project}, "m")
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	set := func(tenant state.Tenant, r Rates) error {
		_, err := o.SetRates(t.Context(), tenant, "m", r)
		return err
	}
	if err := set(every, Rates{RequestsPerMinute: 50, RequestsPerDay: 500}); err != nil {
		t.Fatal(err)
	}
	if err := set(tenant, Rates{RequestsPerMinute: 5}); err != nil {
		t.Fatal(err)
	}
	if got, want := rates(tenant.ProjectID), (Rates{RequestsPerMinute: 5, TokensPerMinute: 1000, RequestsPerDay: 500}); got != want {
		t.Errorf("the project's rates are %+v, want %+v", got, want)
	}
	if got, want := rates(other.ID), (Rates{RequestsPerMinute: 50, TokensPerMinute: 1000, RequestsPerDay: 500}); got != want {
		t.Errorf("another project's rates are %+v, want %+v", got, want)
	}
	for _, above := range []Rates{{RequestsPerMinute: 51}, {TokensPerMinute: 1001}, {RequestsPerDay: 501}, {RequestsPerMinute: -1}} {
		if err := set(tenant, above); !errors.Is(err, ErrLimit) {
			t.Errorf("set %+v: %v, want ErrLimit", above, err)
		}
	}
	// The organization's limit, lowered, holds for a project that had more.
	if err := set(every, Rates{RequestsPerMinute: 2}); err != nil {
		t.Fatal(err)
	}
	if got := rates(tenant.ProjectID).RequestsPerMinute; got != 2 {
		t.Errorf("under an organization's 2 the project may make %d requests", got)
	}
	if err := o.ClearRates(t.Context(), every, "m"); err != nil {
		t.Fatal(err)
	}
	if got, want := rates(tenant.ProjectID), (Rates{RequestsPerMinute: 5, TokensPerMinute: 1000}); got != want {
		t.Errorf("once the organization's is cleared: %+v, want %+v", got, want)
	}
	// What was used of the old limit is used of the new one.
	for range 3 {
		if _, err := a.Limiter.Reserve(t.Context(), Demand{Tenant: tenant, Model: "m"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := set(tenant, Rates{RequestsPerMinute: 3}); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Limiter.Reserve(t.Context(), Demand{Tenant: tenant, Model: "m"}); err == nil {
		t.Error("a fourth request passed a limit of three")
	}
}

func TestRequestsADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter(Rates{RequestsPerMinute: 100, RequestsPerDay: 4})
		for range 4 {
			if _, err := l.Reserve(t.Context(), demand(1)); err != nil {
				t.Fatal(err)
			}
		}
		_, err := l.Reserve(t.Context(), demand(1))
		limit, ok := errors.AsType[*LimitError](err)
		if !ok || !limit.Daily || limit.Unit != "requests" || limit.Limit != 4 || limit.RetryAfter != 6*time.Hour || limit.Limits.Requests.Remaining != 0 {
			t.Fatalf("the fifth of four a day: %#v, want the day's requests exhausted for 6 h", err)
		}
		time.Sleep(6 * time.Hour)
		if _, err := l.Reserve(t.Context(), demand(1)); err != nil {
			t.Errorf("after the wait that was named: %v", err)
		}
	})
}

// Who asks again and again without waiting does not get in; who waits does.
func TestRefusedRequestsCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter(Rates{RequestsPerMinute: 2})
		for range 2 {
			if _, err := l.Reserve(t.Context(), demand(1)); err != nil {
				t.Fatal(err)
			}
		}
		for range 20 { // every 10 s, where one is gained in 30 s
			time.Sleep(10 * time.Second)
			if _, err := l.Reserve(t.Context(), demand(1)); err == nil {
				t.Fatal("a client that does not wait got in")
			}
		}
		time.Sleep(30 * time.Second)
		if _, err := l.Reserve(t.Context(), demand(1)); err != nil {
			t.Errorf("after 30 s of waiting: %v", err)
		}
	})
}

func TestEmbeddingsHaveTheirOwnPool(t *testing.T) {
	l := NewLimiter(Rates{RequestsPerMinute: 1})
	for _, kind := range []string{KindCompletions, KindEmbeddings} {
		d := demand(1)
		d.Kind = kind
		if _, err := l.Reserve(t.Context(), d); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
}
