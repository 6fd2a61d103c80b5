package rescue_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"kontur-ari/bridge/store/rescue"
	"kontur-ari/bridge/store/sqlite"
)

// errCause is what the callers of these tests found wrong with the file.
var errCause = errors.New("a read found damage")

func TestAWholeFileIsCopiedRowForRow(t *testing.T) {
	path := filepath.Join(t.TempDir(), "archive.db")
	filled(t, path)
	conn, err := sqlite.OpenConn(path, sqlite.ModeWrite)
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		conn.Exec("INSERT INTO letters VALUES (?, ?, ?)", int64(-1<<63), "", "Привет\x00, \"world\"\n"),
		conn.Exec("INSERT INTO visits VALUES (?, ?, ?)", "zero bytes", int64(1<<62), []byte{0, 0xff, 0}),
		conn.Exec("INSERT INTO visits VALUES (?, ?, ?)", "no bytes", 0, []byte{}),
		conn.Exec("INSERT INTO forms VALUES (?, ?)", int64(1<<40), []byte(`null`)),
		conn.Close(),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	want := allStoredIn(t, path)
	damage := run(t, planFor(path))
	for table, rows := range allStoredIn(t, path) {
		checkRows(t, table, rows, want[table])
		if damage.Saved[table] != len(rows) {
			t.Errorf("%d rows of %s are counted, want %d", damage.Saved[table], table, len(rows))
		}
	}
	if len(damage.Unreadable) > 0 || damage.Cause != errCause || !damage.Found.Equal(moment) {
		t.Errorf("the damage is %+v", damage)
	}
}

func TestTheRescuedFileIsSoundAndOfTheLastVersion(t *testing.T) {
	path := filepath.Join(t.TempDir(), "archive.db")
	filled(t, path)
	overwrite(t, path, leavesOf(t, path, "forms")[1])
	run(t, planFor(path))
	conn, err := sqlite.OpenConn(path, sqlite.ModeRead)
	if err != nil {
		t.Fatal(err)
	}
	verdict := ""
	_, err = conn.First("PRAGMA integrity_check", func(row sqlite.Row) error { return row.Scan(&verdict) })
	if version, versionErr := conn.Version(); err != nil || versionErr != nil || verdict != "ok" || version != len(migrations) {
		t.Errorf("%q, version %d, errors %v %v", verdict, version, err, versionErr)
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
}

// The two tables are kept in b-trees of different kinds.
func TestADamagedPageCostsTheRowsOnItAlone(t *testing.T) {
	for table, mark := range map[string]string{"letters": "letter ", "visits": "visit "} {
		for name, choose := range map[string]func([]int64) int64{
			"first":  func(leaves []int64) int64 { return leaves[0] },
			"middle": func(leaves []int64) int64 { return leaves[len(leaves)/2] },
			"last":   func(leaves []int64) int64 { return leaves[len(leaves)-1] },
		} {
			t.Run(table+"/"+name, func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "archive.db")
				filled(t, path)
				want := allStoredIn(t, path)
				number := choose(leavesOf(t, path, table))
				before := len(want[table])
				want[table] = outside(t, read(t, path), want[table], mark, number)
				if lost := before - len(want[table]); lost == 0 || lost > before/2 {
					t.Fatalf("page %d has %d rows of %d", number, lost, before)
				}
				overwrite(t, path, number)
				damage := run(t, planFor(path))
				for table, rows := range allStoredIn(t, path) {
					checkRows(t, table, rows, want[table])
					if damage.Saved[table] != len(want[table]) {
						t.Errorf("%d rows of %s are counted, want %d", damage.Saved[table], table, len(want[table]))
					}
				}
				if !slices.Equal(damage.Unreadable, []string{table}) {
					t.Errorf("unreadable are %v, want %s alone", damage.Unreadable, table)
				}
			})
		}
	}
}

// A table is read from its beginning and from its end, to the first damage from either side.
func TestRowsBetweenTwoDamagedPagesAreLost(t *testing.T) {
	path := filepath.Join(t.TempDir(), "archive.db")
	filled(t, path)
	leaves := leavesOf(t, path, "letters")
	want := outside(t, read(t, path), storedIn(t, path, "letters"), "letter ", leaves[1:4]...)
	overwrite(t, path, leaves[1], leaves[3])
	damage := run(t, planFor(path))
	checkRows(t, "letters", storedIn(t, path, "letters"), want)
	if !slices.Equal(damage.Unreadable, []string{"letters"}) {
		t.Errorf("unreadable are %v, want letters alone", damage.Unreadable)
	}
}

func TestATableWithoutItsRootIsLostAndTheOthersAreNot(t *testing.T) {
	path := filepath.Join(t.TempDir(), "archive.db")
	filled(t, path)
	want := allStoredIn(t, path)
	want["forms"] = nil
	for _, p := range pagesOf(t, path) {
		if p.table == "forms" && !p.leaf {
			overwrite(t, path, p.number)
		}
	}
	damage := run(t, planFor(path))
	for table, rows := range allStoredIn(t, path) {
		checkRows(t, table, rows, want[table])
	}
	if !slices.Equal(damage.Unreadable, []string{"forms"}) {
		t.Errorf("unreadable are %v, want forms alone", damage.Unreadable)
	}
}

func TestOfAFileWithoutItsBeginningAllTablesAreNamed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "archive.db")
	filled(t, path)
	overwrite(t, path, 1)
	damage := run(t, planFor(path))
	for table, rows := range allStoredIn(t, path) {
		checkRows(t, table, rows, nil)
	}
	if !slices.Equal(damage.Unreadable, tableNames) || len(damage.Saved) > 0 {
		t.Errorf("the damage is %+v", damage)
	}
}

func TestRowsWhoseDocumentIsNoJSONAreLeftOut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "archive.db")
	create(t, path, 2, `INSERT INTO forms VALUES
		(1, CAST('{"kind":"first"}' AS BLOB)), (2, CAST('{"kind":' AS BLOB)), (3, x''), (4, x'00ff'), (5, CAST('[5]' AS BLOB));
		INSERT INTO letters (id, body) VALUES (1, '{"kind":');`)
	damage := run(t, planFor(path))
	checkRows(t, "forms", storedIn(t, path, "forms"), []string{
		fmt.Sprintf("%#v", []any{int64(1), []byte(`{"kind":"first"}`)}),
		fmt.Sprintf("%#v", []any{int64(5), []byte(`[5]`)}),
	})
	if damage.Saved["forms"] != 2 || damage.Saved["letters"] != 1 || !slices.Equal(damage.Unreadable, []string{"forms"}) {
		t.Errorf("the damage is %+v", damage)
	}
}

func TestOfATableForSupportTheNewestRowsAreCopied(t *testing.T) {
	path := filepath.Join(t.TempDir(), "archive.db")
	filled(t, path)
	want := allStoredIn(t, path)
	plan := planFor(path)
	plan.NewestRows = 7
	damage := run(t, plan)
	checkRows(t, "lines", storedIn(t, path, "lines"), want["lines"][53:])
	checkRows(t, "letters", storedIn(t, path, "letters"), want["letters"])
	if damage.Saved["lines"] != 7 || len(damage.Unreadable) > 0 {
		t.Errorf("the damage is %+v; what stays in the damaged file on purpose is not lost", damage)
	}
}

func TestOfATableForSupportTheRowsBeforeTheDamageAreLost(t *testing.T) {
	path := filepath.Join(t.TempDir(), "archive.db")
	filled(t, path)
	leaves := leavesOf(t, path, "lines")
	want := outside(t, read(t, path), storedIn(t, path, "lines"), "line ", leaves[:len(leaves)-1]...)
	overwrite(t, path, leaves[len(leaves)-2])
	damage := run(t, planFor(path))
	checkRows(t, "lines", storedIn(t, path, "lines"), want)
	if len(want) == 0 || !slices.Equal(damage.Unreadable, []string{"lines"}) {
		t.Errorf("%d rows are on the last page; unreadable are %v", len(want), damage.Unreadable)
	}
}

func TestAFileOfAnOlderVersionLacksNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "archive.db")
	create(t, path, 1, `INSERT INTO letters (id, body) VALUES (3, 'old'); INSERT INTO forms VALUES (4, CAST('{"kind":"k"}' AS BLOB))`)
	damage := run(t, planFor(path))
	want := map[string][]string{
		"letters": {fmt.Sprintf("%#v", []any{int64(3), "old", "none"})},
		"forms":   {fmt.Sprintf("%#v", []any{int64(4), []byte(`{"kind":"k"}`)})},
	}
	for table, rows := range allStoredIn(t, path) {
		checkRows(t, table, rows, want[table])
	}
	if len(damage.Unreadable) > 0 {
		t.Errorf("%v are no tables of version 1, or whole", damage.Unreadable)
	}
}

// A damaged schema can give any of these.
func TestATableThatIsNotWhatItWasIsNamed(t *testing.T) {
	row := func(id int64, body, stamp string) string { return fmt.Sprintf("%#v", []any{id, body, stamp}) }
	for name, test := range map[string]struct {
		script string
		want   []string
	}{
		"it is missing":            {`DROP TABLE letters`, nil},
		"it has no key":            {`ALTER TABLE letters RENAME COLUMN id TO other; INSERT INTO letters VALUES (1, 'a', 'b')`, nil},
		"a number is a text":       {`DROP TABLE letters; CREATE TABLE letters (id, body, stamp); INSERT INTO letters VALUES (1, 'a', 'b'), ('two', 'c', 'd'), (3, 'e', 'f')`, []string{row(1, "a", "b"), row(3, "e", "f")}},
		"a text is a blob":         {`DROP TABLE letters; CREATE TABLE letters (id, body, stamp); INSERT INTO letters VALUES (1, 'a', 'b'), (2, x'00', 'd')`, []string{row(1, "a", "b")}},
		"a text is missing":        {`DROP TABLE letters; CREATE TABLE letters (id, body, stamp); INSERT INTO letters VALUES (1, NULL, 'b'), (2, 'c', 'd')`, []string{row(2, "c", "d")}},
		"a key comes twice":        {`DROP TABLE letters; CREATE TABLE letters (id, body, stamp); INSERT INTO letters VALUES (1, 'a', 'b'), (1, 'c', 'd')`, []string{row(1, "a", "b")}},
		"it can't be computed":     {`DROP TABLE letters; CREATE VIEW letters AS SELECT 1 AS id, 'a' AS body, json('{') AS stamp`, nil},
		"it is of another program": {`PRAGMA user_version = 7; DROP TABLE letters`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "archive.db")
			create(t, path, 2, test.script+`; INSERT INTO lines (id, line) VALUES (1, 'whole')`)
			damage := run(t, planFor(path))
			checkRows(t, "letters", storedIn(t, path, "letters"), test.want)
			if !slices.Equal(damage.Unreadable, []string{"letters"}) && name != "it is of another program" {
				t.Errorf("unreadable are %v, want letters alone", damage.Unreadable)
			}
			if !slices.Contains(damage.Unreadable, "letters") || damage.Saved["letters"] != len(test.want) || damage.Saved["lines"] != 1 {
				t.Errorf("the damage is %+v", damage)
			}
		})
	}
}

func TestAMissingBlobBecomesAnEmptyOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "archive.db")
	create(t, path, 2, `DROP TABLE visits; CREATE TABLE visits (name, length, photo); INSERT INTO visits VALUES ('a', 1, NULL)`)
	run(t, planFor(path))
	checkRows(t, "visits", storedIn(t, path, "visits"), []string{fmt.Sprintf("%#v", []any{"a", int64(1), []byte{}})})
}

func TestWhatOnlyTheLogHoldsIsCopied(t *testing.T) {
	from, path := filepath.Join(t.TempDir(), "running.db"), filepath.Join(t.TempDir(), "archive.db")
	conn, err := sqlite.OpenConn(from, sqlite.ModeCreate, "journal_mode(WAL)", "wal_autocheckpoint(0)")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(sqlite.Migrate(conn, migrations), conn.Exec("PRAGMA wal_checkpoint(TRUNCATE)"), conn.Exec("INSERT INTO letters VALUES (1, 'late', 'a')")); err != nil {
		t.Fatal(err)
	}
	// A process that was killed leaves both files as they are now.
	log := read(t, from+"-wal")
	write(t, path, read(t, from))
	write(t, path+"-wal", log)
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	damage := run(t, planFor(path))
	checkRows(t, "letters", storedIn(t, path, "letters"), []string{fmt.Sprintf("%#v", []any{int64(1), "late", "a"})})
	if kept := read(t, damage.Aside+"-wal"); string(kept) != string(log) {
		t.Errorf("the log beside the damaged file has %d bytes, want the same %d as before", len(kept), len(log))
	}
}

func TestWhatCompletesACopyKnowsWhatWasCopiedAndWritesInTheSameFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "archive.db")
	filled(t, path)
	leaves := leavesOf(t, path, "letters")
	overwrite(t, path, leaves[len(leaves)-1])
	copied := 0
	plan := planFor(path)
	plan.Complete = func(c *rescue.Copy) error {
		_, err := c.To.First("SELECT COUNT(*) FROM letters", func(row sqlite.Row) error { return row.Scan(&copied) })
		_, named := c.Highest["visits"]
		if c.Highest["letters"] != int64(copied) || c.Highest["lines"] != 60 || named {
			t.Errorf("the highest keys are %v after %d letters", c.Highest, copied)
		}
		if c.Damage.Saved["letters"] != copied || !slices.Equal(c.Damage.Unreadable, []string{"letters"}) {
			t.Errorf("the damage so far is %+v", c.Damage)
		}
		lines := 0
		_, readErr := c.From.First("SELECT COUNT(*) FROM lines", func(row sqlite.Row) error { return row.Scan(&lines) })
		if changed := c.From.Exec("DELETE FROM lines"); lines != 60 || changed == nil {
			t.Errorf("the damaged file has %d lines, and may be changed: error %v", lines, changed)
		}
		return errors.Join(err, readErr, c.To.Exec("INSERT INTO letters (id, body) VALUES (1000, 'completed')"))
	}
	run(t, plan)
	rows := storedIn(t, path, "letters")
	if want := fmt.Sprintf("%#v", []any{int64(1000), "completed", "none"}); len(rows) != copied+1 || rows[len(rows)-1] != want {
		t.Errorf("%d letters, the last is %s, want %s after %d others", len(rows), rows[len(rows)-1], want, copied)
	}
}
