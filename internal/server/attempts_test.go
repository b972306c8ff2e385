package server

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// attempt asks with an Idempotency-Key and returns the answer's status, which is 0
// for one that did not come whole.
func (c *clients) attempt(url string, number int64) int {
	body := fmt.Sprintf(`{"model":"gpt-4o-mini","messages":[{"role":"user","content":"number %d"}],"max_tokens":%d,"stream":%t}`, number, outputTokens, number%2 == 0)
	r, err := http.NewRequest("POST", url+"/chat/completions", strings.NewReader(body))
	if err != nil {
		return 0
	}
	r.Header.Set("Authorization", "Bearer "+c.key)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", fmt.Sprint("number-", number))
	answer, err := c.http.Do(r)
	if err != nil {
		return 0
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode == 200 && number%2 == 0 && !bytes.HasSuffix(text, []byte("data: [DONE]\n\n")) {
		return 0
	}
	return answer.StatusCode
}

// Wherever a kill falls, between the charge and the answer that is kept too, an
// attempt that is made again is answered in the end, and charged once.
func TestAttemptsOfAKilledServer(t *testing.T) {
	if testing.Short() {
		t.Skip("starts servers again and again")
	}
	const kills, atOnce = 8, 8
	c := fleetConfig(filepath.Join(t.TempDir(), "home"), "", newCounter(t).URL)
	store := openStore(t, c)
	key := newKey(t, store)
	setBudget(t, store, key, math.MaxInt64)
	crowd := newClients(key.Secret)
	server := startChild(t, c)
	var url atomic.Pointer[string]
	url.Store(&server.url)

	var answered atomic.Int64
	over := make(chan struct{})
	var asking sync.WaitGroup
	for range atOnce {
		asking.Go(func() {
			for {
				select {
				case <-over:
					return
				default:
				}
				number, begun := crowd.sent.Add(1), time.Now()
				status := crowd.attempt(*url.Load(), number)
				for ; status != 200; status = crowd.attempt(*url.Load(), number) {
					if status != 0 && status != 409 && status != 503 || time.Since(begun) > 2*time.Minute {
						t.Errorf("request %d is answered with %d after %s", number, status, time.Since(begun))
						return
					}
					time.Sleep(5 * time.Millisecond)
				}
				answered.Add(1)
			}
		})
	}
	for i := range kills {
		before := answered.Load()
		soon(t, "answers of this life", func() bool { return answered.Load() >= before+int64(10+i) })
		server.kill()
		server = startChild(t, c)
		url.Store(&server.url)
	}
	close(over)
	asking.Wait()
	server.kill()

	tenant, err := store.DefaultTenant(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	charged := map[int64]int{}
	for e, err := range store.Entries(t.Context(), tenant.OrganizationID, time.Unix(0, 0), time.Now().Add(time.Hour)) {
		if err != nil {
			t.Fatal(err)
		}
		charged[e.InputTokens]++
	}
	for number := range crowd.sent.Load() {
		if n := charged[number+1]; n != 1 {
			t.Errorf("request %d is in the ledger %d times", number+1, n)
		}
	}
	if int64(len(charged)) != answered.Load() {
		t.Errorf("%d requests were answered and %d charged", answered.Load(), len(charged))
	}
}
