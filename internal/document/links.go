package document

import (
	"os"
	"path/filepath"
	"strings"
)

// followLinks lists what the links found lead to. It runs when everything
// reached without one is listed, so that a link never takes the place of what
// it leads to. Links found on the way join the queue; each folder is listed
// once, so loops end.
func (w *walker) followLinks() error {
	for len(w.links) > 0 {
		l := w.links[0]
		w.links = w.links[1:]
		if err := w.follow(l); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) follow(l link) error {
	real, err := filepath.EvalSymlinks(l.path)
	if err == nil {
		real, err = filepath.Abs(real)
	}
	if err != nil {
		w.skip(l.name, "a link that leads nowhere")
		return nil
	}
	if !within(w.root, real) {
		w.skip(l.name, "a link out of the folder")
		return nil
	}
	if name, ok := w.seen[real]; ok {
		w.skip(l.name, "a link to %s, which is listed", displayName(name))
		return nil
	}
	info, err := os.Stat(real)
	switch {
	case err != nil:
		w.skip(l.name, "it cannot be read: %v", plainReason(err))
	case info.IsDir():
		if source := w.ignoredBy(l.name, true, l.rules); source != "" {
			w.skip(l.name, "named by %s", source)
			return nil
		}
		return w.folder(l.path, l.name, l.rules)
	case info.Mode().IsRegular():
		w.file(l.path, l.name, info)
	default:
		w.skip(l.name, "not a regular file")
	}
	return nil
}

// markSeen notes that what lies at real, a path without links, is listed.
func (w *walker) markSeen(real, name string) {
	if abs, err := filepath.Abs(real); err == nil {
		w.seen[abs] = name
	}
}

// within tells whether path is root or lies below it; both without links.
func within(root, path string) bool {
	relative, err := filepath.Rel(root, path)
	return err == nil && relative != ".." && !strings.HasPrefix(relative, ".."+string(filepath.Separator))
}

func displayName(name string) string {
	if name == "" {
		return "the folder itself"
	}
	return name
}
