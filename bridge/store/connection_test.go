package store

import (
	"bytes"
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	sqlite3 "modernc.org/sqlite/lib"
	"pgregory.net/rapid"
)

// connected is the writer's connection to a file with a table that takes anything.
func connected(t *testing.T) (_ *connection, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "file")
	other(t, path, "PRAGMA journal_mode = WAL; CREATE TABLE kept (id INTEGER PRIMARY KEY, number ANY NOT NULL, text ANY NOT NULL, bytes ANY NOT NULL, yes ANY NOT NULL) STRICT")
	c, err := openWriting(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.close(); err != nil {
			t.Errorf("closing: %v", err)
		}
	})
	return c, path
}

// other works on a file with the driver, as a reader does.
func other(t *testing.T, path, text string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.ExecContext(t.Context(), text)
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

// What is written is read by others as it was, whatever its length, and nothing of it is
// NULL.
func TestArgumentsArriveAsTheyAre(t *testing.T) {
	c, path := connected(t)
	reader, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := reader.Close(); err != nil {
			t.Error(err)
		}
	}()
	long := rapid.SampledFrom([]int{0, 1, 7, 4000, keptRoom - 1, keptRoom, 3 * keptRoom})
	rapid.Check(t, func(rt *rapid.T) {
		number := rapid.Int64().Draw(rt, "number")
		text := strings.Repeat("x", long.Draw(rt, "length")) + rapid.String().Draw(rt, "text")
		content := append(bytes.Repeat([]byte{0}, long.Draw(rt, "length")), rapid.SliceOf(rapid.Byte()).Draw(rt, "bytes")...)
		yes := rapid.Bool().Draw(rt, "yes")
		if rapid.Bool().Draw(rt, "nil") {
			content = nil
		}
		if err := c.execute("INSERT INTO kept (number, text, bytes, yes) VALUES (?, ?, ?, ?)", number, text, content, yes); err != nil {
			rt.Fatal(err)
		}
		var found struct {
			number int64
			text   string
			bytes  []byte
			types  string
			yes    bool
		}
		err := reader.QueryRowContext(t.Context(), "SELECT number, text, bytes, yes, typeof(number) || typeof(text) || typeof(bytes) || typeof(yes) FROM kept WHERE id = ?", c.lastRow()).
			Scan(&found.number, &found.text, &found.bytes, &found.yes, &found.types)
		if err != nil || found.number != number || found.text != text || !bytes.Equal(found.bytes, content) || found.yes != yes || found.types != "integertextblobinteger" {
			rt.Fatalf("wrote %d %.40q %.40q %v, read %+.100v, error %v", number, text, content, yes, found, err)
		}
		own := ""
		if there, err := c.row("SELECT id, text FROM kept WHERE id = ?", func(row *statement) { number, own = row.number(0), row.text(1) }, c.lastRow()); err != nil || !there || number != c.lastRow() || own != text {
			rt.Fatalf("the writer itself reads %d %.40q, error %v", number, own, err)
		}
	})
}

// Somebody else changes the schema, and SQLite compiles a statement anew with the arguments
// that it was given.
func TestArgumentsOutliveAChangeOfTheSchema(t *testing.T) {
	c, path := connected(t)
	for n, change := range []string{"CREATE TABLE one (id INTEGER)", "CREATE INDEX two ON kept (number)", "ALTER TABLE kept ADD COLUMN three ANY"} {
		text := strings.Repeat("x", keptRoom*(2-n))
		if err := c.execute("INSERT INTO kept (number, text, bytes, yes) VALUES (?, ?, ?, ?)", n, text, []byte(text), false); err != nil {
			t.Fatal(err)
		}
		other(t, path, change)
		there, err := c.row("SELECT length(text) + length(bytes) FROM kept WHERE number = ? AND text = ?", func(row *statement) {
			if row.number(0) != int64(2*len(text)) {
				t.Errorf("%d bytes are stored, want %d", row.number(0), 2*len(text))
			}
		}, n, text)
		if err != nil || !there {
			t.Errorf("row %d: found %v, error %v", n, there, err)
		}
	}
}

// A statement that can't be run says why, with SQLite's number, and the next one runs.
func TestAStatementThatFailsSaysWhy(t *testing.T) {
	c, _ := connected(t)
	const insert = "INSERT INTO kept (id, number, text, bytes, yes) VALUES (?, 1, 'x', x'', ?)"
	if err := c.execute(insert, 1, true); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		text string
		args []any
		code int
		says string
	}{
		{insert, []any{1, true}, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, "UNIQUE constraint failed: kept.id (1555)"},
		{"SELEKT", nil, sqlite3.SQLITE_ERROR, `near "SELEKT": syntax error (1)`},
		{insert, []any{2}, 0, "2 parameters is given 1"},
		{insert, []any{2, 1.5}, 0, "argument 2 of a statement: a float64"},
	} {
		err := c.execute(test.text, test.args...)
		code, _ := codeOf(err)
		if err == nil || code != test.code || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: error %v with the number %d, want %q with %d", test.text, err, code, test.says, test.code)
		}
		if err := c.execute("UPDATE kept SET number = number + 1"); err != nil || c.changes() != 1 {
			t.Errorf("after that: %d rows changed, error %v", c.changes(), err)
		}
	}
	if there, err := c.row("SELECT 1 WHERE 0", func(*statement) { t.Error("a row that is not there") }); there || err != nil {
		t.Errorf("no row: %v, error %v", there, err)
	}
}

// A file that somebody else holds is waited for, and then said to be busy.
func TestAFileThatAnotherHoldsIsBusy(t *testing.T) {
	directory := t.TempDir()
	s, err := reopen(t, directory)
	if err != nil {
		t.Fatal(err)
	}
	holder, err := sql.Open("sqlite", s.path())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := holder.Close(); err != nil {
			t.Error(err)
		}
	}()
	holder.SetMaxOpenConns(1)
	if _, err := holder.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	if err := s.Check(t.Context()); FaultOf(err) != Busy || !strings.Contains(err.Error(), "another program keeps the store") {
		t.Errorf("while it is held: %v", err)
	}
	if _, err := holder.ExecContext(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if err := s.Check(t.Context()); err != nil {
		t.Errorf("once it is free: %v", err)
	}
}

func TestAFileThatIsNotThereIsNotOpened(t *testing.T) {
	if _, err := openWriting(filepath.Join(t.TempDir(), "none")); FaultOf(err) != Unopened {
		t.Errorf("opening a file that is not there: %v", err)
	}
}
