package state

import (
	"database/sql"
	"fmt"
	"testing"
)

// TestStatementsAreKept runs what could go wrong with a statement that was
// parsed earlier: its table has changed, it is asked for while it still reads,
// it failed before, and there are more of them than are kept.
func TestStatementsAreKept(t *testing.T) {
	s, err := Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	run := func(query string, arguments ...any) error {
		_, err := s.write.ExecContext(t.Context(), query, arguments...)
		return err
	}
	must := func(query string, arguments ...any) {
		t.Helper()
		if err := run(query, arguments...); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
	}
	must("CREATE TABLE notes (number INTEGER PRIMARY KEY) STRICT")
	const insert, all = "INSERT INTO notes (number) VALUES (?)", "SELECT * FROM notes"
	must(insert, 1)
	if err := run(insert, 1); err == nil {
		t.Error("the same key was inserted twice")
	}
	must(insert, 2)

	columns := func() int {
		t.Helper()
		rows, err := s.write.QueryContext(t.Context(), all)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		names, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		return len(names)
	}
	before := columns()
	must("ALTER TABLE notes ADD COLUMN text TEXT")
	if after := columns(); before != 1 || after != 2 {
		t.Errorf("columns %d, then %d; want 1, then 2", before, after)
	}

	err = s.inTransaction(t.Context(), func(tx *sql.Tx) error {
		outer, err := tx.QueryContext(t.Context(), "SELECT number FROM notes ORDER BY number")
		if err != nil {
			return err
		}
		defer outer.Close()
		outer.Next()
		var first int
		if err := tx.QueryRowContext(t.Context(), "SELECT number FROM notes ORDER BY number").Scan(&first); err != nil || first != 1 {
			t.Errorf("the first number is %d, %v; want 1", first, err)
		}
		if !outer.Next() {
			t.Error("reading a query again took the rows of the one that was being read")
		}
		return outer.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range mostStatements + 10 {
		var n int
		if err := s.write.QueryRowContext(t.Context(), fmt.Sprintf("SELECT %d FROM notes", i)).Scan(&n); err != nil || n != i {
			t.Fatalf("query %d answers %d, %v", i, n, err)
		}
	}
}
