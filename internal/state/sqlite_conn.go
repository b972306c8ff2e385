package state

import (
	"context"
	"database/sql/driver"
	"strings"
)

// sqliteConnector makes connections that keep the statements they have parsed:
// for most of ours, parsing takes longer than running.
type sqliteConnector struct {
	driver.Connector
	writes bool
}

func (c sqliteConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &sqliteConn{conn.(sqliteDriverConn), c.writes, map[string]*sqliteStatement{}}, nil
}

// sqliteDriverConn is what the driver's connections can do of what database/sql
// asks for.
type sqliteDriverConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// sqliteConn is the driver's connection but for what its methods here do.
// Queries come one after another, as database/sql sees to it.
type sqliteConn struct {
	sqliteDriverConn
	writes     bool
	statements map[string]*sqliteStatement // by their text
}

// sqliteStatement is a statement that was parsed.
type sqliteStatement struct {
	driver.Stmt
	reading bool // its rows are not closed yet
}

// mostStatements bounds what a connection keeps.
const mostStatements = 256

// statement returns the parsed form of a query, or nil where it is to be run
// without one.
func (c *sqliteConn) statement(ctx context.Context, query string) (*sqliteStatement, error) {
	if s, ok := c.statements[query]; ok {
		if s.reading {
			return nil, nil
		}
		return s, nil
	}
	if len(c.statements) == mostStatements || !repeats(query) {
		return nil, nil
	}
	parsed, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	s := &sqliteStatement{Stmt: parsed}
	c.statements[query] = s
	return s, nil
}

// repeats reports whether a query is one of those that run again and again, and
// not of the schema or a setting.
func repeats(query string) bool {
	verb, _, _ := strings.Cut(strings.TrimSpace(query), " ")
	switch verb {
	case "SELECT", "INSERT", "UPDATE", "DELETE":
		return true
	}
	return false
}

// patient is ctx for a statement that is about to run. On the connection that
// writes it has the lock and is short: to watch whether its caller goes takes
// longer.
func (c *sqliteConn) patient(ctx context.Context) context.Context {
	if c.writes && ctx.Err() == nil {
		return context.WithoutCancel(ctx)
	}
	return ctx
}

func (c *sqliteConn) ExecContext(ctx context.Context, query string, arguments []driver.NamedValue) (driver.Result, error) {
	s, err := c.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return c.sqliteDriverConn.ExecContext(ctx, query, arguments)
	}
	return s.Stmt.(driver.StmtExecContext).ExecContext(c.patient(ctx), arguments)
}

func (c *sqliteConn) QueryContext(ctx context.Context, query string, arguments []driver.NamedValue) (driver.Rows, error) {
	s, err := c.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return c.sqliteDriverConn.QueryContext(ctx, query, arguments)
	}
	rows, err := s.Stmt.(driver.StmtQueryContext).QueryContext(c.patient(ctx), arguments)
	if err != nil {
		return nil, err
	}
	s.reading = true
	return &sqliteRows{rows, s}, nil
}

// Close closes the connection and what it keeps.
func (c *sqliteConn) Close() error {
	for _, s := range c.statements {
		s.Close()
	}
	return c.sqliteDriverConn.Close()
}

// sqliteRows frees their statement when they are closed.
type sqliteRows struct {
	driver.Rows
	statement *sqliteStatement
}

func (r *sqliteRows) Close() error {
	r.statement.reading = false
	return r.Rows.Close()
}
