package state

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ragstone/ragstone/internal/testenv"
)

// Both databases have the same tables, columns, indexes and constraints.
func TestSchemasAreEqual(t *testing.T) {
	if *onPostgres {
		t.Skip("this compares both")
	}
	url := testenv.SharedPostgres(t).Database(t)
	postgres, err := OpenWith(t.Context(), t.TempDir(), Options{Database: url})
	if err != nil {
		t.Fatal(err)
	}
	defer postgres.Close()
	sqlite := open(t, t.TempDir())

	want, got := describe(t, sqlite, sqliteSchema), describe(t, postgres, postgresSchema)
	if len(want) < 50 {
		t.Fatalf("SQLite's schema has %d facts, which is too few to be all:\n%s", len(want), strings.Join(want, "\n"))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the schema (-SQLite +PostgreSQL):\n%s", diff)
	}
}

// Queries that give one line of text for each fact of a schema.
const (
	sqliteSchema = `
	SELECT 'column ' || t.name || '.' || c.name || ' ' || c.type || CASE WHEN c."notnull" OR c.pk THEN ' not null' ELSE '' END || CASE WHEN c.dflt_value IS NULL THEN '' ELSE ' default ' || c.dflt_value END
		FROM sqlite_schema AS t, pragma_table_info(t.name) AS c WHERE t.type = 'table'
	UNION ALL
	SELECT 'key ' || t.name || ' (' || (SELECT group_concat(name, ', ') FROM (SELECT name FROM pragma_table_info(t.name) WHERE pk > 0 ORDER BY pk)) || ')'
		FROM sqlite_schema AS t WHERE t.type = 'table' AND EXISTS (SELECT 1 FROM pragma_table_info(t.name) WHERE pk > 0)
	UNION ALL
	SELECT 'index ' || t.name || ' (' || (SELECT group_concat(name, ', ') FROM pragma_index_info(i.name)) || ')' || CASE WHEN i."unique" THEN ' unique' ELSE '' END
		FROM sqlite_schema AS t, pragma_index_list(t.name) AS i WHERE t.type = 'table' AND i.origin <> 'pk'
	UNION ALL
	SELECT 'reference ' || t.name || '.' || f."from" || ' to ' || f."table" || '.' || f."to" || ' ' || f.on_delete
		FROM sqlite_schema AS t, pragma_foreign_key_list(t.name) AS f WHERE t.type = 'table'`

	postgresSchema = `
	SELECT 'column ' || c.table_name || '.' || c.column_name || ' ' || CASE c.data_type WHEN 'bigint' THEN 'INTEGER' WHEN 'text' THEN 'TEXT' WHEN 'bytea' THEN 'BLOB' ELSE c.data_type END
			|| CASE c.is_nullable WHEN 'NO' THEN ' not null' ELSE '' END || CASE WHEN c.column_default IS NULL THEN '' ELSE ' default ' || regexp_replace(c.column_default, '::.*', '') END
		FROM information_schema.columns AS c WHERE c.table_schema = 'public'
	UNION ALL
	SELECT CASE WHEN i.indisprimary THEN 'key ' ELSE 'index ' END || t.relname || ' ('
			|| (SELECT string_agg(a.attname, ', ' ORDER BY k.n) FROM unnest(i.indkey) WITH ORDINALITY AS k(column_number, n) JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attnum = k.column_number)
			|| ')' || CASE WHEN i.indisunique AND NOT i.indisprimary THEN ' unique' ELSE '' END
		FROM pg_index AS i JOIN pg_class AS t ON t.oid = i.indrelid WHERE t.relnamespace = 'public'::regnamespace
	UNION ALL
	SELECT 'reference ' || t.relname || '.' || a.attname || ' to ' || f.relname || '.' || b.attname || ' ' || CASE c.confdeltype WHEN 'c' THEN 'CASCADE' ELSE 'NO ACTION' END
		FROM pg_constraint AS c JOIN pg_class AS t ON t.oid = c.conrelid JOIN pg_class AS f ON f.oid = c.confrelid
		JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attnum = c.conkey[1] JOIN pg_attribute AS b ON b.attrelid = f.oid AND b.attnum = c.confkey[1]
		WHERE c.contype = 'f' AND t.relnamespace = 'public'::regnamespace`
)

// describe returns the facts that a query gives of our own tables, in order.
func describe(t *testing.T, s *Store, query string) []string {
	t.Helper()
	facts, err := collect(t.Context(), s.read, query, nil, func(r row) (fact string, err error) { return fact, r.Scan(&fact) })
	if err != nil {
		t.Fatal(err)
	}
	facts = slices.DeleteFunc(facts, func(fact string) bool {
		return strings.Contains(fact, "goose_db_version") || strings.Contains(fact, "sqlite_sequence") || strings.Contains(fact, " river_")
	})
	slices.Sort(facts)
	return facts
}

// A migration is for one database where it says so.
func TestMigrationsOfOneDatabase(t *testing.T) {
	const migration = "CREATE TABLE a (\n    sequence INTEGER PRIMARY KEY AUTOINCREMENT,\n    b BLOB, c INTEGER\n) STRICT;\n-- +only sqlite\nx\n-- +only postgres\ny\n-- +only end\nz\n"
	for _, test := range []struct {
		engine engine
		want   string
	}{
		{sqliteEngine{}, "CREATE TABLE a (\n    sequence INTEGER PRIMARY KEY AUTOINCREMENT,\n    b BLOB, c INTEGER\n) STRICT;\nx\nz\n"},
		{&postgresEngine{}, "CREATE TABLE a (\n    sequence BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,\n    b BYTEA, c BIGINT\n);\ny\nz\n"},
	} {
		if diff := cmp.Diff(test.want, string(test.engine.source([]byte(migration)))); diff != "" {
			t.Errorf("for %T (-want +got):\n%s", test.engine, diff)
		}
	}
}

func TestNumbered(t *testing.T) {
	for query, want := range map[string]string{
		"SELECT 1":                          "SELECT 1",
		"SELECT a FROM b WHERE c = $1":      "SELECT a FROM b WHERE c = $1",
		"a = ? AND (b, c) > (?, ?) LIMIT ?": "a = $1 AND (b, c) > ($2, $3) LIMIT $4",
	} {
		if got, _ := numbered(query, nil); got != want {
			t.Errorf("numbered(%q) = %q, want %q", query, got, want)
		}
	}
	var many []string
	for n := range 12 {
		many = append(many, fmt.Sprint("$", n+1))
	}
	if got, _ := numbered(strings.Repeat("?", 12), nil); got != strings.Join(many, "") {
		t.Errorf("twelve arguments: %q", got)
	}
}
