package rescue_test

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"kontur-ari/bridge/store/rescue"
	"kontur-ari/bridge/store/sqlite"
)

// moment is when the damage of these tests is found, and stamp is how names of files say so.
var moment = time.Date(2026, 3, 22, 10, 38, 35, 0, time.UTC)

const stamp = "20260322T103835Z"

// migrations make a file with tables of its own: this package knows no call.
var migrations = []string{
	`CREATE TABLE letters (id INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT;
	CREATE TABLE forms (id INTEGER PRIMARY KEY, document BLOB NOT NULL) STRICT;`,
	`CREATE TABLE visits (name TEXT PRIMARY KEY, length INTEGER NOT NULL, photo BLOB NOT NULL) STRICT, WITHOUT ROWID;
	CREATE TABLE lines (id INTEGER PRIMARY KEY, line TEXT NOT NULL, size INTEGER GENERATED ALWAYS AS (length(line)) VIRTUAL) STRICT;
	ALTER TABLE letters ADD COLUMN stamp TEXT NOT NULL DEFAULT 'none';`,
}

// tableNames are those of the last version, in the order of [planFor].
var tableNames = []string{"letters", "forms", "visits", "lines"}

func planFor(path string) rescue.Plan {
	return rescue.Plan{
		Path: path, Migrations: migrations, NewestRows: 1000,
		Tables: []rescue.Table{
			{Name: "letters", Key: "id"},
			{Name: "forms", Key: "id", Document: "document"},
			{Name: "visits", Key: "name"},
			{Name: "lines", Key: "id", NewestOnly: true},
		},
	}
}

// failer is what the steps below need of a test or of a property.
type failer interface {
	Helper()
	Fatal(args ...any)
}

// pageSize is small, so that few rows fill many pages.
const pageSize = 1024

// create makes a file with what a script stores in it. Nothing is left in it of rows that were
// moved from one page to another, so each row is found in one place.
func create(t failer, path string, version int, script string) {
	t.Helper()
	conn, err := sqlite.OpenConn(path, sqlite.ModeCreate, fmt.Sprintf("page_size(%d)", pageSize), "secure_delete(ON)")
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{sqlite.Migrate(conn, migrations[:version]), conn.Script(script), conn.Exec("VACUUM"), conn.Close()} {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// filled makes a file whose tables take several pages each. No row is longer than a page.
func filled(t failer, path string) {
	t.Helper()
	create(t, path, 2, `
		INSERT INTO letters (id, body, stamp) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 60)
			SELECT i, printf('letter %03d %.*c', i, 60 + i % 50, 'x'), printf('stamp %d', i) FROM n;
		INSERT INTO forms (id, document) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 40)
			SELECT i, CAST(printf('{"kind":"k%d","text":"form %03d %.*c"}', i % 3, i, 50 + i, 'y') AS BLOB) FROM n;
		INSERT INTO visits WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 60)
			SELECT printf('visit %03d of %.*c', i, 30 + i, 'z'), i - 30, zeroblob(i % 20) FROM n;
		INSERT INTO lines (id, line) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 60)
			SELECT i, printf('line %03d %.*c', i, 70, 'l') FROM n;`)
}

// storedIn returns the rows of a table of a whole file, in the order of their first column.
func storedIn(t failer, path, table string) (rows []string) {
	t.Helper()
	conn, err := sqlite.OpenConn(path, sqlite.ModeRead)
	if err != nil {
		t.Fatal(err)
	}
	columns := 0
	if _, err := conn.First("SELECT COUNT(*) FROM pragma_table_xinfo(?)", func(row sqlite.Row) error { return row.Scan(&columns) }, table); err != nil {
		t.Fatal(err)
	}
	values, into := make([]any, columns), make([]any, columns)
	for i := range values {
		into[i] = &values[i]
	}
	err = conn.Query("SELECT * FROM "+table+" ORDER BY 1", func(row sqlite.Row) error {
		if err := row.Scan(into...); err != nil {
			return err
		}
		rows = append(rows, fmt.Sprintf("%#v", values))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	return rows
}

// allStoredIn returns the rows of all tables of a whole file of the last version.
func allStoredIn(t failer, path string) map[string][]string {
	t.Helper()
	rows := make(map[string][]string)
	for _, table := range tableNames {
		rows[table] = storedIn(t, path, table)
	}
	return rows
}

// page is where a part of a table is in a file. The first page of a file has the number 1.
type page struct {
	number int64
	table  string
	leaf   bool
}

// pagesOf returns all pages of a whole file, those of one table in the order of its rows.
func pagesOf(t failer, path string) (pages []page) {
	t.Helper()
	conn, err := sqlite.OpenConn(path, sqlite.ModeRead)
	if err != nil {
		t.Fatal(err)
	}
	err = conn.Query("SELECT pageno, name, pagetype = 'leaf' FROM dbstat ORDER BY name, path", func(row sqlite.Row) error {
		var p page
		err := row.Scan(&p.number, &p.table, &p.leaf)
		pages = append(pages, p)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	return pages
}

// leavesOf returns the pages of a table that hold rows and nothing else.
func leavesOf(t *testing.T, path, table string) (numbers []int64) {
	t.Helper()
	for _, p := range pagesOf(t, path) {
		if p.table == table && p.leaf {
			numbers = append(numbers, p.number)
		}
	}
	if len(numbers) < 5 {
		t.Fatalf("%s has only %d pages of rows", table, len(numbers))
	}
	return numbers
}

// overwrite destroys pages of a file.
func overwrite(t *testing.T, path string, numbers ...int64) {
	t.Helper()
	content := read(t, path)
	for _, number := range numbers {
		copy(content[(number-1)*pageSize:number*pageSize], bytes.Repeat([]byte{0xa5}, pageSize))
	}
	write(t, path, content)
}

// outside returns the rows that no byte of some pages is of. A row is found by its mark, such
// as "letter 017", which no other row has.
func outside(t *testing.T, content []byte, rows []string, mark string, numbers ...int64) (left []string) {
	t.Helper()
	for _, row := range rows {
		from := strings.Index(row, mark)
		if from < 0 {
			t.Fatalf("%s has no mark %q", row, mark)
		}
		own := []byte(row[from : from+len(mark)+len("000")])
		if bytes.Count(content, own) != 1 {
			t.Fatalf("%q is not in the file once", own)
		}
		if at := int64(bytes.Index(content, own))/pageSize + 1; !slices.Contains(numbers, at) {
			left = append(left, row)
		}
	}
	return left
}

func read(t failer, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func write(t failer, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// filesIn returns the contents of all files of a directory by their names.
func filesIn(t failer, directory string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(directory)
	if err != nil {
		t.Fatal(err)
	}
	files := make(map[string]string)
	for _, entry := range entries {
		content := "a directory"
		if !entry.IsDir() {
			content = string(read(t, filepath.Join(directory, entry.Name())))
		}
		files[entry.Name()] = content
	}
	return files
}

// namesIn returns the names of all files of a directory, in order.
func namesIn(t failer, directory string) []string {
	t.Helper()
	return slices.Sorted(maps.Keys(filesIn(t, directory)))
}

// run rescues a file, which must succeed.
func run(t *testing.T, plan rescue.Plan) rescue.Damage {
	t.Helper()
	damage, err := plan.Run(t.Context(), errCause, moment)
	if err != nil {
		t.Fatalf("rescuing %s: %v", plan.Path, err)
	}
	return damage
}

// checkRows compares the rows of one table with those that are wanted.
func checkRows(t *testing.T, table string, got, want []string) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			t.Errorf("%s has %d rows, want %d; they differ from row %d on:\n got %.200v\nwant %.200v",
				table, len(got), len(want), i, got[min(i, len(got)):], want[min(i, len(want)):])
			return
		}
	}
}
