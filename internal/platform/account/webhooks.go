package account

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ragstone/ragstone/internal/state"
)

// Webhooks tell the operator's own servers how far budgets are spent: once for
// each budget, period and part of it, by jobs, which outlive a process and are done
// again when they fail, up to 25 times (state.Does). Their form is OpenAI's
// webhooks', whose signature is the Standard Webhooks specification's, version 1.
type Webhooks struct {
	store  *state.Store
	urls   []string
	secret []byte
	client *http.Client
}

// secretPrefix begins a secret in the form of the specification; the rest is its
// bytes in base64.
const secretPrefix = "whsec_"

// announced are the parts of a budget whose spending is told, in percent. A hard
// budget may never reach the last: what would pass it is refused.
var announced = []int64{80, 95, 100}

const (
	budgetsLookedAt = time.Minute
	deliveryTimeout = 15 * time.Second
)

// NewWebhooks returns the webhooks to some URLs; without one nothing is told. The
// secret is whsec_ and base64, or any other text.
func NewWebhooks(store *state.Store, urls []string, secret string) (*Webhooks, error) {
	w := &Webhooks{store: store, urls: urls, secret: []byte(secret), client: &http.Client{
		Timeout:       deliveryTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	if len(urls) > 0 && secret == "" {
		return nil, errors.New("webhooks want a secret to be signed with")
	}
	if text, ok := strings.CutPrefix(secret, secretPrefix); ok {
		var err error
		if w.secret, err = base64.StdEncoding.DecodeString(text); err != nil {
			return nil, fmt.Errorf("the secret of webhooks is not %s and base64: %w", secretPrefix, err)
		}
	}
	return w, nil
}

// watchBudgets is the job that looks how far budgets are spent.
type watchBudgets struct{}

func (watchBudgets) Kind() string { return "watch_budgets" }

// deliverWebhook is the job that sends an event to a URL.
type deliverWebhook struct {
	URL  string          `json:"url"`
	ID   string          `json:"id"` // of the event, the same at every try
	Body json.RawMessage `json:"body"`
}

func (deliverWebhook) Kind() string { return "deliver_webhook" }

// Workers do the jobs of webhooks.
func (w *Webhooks) Workers() []state.Worker {
	return []state.Worker{state.Repeats[watchBudgets](budgetsLookedAt, w.Watch), state.Does(w.deliver)}
}

// budgetEvent is what a webhook is sent.
type budgetEvent struct {
	ID        string       `json:"id"` // evt_…
	Object    string       `json:"object"`
	CreatedAt int64        `json:"created_at"`
	Type      string       `json:"type"`
	Data      budgetNotice `json:"data"`
}

// budgetNotice is how far a budget is spent. Money is in dollars.
type budgetNotice struct {
	ID        string      `json:"id"`
	SubjectID string      `json:"subject_id"` // of the organization, project or key
	Hard      bool        `json:"hard"`
	Every     string      `json:"every"`
	Since     int64       `json:"since"` // when the period began
	Percent   int64       `json:"percent"`
	Amount    json.Number `json:"amount"`
	Spent     json.Number `json:"spent"`
}

// Watch looks how far all budgets are spent and adds what is to be told of them.
func (w *Webhooks) Watch(ctx context.Context) error {
	if len(w.urls) == 0 {
		return nil
	}
	tenant, err := w.store.DefaultTenant(ctx)
	if err != nil {
		return err
	}
	standings, err := w.store.BudgetStandings(ctx, tenant.OrganizationID, time.Now())
	if err != nil {
		return err
	}
	for _, b := range standings {
		for _, percent := range announced {
			if !spentTo(b, percent) {
				continue
			}
			jobs, err := w.event(b, percent)
			if err != nil {
				return err
			}
			if _, err := w.store.AnnounceBudget(ctx, b, percent, jobs...); err != nil {
				return err
			}
		}
	}
	return nil
}

// spentTo reports whether so many percent of a budget are spent. Of one of nothing
// all of it is, once.
func spentTo(b state.BudgetStanding, percent int64) bool {
	return float64(b.Spent) >= float64(b.Amount)/100*float64(percent)
}

// event is the jobs that tell all URLs of a budget.
func (w *Webhooks) event(b state.BudgetStanding, percent int64) (jobs []state.Job, err error) {
	event := budgetEvent{
		ID:        state.NewID("evt_"),
		Object:    "event",
		CreatedAt: time.Now().Unix(),
		Type:      "ragstone.budget.spent",
		Data: budgetNotice{
			ID: b.ID, SubjectID: b.SubjectID, Hard: b.Hard, Every: b.Every, Since: b.Since.Unix(), Percent: percent,
			Amount: json.Number(Dollars(b.Amount)), Spent: json.Number(Dollars(b.Spent)),
		},
	}
	body, err := json.Marshal(event)
	for _, to := range w.urls {
		jobs = append(jobs, deliverWebhook{to, event.ID, body})
	}
	return jobs, err
}

// deliver sends an event. A URL that is not configured any more gets none.
func (w *Webhooks) deliver(ctx context.Context, job deliverWebhook) error {
	if !slices.Contains(w.urls, job.URL) {
		return nil
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, job.URL, bytes.NewReader(job.Body))
	if err != nil {
		return fmt.Errorf("deliver webhook %s: %w", job.ID, withoutURL(err))
	}
	now := time.Now()
	request.Header.Set("content-type", "application/json")
	request.Header.Set("user-agent", "Ragstone")
	request.Header.Set("webhook-id", job.ID)
	request.Header.Set("webhook-timestamp", strconv.FormatInt(now.Unix(), 10))
	request.Header.Set("webhook-signature", w.signature(job.ID, now, job.Body))
	answer, err := w.client.Do(request)
	if err != nil {
		return fmt.Errorf("deliver webhook %s: %w", job.ID, withoutURL(err))
	}
	defer answer.Body.Close()
	io.Copy(io.Discard, io.LimitReader(answer.Body, 64<<10)) // so that the connection can be used again
	if answer.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("deliver webhook %s: the receiver answers %s", job.ID, answer.Status)
	}
	return nil
}

// signature is that of the Standard Webhooks specification.
func (w *Webhooks) signature(id string, at time.Time, body []byte) string {
	mac := hmac.New(sha256.New, w.secret)
	fmt.Fprintf(mac, "%s.%d.%s", id, at.Unix(), body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// withoutURL takes the URL out of an error, which may hold a secret and ends in
// the log.
func withoutURL(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}
