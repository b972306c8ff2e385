package api

import (
	"net/http"
	"slices"
	"strings"

	"github.com/ragstone/ragstone/internal/openai"
	"github.com/ragstone/ragstone/internal/platform/account"
	"github.com/ragstone/ragstone/internal/state"
)

// limitPrefix begins the id of a rate limit; the model's name follows.
const limitPrefix = "rl-"

// listRateLimits lists a project's limit of every name that can be asked for.
// Names that mean the same model have the same limit and share its buckets.
func (a *api) listRateLimits(c *call) error {
	page, err := c.page("asc", 100)
	if err != nil {
		return err
	}
	if c.URL.Query().Get("limit") == "" {
		page.Limit = 100
	}
	project, err := a.Organization.Project(c.Context(), c.organization(), c.PathValue("project_id"))
	if err != nil {
		return err
	}
	var data []openai.ProjectRateLimit
	for _, m := range a.Inference.Models(c.Context()) {
		wire, err := a.wireRateLimit(c, project.ID, m.ID)
		if err != nil {
			return err
		}
		data = append(data, wire)
	}
	data, more, err := limitPage(data, page, c.URL.Query().Get("before"))
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, openai.NewList(data, more, func(l openai.ProjectRateLimit) string { return l.ID }))
}

// limitPage is a page of all limits: after an id or just before one.
func limitPage(all []openai.ProjectRateLimit, p state.Page, before string) ([]openai.ProjectRateLimit, bool, error) {
	if p.Descending {
		slices.Reverse(all)
	}
	for _, mark := range []string{p.After, before} {
		if mark == "" {
			continue
		}
		at := slices.IndexFunc(all, func(l openai.ProjectRateLimit) bool { return l.ID == mark })
		switch {
		case at < 0:
			return nil, false, &account.NotFoundError{Kind: "rate limit", ID: mark}
		case mark == p.After:
			all = all[at+1:]
		default:
			all = all[:at]
			from := max(0, at-p.Limit)
			return all[from:], from > 0, nil
		}
	}
	n := min(p.Limit, len(all))
	return all[:n], n < len(all), nil
}

func (a *api) wireRateLimit(c *call, project, name string) (openai.ProjectRateLimit, error) {
	model, err := a.Inference.Runs(name)
	if err != nil {
		return openai.ProjectRateLimit{}, &account.NotFoundError{Kind: "rate limit", ID: limitPrefix + name}
	}
	rates, err := a.Organization.Rates(c.Context(), state.Tenant{OrganizationID: c.organization(), ProjectID: project}, model)
	return openai.ProjectRateLimit{
		Object:               "project.rate_limit",
		ID:                   limitPrefix + name,
		Model:                name,
		MaxRequestsPerMinute: rates.RequestsPerMinute,
		MaxTokensPerMinute:   rates.TokensPerMinute,
		MaxRequestsPerDay:    rates.RequestsPerDay,

		MaxImagesPerMinute:         rates.ImagesPerMinute,
		MaxAudioMegabytesPerMinute: rates.AudioMegabytesPerMinute,
		MaxBatchTokensPerDay:       rates.BatchTokensPerDay,
	}, err
}

func (a *api) updateRateLimit(c *call) error {
	var request openai.ProjectRateLimitRequest
	if err := c.decode(&request); err != nil {
		return err
	}
	name, ok := strings.CutPrefix(c.PathValue("limit_id"), limitPrefix)
	model, err := a.Inference.Runs(name)
	if !ok || err != nil {
		return &account.NotFoundError{Kind: "rate limit", ID: c.PathValue("limit_id")}
	}
	var change account.Rates
	for _, f := range []struct {
		param string
		from  *int64
		into  *int
	}{
		{"max_requests_per_1_minute", request.MaxRequestsPerMinute, &change.RequestsPerMinute},
		{"max_tokens_per_1_minute", request.MaxTokensPerMinute, &change.TokensPerMinute},
		{"max_requests_per_1_day", request.MaxRequestsPerDay, &change.RequestsPerDay},
		{"max_images_per_1_minute", request.MaxImagesPerMinute, &change.ImagesPerMinute},
		{"max_audio_megabytes_per_1_minute", request.MaxAudioMegabytesPerMinute, &change.AudioMegabytesPerMinute},
		{"batch_1_day_max_input_tokens", request.MaxBatchTokensPerDay, &change.BatchTokensPerDay},
	} {
		if f.from == nil {
			continue
		}
		if *f.from < 1 || *f.from > 1<<31 {
			return openai.Refuse(f.param, openai.CodeIntegerBelowMin, "Invalid '%s': expected a value from 1 to 2147483648, but got %d instead.", f.param, *f.from)
		}
		*f.into = int(*f.from)
	}
	tenant := state.Tenant{OrganizationID: c.organization(), ProjectID: c.PathValue("project_id")}
	if _, err := a.Organization.SetRates(c.Context(), tenant, model, change); err != nil {
		return err
	}
	wire, err := a.wireRateLimit(c, tenant.ProjectID, name)
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, wire)
}
