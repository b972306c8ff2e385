package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/trace"
)

func TestAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		padded := func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "\n  \n"+wholeAnswer+"\n") }
		p, _ := play(t, map[string]http.HandlerFunc{"a": padded, "b": streams}, Server{Name: "a", Models: []string{"whole"}}, Server{Name: "b", Renames: map[string]string{"ours": "theirs"}})
		request := chat(false)
		request.Model = "whole"
		a, err := p.Send(t.Context(), request)
		if err != nil || string(a.Whole()) != wholeAnswer || a.Model != "whole" {
			t.Fatalf("got %v, %v", a, err)
		}
		a.Close()
		request = chat(true)
		request.Model = "ours"
		if a, err = p.Send(t.Context(), request); err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		events, err := read(a)
		if diff := cmp.Diff([]string{`{"n":1}`, `{"n":2}`}, events); diff != "" || err != nil || a.Model != "theirs" {
			t.Errorf("%s ran, %v, events (-want +got):\n%s", a.Model, err, diff)
		}
	})
}

// A stream that breaks is an error; it is not begun again elsewhere.
func TestBrokenStreams(t *testing.T) {
	begin := func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "text/event-stream")
		io.WriteString(w, "data: {\"n\":1}\n\n")
	}
	tests := []struct {
		name   string
		server http.HandlerFunc
		want   string
	}{
		{"reset", func(w http.ResponseWriter, _ *http.Request) { begin(w); panic(http.ErrAbortHandler) }, "upstream s: connection reset by peer"},
		{"ended early", func(w http.ResponseWriter, _ *http.Request) { begin(w) }, "EOF"},
		{"cut within an event", func(w http.ResponseWriter, _ *http.Request) { begin(w); io.WriteString(w, `data: {"n":`) }, "EOF"},
		{"an error event", func(w http.ResponseWriter, _ *http.Request) {
			begin(w)
			io.WriteString(w, "event: error\ndata: {\"error\":{\"message\":\"out of memory\"}}\n\n")
		}, "upstream s: out of memory"},
		{"silence", func(w http.ResponseWriter, r *http.Request) { begin(w); <-r.Context().Done() }, "upstream s: it has been silent for 5s"},
		{"endless comments", func(w http.ResponseWriter, r *http.Request) {
			begin(w)
			for r.Context().Err() == nil {
				io.WriteString(w, ": still here\n\n")
				select {
				case <-time.After(time.Second):
				case <-r.Context().Done():
				}
			}
		}, "upstream s: its answer took longer than 1m0s"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, w := play(t, map[string]http.HandlerFunc{"s": test.server, "other": streams},
					Server{Name: "s", IdleTimeout: 5 * time.Second, Timeout: time.Minute}, Server{Name: "other", Priority: 1})
				a, err := p.Send(t.Context(), chat(true))
				if err != nil {
					t.Fatal(err)
				}
				events, err := read(a)
				if err == nil || err.Error() != test.want || len(events) != 1 {
					t.Errorf("got %v after %d events, want %q after 1", err, len(events), test.want)
				}
				a.Close()
				if got := w.calls(); len(got) != 1 {
					t.Errorf("asked %v", got)
				}
			})
		})
	}
}

// A server that repeats what it was sent does not get its key out.
func TestSecretsStayHidden(t *testing.T) {
	const key, header = "sk-upstream-0123456789", "tenant-secret-9876"
	echo := func(r *http.Request) string {
		return r.Header.Get("Authorization") + " and " + r.Header.Get("X-Tenant")
	}
	asError := func(r *http.Request) string {
		return fmt.Sprintf(`{"error":{"message":%q,"type":%q,"code":%q,"param":%q}}`, echo(r), echo(r), echo(r), echo(r))
	}
	servers := map[string]http.HandlerFunc{
		"shaped":   func(w http.ResponseWriter, r *http.Request) { says(400, asError(r))(w, r) },
		"unshaped": func(w http.ResponseWriter, r *http.Request) { says(500, "<p>"+echo(r))(w, r) },
		"status 200": func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Accept") == "text/event-stream" {
				says(200, "data: "+asError(r)+"\n\n", "Content-Type", "text/event-stream")(w, r)
				return
			}
			says(200, asError(r))(w, r)
		},
		"content type": func(w http.ResponseWriter, r *http.Request) { says(200, "", "Content-Type", echo(r))(w, r) },
		"stream": func(w http.ResponseWriter, r *http.Request) {
			says(200, fmt.Sprintf("data: {\"n\":%q}\n\ndata: {\"n\":%q}\n\ndata: %s\n\n", echo(r), echo(r), asError(r)), "Content-Type", "text/event-stream", "x-request-id", echo(r))(w, r)
		},
	}
	for name, server := range servers {
		for _, stream := range []bool{false, true} {
			if !stream && (name == "content type" || name == "stream") {
				continue // nothing is repeated then
			}
			synctest.Test(t, func(t *testing.T) {
				p, _ := play(t, map[string]http.HandlerFunc{"s": server}, Server{Name: "s", Key: key, Headers: map[string]string{"X-Tenant": header}, Retries: -1})
				a, err := p.Send(t.Context(), chat(stream))
				said := fmt.Sprintf("%+v", err)
				if e, ok := errors.AsType[*Error](err); ok {
					said += fmt.Sprintf("%#v", e)
				}
				if err == nil {
					events, err := read(a)
					said = fmt.Sprint(events, err, a.Limits())
					a.Close()
				}
				if strings.Contains(said, key) || strings.Contains(said, header) || !strings.Contains(said, "[key]") {
					t.Errorf("%s: %s", name, said)
				}
			})
		}
	}
}

// Leaving ends the request and its waiting at once.
func TestLeaving(t *testing.T) {
	gone := errors.New("the caller has gone")
	for name, server := range map[string]http.HandlerFunc{
		"a silent server": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"a back-off":      says(429, "later", "Retry-After", "20"),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, _ := play(t, map[string]http.HandlerFunc{"s": server}, Server{Name: "s"})
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(time.Second, func() { cancel(gone) })
				began := time.Now()
				if _, err := p.Send(ctx, chat(false)); err != gone || time.Since(began) != time.Second {
					t.Errorf("Send = %v after %v", err, time.Since(began))
				}
			})
		})
	}
}

// An error event in place of an answer, or of the rest of one, keeps what the
// server says of the error, without the key, and counts as what it says it is.
func TestErrorEventsSayWhatTheServerSays(t *testing.T) {
	const key = "sk-very-secret-0123456789"
	tests := []struct {
		said string
		want Error
	}{
		{`{"error":{"message":"out of memory","type":"server_error","code":"oom","param":null}}`, Error{Type: "server_error", Code: "oom", Message: "out of memory"}},
		{`{"error":{"message":"too long","type":"invalid_request_error","code":"context_length_exceeded","param":"messages"}}`, Error{Status: 400, Type: "invalid_request_error", Code: "context_length_exceeded", Param: "messages", Message: "too long"}},
		{`{"error":{"message":"slow down","type":"tokens","code":"rate_limit_exceeded"}}`, Error{Status: 429, Type: "tokens", Code: "rate_limit_exceeded", Message: "slow down"}},
		{`{"error":{"message":"bad key ` + key + `","type":"authentication_error"}}`, Error{Status: 401, Type: "authentication_error", Message: "bad key [key]"}},
		{`{"error":{"message":"boom","type":"InternalServerError","code":500}}`, Error{Status: 500, Type: "InternalServerError", Code: "500", Message: "boom"}},
	}
	for _, test := range tests {
		for _, before := range []string{"", "data: {\"n\":1}\n\n"} {
			synctest.Test(t, func(t *testing.T) {
				server := func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Content-Type", "text/event-stream")
					io.WriteString(w, before+"data: "+test.said+"\n\n")
				}
				p, w := play(t, map[string]http.HandlerFunc{"s": server}, Server{Name: "s", Key: key, Retries: -1})
				a, err := p.Send(t.Context(), chat(true))
				if before != "" {
					if err != nil {
						t.Fatal(err)
					}
					defer a.Close()
					_, err = read(a)
				}
				want := test.want
				want.Server, want.Told = "s", true
				if got, ok := errors.AsType[*Error](err); !ok || *got != want {
					t.Errorf("%s after %q: got %+v, want %+v", test.said, before, err, want)
				}
				if n := len(w.calls()); n != 1 {
					t.Errorf("%s: asked %d times", test.said, n)
				}
			})
		}
	}
}

// An answer that its reader cannot make sense of is none: the next server is
// asked.
func TestNonsenseIsNoAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, w := play(t, map[string]http.HandlerFunc{"a": says(200, `{"choices":[]}`), "b": answers},
			Server{Name: "a", Retries: -1}, Server{Name: "b", Priority: 1})
		request := chat(false)
		request.Read = func(answer []byte) error {
			if strings.Contains(string(answer), `"choices":[]`) {
				return errors.New("it is empty")
			}
			return nil
		}
		a, err := p.Send(t.Context(), request)
		if err != nil || a.Server != "b" {
			t.Fatalf("%+v, %v; want the answer of b", a, err)
		}
		a.Close()
		if diff := cmp.Diff([]string{"a", "b"}, w.calls()); diff != "" {
			t.Errorf("asked (-want +got):\n%s", diff)
		}
	})
}

// A traced request names its span to the server, by the header of W3C Trace
// Context; another sends none.
func TestTraceparentIsSentOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got string
		p, _ := play(t, map[string]http.HandlerFunc{"s": func(w http.ResponseWriter, r *http.Request) {
			got = r.Header.Get("traceparent")
			answers(w, r)
		}}, Server{Name: "s"})
		span := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled})
		for want, ctx := range map[string]context.Context{
			"": t.Context(),
			"00-01000000000000000000000000000000-0200000000000000-01": trace.ContextWithSpanContext(t.Context(), span),
		} {
			a, err := p.Send(ctx, chat(false))
			if err != nil {
				t.Fatal(err)
			}
			a.Close()
			if got != want {
				t.Errorf("traceparent %q, want %q", got, want)
			}
		}
	})
}
