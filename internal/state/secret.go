package state

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/ragstone/ragstone/internal/disk"
)

const secretLength = 32

// ErrSecret means that the secret file is missing, or is not the one the
// database's key hashes were made with.
var ErrSecret = errors.New("the secret does not belong to the database: restore both from one backup")

// openSecret returns the secret at path, making it if the database has none
// yet. The transaction's write lock keeps two processes from making one each.
// The file is on disk before the row that proves it: a kill in between leaves
// a file that the next Open overwrites, and no key can have been made with it.
func openSecret(ctx context.Context, tx *sql.Tx, path string) ([]byte, error) {
	var proof []byte
	switch err := tx.QueryRowContext(ctx, "SELECT proof FROM secret_proof").Scan(&proof); {
	case errors.Is(err, sql.ErrNoRows):
		return makeSecret(ctx, tx, path)
	case err != nil:
		return nil, err
	}
	secret, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", err, ErrSecret)
	}
	if !hmac.Equal(proof, proofOf(secret)) {
		return nil, fmt.Errorf("%s: %w", path, ErrSecret)
	}
	return secret, nil
}

func makeSecret(ctx context.Context, tx *sql.Tx, path string) ([]byte, error) {
	secret := make([]byte, secretLength)
	rand.Read(secret)
	err := disk.WriteFile(path, 0o600, func(w io.Writer) error {
		_, err := w.Write(secret)
		return err
	})
	if err != nil {
		return nil, err
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO secret_proof (proof) VALUES (?)", proofOf(secret))
	return secret, err
}

// proofOf is a value that only a holder of the secret can compute and that
// does not give it away.
func proofOf(secret []byte) []byte { return keyedHash(secret, "ragstone secret proof") }

// HashKey returns the keyed hash an API key is stored as.
func (s *Store) HashKey(key string) []byte { return keyedHash(s.secret, "api key\x00"+key) }

func keyedHash(secret []byte, text string) []byte {
	h := hmac.New(sha256.New, secret)
	io.WriteString(h, text)
	return h.Sum(nil)
}
