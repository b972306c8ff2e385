package document

import (
	"context"
	"time"
)

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
	Exclude []string

	// MaxBytes is the size of the largest file taken; 0 means 64 MiB.
	MaxBytes int64
}

// Walk lists the files below root.
func Walk(ctx context.Context, root string, o WalkOptions) (*Listing, error) { return nil, nil }
