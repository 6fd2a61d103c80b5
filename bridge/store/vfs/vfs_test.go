package vfs_test

import (
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "modernc.org/sqlite"
	"pgregory.net/rapid"

	"kontur-ari/bridge/store/vfs"
)

// open opens a file, through the layer or, where there is no name of one, past it. The
// cache is so small that large transactions go to the log before they are committed.
func open(t testing.TB, path, layer string) *sql.DB {
	t.Helper()
	settings := url.Values{"_pragma": {"journal_mode(WAL)", "synchronous(FULL)", "cache_size(10)", "busy_timeout(5000)"}}
	if layer != "" {
		settings.Set("vfs", layer)
	}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: path, RawQuery: settings.Encode()}).String())
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
	})
	return db
}

func register(t testing.TB) string {
	t.Helper()
	name, err := vfs.Register()
	if err != nil {
		t.Fatal(err)
	}
	return name
}

func execute(t testing.TB, db *sql.DB, text string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), text, args...); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

// content is all that a file holds, and what SQLite says about it.
func content(t testing.TB, db *sql.DB) string {
	t.Helper()
	var rows int
	var sum sql.NullString
	if err := db.QueryRowContext(t.Context(), "SELECT COUNT(*), GROUP_CONCAT(id || ':' || LENGTH(text) || SUBSTR(text, 1, 9), ',') FROM (SELECT * FROM kept ORDER BY id)").Scan(&rows, &sum); err != nil {
		t.Fatal(err)
	}
	var verdict string
	if err := db.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&verdict); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(rows, sum.String, verdict)
}

// Whatever is written: a file behind the layer holds what one past it does, for others
// that read it, and in a copy of what is on the disk after a commit.
func TestTheLayerChangesNothing(t *testing.T) {
	layer := register(t)
	rapid.Check(t, func(rt *rapid.T) {
		directory, err := os.MkdirTemp(t.TempDir(), "")
		if err != nil {
			t.Fatal(err)
		}
		layered, plain := filepath.Join(directory, "layered"), filepath.Join(directory, "plain")
		writers := []*sql.DB{open(t, layered, layer), open(t, plain, "")}
		reader, other := open(t, layered, layer), open(t, layered, "")
		for _, db := range writers {
			execute(t, db, "CREATE TABLE kept (id INTEGER PRIMARY KEY, text TEXT NOT NULL)")
		}
		for range rapid.IntRange(1, 12).Draw(rt, "transactions") {
			steps := rapid.SliceOfN(rapid.Custom(drawStep), 1, 30).Draw(rt, "steps")
			end := rapid.SampledFrom([]string{"COMMIT", "COMMIT", "ROLLBACK", "COMMIT; PRAGMA wal_checkpoint(PASSIVE)", "COMMIT; PRAGMA wal_checkpoint(TRUNCATE)"}).Draw(rt, "end")
			for _, db := range writers {
				execute(t, db, "BEGIN IMMEDIATE")
				for _, s := range steps {
					execute(t, db, s.text, s.args...)
				}
				execute(t, db, end)
			}
			wanted := content(t, writers[1])
			for name, db := range map[string]*sql.DB{"the writer": writers[0], "a reader through the layer": reader, "a reader past it": other, "a copy of the files": copied(t, layered)} {
				if got := content(t, db); got != wanted {
					rt.Fatalf("%s sees %.200s and not %.200s", name, got, wanted)
				}
			}
		}
	})
}

// step is a statement.
type step struct {
	text string
	args []any
}

func drawStep(t *rapid.T) step {
	id := rapid.IntRange(1, 40).Draw(t, "id")
	text := strings.Repeat(rapid.StringMatching("[a-z]{3}").Draw(t, "word"), rapid.SampledFrom([]int{1, 400, 1500, 30000}).Draw(t, "times"))
	return rapid.SampledFrom([]step{
		{"INSERT OR REPLACE INTO kept (id, text) VALUES (?, ?)", []any{id, text}},
		{"UPDATE kept SET text = text || ? WHERE id >= ?", []any{text[:3], id}},
		{"DELETE FROM kept WHERE id = ?", []any{id}},
		{"SAVEPOINT inner; DELETE FROM kept; INSERT INTO kept (text) VALUES (?1 || ?1); ROLLBACK TO inner; RELEASE inner", []any{text}},
	}).Draw(t, "step")
}

// copied is what a crash would leave: the files as they are now.
func copied(t testing.TB, path string) *sql.DB {
	t.Helper()
	directory := t.TempDir()
	for _, ending := range []string{"", "-wal"} {
		data, err := os.ReadFile(path + ending)
		if err == nil {
			err = os.WriteFile(filepath.Join(directory, "copy"+ending), data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return open(t, filepath.Join(directory, "copy"), "")
}

// What does not fit on the disk is not committed, and what was committed before stays.
func TestWhatCannotBeWrittenIsNotCommitted(t *testing.T) {
	layer := register(t)
	path := filepath.Join(t.TempDir(), "file")
	db := open(t, path, layer)
	execute(t, db, "CREATE TABLE kept (id INTEGER PRIMARY KEY, text TEXT NOT NULL)")
	execute(t, db, "INSERT INTO kept (text) VALUES ('before')")
	before := content(t, db)
	failed := false
	// The log may not grow by what the insert needs.
	limited(t, path+"-wal", func() {
		_, err := db.ExecContext(t.Context(), "INSERT INTO kept (text) VALUES (?)", strings.Repeat("x", 20_000))
		failed = err != nil
	})
	if !failed {
		t.Error("more was committed than there was room for")
	}
	if after := content(t, db); after != before {
		t.Errorf("the file holds %s, held %s", after, before)
	}
	execute(t, db, "INSERT INTO kept (text) VALUES ('after')")
	if got := content(t, copied(t, path)); !strings.HasPrefix(got, "2") || !strings.HasSuffix(got, "ok") {
		t.Errorf("after there was room again: %s", got)
	}
}

// What a transaction that was rolled back has left is not written over what another has
// committed since, as long as nothing goes to the log before a transaction's end.
func TestWhatWasRolledBackIsNotWrittenLater(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	db, other := open(t, path, register(t)), open(t, path, "")
	execute(t, db, "PRAGMA cache_spill = OFF")
	execute(t, db, "CREATE TABLE kept (id INTEGER PRIMARY KEY, text TEXT NOT NULL)")
	for round := range 20 {
		execute(t, db, "PRAGMA wal_checkpoint(TRUNCATE)")
		execute(t, db, "BEGIN IMMEDIATE")
		for range 100 + 7*round {
			execute(t, db, "INSERT INTO kept (text) VALUES (?)", strings.Repeat("x", 3000))
		}
		if info, err := os.Stat(path + "-wal"); err != nil || info.Size() > 0 {
			t.Fatalf("the log holds %d bytes of a transaction that goes on, error %v", info.Size(), err)
		}
		execute(t, db, "ROLLBACK")
		for range 3 {
			execute(t, other, "INSERT INTO kept (text) VALUES (?)", strings.Repeat("y", 3000))
		}
		wanted := content(t, other)
		execute(t, db, "INSERT INTO kept (text) VALUES ('z')")
		execute(t, db, "DELETE FROM kept WHERE text = 'z'")
		for name, db := range map[string]*sql.DB{"through the layer": db, "past it": other, "in a copy": copied(t, path)} {
			if got := content(t, db); got != wanted || !strings.HasSuffix(got, "ok") {
				t.Fatalf("round %d, %s: %.100s, want %.100s", round, name, got, wanted)
			}
		}
	}
}

func TestWhatIsWrittenToALogIsCounted(t *testing.T) {
	directory, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(directory, "file")
	if before := vfs.Written(path); before != 0 {
		t.Errorf("%d bytes were written to a log that is not there", before)
	}
	db := open(t, path, register(t))
	execute(t, db, "CREATE TABLE kept (id INTEGER PRIMARY KEY, text TEXT NOT NULL)")
	for range 3 {
		execute(t, db, "INSERT INTO kept (text) VALUES (?)", strings.Repeat("x", 20_000))
		info, err := os.Stat(path + "-wal")
		if written := vfs.Written(path); err != nil || written != info.Size() {
			t.Errorf("%d bytes count as written to a log of %d, error %v", written, info.Size(), err)
		}
	}
	length := vfs.Written(path)
	execute(t, db, "PRAGMA wal_checkpoint(TRUNCATE)")
	execute(t, db, "INSERT INTO kept (text) VALUES ('x')")
	if written := vfs.Written(path); written <= length {
		t.Errorf("a log that was begun anew counts %d bytes, and had %d before", written, length)
	}
}
