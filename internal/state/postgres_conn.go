package state

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// ErrUnavailable means that PostgreSQL cannot be reached, takes no connections
// or has lost one in the midst. Trying again later may help.
var ErrUnavailable = errors.New("the database is unavailable")

// postgresConnector makes connections that take queries as SQLite does.
type postgresConnector struct{ driver.Connector }

func (c postgresConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil, err
		}
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return &postgresConn{conn.(*stdlib.Conn)}, nil
}

// postgresConn is pgx's connection but for what its methods here do.
type postgresConn struct{ *stdlib.Conn }

func (c *postgresConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	query, _ = numbered(query, nil)
	s, err := c.Conn.PrepareContext(ctx, query)
	return s, c.explain(err)
}

func (c *postgresConn) ExecContext(ctx context.Context, query string, arguments []driver.NamedValue) (driver.Result, error) {
	query, arguments = numbered(query, arguments)
	r, err := c.Conn.ExecContext(ctx, query, arguments)
	return r, c.explain(err)
}

func (c *postgresConn) QueryContext(ctx context.Context, query string, arguments []driver.NamedValue) (driver.Rows, error) {
	query, arguments = numbered(query, arguments)
	rows, err := c.Conn.QueryContext(ctx, query, arguments)
	if err != nil {
		return nil, c.explain(err)
	}
	return postgresRows{rows, c}, nil
}

func (c *postgresConn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	tx, err := c.Conn.BeginTx(ctx, o)
	if err != nil {
		return nil, c.explain(err)
	}
	return postgresTx{tx, c}, nil
}

type postgresRows struct {
	driver.Rows
	conn *postgresConn
}

func (r postgresRows) Next(into []driver.Value) error { return r.conn.explain(r.Rows.Next(into)) }

type postgresTx struct {
	driver.Tx
	conn *postgresConn
}

func (t postgresTx) Commit() error { return t.conn.explain(t.Tx.Commit()) }

// explain adds ErrUnavailable to errors that the connection or the server is to
// blame for, not the query.
func (c *postgresConn) explain(err error) error {
	switch {
	case err == nil, err == io.EOF, errors.Is(err, driver.ErrBadConn), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case unavailable(err) || c.Conn.Conn().IsClosed():
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return err
}

// unavailable reports whether the server says that it cannot serve now: the
// classes 08 (connection exception), 53 (insufficient resources) without a full
// disk, 57P (operator intervention), and 55P03, a lock that did not come in
// time.
func unavailable(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return false
	}
	class := e.Code[:min(2, len(e.Code))]
	return class == "08" || class == "53" && e.Code != codeDiskFull || strings.HasPrefix(e.Code, "57P") || e.Code == "55P03"
}

const codeDiskFull = "53100"

// numbered is a query with $1, $2, … in the places of its question marks, of
// which there are none in its literals, and its arguments with 1 and 0 for true
// and false, in place. What has $1 already, or nothing to be numbered, stays: a
// library's question marks are operators of JSON.
func numbered(query string, arguments []driver.NamedValue) (string, []driver.NamedValue) {
	before, after, found := strings.Cut(query, "?")
	if !found || strings.Contains(query, "$1") {
		return query, arguments
	}
	var b strings.Builder
	for n := 1; found; n++ {
		b.WriteString(before + "$" + strconv.Itoa(n))
		before, after, found = strings.Cut(after, "?")
	}
	b.WriteString(before)
	for i, a := range arguments {
		switch a.Value {
		case true:
			arguments[i].Value = int64(1)
		case false:
			arguments[i].Value = int64(0)
		}
	}
	return b.String(), arguments
}
