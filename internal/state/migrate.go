package state

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"

	"github.com/ragstone/ragstone/internal/disk"
)

//go:embed migrations/*.sql
var migrations embed.FS

// ErrNewerSchema means that a newer Ragstone has migrated the database. This
// one does not know what its rows mean.
var ErrNewerSchema = errors.New("the database was written by a newer version of Ragstone: use that version, or another home")

// migrate applies the migrations that the database lacks. The file lock keeps
// two processes that start at once from applying the same one.
func migrate(ctx context.Context, db *sql.DB, lockPath string) (err error) {
	lock, err := disk.Lock(ctx, lockPath)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Unlock()) }()

	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, files)
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	have, want, err := provider.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	if have > want {
		return fmt.Errorf("schema %d, this version knows %d: %w", have, want, ErrNewerSchema)
	}
	if have == want {
		return nil
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate from schema %d to %d: %w", have, want, err)
	}
	return nil
}
