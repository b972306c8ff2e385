package account

import (
	"context"
	"errors"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/ragstone/ragstone/internal/state"
)

// ErrPage means that a page token is none that a list of usage gave.
var ErrPage = errors.New("no such page")

// UsageQuery says what of the ledger is to be summed up, in buckets of time.
type UsageQuery struct {
	state.UsageQuery // Until may be zero: now

	Buckets int    // of a page
	Page    string // the token of a page; empty for the first
}

// UsageBucket is a stretch of time and what happened in it. The first one of a
// query begins, and the last one ends, where the query does.
type UsageBucket struct {
	Begins, Ends time.Time
	Rows         []state.UsageRow // by group; none where nothing happened
}

// UsagePage is a part of the answer to a query.
type UsagePage struct {
	Buckets []UsageBucket
	Next    string // token of the next page; empty on the last
}

const pagePrefix = "page_"

// Usage sums up the ledger. The sums of all pages are those of the ledger's
// entries from From until Until, whatever the buckets and groups. The error is
// ErrPage or one of the store's.
func (b *Books) Usage(ctx context.Context, q UsageQuery) (UsagePage, error) {
	if q.Until.IsZero() {
		q.Until = bucketEnd(time.Now(), q.Width)
	}
	from := q.From
	if q.Page != "" {
		seconds, err := strconv.ParseInt(strings.TrimPrefix(q.Page, pagePrefix), 36, 64)
		if from = time.Unix(seconds, 0); err != nil || !strings.HasPrefix(q.Page, pagePrefix) || !from.After(q.From) || seconds%int64(q.Width/time.Second) != 0 {
			return UsagePage{}, ErrPage
		}
	}
	var page UsagePage
	at := map[int64]int{} // bucket by the multiple of the width it lies in
	end := from
	for ; len(page.Buckets) < q.Buckets && end.Before(q.Until); end = page.Buckets[len(page.Buckets)-1].Ends {
		bucket := UsageBucket{Begins: end, Ends: bucketEnd(end, q.Width)}
		at[bucket.Ends.Unix()] = len(page.Buckets)
		if bucket.Ends.After(q.Until) {
			bucket.Ends = q.Until
		}
		page.Buckets = append(page.Buckets, bucket)
	}
	if end.Before(q.Until) {
		page.Next = pagePrefix + strconv.FormatInt(end.Unix(), 36)
	}
	within := q.UsageQuery
	within.From, within.Until = from, end
	rows, err := b.store.Usage(ctx, within)
	if err != nil {
		return UsagePage{}, err
	}
	for _, r := range rows {
		bucket := &page.Buckets[at[r.Bucket.Add(q.Width).Unix()]]
		bucket.Rows = append(bucket.Rows, r)
	}
	return page, nil
}

// bucketEnd is the first multiple of width after t.
func bucketEnd(t time.Time, width time.Duration) time.Time {
	seconds := int64(width / time.Second)
	return time.Unix((t.Unix()/seconds+1)*seconds, 0)
}

// Entries returns the ledger's entries from a time until another, oldest first.
func (b *Books) Entries(ctx context.Context, organization string, from, until time.Time) iter.Seq2[state.Entry, error] {
	return b.store.Entries(ctx, organization, from, until)
}
