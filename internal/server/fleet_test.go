package server

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ragstone/ragstone/internal/config"
	"github.com/ragstone/ragstone/internal/platform/account"
	"github.com/ragstone/ragstone/internal/state"
)

// TestMain lets this test program play the server that is killed.
func TestMain(m *testing.M) {
	if len(os.Args) == 5 && os.Args[1] == "serve-until-killed" {
		serveUntilKilled(fleetConfig(os.Args[2], os.Args[3], os.Args[4]))
	}
	os.Exit(m.Run())
}

// fleetConfig is a server of a database, or of its home, that sends all it is
// asked to an upstream.
func fleetConfig(home, database, upstream string) config.Config {
	return config.Config{
		Home: home, Addr: "127.0.0.1:0", Upstream: upstream, Database: database, SecretFile: filepath.Join(filepath.Dir(home), "secret"),
		RequestsPerMinute: 1e9, TokensPerMinute: 2e9,
	}
}

// serveUntilKilled prints where it listens.
func serveUntilKilled(c config.Config) {
	s, err := Open(context.Background(), c, Options{})
	if err == nil {
		fmt.Println(s.Notice().URL)
		err = s.Serve(context.Background())
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// child is a server in a process of its own.
type child struct {
	url     string
	process *exec.Cmd
}

func startChild(t *testing.T, c config.Config) *child {
	t.Helper()
	p := exec.Command(os.Args[0], "serve-until-killed", c.Home, c.Database, c.Upstream)
	p.Stderr = os.Stderr
	out, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	url, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the server did not start: %v", err)
	}
	return &child{strings.TrimSpace(url), p}
}

// kill ends the server as kill -9 does, and returns when it is dead.
func (c *child) kill() {
	c.process.Process.Kill()
	c.process.Wait()
}

const outputTokens = 5 // of every answer

// newCounter is an upstream whose answers say that their prompt has as many
// tokens as the number in it. So the ledger tells which request a row is of.
func newCounter(t *testing.T) *httptest.Server {
	u := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, after, _ := bytes.Cut(body, []byte("number "))
		number, _, _ := bytes.Cut(after, []byte(`"`))
		usage := fmt.Sprintf(`,"usage":{"prompt_tokens":%s,"completion_tokens":%d,"total_tokens":0}`, number, outputTokens)
		if !bytes.Contains(body, []byte(`"stream":true`)) {
			fmt.Fprintf(w, `{"choices":[{"index":0,"message":{"role":"assistant","content":"one two"},"finish_reason":"stop"}]%s}`, usage)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		const chunk = "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[%s]%s}\n\n"
		fmt.Fprintf(w, chunk, `{"index":0,"delta":{"role":"assistant","content":"one two"},"finish_reason":null}`, "")
		fmt.Fprintf(w, chunk, `{"index":0,"delta":{},"finish_reason":"stop"}`, "")
		fmt.Fprintf(w, chunk+"data: [DONE]\n\n", "", usage)
	}))
	t.Cleanup(u.Close)
	return u
}

// clients make requests, each with a number of its own, and remember what came
// of them.
type clients struct {
	key  string
	http http.Client

	sent atomic.Int64 // the last number

	mu       sync.Mutex
	answered map[int64]string // ids of the answers that came whole, by number
	statuses map[int]int      // how many answers of each status; 0: no answer, or half of one
}

func newClients(key string) *clients {
	return &clients{
		key: key, answered: map[int64]string{}, statuses: map[int]int{},
		http: http.Client{Timeout: 5 * time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 1000}},
	}
}

// ask makes one request of the server at url, every other one streamed, and
// returns the answer's status.
func (c *clients) ask(url string) int {
	number := c.sent.Add(1)
	status, id := c.request(url, number)
	c.mu.Lock()
	defer c.mu.Unlock()
	if id != "" {
		c.answered[number] = id
	}
	c.statuses[status]++
	return status
}

// count returns how many answers of a status have come.
func (c *clients) count(status int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.statuses[status]
}

// soon waits for what a fleet comes to by itself, however slow the machine is.
func soon(t *testing.T, what string, come func() bool) {
	t.Helper()
	for begun := time.Now(); !come(); time.Sleep(20 * time.Millisecond) {
		if time.Since(begun) > 2*time.Minute {
			t.Fatalf("waited two minutes for %s", what)
		}
	}
}

func (c *clients) request(url string, number int64) (status int, id string) {
	stream := number%2 == 0
	body := fmt.Sprintf(`{"model":"gpt-4o-mini","messages":[{"role":"user","content":"number %d"}],"max_tokens":%d,"stream":%t}`, number, outputTokens, stream)
	r, err := http.NewRequest("POST", url+"/chat/completions", strings.NewReader(body))
	if err != nil {
		return 0, ""
	}
	r.Header.Set("Authorization", "Bearer "+c.key)
	r.Header.Set("Content-Type", "application/json")
	answer, err := c.http.Do(r)
	if err != nil {
		return 0, ""
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, ""
	}
	if answer.StatusCode != 200 {
		return answer.StatusCode, ""
	}
	if stream {
		if !bytes.HasSuffix(bytes.TrimSpace(text), []byte("data: [DONE]")) {
			return 0, ""
		}
		text, _, _ = bytes.Cut(bytes.TrimPrefix(text, []byte("data: ")), []byte("\n"))
	}
	var object struct{ ID string }
	if json.Unmarshal(text, &object) != nil || object.ID == "" {
		return 0, ""
	}
	return 200, object.ID
}

// accounting compares the ledger with what clients know: every answer is in it
// once, under the id that its client got, and what was not answered at most
// once. It returns what was spent.
func accounting(t *testing.T, store *state.Store, c *clients) (spent int64) {
	t.Helper()
	tenant, err := store.DefaultTenant(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	charged := map[int64]string{}
	for e, err := range store.Entries(t.Context(), tenant.OrganizationID, time.Unix(0, 0), time.Now().Add(time.Hour)) {
		if err != nil {
			t.Fatal(err)
		}
		if id, again := charged[e.InputTokens]; again {
			t.Errorf("request %d was charged twice: %s and %s", e.InputTokens, id, e.ID)
		}
		if e.InputTokens < 1 || e.InputTokens > c.sent.Load() || e.OutputTokens != outputTokens {
			t.Errorf("the ledger has %+v, which nobody asked for", e)
		}
		charged[e.InputTokens] = e.ID
		spent += e.Cost()
	}
	for number, id := range c.answered {
		if charged[number] != id {
			t.Errorf("request %d was answered as %s, and the ledger has %q", number, id, charged[number])
		}
	}
	if err := store.Verify(t.Context()); err != nil {
		t.Error(err)
	}
	t.Logf("%d requests sent, %d answered, %d charged; statuses %v", c.sent.Load(), len(c.answered), len(charged), c.statuses)
	return spent
}

// openStore opens the rows of a fleet beside its servers.
func openStore(t *testing.T, c config.Config) *state.Store {
	t.Helper()
	store, err := state.OpenWith(t.Context(), StateDir(c.Home), StateOptions(c))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return store
}

// newKey makes a key for the fleet's clients.
func newKey(t *testing.T, store *state.Store) account.Created {
	t.Helper()
	key, err := account.NewKeys(store).Create(t.Context(), account.KeyOptions{Name: "fleet " + strconv.Itoa(os.Getpid())})
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// setBudget gives the key's project a hard budget for ever.
func setBudget(t *testing.T, store *state.Store, key account.Created, amount int64) {
	t.Helper()
	tenant, err := store.DefaultTenant(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b := state.Budget{ID: state.NewID("budget_"), OrganizationID: tenant.OrganizationID, SubjectID: key.Project, Amount: amount, Hard: true, Every: "ever", CreatedAt: time.Now()}
	if err := store.SetBudget(t.Context(), b); err != nil {
		t.Fatal(err)
	}
}

// standing is the fleet's budget.
func standing(t *testing.T, store *state.Store) state.BudgetStanding {
	t.Helper()
	tenant, err := store.DefaultTenant(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	standings, err := store.BudgetStandings(t.Context(), tenant.OrganizationID, time.Now())
	if err != nil || len(standings) != 1 {
		t.Fatalf("the budgets: got %+v, %v; want one", standings, err)
	}
	return standings[0]
}
