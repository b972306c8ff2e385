package api

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ragstone/ragstone/internal/openai"
	"github.com/ragstone/ragstone/internal/platform/account"
)

// wrongTypes has, for every operation that takes JSON, a field and a value of a
// type that it does not have.
var wrongTypes = map[string]struct{ body, param string }{
	"POST /v1/chat/completions":                                                 {`{"model":"gpt-4o-mini","messages":7}`, "messages"},
	"POST /v1/chat/completions/{id}":                                            {`{"metadata":7}`, "metadata"},
	"POST /v1/completions":                                                      {`{"model":"fake-chat","prompt":"x","n":"two"}`, "n"},
	"POST /v1/embeddings":                                                       {`{"model":"fake-embed","input":{}}`, "input"},
	"POST /v1/moderations":                                                      {`{"input":7}`, "input"},
	"POST /v1/uploads":                                                          {`{"filename":7}`, "filename"},
	"POST /v1/uploads/{upload_id}/complete":                                     {`{"part_ids":7}`, "part_ids"},
	"POST /v1/organization/admin_api_keys":                                      {`{"name":7}`, "name"},
	"POST /v1/organization/projects":                                            {`{"name":7}`, "name"},
	"POST /v1/organization/projects/{project_id}":                               {`{"name":7}`, "name"},
	"POST /v1/organization/projects/{project_id}/service_accounts":              {`{"name":7}`, "name"},
	"POST /v1/organization/projects/{project_id}/service_accounts/{account_id}": {`{"name":7}`, "name"},
	"POST /v1/organization/projects/{project_id}/service_accounts/{account_id}/api_keys": {`{"name":7}`, "name"},
	"POST /v1/organization/projects/{project_id}/api_keys/{key_id}":                      {`{"scopes":7}`, "scopes"},
	"POST /v1/organization/projects/{project_id}/rate_limits/{limit_id}":                 {`{"max_requests_per_1_minute":"x"}`, "max_requests_per_1_minute"},
}

// withoutJSON are the operations whose body is a form, or nothing.
var withoutJSON = map[string]bool{
	"POST /v1/files":                                      true,
	"POST /v1/uploads/{upload_id}/parts":                  true,
	"POST /v1/uploads/{upload_id}/cancel":                 true,
	"POST /v1/organization/projects/{project_id}/archive": true,
}

// Whatever is wrong with a body is a 400 that names the parameter, at every
// operation.
func TestBrokenBodiesAtEveryOperation(t *testing.T) {
	var routes *api
	s := newTestServer(t, &fakeModel{}, account.Rates{}, func(c *Config) { routes = Routes(*c).(*api) })
	operations := 0
	for pattern := range routes.scopes() {
		if !strings.HasPrefix(pattern, "POST ") || withoutJSON[pattern] {
			continue
		}
		operations++
		wrong, listed := wrongTypes[pattern]
		if !listed {
			t.Errorf("%s: add a body with a wrong type to wrongTypes, or the operation to withoutJSON", pattern)
			continue
		}
		who := "project"
		if strings.Contains(pattern, "/organization/") {
			who = "admin"
		}
		address := strings.NewReplacer("POST ", "", "{project_id}", s.project.Project, "{limit_id}", "rl-fake-chat").Replace(pattern)
		for _, test := range []struct{ name, body, param string }{
			{"a wrong type", wrong.body, wrong.param},
			{"a key twice", `{"zz":1,"zz":2}`, "zz"},
			{"a depth bomb", `{"zz":` + strings.Repeat("[", 150) + strings.Repeat("]", 150) + `}`, "zz"},
			{"brackets without end", strings.Repeat("[", 4000), ""},
			{"not UTF-8", "{\"model\":\"\xff\xfe\"}", ""},
			{"half a surrogate pair, twice", `{"\ud800":1,"\ud800":2}`, "\uFFFD"},
			{"not an object", `[1,2]`, ""},
			{"nothing", ``, ""},
			{"two objects", `{} {}`, ""},
			{"a number that never ends", `{"zz":` + strings.Repeat("9", 3000) + `x}`, ""},
		} {
			status, answer := s.tell(t, who, address, test.body)
			var got openai.ErrorResponse
			if err := json.Unmarshal(answer, &got); err != nil || status != 400 {
				t.Errorf("%s, %s: %d %s", pattern, test.name, status, answer)
				continue
			}
			if param := got.Error.Param; param == nil && test.param != "" || param != nil && *param != test.param {
				t.Errorf("%s, %s: %s, want param %q", pattern, test.name, answer, test.param)
			}
		}
	}
	if operations != len(wrongTypes) {
		t.Errorf("tried %d operations of %d", operations, len(wrongTypes))
	}
}

// tell posts a body and returns the status and the answer.
func (s *testServer) tell(t *testing.T, who, address, body string) (int, []byte) {
	t.Helper()
	request, err := http.NewRequest("POST", s.URL+address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+s.secret(who))
	answer, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, text
}

// dense are texts that take as much memory as their size allows.
func dense(size int) map[string]string {
	fill := func(head, unit, tail string) string {
		return head + strings.Repeat(unit, (size-len(head)-len(tail))/len(unit)) + tail
	}
	return map[string]string{
		"numbers":   fill(`{"input":[`, "0,", `0]}`),
		"lists":     fill(`{"input":[`, "[],", `[]]}`),
		"maps":      fill(`{"input":[`, `{"a":0},`, `{}]}`),
		"keys":      `{"input":{` + keys(size-20) + `}}`,
		"a text":    fill(`{"input":"`, "x", `"}`),
		"escapes":   fill(`{"input":"`, `\u00e9`, `"}`),
		"token ids": fill(`{"input":[`, "100256,", `1]}`),
	}
}

// keys are fields of an object, of about so many bytes.
func keys(size int) string {
	var b strings.Builder
	for i := 0; b.Len() < size; i++ {
		fmt.Fprintf(&b, `"%x":0,`, i)
	}
	return strings.TrimSuffix(b.String(), ",")
}

// What is reserved for decoding bounds what it allocates.
func TestDecodingTakesNoMoreThanReserved(t *testing.T) {
	if testing.Short() {
		t.Skip("the race detector allocates for itself")
	}
	for name, body := range dense(1 << 20) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		new(openai.EmbeddingRequest).UnmarshalJSON([]byte(body))
		runtime.ReadMemStats(&after)
		took := int64(after.TotalAlloc - before.TotalAlloc)
		reserved := decodedByte*int64(len(body)) + decodedValue*mostValues([]byte(body))
		if took > reserved {
			t.Errorf("%s: a text of %d bytes took %d, of %d reserved", name, len(body), took, reserved)
		}
	}
}

// Slow, huge and broken requests at once: the server holds no more than its
// limits say, refuses what is beyond, and serves on.
func TestHostileClientsTakeNoMoreThanTheLimits(t *testing.T) {
	const maxBody, maxMemory = 256 << 10, 64 << 20
	var routes *api
	s := newTestServer(t, &fakeModel{}, account.Rates{RequestsPerMinute: 1 << 20, TokensPerMinute: 1 << 30}, func(c *Config) {
		c.MaxBodyBytes, c.MaxBodyMemory = maxBody, maxMemory
	})
	routes = s.Config.Handler.(*api)
	bodies := dense(maxBody - 1)
	bodies["too large"] = strings.Repeat("x", 4*maxBody)
	bodies["deep"] = strings.Repeat(`{"a":`, maxBody/6)

	base := liveHeap()
	for range 200 { // who promise much and send little
		conn, err := net.Dial("tcp", s.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "POST /v1/embeddings HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n{", s.project.Secret, maxBody)
	}
	stop := make(chan struct{})
	var wait sync.WaitGroup
	var refused, answered atomic.Int64
	until := time.Now().Add(2 * time.Second)
	for name, body := range bodies {
		for range 6 {
			wait.Go(func() {
				for time.Now().Before(until) {
					request, _ := http.NewRequest("POST", s.URL+"/v1/embeddings", strings.NewReader(body))
					request.Header.Set("Content-Type", "application/json")
					request.Header.Set("Authorization", "Bearer "+s.project.Secret)
					answer, err := http.DefaultTransport.RoundTrip(request)
					if err != nil {
						continue // the server closes on who sends too much
					}
					io.Copy(io.Discard, answer.Body)
					answer.Body.Close()
					answered.Add(1)
					switch answer.StatusCode {
					case 503:
						refused.Add(1)
					case 400, 413:
					default:
						t.Errorf("%s: status %d", name, answer.StatusCode)
					}
				}
			})
		}
	}
	var most int64
	sampled := make(chan struct{})
	go func() {
		defer close(sampled)
		for {
			most = max(most, liveHeap())
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	wait.Wait()
	close(stop)
	<-sampled
	if status, answer := s.tell(t, "project", "/v1/embeddings", `{"model":"fake-embed","input":"hello"}`); status != 200 {
		t.Errorf("a good request afterwards: %d %s", status, answer)
	}
	// Beside bodies there are the connections, this test's clients among them; what
	// is not reserved would be gigabytes.
	if grown := most - base; grown > maxMemory+96<<20 {
		t.Errorf("the heap grew by %d MiB under %d MiB of bodies", grown>>20, maxMemory>>20)
	} else {
		t.Logf("the heap grew by %d MiB; %d answers, %d of them refusals for memory", grown>>20, answered.Load(), refused.Load())
	}
	if refused.Load() == 0 {
		t.Error("nothing was refused for memory: the test asks for too little")
	}
	if used := routes.memory.used.Load(); used < 200*2 || used > 200*firstRead {
		t.Errorf("%d bytes are reserved, want those of the 200 slow senders alone", used)
	}
}

// liveHeap is what is in use after a collection.
func liveHeap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
