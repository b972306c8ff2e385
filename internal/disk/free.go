package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// FreeSpace is the number of bytes that this user may still write below path.
// Where path does not exist yet, its nearest parent that does is asked.
func FreeSpace(path string) (int64, error) {
	dir, err := filepath.Abs(path)
	if err != nil {
		return 0, fmt.Errorf("free space: %w", err)
	}
	for {
		_, err := os.Stat(dir)
		if err == nil {
			break
		}
		parent := filepath.Dir(dir)
		if !errors.Is(err, fs.ErrNotExist) || parent == dir {
			return 0, fmt.Errorf("free space: %w", err)
		}
		dir = parent
	}
	free, err := freeSpace(dir)
	if err != nil {
		return 0, fmt.Errorf("free space of %s: %w", dir, err)
	}
	return free, nil
}
