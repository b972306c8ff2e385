package state

import (
	"bytes"
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/pressly/goose/v3"
)

// The migrations are written once, for SQLite, in words that PostgreSQL knows
// or forPostgres translates. Lines between "-- +only sqlite" or "-- +only
// postgres" and "-- +only end" are for that database alone.
//
//go:embed migrations/*.sql
var migrations embed.FS

// ErrNewerSchema means that a newer Ragstone has migrated the database. This
// one does not know what its rows mean.
var ErrNewerSchema = errors.New("the database was written by a newer version of Ragstone: use that version, or another home or database")

// migrate applies the migrations that the database lacks.
func migrate(ctx context.Context, db *sql.DB, e engine) error {
	return e.migrating(ctx, db, func() error {
		files, err := fs.Sub(migrations, "migrations")
		if err != nil {
			return err
		}
		provider, err := goose.NewProvider(e.dialect(), db, sources{files, e}, goose.WithGoMigrations(jobTables(e, db)))
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
	})
}

// sources are the migrations as an engine's database takes them.
type sources struct {
	fs.FS
	engine engine
}

func (s sources) Open(name string) (fs.File, error) {
	f, err := s.FS.Open(name)
	if err != nil || path.Ext(name) != ".sql" {
		return f, err
	}
	text, err := io.ReadAll(f)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &source{f, bytes.NewReader(s.engine.source(text))}, nil
}

// source is a migration whose text is another than its file's.
type source struct {
	fs.File
	text *bytes.Reader
}

func (s *source) Read(p []byte) (int, error) { return s.text.Read(p) }

// only leaves out the lines that are for another database than the one named.
func only(database string, migration []byte) []byte {
	var kept bytes.Buffer
	here := true
	for line := range bytes.Lines(migration) {
		word, marked := strings.CutPrefix(strings.TrimSpace(string(line)), "-- +only ")
		switch {
		case marked:
			here = word == database || word == "end"
		case here:
			kept.Write(line)
		}
	}
	return kept.Bytes()
}

// forPostgres are the words of the migrations that PostgreSQL has others for.
// Its INTEGER has 32 bits.
var forPostgres = strings.NewReplacer(
	" INTEGER PRIMARY KEY AUTOINCREMENT", " BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
	" INTEGER", " BIGINT",
	" BLOB", " BYTEA",
	") STRICT;", ");",
)
