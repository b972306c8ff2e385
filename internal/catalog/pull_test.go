package catalog

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ragstone/ragstone/internal/disk"
	"github.com/ragstone/ragstone/internal/gguf"
)

// tinyGGUF is the smallest model file that the reader accepts.
func tinyGGUF(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := gguf.Write(&b, []gguf.KV{{Key: "general.architecture", Value: "llama"}}, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// tinySafetensors is a file with one tensor of one number.
func tinySafetensors() []byte {
	header := `{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"__metadata__":{"pad":"` + strings.Repeat(" ", 100) + `"}}`
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), 0, 0, 128, 63)
}

func TestTwoPullsAtOnceDownloadOnce(t *testing.T) {
	e, files := tinyEntry()
	hub := newFakeHub(t, files)
	s := hub.store(t, Options{})
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if _, err := s.pullEntry(t.Context(), e.clone(), "tiny"); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if hub.storeN != 1 {
		t.Errorf("the large file was fetched %d times: %q", hub.storeN, hub.requests)
	}
	wantModel(t, s, s.dir("tiny"), files)
}

func TestPullWaitsForTheLockAndSaysSo(t *testing.T) {
	e, files := tinyEntry()
	waiting := make(chan struct{})
	s := newFakeHub(t, files).store(t, Options{Progress: func(e Event) {
		if e.Stage == Waiting {
			close(waiting)
		}
	}})
	if err := os.MkdirAll(filepath.Dir(s.staging("tiny")), 0o755); err != nil {
		t.Fatal(err)
	}
	lock, err := disk.TryLock(s.staging("tiny") + ".lock")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		<-waiting
		lock.Unlock()
	}()
	if _, err := s.pullEntry(t.Context(), e, "tiny"); err != nil {
		t.Error(err)
	}
}

func TestPullMendsADamagedFile(t *testing.T) {
	e, files := tinyEntry()
	hub := newFakeHub(t, files)
	var damaged []string
	s := hub.store(t, Options{Progress: func(e Event) {
		if e.Stage == Damaged {
			damaged = append(damaged, e.File)
		}
	}})
	dir, err := s.pullEntry(t.Context(), e.clone(), "tiny")
	if err != nil {
		t.Fatal(err)
	}
	weights := filepath.Join(dir, "weights.bin")
	content, _ := os.ReadFile(weights)
	content[1234] ^= 1
	if err := os.WriteFile(weights, content, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := s.Verify(t.Context(), "tiny"); err == nil {
		t.Error("Verify: no error")
	}
	if _, err := s.pullEntry(t.Context(), e.clone(), "tiny"); err != nil {
		t.Fatal(err)
	}
	wantModel(t, s, dir, files)
	if diff := cmp.Diff([]string{"weights.bin"}, damaged); diff != "" {
		t.Errorf("damaged files (-want +got):\n%s", diff)
	}

	if err := os.Truncate(weights, 5); err != nil {
		t.Fatal(err)
	}
	if _, ok := s.Path("tiny"); ok {
		t.Error("a model with a file cut short counts as there")
	}
	models, _ := s.Installed()
	if len(models) != 1 || len(models[0].Missing) != 1 {
		t.Errorf("Installed: got %+v, want one model with one missing file", models)
	}
}

func TestSourcesAreTriedInTurn(t *testing.T) {
	e, files := tinyEntry()
	e.Sources = []Source{{Hub: &HubSource{Repo: "own/gone"}}, {Hub: &HubSource{Repo: "own/tiny"}}}
	s := newFakeHub(t, files).store(t, Options{})
	dir, err := s.pullEntry(t.Context(), e.clone(), "tiny")
	if err != nil {
		t.Fatal(err)
	}
	wantModel(t, s, dir, files)
	if m, _ := readManifest(dir); !strings.Contains(m.Source, "own/tiny") {
		t.Errorf("the manifest says %q, want the source that had it", m.Source)
	}

	e.Name, e.Sources = "tiny2", []Source{
		{Hub: &HubSource{Repo: "own/gone"}},
		{Packages: &PackageSource{Packages: []Package{{Requirement: "tiny==1.0", Bytes: 1}}}},
	}
	_, err = s.pullEntry(t.Context(), e.clone(), "tiny2")
	for _, want := range []string{"own/gone", "404", "tiny==1.0", "no Python pip", "uv is not installed"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got error %v, want one that says %q", err, want)
		}
	}
}

func TestPullOntoAFullDisk(t *testing.T) {
	e, files := tinyEntry()
	hub := newFakeHub(t, files)
	s := hub.store(t, Options{})
	e.Files[0].Bytes = 1 << 60
	_, err := s.pullEntry(t.Context(), e, "tiny")
	var space *SpaceError
	if !errors.As(err, &space) || space.Need < 1<<60 {
		t.Errorf("got error %v, want a SpaceError", err)
	}
	if hub.hubN != 0 {
		t.Errorf("the hub was asked all the same: %q", hub.requests)
	}
}

func TestTermsComeFirst(t *testing.T) {
	e, files := tinyEntry()
	e.Terms = &Terms{Name: "Terms", URL: "https://terms.example"}
	hub := newFakeHub(t, files)
	accept, asked := false, 0
	s := hub.store(t, Options{AcceptTerms: func(_ context.Context, e Entry) (bool, error) {
		asked++
		return accept, nil
	}})
	if _, err := s.pullEntry(t.Context(), e.clone(), "tiny"); !errors.Is(err, ErrTerms) || hub.hubN != 0 {
		t.Errorf("not accepted: got error %v after %d requests, want ErrTerms after none", err, hub.hubN)
	}
	accept = true
	dir, err := s.pullEntry(t.Context(), e.clone(), "tiny")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "weights.bin")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.pullEntry(t.Context(), e.clone(), "tiny"); err != nil || asked != 2 {
		t.Errorf("pulled again: got error %v, asked %d times, want no error, twice", err, asked)
	}
	s.options.AcceptTerms = nil
	e.Name = "tiny2"
	if _, err := s.pullEntry(t.Context(), e, "tiny2"); !errors.Is(err, ErrTerms) {
		t.Errorf("nobody to ask: got error %v, want ErrTerms", err)
	}
}

func TestPullFromThisMachine(t *testing.T) {
	s, err := Open(t.TempDir(), Options{LookPath: noProgram, HubURL: "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	model := tinyGGUF(t)
	from := filepath.Join(t.TempDir(), "My Model.gguf")
	if err := os.WriteFile(from, model, 0o600); err != nil {
		t.Fatal(err)
	}
	dir, err := s.Pull(t.Context(), from, PullOptions{})
	if err != nil {
		t.Fatal(err)
	}
	wantModel(t, s, dir, map[string][]byte{"x/my-model/My Model.gguf": model})

	linked, err := s.Pull(t.Context(), from, PullOptions{Name: "linked", Link: true})
	if err != nil {
		t.Fatal(err)
	}
	wantModel(t, s, linked, map[string][]byte{"x/linked/My Model.gguf": model})
	if at, err := os.Lstat(filepath.Join(linked, "My Model.gguf")); err != nil || at.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("got %v, %v, want a link", at.Mode(), err)
	}

	for name, content := range map[string]string{"empty.gguf": "", "text.gguf": "hello world, I am a text", "short.safetensors": "x"} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Pull(t.Context(), path, PullOptions{}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	for ref, o := range map[string]PullOptions{
		from:                  {Name: "Bad Name"},
		DefaultChat:           {Name: "other"},
		filepath.Dir(from):    {Name: DefaultChat},
		"no-such-model":       {},
		t.TempDir():           {},
		"hf:own/r/model.gguf": {Link: true},
	} {
		if _, err := s.Pull(t.Context(), ref, o); err == nil {
			t.Errorf("pull %s as %q: no error", ref, o.Name)
		}
	}
	if _, err := s.Pull(t.Context(), "no-such-model", PullOptions{}); !errors.Is(err, ErrNotFound) {
		t.Errorf("got error %v, want ErrNotFound", err)
	}
}

func TestModelCopiedIntoTheStoreByHand(t *testing.T) {
	s, err := Open(t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if models, err := s.Installed(); len(models) != 0 || err != nil {
		t.Errorf("a store that does not exist: got %v, %v", models, err)
	}
	for _, f := range []struct{ path, content string }{
		{"by-hand/model.gguf", "GGUF"},
		{"notes/readme.txt", "not a model"},
		{".hidden/model.gguf", "GGUF"},
		{DefaultChat + "/SmolLM2-135M-Instruct.Q4_1.gguf", "of the wrong size"},
	} {
		path := filepath.Join(s.root, "models", filepath.FromSlash(f.path))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(f.content), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	if _, ok := s.Path("by-hand"); !ok {
		t.Error("the model that was copied is not there")
	}
	if models, err := s.Installed(); len(models) != 2 || len(models[1].Missing) != 1 || err != nil {
		t.Errorf("Installed: got %+v, %v, want the one by hand and a damaged one", models, err)
	}
	for _, name := range []string{"notes", ".hidden", DefaultChat, "../models/by-hand", "", "."} {
		if dir, ok := s.Path(name); ok {
			t.Errorf("Path(%q): got %q, want none", name, dir)
		}
	}
	if err := s.Verify(t.Context(), "by-hand"); !errors.Is(err, ErrNotFound) {
		t.Errorf("Verify without a known hash: got error %v, want ErrNotFound", err)
	}
}

func TestCatalogModelIsRecognisedByItsContent(t *testing.T) {
	known := Entry{Name: "known"}
	source := &localSource{files: map[string]string{}}
	embed, _ := Find(DefaultEmbed)
	for _, f := range embed.Files { // under other names, as somebody may have saved them
		known.Files = append(known.Files, File{Name: "saved " + f.Name, SHA256: f.SHA256})
		source.files["saved "+f.Name] = "/somewhere/" + f.Name
	}
	e, ok := sameInCatalog(known, source)
	if !ok || e.Name != DefaultEmbed || source.files["config.json"] != "/somewhere/config.json" {
		t.Errorf("got %q, %v, %v", e.Name, ok, source.files)
	}
	known.Files = known.Files[1:]
	if e, ok := sameInCatalog(known, source); ok {
		t.Errorf("without its weights: got %q", e.Name)
	}
}
