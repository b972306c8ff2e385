package state

import (
	"database/sql"
	"time"
)

// Columns that may be null hold the zero value of Go's type as null.

func nullText(s string) sql.NullString { return sql.NullString{String: s, Valid: s != ""} }

func nullTime(t time.Time) sql.NullInt64 { return sql.NullInt64{Int64: t.Unix(), Valid: !t.IsZero()} }

// unix is a time as columns hold it, in UTC.
func unix(seconds int64) time.Time { return time.Unix(seconds, 0).UTC() }

func timeOf(n sql.NullInt64) time.Time {
	if !n.Valid {
		return time.Time{}
	}
	return time.Unix(n.Int64, 0)
}
