package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
)

// answer is what the mock says to every chat request that is not streamed.
const answer = `{"id":"chatcmpl-0123456789abcdefghijklmnopqrs","object":"chat.completion","created":1760000000,"model":"gpt-4o-mini-2024-07-18",` +
	`"choices":[{"index":0,"message":{"role":"assistant","content":"The leave of a new hire is twenty-five days a year, of which five may be carried over to the next. See section 4.2 of the handbook.","refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"stop"}],` +
	`"usage":{"prompt_tokens":212,"completion_tokens":34,"total_tokens":246,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}},` +
	`"service_tier":"default","system_fingerprint":"fp_44709d6fcb"}`

// chunks are the pieces of a streamed answer.
var chunks = func() []string {
	const head, tail = `data: {"id":"chatcmpl-0123456789abcdefghijklmnopqrs","object":"chat.completion.chunk","created":1760000000,"model":"gpt-4o-mini-2024-07-18","choices":[`, "}\n\n"
	return []string{
		head + `{"index":0,"delta":{"role":"assistant","content":"Twenty-five days."},"logprobs":null,"finish_reason":null}],"usage":null` + tail,
		head + `{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}],"usage":null` + tail,
		head + `],"usage":{"prompt_tokens":212,"completion_tokens":5,"total_tokens":217}` + tail,
		"data: [DONE]\n\n",
	}
}()

// idle, as the user of a request for a stream, gets its first piece and then
// nothing for as long as it waits.
const idle = `"user":"idle"`

// serveMock answers as an upstream does, at once, and takes the traces of
// whoever sends any.
func serveMock(addr string) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/models", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("content-type", "application/json")
		io.WriteString(w, `{"object":"list","data":[{"id":"gpt-4o-mini","object":"model","created":1760000000,"owned_by":"openai"}]}`)
	})
	mux.HandleFunc("POST /v1/traces", func(_ http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) })
	mux.HandleFunc("POST /v1/chat/completions", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		if bytes.Contains(body, []byte(`"stream":true`)) {
			stream(w, r, bytes.Contains(body, []byte(idle)))
			return
		}
		w.Header().Set("content-type", "application/json")
		io.WriteString(w, answer)
	})
	return http.ListenAndServe(addr, mux)
}

func stream(w http.ResponseWriter, r *http.Request, idle bool) {
	w.Header().Set("content-type", "text/event-stream")
	for _, chunk := range chunks {
		io.WriteString(w, chunk)
		http.NewResponseController(w).Flush()
		if idle {
			<-r.Context().Done()
			return
		}
	}
}

// serveBare is the least that stands between a program and an upstream.
func serveBare(addr, upstream string) error {
	target, err := url.Parse(upstream)
	if err != nil {
		return err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConns, transport.MaxIdleConnsPerHost = 0, connections
	proxy := &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: target.Scheme, Host: target.Host}) },
		Transport: transport,
	}
	return http.ListenAndServe(addr, proxy)
}
