package document

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// maxIgnoreBytes bounds the .gitignore files that are read.
const maxIgnoreBytes = 1 << 20

// A File is one that Walk found worth reading.
type File struct {
	Path    string // as the operating system opens it
	Name    string // slash-separated, relative to the root
	Size    int64
	ModTime time.Time
}

// A Skipped file or folder, with the reason in words.
type Skipped struct{ Name, Reason string }

// A Listing is what Walk found, both lists in order of Name.
type Listing struct {
	Files   []File
	Skipped []Skipped
}

// WalkOptions choose among files. The zero value is the usual choice.
type WalkOptions struct {
	// Exclude are patterns in the notation of .gitignore, relative to the root.
	// They have the last word over every .gitignore file.
	Exclude []string
}

// Walk lists the files below root that a Parser can be given, and everything
// it left out: what is hidden (a name that begins with a dot), named by a
// .gitignore file or an exclude pattern, of a format that is not read, empty,
// too large or unreadable. A folder that is left out is listed once, without
// what it holds.
//
// The .gitignore files of root, of the folders in it and, when root lies in a
// git repository, of those above it up to the repository's root count as
// gitignore(5) says. Links are followed where they lead to something inside
// root that is not listed already; a link out of root is left out, so that a
// folder from elsewhere cannot bring in the user's other files.
//
// Root may be one file, which then needs no name of a certain kind. Walk fails
// only if root cannot be read or a pattern is malformed.
func Walk(ctx context.Context, root string, o WalkOptions) (*Listing, error) {
	info, err := os.Stat(root)
	if err != nil {
		return nil, fmt.Errorf("list documents: %w", err)
	}
	w := &walker{ctx: ctx, listing: &Listing{}, seen: map[string]string{}}
	if w.exclude, err = parseExclude(o.Exclude); err != nil {
		return nil, err
	}
	if !info.IsDir() {
		w.file(root, filepath.Base(root), info)
		return w.listing, nil
	}
	if w.root, err = filepath.EvalSymlinks(root); err == nil {
		w.root, err = filepath.Abs(w.root)
	}
	if err != nil {
		return nil, fmt.Errorf("list documents: %w", err)
	}
	if _, err := os.ReadDir(root); err != nil {
		return nil, fmt.Errorf("list documents: %w", err)
	}
	if err := w.folder(root, "", enclosingRules(w.root)); err != nil {
		return nil, err
	}
	if err := w.followLinks(); err != nil {
		return nil, err
	}
	slices.SortFunc(w.listing.Files, func(a, b File) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(w.listing.Skipped, func(a, b Skipped) int { return cmp.Compare(a.Name, b.Name) })
	return w.listing, nil
}

func parseExclude(patterns []string) (ignoreRules, error) {
	var set ignoreRules
	for _, pattern := range patterns {
		rule, err := parseIgnoreRule(pattern)
		if err != nil {
			return set, fmt.Errorf("exclude pattern %q: %w", pattern, err)
		}
		if rule.path != nil {
			rule.source = "--exclude"
			set.rules = append(set.rules, rule)
		}
	}
	return set, nil
}

// enclosingRules reads the .gitignore files of the repository that root lies
// in, outermost first, root's own not among them.
func enclosingRules(root string) []ignoreRules {
	var sets []ignoreRules
	above, up := "", ""
	for dir := root; ; {
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil {
			slices.Reverse(sets)
			return sets
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return nil // no repository, so nothing above root concerns it
		}
		above, up = filepath.Base(dir)+"/"+above, "../"+up
		if set, ok := readIgnore(parent, up+".gitignore"); ok {
			set.above = above
			sets = append(sets, set)
		}
		dir = parent
	}
}

// readIgnore reads a folder's .gitignore, if it has one.
func readIgnore(dir, source string) (ignoreRules, bool) {
	name := filepath.Join(dir, ".gitignore")
	if info, err := os.Stat(name); err != nil || !info.Mode().IsRegular() {
		return ignoreRules{}, false // opening a pipe would wait for its writer
	}
	f, err := os.Open(name)
	if err != nil {
		return ignoreRules{}, false
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxIgnoreBytes))
	if err != nil {
		return ignoreRules{}, false
	}
	return parseIgnore(source, string(text)), true
}

// A walker lists one root.
type walker struct {
	ctx     context.Context
	root    string // without links, absolute
	exclude ignoreRules
	listing *Listing
	links   []link            // found so far, followed when the rest is listed
	seen    map[string]string // path without links → name it is listed under
}

// A link is a symbolic link that no rule left out.
type link struct {
	path, name string
	rules      []ignoreRules
}

func (w *walker) skip(name, format string, args ...any) {
	w.listing.Skipped = append(w.listing.Skipped, Skipped{name, fmt.Sprintf(format, args...)})
}

// folder lists the folder at path, called name in the listing, under the
// rules of the folders around it.
func (w *walker) folder(dir, name string, rules []ignoreRules) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		w.markSeen(real, name)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		w.skip(name, "it cannot be opened: %v", plainReason(err))
		return nil
	}
	if set, ok := readIgnore(dir, path.Join(name, ".gitignore")); ok {
		if name != "" {
			set.below = name + "/"
		}
		rules = append(slices.Clip(rules), set)
	}
	for _, entry := range entries {
		if err := w.entry(dir, path.Join(name, entry.Name()), entry, rules); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) entry(dir, name string, entry fs.DirEntry, rules []ignoreRules) error {
	full := filepath.Join(dir, entry.Name())
	if strings.HasPrefix(entry.Name(), ".") {
		w.skip(name, "hidden")
		return nil
	}
	if source := w.ignoredBy(name, entry.IsDir(), rules); source != "" {
		w.skip(name, "named by %s", source)
		return nil
	}
	switch {
	case entry.IsDir():
		return w.folder(full, name, rules)
	case entry.Type()&fs.ModeSymlink != 0:
		w.links = append(w.links, link{full, name, rules})
	case !entry.Type().IsRegular():
		w.skip(name, "not a regular file")
	default:
		info, err := entry.Info()
		if err != nil {
			w.skip(name, "it cannot be read: %v", plainReason(err))
			return nil
		}
		w.file(full, name, info)
	}
	return nil
}

// ignoredBy returns what names a path as one to leave out, or "". Patterns to
// exclude come first, then the innermost folder's rules.
func (w *walker) ignoredBy(name string, dir bool, rules []ignoreRules) string {
	for _, set := range slices.Backward(append(slices.Clip(rules), w.exclude)) {
		switch v, source := set.judge(name, dir); v {
		case ignored:
			return source
		case kept:
			return ""
		}
	}
	return ""
}

// file lists one regular file, after a look at its head.
func (w *walker) file(full, name string, info fs.FileInfo) {
	if info.Size() > MaxFileBytes {
		w.skip(name, "%v", tooLarge(info.Size()))
		return
	}
	real, err := filepath.EvalSymlinks(full)
	if err == nil {
		real, err = filepath.Abs(real)
	}
	if err != nil {
		w.skip(name, "it cannot be read: %v", plainReason(err))
		return
	}
	if other, ok := w.seen[real]; ok { // through a link to its folder
		w.skip(name, "the same file as %s", other)
		return
	}
	head, err := readHead(full)
	if err != nil {
		w.skip(name, "it cannot be read: %v", plainReason(err))
		return
	}
	if _, err := sniff(name, head); err != nil {
		w.skip(name, "%v", err)
		return
	}
	w.seen[real] = name
	w.listing.Files = append(w.listing.Files, File{Path: full, Name: name, Size: info.Size(), ModTime: info.ModTime()})
}

func readHead(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	head := make([]byte, sniffBytes)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && err != io.EOF {
		return nil, err
	}
	return head[:n], nil
}

// plainReason is the error without the path, which stands beside it.
func plainReason(err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}
