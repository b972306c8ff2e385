package catalog

import (
	"crypto/sha1" // git's blob identifiers; nothing is signed with it here
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
)

// A digest is what a file's content must be.
type digest struct {
	Bytes   int64  `json:"bytes"`
	SHA256  string `json:"sha256,omitempty"`
	GitSHA1 string `json:"git_sha1,omitempty"` // used where SHA256 is empty
}

// digest of a pinned or listed file; known is false where only the hub can tell.
func (f File) digest() (d digest, known bool) {
	d = digest{Bytes: f.Bytes, SHA256: f.SHA256, GitSHA1: f.gitSHA1}
	return d, d.SHA256 != "" || d.GitSHA1 != ""
}

// A hasher computes what a digest is compared with, and always SHA-256, which
// is what the store records.
type hasher struct {
	io.Writer // feeds both
	sha256    hash.Hash
	git       hash.Hash // nil unless the digest is a git blob identifier
}

func (d digest) hasher() *hasher {
	h := &hasher{sha256: sha256.New()}
	h.Writer = h.sha256
	if d.SHA256 == "" && d.GitSHA1 != "" {
		// Git hashes a header before the content (Git internals, "Git objects").
		h.git = sha1.New()
		fmt.Fprintf(h.git, "blob %d\x00", d.Bytes)
		h.Writer = io.MultiWriter(h.sha256, h.git)
	}
	return h
}

// sum is the SHA-256 so far, in hex.
func (h *hasher) sum() string { return hex.EncodeToString(h.sha256.Sum(nil)) }

// check compares what was hashed with the digest. The error is a *HashError.
func (d digest) check(file string, h *hasher) error {
	if h.git != nil {
		if got := hex.EncodeToString(h.git.Sum(nil)); got != d.GitSHA1 {
			return &HashError{File: file, Kind: "git blob", Got: got, Want: d.GitSHA1}
		}
		return nil
	}
	if got := h.sum(); got != d.SHA256 {
		return &HashError{File: file, Kind: "SHA-256", Got: got, Want: d.SHA256}
	}
	return nil
}
