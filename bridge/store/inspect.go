package store

import (
	"context"
	"fmt"
	"runtime"
	"syscall"

	"kontur-ari/bridge/store/rescue"
	"kontur-ari/bridge/store/sqlite"
)

// lowest is the priority of what no caller waits for.
const lowest = 19

// Inspect looks at the whole file for damage, which is more than Open has time for. Its error
// matches [bridge.ErrStoreDamaged] where it finds some, and [Store.Damaged] is closed then. It
// takes a while, and gives way to everything else on this machine. It ends early, without an
// error, when ctx does. Call it once.
func (s *Store) Inspect(ctx context.Context) error {
	done := make(chan error, 1)
	go func() {
		// The thread is not given back: it ends with this goroutine, and its priority with it.
		runtime.LockOSThread()
		if err := syscall.Setpriority(syscall.PRIO_PROCESS, 0, lowest); err != nil {
			done <- fmt.Errorf("looking for damage at a low priority: %w", err)
			return
		}
		done <- s.inspect(ctx)
	}()
	return <-done
}

// inspect looks at one table after the other: a read that lasts keeps the write-ahead log from
// being emptied.
func (s *Store) inspect(ctx context.Context) error {
	for _, table := range tables {
		err := s.inspectTable(ctx, table)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("looking for damage: %w", explain(s.directory, s.db.ReportDamage(err)))
		}
	}
	return nil
}

func (s *Store) inspectTable(ctx context.Context, table rescue.Table) error {
	checks := []string{"PRAGMA quick_check('" + table.Name + "')"}
	if table.Document != "" {
		checks = append(checks, fmt.Sprintf("SELECT 'it is no JSON any more' FROM %s WHERE NOT json_valid(%s) LIMIT 1", table.Name, table.Document))
	}
	for _, check := range checks {
		var found []string
		err := s.db.ReadUnreported(ctx, check, func(row sqlite.Row) error {
			text, err := scanOne[string](row)
			found = append(found, text)
			return err
		})
		switch {
		case err == nil && (len(found) == 0 || found[0] == "ok"):
			continue
		case err == nil:
			return fmt.Errorf("table %s: %w: %s", table.Name, sqlite.ErrDamaged, found[0])
		case sqlite.IsStatementError(err):
			// It could not compute a column, since what that comes of is no JSON any more.
			return fmt.Errorf("table %s: %w: %w", table.Name, sqlite.ErrDamaged, err)
		}
		return fmt.Errorf("table %s: %w", table.Name, err)
	}
	return nil
}
