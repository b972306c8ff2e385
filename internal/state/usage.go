package state

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// UsageQuery says which entries of the ledger are to be summed up, and how.
type UsageQuery struct {
	OrganizationID string
	Kind           string    // completions or embeddings; empty: both
	From, Until    time.Time // from the first, until but not at the second

	// Width is the length of a bucket, whole seconds. Buckets begin at multiples
	// of it since 1970, in UTC.
	Width time.Duration

	// Only entries of these; empty lists leave all.
	Projects, Users, Keys, Models []string

	// By says which of the fields of UsageRow tell entries apart.
	By UsageGroups
}

// UsageGroups are fields that tell entries apart.
type UsageGroups struct{ Project, User, Key, Model bool }

// UsageRow is the sum of the entries of one bucket and one group.
type UsageRow struct {
	Bucket                    time.Time // when it begins
	Project, User, Key, Model string    // empty unless asked for; User also where there is none
	Requests                  int64
	InputTokens               int64 // cached ones included
	CachedTokens              int64
	OutputTokens              int64
	InputCost                 int64 // 10^-12 dollar
	CachedCost                int64
	OutputCost                int64
}

// Usage sums up the ledger. The rows are in order of bucket and group.
func (s *Store) Usage(ctx context.Context, q UsageQuery) ([]UsageRow, error) {
	if err := s.settleJournal(ctx); err != nil {
		return nil, err
	}
	width := int64(q.Width / time.Second)
	group := func(wanted bool, column string) string {
		if wanted {
			return "coalesce(" + column + ", '')"
		}
		return "''"
	}
	groups := strings.Join([]string{group(q.By.Project, "project_id"), group(q.By.User, "user_id"), group(q.By.Key, "key_id"), group(q.By.Model, "model")}, ", ")
	where := "organization_id = ? AND created_at >= ? AND created_at < ?"
	arguments := []any{width, q.OrganizationID, q.From.Unix(), q.Until.Unix()}
	if q.Kind != "" {
		where += " AND kind = ?"
		arguments = append(arguments, q.Kind)
	}
	for _, f := range []struct {
		column string
		among  []string
	}{{"project_id", q.Projects}, {"user_id", q.Users}, {"key_id", q.Keys}, {"model", q.Models}} {
		if len(f.among) == 0 {
			continue
		}
		where += " AND " + f.column + " IN (" + strings.Join(slices.Repeat([]string{"?"}, len(f.among)), ", ") + ")"
		for _, v := range f.among {
			arguments = append(arguments, v)
		}
	}
	rows, err := collect(ctx, s.read, "SELECT created_at / ? AS bucket, "+groups+`, count(*), sum(input_tokens), sum(cached_tokens), sum(output_tokens), sum(input_cost), sum(cached_cost), sum(output_cost)
		FROM ledger WHERE `+where+" GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5", arguments, func(r row) (u UsageRow, err error) {
		var bucket int64
		err = r.Scan(&bucket, &u.Project, &u.User, &u.Key, &u.Model, &u.Requests, &u.InputTokens, &u.CachedTokens, &u.OutputTokens, &u.InputCost, &u.CachedCost, &u.OutputCost)
		u.Bucket = time.Unix(bucket*width, 0)
		return u, err
	})
	if err != nil {
		return nil, fmt.Errorf("sum up the ledger: %w", err)
	}
	return rows, nil
}
