package api

import (
	"net/http"
	"time"

	"github.com/ragstone/ragstone/internal/openai"
	"github.com/ragstone/ragstone/internal/platform/account"
	"github.com/ragstone/ragstone/internal/state"
)

// routeOrganization routes what administers the organization: it wants an
// admin key. Its audit logs, certificates, groups, invitations, roles and users
// are not served.
func (a *api) routeOrganization() {
	read, write, usage := account.ScopeOrganizationRead, account.ScopeOrganization, account.ScopeUsage
	const keys, project = "/v1/organization/admin_api_keys", "/v1/organization/projects/{project_id}"

	a.handle("GET "+keys, read, a.listAdminKeys)
	a.handle("POST "+keys, write, a.createAdminKey, showsSecret)
	a.handle("GET "+keys+"/{key_id}", read, a.retrieveAdminKey)
	a.handle("DELETE "+keys+"/{key_id}", write, a.deleteAdminKey)

	a.handle("GET /v1/organization/projects", read, a.listProjects)
	a.handle("POST /v1/organization/projects", write, a.createProject)
	a.handle("GET "+project, read, a.retrieveProject)
	a.handle("POST "+project, write, a.updateProject)
	a.handle("POST "+project+"/archive", write, a.archiveProject)

	a.handle("GET "+project+"/service_accounts", read, a.listServiceAccounts)
	a.handle("POST "+project+"/service_accounts", write, a.createServiceAccount, showsSecret)
	a.handle("GET "+project+"/service_accounts/{account_id}", read, a.retrieveServiceAccount)
	a.handle("POST "+project+"/service_accounts/{account_id}", write, a.updateServiceAccount)
	a.handle("DELETE "+project+"/service_accounts/{account_id}", write, a.deleteServiceAccount)
	a.handle("POST "+project+"/service_accounts/{account_id}/api_keys", write, a.createServiceAccountKey, showsSecret)

	a.handle("GET "+project+"/api_keys", read, a.listProjectKeys)
	a.handle("GET "+project+"/api_keys/{key_id}", read, a.retrieveProjectKey)
	a.handle("POST "+project+"/api_keys/{key_id}", write, a.updateProjectKey)
	a.handle("DELETE "+project+"/api_keys/{key_id}", write, a.deleteProjectKey)

	a.handle("GET "+project+"/rate_limits", read, a.listRateLimits)
	a.handle("POST "+project+"/rate_limits/{limit_id}", write, a.updateRateLimit)

	a.handle("GET /v1/organization/usage/completions", usage, a.completionsUsage)
	a.handle("GET /v1/organization/usage/embeddings", usage, a.embeddingsUsage)
	for _, unserved := range []string{"moderations", "images", "audio_speeches", "audio_transcriptions", "vector_stores", "code_interpreter_sessions", "file_search_calls", "web_search_calls", "decisions"} {
		a.handle("GET /v1/organization/usage/"+unserved, usage, a.noUsage)
	}
	a.handle("GET /v1/organization/costs", usage, a.costs)
}

// organization is the id of the caller's organization.
func (c *call) organization() string { return c.caller.Tenant.OrganizationID }

// unixOrNull is a time in Unix seconds, null where it is not set.
func unixOrNull(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	seconds := t.Unix()
	return &seconds
}

// named returns the name that a request gives, which it must.
func named(name *string) (string, error) {
	if name == nil {
		return "", openai.Missing("name")
	}
	if *name == "" {
		return "", openai.Refuse("name", openai.CodeInvalidValue, "Invalid 'name': empty string. Expected a name.")
	}
	return *name, nil
}

func (a *api) listProjects(c *call) error {
	page, err := c.page("desc", 100)
	if err != nil {
		return err
	}
	archivedToo := c.URL.Query().Get("include_archived")
	if archivedToo != "" && archivedToo != "true" && archivedToo != "false" {
		return openai.InvalidValue("include_archived", archivedToo, "true", "false")
	}
	projects, more, err := a.Organization.Projects(c.Context(), c.organization(), archivedToo == "true", page)
	if err != nil {
		return err
	}
	var data []openai.Project
	for _, p := range projects {
		data = append(data, wireProject(p))
	}
	return c.reply(http.StatusOK, openai.NewList(data, more, func(p openai.Project) string { return p.ID }))
}

func wireProject(p state.Project) openai.Project {
	wire := openai.Project{
		ID:         p.ID,
		Object:     "organization.project",
		Name:       p.Name,
		CreatedAt:  p.CreatedAt.Unix(),
		ArchivedAt: unixOrNull(p.ArchivedAt),
		Status:     "active",
	}
	if wire.ArchivedAt != nil {
		wire.Status = "archived"
	}
	return wire
}

// replyProject answers with a project, or returns why there is none.
func (c *call) replyProject(p state.Project, err error) error {
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, wireProject(p))
}

func (a *api) createProject(c *call) error {
	var request openai.ProjectRequest
	if err := c.decode(&request); err != nil {
		return err
	}
	name, err := named(request.Name)
	if err != nil {
		return err
	}
	return c.replyProject(a.Organization.CreateProject(c.Context(), c.organization(), name))
}

func (a *api) retrieveProject(c *call) error {
	return c.replyProject(a.Organization.Project(c.Context(), c.organization(), c.PathValue("project_id")))
}

func (a *api) updateProject(c *call) error {
	var request openai.ProjectRequest
	if err := c.decode(&request); err != nil {
		return err
	}
	if request.Name == nil { // nothing is to change
		return a.retrieveProject(c)
	}
	name, err := named(request.Name)
	if err != nil {
		return err
	}
	return c.replyProject(a.Organization.RenameProject(c.Context(), c.organization(), c.PathValue("project_id"), name))
}

func (a *api) archiveProject(c *call) error {
	return c.replyProject(a.Organization.ArchiveProject(c.Context(), c.organization(), c.PathValue("project_id")))
}
