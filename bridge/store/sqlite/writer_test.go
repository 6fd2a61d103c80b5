package sqlite

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

var notes = []string{"CREATE TABLE notes (name TEXT PRIMARY KEY, content BLOB NOT NULL DEFAULT x'') STRICT"}

func openNotes(t *testing.T, options Options) *DB {
	t.Helper()
	options.Migrations = notes
	db, err := Open(t.Context(), filepath.Join(t.TempDir(), "notes.db"), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func insert(ctx context.Context, db *DB, name string) error {
	return db.Write(ctx, func(tx Tx) error { return tx.Exec("INSERT INTO notes (name) VALUES (?)", name) })
}

func names(t *testing.T, db *DB) (names []string) {
	t.Helper()
	err := db.Read(t.Context(), "SELECT name FROM notes ORDER BY name", func(row Row) error {
		var name string
		err := row.Scan(&name)
		names = append(names, name)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// during submits writes while another write is being applied. It returns the error of each,
// that of the other first, and the number of transactions.
func during(t *testing.T, db *DB, submitted ...func() error) (errs []error, transactions int64) {
	t.Helper()
	before := db.Commits()
	begun, goOn := make(chan struct{}, 1), make(chan struct{})
	first := func() error {
		return db.Write(t.Context(), func(tx Tx) error {
			select {
			case begun <- struct{}{}:
			default:
			}
			<-goOn
			return tx.Exec("INSERT INTO notes (name) VALUES ('first')")
		})
	}
	ended := make([]chan error, 1+len(submitted))
	for i, submit := range append([]func() error{first}, submitted...) {
		ended[i] = make(chan error, 1)
		go func() { ended[i] <- submit() }()
		if i == 0 {
			<-begun
		}
	}
	for limit := time.Now().Add(10 * time.Second); len(db.writer.writes) < len(submitted); time.Sleep(time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatalf("%d of %d writes wait", len(db.writer.writes), len(submitted))
		}
	}
	close(goOn)
	for _, one := range ended {
		errs = append(errs, <-one)
	}
	return errs, db.Commits() - before
}

func TestWritesThatComeDuringATransactionShareIt(t *testing.T) {
	db := openNotes(t, Options{})
	var writes []func() error
	for n := range 20 {
		writes = append(writes, func() error { return insert(context.Background(), db, fmt.Sprint("note", n)) })
	}
	errs, transactions := during(t, db, writes...)
	if err := errors.Join(errs...); err != nil || transactions != 1 || len(names(t, db)) != 21 {
		t.Errorf("%d transactions for %d notes, error %v", transactions, len(names(t, db)), err)
	}
}

func TestAWriteThatFailsTakesNoOtherWithIt(t *testing.T) {
	db := openNotes(t, Options{})
	inserted := func(name string) func() error {
		return func() error { return insert(context.Background(), db, name) }
	}
	errs, transactions := during(t, db, inserted("second"), inserted("first"), inserted("third"), inserted("first"))
	if errs[2] == nil || errs[4] == nil || errors.Join(errs[0], errs[1], errs[3]) != nil || len(names(t, db)) != 3 {
		t.Errorf("%d notes, errors %v", len(names(t, db)), errs)
	}
	if transactions != 1 {
		t.Errorf("the others took %d transactions, want 1", transactions)
	}
}

func TestAWriteWhoseCallerHasGoneIsNotBegun(t *testing.T) {
	db := openNotes(t, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	errs, _ := during(t, db, func() error { return insert(context.Background(), db, "second") }, func() error {
		return insert(ctx, db, "gone")
	}, func() error {
		for len(db.writer.writes) < 2 {
			time.Sleep(time.Millisecond)
		}
		cancel()
		return insert(context.Background(), db, "third")
	})
	if !errors.Is(errs[2], context.Canceled) || errors.Join(errs[0], errs[1], errs[3]) != nil || len(names(t, db)) != 3 {
		t.Errorf("notes %v, errors %v", names(t, db), errs)
	}
}

// A cache of what was written must be dropped before the next write is applied.
func TestARollbackIsSaidBeforeTheNextWrite(t *testing.T) {
	rolledBack := 0
	db := openNotes(t, Options{RolledBack: func() { rolledBack++ }})
	errBroken := errors.New("broken")
	if err := db.Write(t.Context(), func(tx Tx) error { return errors.Join(tx.Exec("INSERT INTO notes (name) VALUES ('a')"), errBroken) }); !errors.Is(err, errBroken) {
		t.Errorf("the write ends with %v", err)
	}
	seen := 0
	if err := db.Write(t.Context(), func(tx Tx) error { seen = rolledBack; return nil }); err != nil || seen != 1 {
		t.Errorf("%d rollbacks were said, error %v", seen, err)
	}
	if left := names(t, db); len(left) > 0 {
		t.Errorf("%v is left of what was rolled back", left)
	}
}

func TestOnceItIsDamagedAFileIsNotUsed(t *testing.T) {
	var causes []error
	db := openNotes(t, Options{Damaged: func(cause error) { causes = append(causes, cause) }})
	if err := insert(t.Context(), db, "before"); err != nil {
		t.Fatal(err)
	}
	found := fmt.Errorf("it makes no sense: %w", ErrDamaged)
	for range 2 {
		if err := db.Read(t.Context(), "SELECT name FROM notes", func(Row) error { return found }); !errors.Is(err, ErrDamaged) {
			t.Errorf("the read that found it: %v", err)
		}
	}
	if err := insert(t.Context(), db, "after"); !errors.Is(err, found) {
		t.Errorf("a write after it: %v", err)
	}
	if len(causes) != 1 || !errors.Is(causes[0], found) {
		t.Errorf("said: %v", causes)
	}
}

func TestAReadEndsWithItsContext(t *testing.T) {
	db := openNotes(t, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	const endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n"
	err := db.Read(ctx, endless, func(row Row) error {
		var x int
		if err := row.Scan(&x); x == 1000 {
			cancel()
		} else {
			return err
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("the read ends with %v", err)
	}
	if err := insert(t.Context(), db, "after"); err != nil || len(names(t, db)) != 1 {
		t.Errorf("after it: %v, error %v", names(t, db), err)
	}
}

func TestNothingIsWrittenAfterTheEnd(t *testing.T) {
	db, err := Open(t.Context(), filepath.Join(t.TempDir(), "notes.db"), Options{Migrations: notes})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := insert(t.Context(), db, "late"); !errors.Is(err, ErrClosed) {
		t.Errorf("a write after the end: %v", err)
	}
}

func logPages(t *testing.T, db *DB) (pages, moved int) {
	t.Helper()
	err := db.Read(t.Context(), "PRAGMA wal_checkpoint(NOOP)", func(row Row) error {
		busy := 0
		return row.Scan(&busy, &pages, &moved)
	})
	if err != nil {
		t.Fatal(err)
	}
	return pages, moved
}

func TestALogThatIsReadIsNotTakenForBroughtIn(t *testing.T) {
	db := openNotes(t, Options{})
	if err := insert(t.Context(), db, "a"); err != nil {
		t.Fatal(err)
	}
	err := db.Read(t.Context(), "SELECT name FROM notes", func(Row) error {
		if err := insert(t.Context(), db, "b"); err != nil {
			return err
		}
		if err := db.writer.checkpoint(t.Context()); !errors.Is(err, errInUse) {
			t.Errorf("while it is read: %v, want %v", err, errInUse)
		}
		return nil
	})
	if err := errors.Join(err, db.writer.checkpoint(t.Context())); err != nil {
		t.Errorf("when it is not read: %v", err)
	}
	if pages, moved := logPages(t, db); pages == 0 || pages != moved {
		t.Errorf("%d of %d pages are in the file", moved, pages)
	}
}

// A reader keeps the log from being begun again. The writer tries again after a while.
func TestALongLogIsBegunAgainOnceItIsNotRead(t *testing.T) {
	db := openNotes(t, Options{})
	grow := func() {
		err := db.Write(t.Context(), func(tx Tx) error {
			return tx.Exec("INSERT OR REPLACE INTO notes (name, content) VALUES ('large', ?)", []byte(strings.Repeat("x", 100*4096)))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := insert(t.Context(), db, "a"); err != nil {
		t.Fatal(err)
	}
	err := db.Read(t.Context(), "SELECT name FROM notes", func(Row) error {
		for range 3 * longLog / 100 {
			grow()
		}
		if pages, _ := logPages(t, db); pages < 3*longLog {
			t.Errorf("the log was begun again at %d pages although it is read", pages)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(30 * time.Second); ; {
		grow()
		pages, _ := logPages(t, db)
		if pages < longLog {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the log has %d pages", pages)
		}
	}
}

// The writer moves the pages of a short log into the file after a while.
func TestAShortLogIsBroughtIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, err := Open(t.Context(), filepath.Join(t.TempDir(), "notes.db"), Options{Migrations: notes})
		if err != nil {
			t.Fatal(err)
		}
		if err := insert(t.Context(), db, "a"); err != nil {
			t.Fatal(err)
		}
		if pages, moved := logPages(t, db); moved == pages {
			t.Errorf("%d of %d pages are in the file at once", moved, pages)
		}
		time.Sleep(checkpointEvery + time.Millisecond)
		synctest.Wait()
		if pages, moved := logPages(t, db); moved < pages {
			t.Errorf("%d of %d pages are in the file", moved, pages)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
}
