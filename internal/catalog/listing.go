package catalog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
)

// A hubRef is the reference hf:owner/repo[@revision][/file].
type hubRef struct {
	repo, revision string
	file           string // "" is the whole repository
}

// hubPrefix marks a reference to a hub's repository.
const hubPrefix = "hf:"

func parseHubRef(ref string) (hubRef, error) {
	parts := strings.SplitN(strings.TrimPrefix(ref, hubPrefix), "/", 3)
	wrong := fmt.Errorf("%q is not hf:owner/repository or hf:owner/repository/file", ref)
	if len(parts) < 2 {
		return hubRef{}, wrong
	}
	var r hubRef
	name, revision, _ := strings.Cut(parts[1], "@")
	r.repo, r.revision = parts[0]+"/"+name, revision
	if r.revision == "" {
		r.revision = "main"
	}
	if len(parts) == 3 {
		r.file = parts[2]
	}
	if !validRepo.MatchString(r.repo) || r.file != "" && !fs.ValidPath(r.file) {
		return hubRef{}, wrong
	}
	return r, nil
}

// A listed file is one line of a repository's listing.
type listed struct {
	Type string `json:"type"` // "file" or "directory"
	Path string `json:"path"`
	Size int64  `json:"size"`
	OID  string `json:"oid"` // git blob identifier
	LFS  *struct {
		OID  string `json:"oid"` // SHA-256
		Size int64  `json:"size"`
	} `json:"lfs"`
}

func (l listed) file(name string) File {
	if l.LFS != nil {
		return File{Name: name, Bytes: l.LFS.Size, SHA256: l.LFS.OID}
	}
	return File{Name: name, Bytes: l.Size, gitSHA1: l.OID}
}

// maxListing bounds the answer to a listing.
const maxListing = 8 << 20

// list asks for the files of a repository.
func (h *hub) list(ctx context.Context, r hubRef) ([]listed, error) {
	at := h.base.JoinPath("api/models", r.repo, "tree", url.PathEscape(r.revision))
	at.RawQuery = "recursive=true"
	var files []listed
	err := h.retry(ctx, func() (bool, error) {
		resp, _, err := h.send(ctx, http.MethodGet, at, 0)
		if err != nil {
			return false, err
		}
		defer resp.Body.Close()
		files = nil
		return false, json.NewDecoder(io.LimitReader(resp.Body, maxListing)).Decode(&files)
	})
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", r.repo, err)
	}
	files = slices.DeleteFunc(files, func(l listed) bool { return l.Type != "file" || !fs.ValidPath(l.Path) })
	return files, nil
}

// entry makes a catalog entry of a reference, as far as the hub tells.
func (h *hub) entry(ctx context.Context, r hubRef) (Entry, error) {
	source := &HubSource{Repo: r.repo, Revision: r.revision}
	if r.file != "" {
		told, err := h.announce(ctx, h.resolve(r.repo, r.revision, r.file))
		if err != nil {
			return Entry{}, err
		}
		name := path.Base(r.file)
		source.pin(told.commit)
		source.Paths = map[string]string{name: r.file}
		return Entry{
			Name:    modelName(strings.TrimSuffix(name, ".gguf")),
			Files:   []File{{Name: name, Bytes: told.Bytes, SHA256: told.SHA256, gitSHA1: told.GitSHA1}},
			Sources: []Source{{Hub: source}},
		}, nil
	}
	all, err := h.list(ctx, r)
	if err != nil {
		return Entry{}, err
	}
	var names []string
	sizes := map[string]listed{}
	for _, l := range all {
		names = append(names, l.Path)
		sizes[l.Path] = l
	}
	names, err = modelFiles(names)
	if err != nil {
		return Entry{}, fmt.Errorf("%s: %w", r.repo, err)
	}
	e := Entry{Name: modelName(path.Base(r.repo)), Sources: []Source{{Hub: source}}}
	for _, name := range names {
		e.Files = append(e.Files, sizes[name].file(name))
	}
	return e, nil
}

// pin replaces a revision that may move by the commit it stood for.
func (h *HubSource) pin(commit string) {
	if len(commit) == 40 && hexDigits.MatchString(commit) {
		h.Revision = commit
	}
}

// modelName makes a store name of a file's or repository's name.
func modelName(s string) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '.', r == '_', r == '-':
			return r
		}
		return '-'
	}, strings.ToLower(s))
	name = strings.TrimLeft(name, "._-")
	return name[:min(len(name), 100)]
}

// modelFiles picks from a folder's files those that make up one model: a single
// GGUF file, or safetensors weights with their configuration and tokenizer.
func modelFiles(names []string) ([]string, error) {
	var ggufs, weights, others []string
	for _, name := range names {
		dir, base := path.Split(name)
		switch {
		case strings.HasPrefix(base, "."):
		case strings.HasSuffix(base, ".gguf"):
			ggufs = append(ggufs, name)
		case dir == "" && strings.HasSuffix(base, ".safetensors"):
			weights = append(weights, name)
		case companion(name):
			others = append(others, name)
		}
	}
	switch {
	case len(ggufs) == 1:
		return ggufs, nil
	case len(ggufs) > 1:
		return nil, errors.New("it has several GGUF files, name one of them:\n    " + strings.Join(ggufs, "\n    "))
	case len(weights) > 0 && slices.Contains(others, "config.json"):
		return append(weights, others...), nil
	}
	return nil, errors.New("there is no GGUF file and no safetensors file with a config.json")
}

// companion reports whether a file belongs to safetensors weights: the
// configuration, the tokenizer, and the modules of sentence-transformers, which
// have folders such as 1_Pooling.
func companion(name string) bool {
	dir, base := path.Split(name)
	switch {
	case dir == "":
		return strings.HasSuffix(base, ".json") || base == "vocab.txt" || base == "merges.txt" ||
			strings.HasSuffix(base, ".model") || base == "chat_template.jinja"
	case len(dir) > 2 && dir[0] >= '1' && dir[0] <= '9' && dir[1] == '_':
		return base == "config.json" || base == "model.safetensors"
	}
	return false
}
