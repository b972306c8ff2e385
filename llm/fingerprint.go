package llm

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"os"
)

// A fingerprint looks at the beginning of a file, where its settings are, and at
// samples of the rest, evenly spaced.
const (
	fingerprintHead   = 1 << 20 // bytes
	fingerprintSample = 4 << 10
	fingerprintStep   = 256 << 10 // from a sample to the next
)

// fingerprintFiles returns a SHA-256 over the sizes of files and samples of
// their contents. Another model of the same shape differs in nearly every byte;
// reading all of them takes as long as loading the model.
func fingerprintFiles(paths []string) (string, error) {
	h := sha256.New()
	for _, path := range paths {
		if err := sampleFile(h, path); err != nil {
			return "", fmt.Errorf("take the model's fingerprint: %w", err)
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// hashFiles returns the SHA-256 of the files' contents, one after the other.
func hashFiles(paths []string) (string, error) {
	h := sha256.New()
	for _, path := range paths {
		if err := hashFile(h, path); err != nil {
			return "", fmt.Errorf("hash the model: %w", err)
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func hashFile(w io.Writer, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(w, f)
	return err
}

func sampleFile(w io.Writer, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	at, err := f.Stat()
	if err != nil {
		return err
	}
	w.Write(binary.LittleEndian.AppendUint64(nil, uint64(at.Size())))
	if _, err := io.Copy(w, io.NewSectionReader(f, 0, fingerprintHead)); err != nil {
		return err
	}
	for offset := int64(fingerprintHead); offset < at.Size(); offset += fingerprintStep {
		if _, err := io.Copy(w, io.NewSectionReader(f, offset, fingerprintSample)); err != nil {
			return err
		}
	}
	return nil
}
