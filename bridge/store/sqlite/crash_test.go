package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A copy of file and log, made while writes go on, is what a crash leaves: it is whole, and
// holds each write that had returned by then.
func TestACrashLosesNoWriteThatHasReturned(t *testing.T) {
	directory := t.TempDir()
	path := filepath.Join(directory, "notes.db")
	db, err := Open(t.Context(), path, Options{Migrations: notes})
	if err != nil {
		t.Fatal(err)
	}
	// A checkpoint would change the file while it is copied: here they come in between.
	db.checkpointer.close()
	ctx, stop := context.WithCancel(t.Context())
	var writers sync.WaitGroup
	var returned atomic.Int64
	for writer := range 8 {
		writers.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				err := db.Write(t.Context(), func(tx Tx) error {
					return tx.Exec("INSERT INTO notes (name, content) VALUES (?, ?)", fmt.Sprintf("%d-%d", writer, n), make([]byte, 16<<10))
				})
				if err != nil {
					t.Error(err)
					return
				}
				returned.Add(1)
			}
		})
	}
	for copied := range 5 {
		if err := errors.Join(db.checkpointer.beside(t.Context()), db.writer.checkpoint(t.Context())); err != nil {
			t.Error(err)
		}
		for before := returned.Load(); returned.Load() < before+400; {
			time.Sleep(time.Millisecond)
		}
		checkCopy(t, db, path, filepath.Join(directory, fmt.Sprint("copy", copied)), &returned)
	}
	stop()
	writers.Wait()
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}

// checkCopy copies the file between two transactions, opens the copy and looks into it.
func checkCopy(t *testing.T, db *DB, path, to string, returned *atomic.Int64) {
	t.Helper()
	atLeast := int64(0)
	err := db.Write(t.Context(), func(Tx) error {
		atLeast = returned.Load()
		for _, ending := range []string{"", "-wal"} {
			content, err := os.ReadFile(path + ending)
			if err := errors.Join(err, os.WriteFile(to+ending, content, 0o600)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	crashed, err := Open(t.Context(), to, Options{Migrations: notes})
	if err != nil {
		t.Fatal(err)
	}
	verdict, count := "", int64(0)
	err = errors.Join(
		crashed.Read(t.Context(), "PRAGMA integrity_check", func(row Row) error { return row.Scan(&verdict) }),
		crashed.Read(t.Context(), "SELECT COUNT(*) FROM notes", func(row Row) error { return row.Scan(&count) }), crashed.Close())
	if err != nil || verdict != "ok" || count < atLeast {
		t.Errorf("the copy is %q and holds %d writes of %d that had returned, error %v", verdict, count, atLeast, err)
	}
}

// However large the writes are, the log is begun again: fewer than countEvery of them fill it.
func TestLargeWritesDoNotMakeTheLogLong(t *testing.T) {
	db := openNotes(t, Options{})
	longest := 0
	for n := range countEvery - 1 {
		err := db.Write(t.Context(), func(tx Tx) error {
			return tx.Exec("INSERT INTO notes (name, content) VALUES (?, ?)", fmt.Sprint(n), make([]byte, 2<<20))
		})
		if err != nil {
			t.Fatal(err)
		}
		// A log that is in the file as a whole is begun again by the next write.
		if pages, moved := logPages(t, db); moved < pages {
			longest = max(longest, pages)
		}
	}
	if written := (countEvery - 1) * 512; longest > written/2 {
		t.Errorf("the log had %d pages, and %d were written", longest, written)
	}
}

func TestOpeningEndsWithItsContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notes.db")
	endless := append(notes[:1:1], "CREATE TABLE counted AS WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n) SELECT i FROM n LIMIT 1000000000000")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if db, err := Open(ctx, path, Options{Migrations: endless}); !errors.Is(err, context.DeadlineExceeded) || Classify(err) != NoFault {
		t.Fatalf("opened %v with %v", db, err)
	}
	// The migration that was broken off left nothing.
	db, err := Open(t.Context(), path, Options{Migrations: notes})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(insert(t.Context(), db, "a"), db.Close()); err != nil {
		t.Error(err)
	}
}

// The disk that damages a file may hang as well: only the one that came across the damage
// waits for the note about it.
func TestADamageThatCannotBeNotedHoldsUpNoOther(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	db := openNotes(t, Options{Damaged: func(error) { close(entered); <-release }})
	found := make(chan error, 1)
	go func() { found <- db.ReportDamage(ErrDamaged) }()
	<-entered
	if err := insert(t.Context(), db, "a"); Classify(err) != Damaged {
		t.Errorf("a write: %v", err)
	}
	if err := db.Read(t.Context(), "SELECT 1", nil); Classify(err) != Damaged {
		t.Errorf("a read: %v", err)
	}
	close(release)
	if err := <-found; !errors.Is(err, ErrDamaged) {
		t.Error(err)
	}
}
