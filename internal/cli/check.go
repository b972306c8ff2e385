package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ragstone/ragstone/rag"
	"github.com/ragstone/ragstone/vector"
)

func newCheckCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "check [FOLDER]...",
		Short: "Verify indexes and vector databases",
		Long: `Verify every index of documents and every vector database in RAGSTONE_HOME, or in the
folders given: checksums, structure, every point, and of indexes every passage. Each
is named with what is wrong with it. Nothing is changed: a damaged index is made again
by the next question, a damaged database is set aside in part when it is opened. The
exit code is 1 if anything is damaged, or could not be checked because it is in use.`,
		Example: `  ragstone check
  ragstone check films.db`,
		RunE: func(_ *cobra.Command, args []string) error {
			folders := args
			if len(folders) == 0 {
				folders = []string{a.config.Home}
			}
			var all []checked
			for _, folder := range folders {
				found, err := stores(folder)
				if err != nil {
					return misuse("%w", err)
				}
				all = append(all, found...)
			}
			return a.check(all)
		},
	}
}

// checked is a folder that can be checked, and how.
type checked struct {
	dir, kind string
	check     func(dir string) error
}

// stores finds the indexes and vector databases in a folder, which may be one.
func stores(folder string) ([]checked, error) {
	var found []checked
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist) && path != folder:
			return nil // removed meanwhile
		case err != nil:
			return err
		case !entry.IsDir():
			return nil
		case rag.IsIndex(path):
			found = append(found, checked{path, "index", rag.Check})
			return fs.SkipDir
		case isDatabase(path):
			found = append(found, checked{path, "database", vector.Check})
			return fs.SkipDir
		}
		return nil
	})
	return found, err
}

// isDatabase tells a vector database by its lock and a collection, damaged or not.
func isDatabase(dir string) bool {
	if info, err := os.Stat(filepath.Join(dir, "lock")); err != nil || info.IsDir() {
		return false
	}
	collections, err := filepath.Glob(filepath.Join(dir, "*", "manifest.json"))
	return err == nil && len(collections) > 0
}

// check reports on one folder after the other.
func (a *app) check(all []checked) error {
	slices.SortFunc(all, func(x, y checked) int { return strings.Compare(x.dir, y.dir) })
	failed := 0
	for _, c := range all {
		err := c.check(c.dir)
		var printErr error
		switch {
		case err == nil:
			_, printErr = fmt.Fprintf(a.stdout, "%s: %s, sound\n", c.dir, c.kind)
		case errors.Is(err, rag.ErrIndexInUse), errors.Is(err, vector.ErrLocked):
			failed++
			_, printErr = fmt.Fprintf(a.stdout, "%s: %s, in use and not checked\n", c.dir, c.kind)
		default:
			failed++
			_, printErr = fmt.Fprintf(a.stdout, "%s: %s, damaged\n%v\n", c.dir, c.kind, err)
		}
		if printErr != nil {
			return printErr
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d are not known to be sound; a damaged index is made again by the next question, "+
			"and a backup has what a damaged database held", failed, len(all))
	}
	if len(all) == 0 {
		fmt.Fprintln(a.stderr, "There is nothing to check: no index and no vector database.")
	}
	return nil
}
