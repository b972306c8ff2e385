package cli

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ragstone/ragstone/vector"
)

// writeNumbers writes an .ivecs file.
func writeNumbers(t *testing.T, rows [][]int32) string {
	t.Helper()
	var b bytes.Buffer
	for _, row := range rows {
		binary.Write(&b, binary.LittleEndian, int32(len(row)))
		binary.Write(&b, binary.LittleEndian, row)
	}
	path := filepath.Join(t.TempDir(), "numbers.ivecs")
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestBenchFilters(t *testing.T) {
	const rows, queries = 300, 10
	var fields, wanted [][]int32
	for i := range int32(rows) {
		fields = append(fields, []int32{i % 2, i / 5}) // half of all, five of all
	}
	for i := range int32(queries) {
		wanted = append(wanted, []int32{1, i * 6})
	}
	b := benchFilters{
		base: writeVectors(t, "base.fvecs", 1, rows, 8), queries: writeVectors(t, "query.fvecs", 2, queries, 8),
		fields: writeNumbers(t, fields), wanted: writeNumbers(t, wanted), k: 10,
	}
	db, err := vector.Open(t.TempDir(), vector.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := b.prepare(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	for c := range 2 {
		for _, ef := range []int{0, 64} {
			row, err := b.point(t.Context(), c, ef)
			if err != nil || row.Recall < 0.98 || row.QPS <= 0 || row.Missing != 0 || len(row.Strategy) == 0 {
				t.Errorf("case %d: %+v, %v", c, row, err)
			}
		}
	}
	b.fields = b.wanted
	if err := b.prepare(t.Context(), db); err == nil || !strings.Contains(err.Error(), "do not fit") {
		t.Errorf("numbers of too few vectors: %v", err)
	}
}

func TestBenchInsert(t *testing.T) {
	var out, problems bytes.Buffer
	code := run(t.Context(), []string{"bench", "insert", "--base", writeVectors(t, "base.fvecs", 1, 400, 8), "--queries", writeVectors(t, "query.fvecs", 2, 20, 8)}, &out, &problems)
	var row insertRow
	if err := json.Unmarshal(out.Bytes(), &row); err != nil || code != exitOK {
		t.Fatalf("exit %d, %v\n%s%s", code, err, &out, &problems)
	}
	if row.Recall < 0.99 || row.RecallHalf < 0.99 || row.Inserts <= 0 || row.InsertsAlone <= 0 {
		t.Errorf("%+v", row)
	}
}
