package sqlite

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// keptTable is a connection to a file with a table that takes anything, and another to it.
func keptTable(t *testing.T) (conn, other *Conn) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a ?%#.db")
	open := func(mode Mode, settings ...string) *Conn {
		c, err := OpenConn(path, mode, settings...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		})
		return c
	}
	conn = open(ModeCreate, "journal_mode(WAL)", "synchronous(OFF)")
	if err := conn.Script("CREATE TABLE kept (id INTEGER PRIMARY KEY, number ANY NOT NULL, text ANY NOT NULL, bytes ANY NOT NULL, yes ANY NOT NULL) STRICT"); err != nil {
		t.Fatal(err)
	}
	return conn, open(ModeWrite)
}

const insertKept = "INSERT INTO kept (number, text, bytes, yes) VALUES (?, ?, ?, ?)"

// What is written is read by another connection as it was, whatever its length, and nothing of
// it is NULL.
func TestArgumentsArriveAsTheyAre(t *testing.T) {
	conn, other := keptTable(t)
	long := rapid.SampledFrom([]int{0, 1, 7, 4000, 1 << 16, 3 << 16})
	rapid.Check(t, func(rt *rapid.T) {
		number, yes := rapid.Int64().Draw(rt, "number"), rapid.Bool().Draw(rt, "yes")
		text := strings.Repeat("x", long.Draw(rt, "length")) + rapid.String().Draw(rt, "text")
		content := append(bytes.Repeat([]byte{0}, long.Draw(rt, "length")), rapid.SliceOf(rapid.Byte()).Draw(rt, "bytes")...)
		if rapid.Bool().Draw(rt, "nil") {
			content = nil
		}
		if err := conn.Exec(insertKept, number, text, content, yes); err != nil {
			rt.Fatal(err)
		}
		var gotNumber int64
		var gotYes bool
		var gotText, types string
		var gotContent []byte
		found, err := other.First("SELECT number, text, bytes, yes, typeof(number) || typeof(text) || typeof(bytes) || typeof(yes) FROM kept WHERE id = ?", func(row Row) error {
			return row.Scan(&gotNumber, &gotText, &gotContent, &gotYes, &types)
		}, conn.LastInsertID())
		if err != nil || !found || gotNumber != number || gotText != text || !bytes.Equal(gotContent, content) || gotYes != yes || types != "integertextblobinteger" {
			rt.Fatalf("%d %.40q %.40x %v became %d %.40q %.40x %v of types %s, error %v", number, text, content, yes, gotNumber, gotText, gotContent, gotYes, types, err)
		}
	})
	if found, err := conn.First("SELECT 1 WHERE 0", func(Row) error { t.Error("a row that is not there"); return nil }); found || err != nil {
		t.Errorf("no row: %v %v", found, err)
	}
}

// Another connection changes the schema, and SQLite compiles a statement again with the
// arguments that it was given.
func TestArgumentsOutliveAChangeOfTheSchema(t *testing.T) {
	conn, other := keptTable(t)
	for n, change := range []string{"CREATE TABLE one (id INTEGER)", "CREATE INDEX two ON kept (number)", "ALTER TABLE kept ADD COLUMN three ANY"} {
		text := strings.Repeat("x", (2-n)<<16)
		if err := conn.Exec(insertKept, n, text, []byte(text), false); err != nil {
			t.Fatal(err)
		}
		if err := other.Script(change); err != nil {
			t.Fatal(err)
		}
		length := 0
		found, err := conn.First("SELECT length(text) + length(bytes) FROM kept WHERE number = ? AND text = ?", func(row Row) error { return row.Scan(&length) }, n, text)
		if err != nil || !found || length != 2*len(text) {
			t.Errorf("row %d: found %v with %d bytes, want %d, error %v", n, found, length, 2*len(text), err)
		}
	}
}

// A statement that can't be run says why, with SQLite's number, and the next one runs.
func TestAStatementThatFailsSaysWhy(t *testing.T) {
	conn, _ := keptTable(t)
	const insert = "INSERT INTO kept (id, number, text, bytes, yes) VALUES (?, 1, 'x', x'', ?)"
	if err := conn.Exec(insert, 1, true); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		text string
		args []any
		says string
	}{
		{insert, []any{1, true}, "UNIQUE constraint failed: kept.id (1555)"},
		{"SELEKT", nil, `near "SELEKT": syntax error (1)`},
		{insert, []any{2}, "2 parameters is given 1"},
		{insert, []any{2, struct{}{}}, "argument 2 of a statement: a struct {}"},
	} {
		if err := conn.Exec(test.text, test.args...); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: error %v, want %q", test.text, err, test.says)
		}
		if err := conn.Exec("UPDATE kept SET number = number + 1"); err != nil || conn.Changes() != 1 {
			t.Errorf("after that: %d rows changed, error %v", conn.Changes(), err)
		}
	}
}

func TestAFileThatAnotherConnectionHoldsIsBusy(t *testing.T) {
	path := filepath.Join(t.TempDir(), "held.db")
	holder, err := OpenConn(path, ModeCreate)
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Close()
	other, err := OpenConn(path, ModeCreate)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	other.SetBusyTimeout(time.Millisecond)
	if err := holder.Exec("BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	if err := other.Exec("BEGIN IMMEDIATE"); !IsBusy(err) || Classify(err) != Busy {
		t.Errorf("while another connection holds the file: %v", err)
	}
	if err := holder.Exec("COMMIT"); err != nil {
		t.Fatal(err)
	}
	if err := other.Script("BEGIN IMMEDIATE; COMMIT"); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}
