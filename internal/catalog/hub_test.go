package catalog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestPullFromTheHub(t *testing.T) {
	e, files := tinyEntry()
	hub := newFakeHub(t, files)
	s := hub.store(t, Options{})
	dir, err := s.pullEntry(t.Context(), e, "tiny")
	if err != nil {
		t.Fatal(err)
	}
	wantModel(t, s, dir, files)
	if len(hub.leaked) > 0 {
		t.Errorf("the hub's token went to another host: %q", hub.leaked)
	}
	if hub.withToken == 0 {
		t.Error("the hub never got its token")
	}

	before := len(hub.requests)
	if _, err := s.pullEntry(t.Context(), e.clone(), "tiny"); err != nil {
		t.Fatal(err)
	}
	if again := hub.requests[before:]; len(again) > 0 {
		t.Errorf("a model that is there was asked for again: %q", again)
	}
}

// Misbehaviour of a hub that a pull survives.
func TestPullSurvives(t *testing.T) {
	half := func(w http.ResponseWriter, content []byte) { // a connection that breaks
		w.Header().Set("Content-Length", fmt.Sprint(len(content)))
		w.Write(content[:len(content)/2])
		panic(http.ErrAbortHandler)
	}
	e, files := tinyEntry()
	weights := files["own/tiny/weights.bin"]
	for _, c := range []struct {
		name             string
		atHub, atStorage func(w http.ResponseWriter, r *http.Request, n int) bool
		wantRequest      string
	}{
		{
			name: "a cut connection, by going on",
			atStorage: func(w http.ResponseWriter, _ *http.Request, n int) bool {
				if n == 1 {
					half(w, weights)
				}
				return false
			},
			wantRequest: fmt.Sprintf("storage GET /%s bytes=%d-", sha256Hex(weights), len(weights)/2),
		},
		{
			name: "a server without ranges, by beginning anew",
			atStorage: func(w http.ResponseWriter, r *http.Request, n int) bool {
				if n == 1 {
					half(w, weights)
				}
				w.Write(weights)
				return true
			},
		},
		{
			name: "an answer from another place than asked",
			atStorage: func(w http.ResponseWriter, r *http.Request, n int) bool {
				if n == 1 {
					half(w, weights)
				}
				if n == 2 {
					w.Header().Set("Content-Range", fmt.Sprintf("bytes 7-%d/%d", len(weights)-1, len(weights)))
					w.WriteHeader(http.StatusPartialContent)
					w.Write(weights[7:])
				}
				return n == 2
			},
		},
		{
			name: "a refused range",
			atStorage: func(w http.ResponseWriter, r *http.Request, n int) bool {
				if n == 1 {
					half(w, weights)
				}
				if n == 2 {
					w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
				}
				return n == 2
			},
		},
		{
			name: "an answer that ends early though complete by its own length",
			atStorage: func(w http.ResponseWriter, _ *http.Request, n int) bool {
				if n == 1 {
					w.Write(weights[:1000])
				}
				return n == 1
			},
		},
		{
			name: "503 twice and 429 once",
			atHub: func(w http.ResponseWriter, _ *http.Request, n int) bool {
				switch n {
				case 1:
					w.WriteHeader(http.StatusServiceUnavailable)
				case 2:
					w.Header().Set("Retry-After", "0")
					w.WriteHeader(http.StatusTooManyRequests)
				}
				return n < 3
			},
		},
		{
			name: "silence",
			atStorage: func(w http.ResponseWriter, r *http.Request, n int) bool {
				if n == 1 {
					w.Header().Set("Content-Length", fmt.Sprint(len(weights)))
					w.Write(weights[:1000])
					w.(http.Flusher).Flush()
					<-r.Context().Done()
				}
				return n == 1
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			hub := newFakeHub(t, files)
			hub.atHub, hub.atStorage = c.atHub, c.atStorage
			s := hub.store(t, Options{})
			s.hub.stall = time.Second
			dir, err := s.pullEntry(t.Context(), e.clone(), "tiny")
			if err != nil {
				t.Fatal(err)
			}
			wantModel(t, s, dir, files)
			if c.wantRequest != "" && !slices.Contains(hub.requests, c.wantRequest) {
				t.Errorf("got requests %q, want %q among them", hub.requests, c.wantRequest)
			}
		})
	}
}

// Misbehaviour of a hub that a pull refuses, saying why.
func TestPullRefuses(t *testing.T) {
	e, files := tinyEntry()
	weights := files["own/tiny/weights.bin"]
	status := func(code int, header ...string) func(http.ResponseWriter, *http.Request, int) bool {
		return func(w http.ResponseWriter, _ *http.Request, _ int) bool {
			for i := 0; i < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(code)
			return true
		}
	}
	for _, c := range []struct {
		name             string
		atHub, atStorage func(w http.ResponseWriter, r *http.Request, n int) bool
		want             string
		wantRequests     int // at the hub; zero: any
	}{
		{name: "401", atHub: status(401), want: "HF_TOKEN", wantRequests: 1},
		{name: "403", atHub: status(403), want: "conditions accepted", wantRequests: 1},
		{name: "404", atHub: status(404), want: "no such repository, revision or file", wantRequests: 1},
		{name: "429 with a long wait", atHub: status(429, "Retry-After", "600"), want: "try again in 10m0s", wantRequests: 1},
		{name: "500 for ever", atHub: status(500), want: "500 Internal Server Error", wantRequests: 3},
		{name: "a redirect to nowhere", atHub: status(302), want: "redirects to nowhere"},
		{name: "a redirect to a file", atHub: status(302, "Location", "file:///etc/passwd"), want: "not encrypted"},
		{name: "a redirect to itself", atHub: status(302, "Location", "?"), want: "redirects"},
		{
			name: "another hash announced, before any byte of it",
			atHub: func(w http.ResponseWriter, r *http.Request, _ int) bool {
				w.Header().Set("X-Linked-Etag", `"`+strings.Repeat("0", 64)+`"`)
				w.Write(weights)
				return true
			},
			want: "SHA-256 announced by the hub 000",
		},
		{
			name: "wrong bytes",
			atStorage: func(w http.ResponseWriter, _ *http.Request, _ int) bool {
				w.Write(bytesOf("something else", len(weights)))
				return true
			},
			want: "weights.bin has SHA-256",
		},
		{
			name: "more bytes than there are",
			atStorage: func(w http.ResponseWriter, _ *http.Request, _ int) bool {
				w.Write(append(slices.Clone(weights), 'x'))
				return true
			},
			want: "more bytes came than the file has",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			hub := newFakeHub(t, files)
			hub.atHub, hub.atStorage = c.atHub, c.atStorage
			s := hub.store(t, Options{})
			_, err := s.pullEntry(t.Context(), e.clone(), "tiny")
			var failed *PullError
			if !errors.As(err, &failed) {
				t.Fatalf("got error %v, want a PullError", err)
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("got error %v, want one that says %q", err, c.want)
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("the error shows a secret: %v", err)
			}
			if c.wantRequests > 0 && hub.hubN != c.wantRequests {
				t.Errorf("the hub was asked %d times, want %d: %q", hub.hubN, c.wantRequests, hub.requests)
			}
			if _, ok := s.Path("tiny"); ok {
				t.Error("the model counts as there")
			}
			if strings.Contains(c.want, "has SHA-256") {
				if _, err := os.Stat(filepath.Join(s.staging("tiny"), "weights.bin.part")); err == nil {
					t.Error("the wrong bytes were kept")
				}
			}
		})
	}
}

func TestUnreachableHubCostsNoTime(t *testing.T) {
	e, _ := tinyEntry()
	refusing, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := refusing.Addr().String()
	refusing.Close()
	s, err := Open(t.TempDir(), Options{HubURL: "http://" + address, LookPath: noProgram})
	if err != nil {
		t.Fatal(err)
	}
	started := time.Now()
	_, err = s.pullEntry(t.Context(), e, "tiny")
	if !errors.Is(err, ErrUnreachable) {
		t.Errorf("got error %v, want ErrUnreachable", err)
	}
	if took := time.Since(started); took > 30*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestInterruptedPullGoesOn(t *testing.T) {
	e, files := tinyEntry()
	weights := files["own/tiny/weights.bin"]
	hub := newFakeHub(t, files)
	ctx, interrupt := context.WithCancel(t.Context())
	const sent = 100_000
	hub.atStorage = func(w http.ResponseWriter, r *http.Request, n int) bool {
		if n > 1 {
			return false
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(weights)))
		w.Write(weights[:sent])
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		return true
	}
	s := hub.store(t, Options{Progress: func(e Event) {
		if e.Stage == Fetching && e.Done == sent {
			interrupt()
		}
	}})
	if _, err := s.pullEntry(ctx, e.clone(), "tiny"); !errors.Is(err, context.Canceled) {
		t.Fatalf("got error %v, want context.Canceled", err)
	}
	dir, err := s.pullEntry(t.Context(), e.clone(), "tiny")
	if err != nil {
		t.Fatal(err)
	}
	wantModel(t, s, dir, files)
	want := fmt.Sprintf("storage GET /%s bytes=%d-", sha256Hex(weights), sent)
	if !slices.Contains(hub.requests, want) {
		t.Errorf("got requests %q, want %q among them", hub.requests, want)
	}
}

// A part that was spoilt on the disk, or that belongs to another version of the
// file, must not spoil the file.
func TestSpoiltPart(t *testing.T) {
	e, files := tinyEntry()
	for name, spoil := range map[string]func(part string) error{
		"bytes changed": func(part string) error { return os.WriteFile(part, make([]byte, 1000), 0o644) },
		"too long":      func(part string) error { return os.WriteFile(part, make([]byte, 400_000), 0o644) },
		"another file's": func(part string) error {
			return errors.Join(os.WriteFile(part, make([]byte, 1000), 0o644), os.WriteFile(part+".json", []byte(`{"bytes": 5}`), 0o644))
		},
		"a torn note": func(part string) error { return os.WriteFile(part+".json", []byte(`{"byt`), 0o644) },
	} {
		t.Run(name, func(t *testing.T) {
			hub := newFakeHub(t, files)
			s := hub.store(t, Options{})
			part := filepath.Join(s.staging("tiny"), "weights.bin.part")
			want, _ := e.Files[0].digest()
			p, err := openPart(t.Context(), part, "weights.bin", want, nil)
			if err != nil {
				t.Fatal(err)
			}
			p.Write(files["own/tiny/weights.bin"][:500])
			p.close()
			if err := spoil(part); err != nil {
				t.Fatal(err)
			}
			dir, err := s.pullEntry(t.Context(), e.clone(), "tiny")
			if err != nil { // wrong bytes are found at the end; the next pull begins anew
				dir, err = s.pullEntry(t.Context(), e.clone(), "tiny")
			}
			if err != nil {
				t.Fatal(err)
			}
			wantModel(t, s, dir, files)
		})
	}
}

func TestPullHubReference(t *testing.T) {
	gguf, config := tinyGGUF(t), []byte("{}")
	safetensors := tinySafetensors()
	hub := newFakeHub(t, map[string][]byte{
		"own/quants/a-Q8_0.gguf":              gguf,
		"own/quants/b.gguf":                   bytesOf("b", 200),
		"own/quants/README.md":                []byte("read me"),
		"own/Bert-Like/model.safetensors":     safetensors,
		"own/Bert-Like/config.json":           config,
		"own/Bert-Like/1_Pooling/config.json": config,
		"own/Bert-Like/onnx/model.onnx":       bytesOf("onnx", 1000),
		"own/Bert-Like/pytorch_model.bin":     bytesOf("torch", 1000),
		"own/empty/README.md":                 []byte("nothing"),
	})
	s := hub.store(t, Options{})

	dir, err := s.Pull(t.Context(), "hf:own/quants/a-Q8_0.gguf", PullOptions{})
	if err != nil {
		t.Fatal(err)
	}
	wantModel(t, s, dir, map[string][]byte{"x/a-q8_0/a-Q8_0.gguf": gguf})
	if m, _ := readManifest(dir); !strings.Contains(strings.Join(hub.requests, "\n"), "/resolve/"+hubCommit+"/a-Q8_0.gguf") {
		t.Errorf("the download was not pinned to the commit that was announced: %q, %+v", hub.requests, m)
	}

	dir, err = s.Pull(t.Context(), "hf:own/Bert-Like", PullOptions{})
	if err != nil {
		t.Fatal(err)
	}
	wantModel(t, s, dir, map[string][]byte{
		"x/bert-like/model.safetensors": safetensors, "x/bert-like/config.json": config, "x/bert-like/1_Pooling/config.json": config,
	})

	if _, err = s.Pull(t.Context(), "hf:own/Bert-Like", PullOptions{Name: "mine"}); err != nil {
		t.Errorf("under a name of its own: %v", err)
	}
	for ref, want := range map[string]string{
		"hf:own/quants":           "several GGUF files",
		"hf:own/empty":            "no GGUF file",
		"hf:own/absent":           "no GGUF file",
		"hf:own/quants/none.gguf": "404",
		"hf:own":                  "is not hf:owner/repository",
		"hf:own/../../etc":        "is not hf:owner/repository",
		"hf:own/quants/../x.gguf": "is not hf:owner/repository",
	} {
		if _, err := s.Pull(t.Context(), ref, PullOptions{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got error %v, want one that says %q", ref, err, want)
		}
	}
	models, err := s.Installed()
	if err != nil || len(models) != 3 || models[0].Name != "a-q8_0" || models[0].Ref != "hf:own/quants/a-Q8_0.gguf" {
		t.Errorf("Installed: got %+v, %v", models, err)
	}
	if _, err := s.Pull(t.Context(), "hf:own/quants/b.gguf", PullOptions{Name: "mine"}); err == nil || !strings.Contains(err.Error(), "already") {
		t.Errorf("a taken name: got error %v", err)
	}
}

func TestHubWithoutHashesIsRefused(t *testing.T) {
	hub := newFakeHub(t, map[string][]byte{"own/r/m.gguf": tinyGGUF(t)})
	hub.atHub = func(w http.ResponseWriter, r *http.Request, _ int) bool {
		w.Write(hub.files["own/r/m.gguf"])
		return true
	}
	_, err := hub.store(t, Options{}).Pull(t.Context(), "hf:own/r/m.gguf", PullOptions{})
	if err == nil || !strings.Contains(err.Error(), "announces no hash") {
		t.Errorf("got error %v, want one about hashes", err)
	}
}

func TestOpenRefusesOddHubs(t *testing.T) {
	for _, address := range []string{"huggingface.co", "ftp://host", "http://", "://"} {
		if _, err := Open(t.TempDir(), Options{HubURL: address}); err == nil {
			t.Errorf("%q: no error", address)
		}
	}
}

func FuzzParseHubRef(f *testing.F) {
	for _, s := range []string{"hf:a/b", "hf:a/b@v1/c/d.gguf", "hf:", "hf:a/b/../../c", "hf:a//c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := parseHubRef(s)
		if err != nil {
			return
		}
		name := modelName(r.file)
		if strings.Contains(r.file, "..") && !filepath.IsLocal(filepath.FromSlash(r.file)) {
			t.Errorf("%q: the file %q leaves its folder", s, r.file)
		}
		if strings.ContainsAny(name, `/\`) || strings.HasPrefix(name, ".") {
			t.Errorf("%q: the name %q is no plain folder name", s, name)
		}
	})
}

// wantModel checks that a model's folder holds exactly these files (their
// repository is ignored), that the store counts it as there, and that nothing of
// the download is left.
func wantModel(t *testing.T, s *Store, dir string, files map[string][]byte) {
	t.Helper()
	name := filepath.Base(dir)
	for path, want := range files {
		file := strings.SplitN(path, "/", 3)[2]
		got, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(file)))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: got %d bytes, %v, want %d", file, len(got), err, len(want))
		}
	}
	names, err := filesBelow(dir)
	if err != nil || len(names) != len(files)+1 {
		t.Errorf("%s holds %q, %v, want %d files and the manifest", dir, names, err, len(files))
	}
	if got, ok := s.Path(name); !ok || got != dir {
		t.Errorf("Path(%q): got %q, %v", name, got, ok)
	}
	if err := s.Verify(t.Context(), name); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(s.staging(name)); err == nil {
		t.Error("the partial folder was left")
	}
}
