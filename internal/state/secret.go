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
var ErrSecret = errors.New("the secret does not belong to the database: restore both from one backup, or copy the file from another server of the database")

// openSecret returns the secret at path. Where the database has none yet, it
// takes the one that lies there, as an operator of several servers puts it, or
// makes one. The transaction keeps two processes from making one each. The
// file is on disk before the row that proves it.
func openSecret(ctx context.Context, tx *sql.Tx, path string) ([]byte, error) {
	var proof []byte
	err := tx.QueryRowContext(ctx, "SELECT proof FROM secret_proof").Scan(&proof)
	fresh := errors.Is(err, sql.ErrNoRows)
	if err != nil && !fresh {
		return nil, err
	}
	secret, err := os.ReadFile(path)
	switch {
	case fresh:
		return proveSecret(ctx, tx, path, secret, err)
	case err != nil:
		return nil, fmt.Errorf("%w: %w", err, ErrSecret)
	case !hmac.Equal(proof, proofOf(secret)):
		return nil, fmt.Errorf("%s: %w", path, ErrSecret)
	}
	return secret, nil
}

// proveSecret makes a secret the database's. Where none was there, or less than
// one, it makes it.
func proveSecret(ctx context.Context, tx *sql.Tx, path string, secret []byte, err error) ([]byte, error) {
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	if len(secret) < secretLength {
		secret = make([]byte, secretLength)
		rand.Read(secret)
		err := disk.WriteFile(path, 0o600, func(w io.Writer) error {
			_, err := w.Write(secret)
			return err
		})
		if err != nil {
			return nil, err
		}
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
