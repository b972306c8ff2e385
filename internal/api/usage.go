package api

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/ragstone/ragstone/internal/openai"
	"github.com/ragstone/ragstone/internal/platform/account"
	"github.com/ragstone/ragstone/internal/state"
)

// widths are the lengths of a bucket, with the buckets of a page: by default
// and at most.
var widths = map[string]struct {
	length       time.Duration
	normal, most int
}{"1m": {time.Minute, 60, 1440}, "1h": {time.Hour, 24, 168}, "1d": {24 * time.Hour, 7, mostUsageDays}}

// The most days of a page of usage and of costs.
const (
	mostUsageDays = 31
	mostCostDays  = 180
)

// listed returns the values of a parameter that is an array: project_ids[]=a,
// as the SDKs write it, or project_ids=a.
func listed(query url.Values, name string) []string { return append(query[name+"[]"], query[name]...) }

// usageQuery reads what the operations of usage share. A page has at most so
// many days, and groups are what one may group by.
func (c *call) usageQuery(mostDays int, groups ...string) (q account.UsageQuery, by []string, err error) {
	query := c.URL.Query()
	q.OrganizationID, q.Page = c.organization(), query.Get("page")
	q.Projects, q.Users, q.Keys, q.Models = listed(query, "project_ids"), listed(query, "user_ids"), listed(query, "api_key_ids"), listed(query, "models")
	if q.Width, q.Buckets, err = c.buckets(mostDays); err != nil {
		return q, nil, err
	}
	if q.From, q.Until, err = c.span(); err != nil {
		return q, nil, err
	}
	by = listed(query, "group_by")
	q.By, err = usageGroups(by, groups)
	return q, by, err
}

// buckets reads how long a bucket is and how many a page has.
func (c *call) buckets(mostDays int) (width time.Duration, n int, err error) {
	name := cmp.Or(c.URL.Query().Get("bucket_width"), "1d")
	w, ok := widths[name]
	if !ok {
		return 0, 0, openai.InvalidValue("bucket_width", name, "1m", "1h", "1d")
	}
	if name == "1d" {
		w.most = mostDays
	}
	n, err = c.count("limit", w.normal, w.most)
	return w.length, n, err
}

// span reads from when, which must be given, and until when, which is zero if it
// is not.
func (c *call) span() (from, until time.Time, err error) {
	if from, err = c.time("start_time"); err != nil {
		return from, until, err
	}
	if from.IsZero() {
		return from, until, openai.Missing("start_time")
	}
	if until, err = c.time("end_time"); err != nil {
		return from, until, err
	}
	if !until.IsZero() && !until.After(from) {
		return from, until, openai.Refuse("end_time", openai.CodeInvalidValue, "Invalid 'end_time': it must be after 'start_time'.")
	}
	return from, until, nil
}

// usageGroups are the groups that by names, each of which must be allowed.
func usageGroups(by, allowed []string) (state.UsageGroups, error) {
	for _, g := range by {
		if !slices.Contains(allowed, g) {
			return state.UsageGroups{}, openai.InvalidValue("group_by", g, allowed...)
		}
	}
	return state.UsageGroups{
		Project: slices.Contains(by, "project_id"),
		User:    slices.Contains(by, "user_id"),
		Key:     slices.Contains(by, "api_key_id"),
		Model:   slices.Contains(by, "model") || slices.Contains(by, "line_item"),
	}, nil
}

// time reads a parameter in Unix seconds; its absence is the zero time.
func (c *call) time(name string) (time.Time, error) {
	text := c.URL.Query().Get(name)
	if text == "" {
		return time.Time{}, nil
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil || seconds < 0 || seconds > 1<<40 {
		return time.Time{}, openai.Refuse(name, openai.CodeInvalidType, "Invalid type for '%s': expected Unix seconds.", name)
	}
	return time.Unix(seconds, 0), nil
}

// count reads a number from 1 to most.
func (c *call) count(name string, normal, most int) (int, error) {
	text := c.URL.Query().Get(name)
	if text == "" {
		return normal, nil
	}
	n, err := strconv.Atoi(text)
	switch {
	case err != nil:
		return 0, openai.Refuse(name, openai.CodeInvalidType, "Invalid type for '%s': expected an integer, but got a string instead.", name)
	case n < 1:
		return 0, openai.Refuse(name, openai.CodeIntegerBelowMin, "Invalid '%s': integer below minimum value. Expected a value >= 1, but got %d instead.", name, n)
	case n > most:
		return 0, openai.Refuse(name, openai.CodeIntegerAboveMax, "Invalid '%s': integer above maximum value. Expected a value <= %d, but got %d instead.", name, most, n)
	}
	return n, nil
}

func (a *api) completionsUsage(c *call) error {
	q, by, err := c.usageQuery(mostUsageDays, "project_id", "user_id", "api_key_id", "model", "batch", "service_tier")
	if err != nil {
		return err
	}
	q.Kind = account.KindCompletions
	keep := func(rows []state.UsageRow) []state.UsageRow { return rows }
	switch batch := c.URL.Query().Get("batch"); batch {
	case "", "false":
	case "true": // nothing has run as a batch
		keep = func([]state.UsageRow) []state.UsageRow { return nil }
	default:
		return openai.InvalidValue("batch", batch, "true", "false")
	}
	page, err := a.Books.Usage(c.Context(), q)
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, wireUsage(page, func(rows []state.UsageRow) (results []openai.CompletionsUsage) {
		for _, r := range keep(rows) {
			u := openai.CompletionsUsage{
				Object:            "organization.usage.completions.result",
				InputTokens:       r.InputTokens,
				InputCachedTokens: r.CachedTokens,
				OutputTokens:      r.OutputTokens,
				NumModelRequests:  r.Requests,
				ProjectID:         orNull(r.Project),
				UserID:            orNull(r.User),
				APIKeyID:          orNull(r.Key),
				Model:             orNull(r.Model),
			}
			if slices.Contains(by, "batch") {
				u.Batch = new(bool)
			}
			if slices.Contains(by, "service_tier") {
				u.ServiceTier = orNull("default")
			}
			results = append(results, u)
		}
		return results
	}))
}

func (a *api) embeddingsUsage(c *call) error {
	q, _, err := c.usageQuery(mostUsageDays, "project_id", "user_id", "api_key_id", "model")
	if err != nil {
		return err
	}
	q.Kind = account.KindEmbeddings
	page, err := a.Books.Usage(c.Context(), q)
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, wireUsage(page, func(rows []state.UsageRow) (results []openai.EmbeddingsUsage) {
		for _, r := range rows {
			results = append(results, openai.EmbeddingsUsage{
				Object:           "organization.usage.embeddings.result",
				InputTokens:      r.InputTokens,
				NumModelRequests: r.Requests,
				ProjectID:        orNull(r.Project),
				UserID:           orNull(r.User),
				APIKeyID:         orNull(r.Key),
				Model:            orNull(r.Model),
			})
		}
		return results
	}))
}

// noUsage answers for what this server does not do: buckets in which nothing
// happened.
func (a *api) noUsage(c *call) error {
	q, _, err := c.usageQuery(mostUsageDays, "project_id", "user_id", "api_key_id", "model", "size", "source", "vector_store_id", "context_level", "batch", "service_tier", "api_source")
	if err != nil {
		return err
	}
	q.Kind = "none"
	page, err := a.Books.Usage(c.Context(), q)
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, wireUsage(page, func([]state.UsageRow) []openai.NoUsage { return nil }))
}

// wireUsage lays out a page of usage.
func wireUsage[T any](page account.UsagePage, results func([]state.UsageRow) []T) openai.UsagePage[T] {
	wire := openai.UsagePage[T]{Object: "page", Data: []openai.UsageBucket[T]{}, HasMore: page.Next != "", NextPage: orNull(page.Next)}
	for _, b := range page.Buckets {
		bucket := openai.UsageBucket[T]{Object: "bucket", StartTime: b.Begins.Unix(), EndTime: b.Ends.Unix(), Results: results(b.Rows)}
		if bucket.Results == nil {
			bucket.Results = []T{}
		}
		wire.Data = append(wire.Data, bucket)
	}
	return wire
}

func (a *api) costs(c *call) error {
	q, by, err := c.usageQuery(mostCostDays, "project_id", "line_item", "api_key_id")
	if err != nil {
		return err
	}
	if q.Width != 24*time.Hour {
		return openai.InvalidValue("bucket_width", c.URL.Query().Get("bucket_width"), "1d")
	}
	page, err := a.Books.Usage(c.Context(), q)
	if err != nil {
		return err
	}
	byItem := slices.Contains(by, "line_item")
	return c.reply(http.StatusOK, wireUsage(page, func(rows []state.UsageRow) (results []openai.Costs) {
		for _, r := range rows {
			results = append(results, wireCosts(r, byItem)...)
		}
		return results
	}))
}

// wireCosts is what a row cost: in one sum, or by what it was spent on.
func wireCosts(r state.UsageRow, byItem bool) []openai.Costs {
	cost := func(amount int64) openai.Costs {
		return openai.Costs{
			Object:    "organization.costs.result",
			Amount:    openai.Amount{Value: json.Number(account.Dollars(amount)), Currency: "usd"},
			ProjectID: orNull(r.Project),
			APIKeyID:  orNull(r.Key),
		}
	}
	if !byItem {
		return []openai.Costs{cost(r.InputCost + r.CachedCost + r.OutputCost)}
	}
	var items []openai.Costs
	for _, item := range []struct {
		name           string
		tokens, amount int64
	}{
		{"input", r.InputTokens - r.CachedTokens, r.InputCost},
		{"cached input", r.CachedTokens, r.CachedCost},
		{"output", r.OutputTokens, r.OutputCost},
	} {
		if item.tokens == 0 && item.amount == 0 {
			continue
		}
		line, unit, quantity := r.Model+", "+item.name, "tokens", float64(item.tokens)
		c := cost(item.amount)
		c.LineItem, c.Quantity, c.QuantityUnit = &line, &quantity, &unit
		items = append(items, c)
	}
	return items
}
