package store

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"syscall"

	sqlite3 "modernc.org/sqlite/lib"
)

// lowest is the priority of what nobody waits for.
const lowest = 19

// Inspect looks at the whole file for damage, which is more than Open has time for, and
// has it replaced if there is any. It takes a while, and gives way to everything else
// on this machine; it ends early when ctx does. Call it once.
func (s *Store) Inspect(ctx context.Context) error {
	done := make(chan error, 1)
	go func() {
		// The thread is not given back: it ends with this goroutine, and its priority
		// with it.
		runtime.LockOSThread()
		if err := syscall.Setpriority(syscall.PRIO_PROCESS, 0, lowest); err != nil {
			done <- fmt.Errorf("looking for damage at a low priority: %w", err)
			return
		}
		done <- s.inspect(ctx)
	}()
	return <-done
}

// inspect looks at one table after the other: a read that lasts keeps the write-ahead
// log from being emptied.
func (s *Store) inspect(ctx context.Context) error {
	for _, t := range salvaged {
		if s.guard.wait(ctx) != nil {
			return nil // It is called off.
		}
		from := s.reader()
		found, err := collect(ctx, from, "PRAGMA quick_check('"+t.table+"')", scanText, nil)
		if err == nil && (len(found) == 0 || found[0] == "ok") && t.document != "" {
			found, err = collect(ctx, from, fmt.Sprintf("SELECT 'it is no JSON any more' FROM %s WHERE NOT json_valid(%s) LIMIT 1", t.table, t.document), scanText, nil)
		}
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil && (len(found) == 0 || found[0] == "ok"):
			continue
		case err == nil:
			err = errors.New(found[0])
		case FaultOf(err) != Damaged && !unreadableContent(err):
			if s.reader() != from {
				return nil // Replaced meanwhile: the new one is whole.
			}
			return fmt.Errorf("looking for damage: %w", explain(s.directory, err))
		}
		if err := s.committer.replace(ctx, from, fmt.Errorf("table %s: %w", t.table, err)); err != nil {
			return fmt.Errorf("looking for damage: %w", explain(s.directory, err))
		}
		return nil
	}
	return nil
}

func scanText(row scanner) (text string, err error) { return text, row.Scan(&text) }

// unreadableContent holds for the error of a statement that could not compute a column,
// since what it comes of is no JSON any more.
func unreadableContent(err error) bool {
	code, ok := codeOf(err)
	return ok && code&0xff == sqlite3.SQLITE_ERROR
}
