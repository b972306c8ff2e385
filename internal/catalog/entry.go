package catalog

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// The models that commands take when none is named.
const (
	DefaultChat  = "smollm2-135m-instruct"
	DefaultEmbed = "all-minilm-l6-v2"
)

// A Task is what a model is made for.
type Task string

// The tasks.
const (
	Chat   Task = "chat"   // answers messages
	Base   Task = "base"   // continues text; has no chat template
	Embed  Task = "embed"  // turns a text into a vector
	Rerank Task = "rerank" // scores a question and a passage together
)

// An Entry is one model of the catalog.
type Entry struct {
	Name    string `json:"name"` // also its folder in the store
	Family  string `json:"family"`
	Task    Task   `json:"task"`
	Licence string `json:"licence"`          // SPDX identifier where there is one
	Terms   *Terms `json:"terms,omitempty"`  // to be accepted before the download; nil: none
	Size    string `json:"size"`             // number of parameters, such as "135M"
	Format  string `json:"format,omitempty"` // how the weights are stored

	Context    int `json:"context,omitempty"`    // tokens; the longest input
	Dimensions int `json:"dimensions,omitempty"` // of an embedding

	Sampling Sampling `json:"sampling,omitzero"` // what a request that does not say gets

	Tested bool   `json:"tested"`          // whether our own tests run it
	Needs  string `json:"needs,omitempty"` // what the model runtime still lacks for it; "" is nothing
	Note   string `json:"note,omitempty"`

	Files   []File   `json:"files"`
	Sources []Source `json:"sources"` // tried in this order
}

// Sampling is how the model's makers would have its tokens drawn; what is nil or
// zero is left to the API's defaults.
type Sampling struct {
	Temperature       *float64 `json:"temperature,omitempty"`
	TopP              *float64 `json:"top_p,omitempty"`
	TopK              int      `json:"top_k,omitempty"`
	MinP              float64  `json:"min_p,omitempty"`
	RepetitionPenalty float64  `json:"repetition_penalty,omitempty"`
}

// Terms are conditions of use that go beyond a licence notice.
type Terms struct {
	Name    string `json:"name"`
	URL     string `json:"url"`
	Summary string `json:"summary"`
}

// A File is one file of a model.
type File struct {
	Name   string `json:"name"`             // slash-separated, below the model's folder
	Bytes  int64  `json:"bytes"`            // an estimate where SHA256 is empty
	SHA256 string `json:"sha256,omitempty"` // lower-case hex; "" takes the hub's announced hash

	// gitSHA1 is the git blob identifier, which is all a hub's listing says of
	// a small file.
	gitSHA1 string
}

// A Source is one place a model can be had from. Exactly one field is set.
type Source struct {
	Hub      *HubSource     `json:"hub,omitempty"`
	Packages *PackageSource `json:"packages,omitempty"`

	local *localSource
}

// A HubSource is a repository on a model hub.
type HubSource struct {
	Repo     string            `json:"repo"`               // owner/name
	Revision string            `json:"revision,omitempty"` // branch, tag or commit; "" is main
	Paths    map[string]string `json:"paths,omitempty"`    // of files that the repository names otherwise
}

func (h HubSource) revision() string {
	if h.Revision == "" {
		return "main"
	}
	return h.Revision
}

func (h HubSource) path(file string) string {
	if p, ok := h.Paths[file]; ok {
		return p
	}
	return file
}

// A PackageSource is a set of Python packages that carry the model's files.
type PackageSource struct {
	Packages []Package `json:"packages"`

	// Folder is where the files lie inside the packages.
	Folder string `json:"folder"`

	// Pieces lists, for a file that was cut to fit the index's size limit, the
	// paths below Folder whose contents follow one another.
	Pieces map[string][]string `json:"pieces,omitempty"`

	// SourceArchive admits packages that come as source archives. Pip runs code
	// from those, so only packages that have nothing else say it.
	SourceArchive bool `json:"source_archive,omitempty"`
}

// A Package is a Python package at one version.
type Package struct {
	Requirement string `json:"requirement"` // name==version
	Bytes       int64  `json:"bytes"`       // of its archive
}

func (p PackageSource) pieces(file string) []string {
	pieces := p.Pieces[file]
	if pieces == nil {
		pieces = []string{file}
	}
	full := make([]string, len(pieces))
	for i, piece := range pieces {
		full[i] = path.Join(p.Folder, piece)
	}
	return full
}

// Bytes is the size of the whole model.
func (e Entry) Bytes() int64 {
	var n int64
	for _, f := range e.Files {
		n += f.Bytes
	}
	return n
}

// A Speed says roughly how a model runs on a laptop's processor.
type Speed string

// The speeds. Producing a token reads nearly all of the weights once, so the
// class follows from their size.
const (
	Fast     Speed = "fast"     // up to 260 MB: tens of tokens a second or more
	Moderate Speed = "moderate" // up to 1 GB: about reading speed
	Slow     Speed = "slow"     // more: for patient people or many cores
)

// Speed is the model's speed class.
func (e Entry) Speed() Speed { return SpeedOf(e.Bytes()) }

// SpeedOf is the speed class of a model with so many bytes of weights.
func SpeedOf(bytes int64) Speed {
	switch {
	case bytes <= 260e6:
		return Fast
	case bytes <= 1e9:
		return Moderate
	}
	return Slow
}

// clone is a copy whose files may be changed.
func (e Entry) clone() Entry {
	e.Files = slices.Clone(e.Files)
	return e
}

//go:embed catalog.json
var catalogJSON []byte

// entries is the embedded catalog. It is part of the program, so a mistake in
// it is one.
var entries = sync.OnceValue(func() []Entry {
	list, err := parse(catalogJSON)
	if err != nil {
		panic(fmt.Sprintf("catalog: the embedded catalog.json: %v", err))
	}
	return list
})

// List returns the catalog in its own order: the defaults first, then by task.
// The caller must not change it.
func List() []Entry { return entries() }

// Find returns the entry of that name, in any case.
func Find(name string) (Entry, bool) {
	for _, e := range entries() {
		if strings.EqualFold(e.Name, name) {
			return e, true
		}
	}
	return Entry{}, false
}

func parse(data []byte) ([]Entry, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	var file struct {
		About  []string `json:"about"` // for the reader of the file
		Models []Entry  `json:"models"`
	}
	if err := d.Decode(&file); err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	var problems []error
	for _, e := range file.Models {
		if seen[e.Name] {
			problems = append(problems, fmt.Errorf("model %s is listed twice", e.Name))
		}
		seen[e.Name] = true
		if err := e.validate(); err != nil {
			problems = append(problems, fmt.Errorf("model %s: %w", e.Name, err))
		}
	}
	return file.Models, errors.Join(problems...)
}

var (
	validName   = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,99}$`)
	validRepo   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*$`)
	validSHA256 = regexp.MustCompile(`^[0-9a-f]{64}$`)
	validPin    = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*==[0-9][0-9a-z.]*$`)
)

// validate reports every mistake of an entry.
func (e Entry) validate() error {
	var problems []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			problems = append(problems, fmt.Errorf(format, args...))
		}
	}
	check(validName.MatchString(e.Name), "the name is not a plain lower-case folder name")
	check(e.Task == Chat || e.Task == Base || e.Task == Embed || e.Task == Rerank, "unknown task %q", e.Task)
	check(e.Family != "" && e.Licence != "" && e.Size != "", "family, licence or size is missing")
	check((e.Dimensions > 0) == (e.Task == Embed), "dimensions belong to embedding models, and they need them")
	check(len(e.Files) > 0 && len(e.Sources) > 0, "it has no files or no sources")
	for _, f := range e.Files {
		check(fs.ValidPath(f.Name) && f.Name != ".", "file name %q leaves the folder", f.Name)
		check(f.Bytes > 0, "file %s has no size", f.Name)
		check(f.SHA256 == "" || validSHA256.MatchString(f.SHA256), "file %s has the hash %q", f.Name, f.SHA256)
		check(f.SHA256 != "" || !e.Tested, "file %s of a tested model has no hash", f.Name)
	}
	for _, s := range e.Sources {
		switch {
		case s.Hub != nil && s.Packages == nil:
			check(validRepo.MatchString(s.Hub.Repo), "repository %q is not owner/name", s.Hub.Repo)
		case s.Packages != nil && s.Hub == nil:
			problems = append(problems, s.Packages.validate(e))
		default:
			check(false, "a source must be a hub or packages")
		}
	}
	return errors.Join(problems...)
}

func (p PackageSource) validate(e Entry) error {
	for _, pkg := range p.Packages {
		if !validPin.MatchString(pkg.Requirement) || pkg.Bytes <= 0 {
			return fmt.Errorf("package %q is not pinned to a version and a size", pkg.Requirement)
		}
	}
	for _, f := range e.Files {
		if f.SHA256 == "" {
			return fmt.Errorf("file %s comes from a package index, which announces no hash of it, and has none", f.Name)
		}
	}
	return nil
}
