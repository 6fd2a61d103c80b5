package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store/sqlite"
)

// Trying implements [bridge.Outbox].
func (s *Store) Trying(ctx context.Context, ids []int64) error {
	list, err := json.Marshal(ids)
	if err != nil {
		return fmt.Errorf("writing the ids of reports: %w", err)
	}
	err = s.write(ctx, func(tx sqlite.Tx) error {
		return tx.Exec("UPDATE outbox SET uncertain = 2 WHERE uncertain = 0 AND id IN (SELECT value FROM json_each(?))", string(list))
	})
	if err != nil {
		return fmt.Errorf("noting that %d reports are about to be tried: %w", len(ids), err)
	}
	return nil
}

// lastWritten is the last moment at which the store is known to have been in use.
const lastWritten = `SELECT MAX(at) FROM (SELECT MAX(at) AS at FROM moments WHERE name IN ('checked', 'heard')
	UNION ALL SELECT * FROM (SELECT committed FROM outbox ORDER BY id DESC LIMIT 1)
	UNION ALL SELECT * FROM (SELECT settled FROM deliveries ORDER BY id DESC LIMIT 1))`

// leftBehind is what a process has left: when it wrote last, as far as is known, in
// milliseconds since 1970, and the highest id of its reports.
type leftBehind struct{ written, highest int64 }

// Doubt has the reports that may have been on their way when the last process ended
// count as tried, and as such that may have reached the CRM: those that were given to
// [Store.Trying] and, unless it called [Store.Stopped], every call-started that was
// committed within the time before. So a call-started that is older when it is tried must
// be given to Trying first. Call it once, before the first report is sent.
func (s *Store) Doubt(ctx context.Context, within time.Duration) error {
	err := s.write(ctx, func(tx sqlite.Tx) error {
		if err := tx.Exec("UPDATE outbox SET uncertain = 1 WHERE uncertain = 2"); err != nil {
			return err
		}
		// What this process has written meanwhile says nothing about the last one.
		err := tx.Exec(`UPDATE outbox SET uncertain = 1
			WHERE NOT EXISTS (SELECT 1 FROM moments WHERE name = 'stopped') AND uncertain = 0 AND committed >= ?1 AND kind = ?2 AND id <= ?3
				AND id > COALESCE((SELECT id FROM outbox o WHERE o.committed < ?1 AND o.id <= ?3 ORDER BY id DESC LIMIT 1), 0)`,
			s.leftBehind.written-within.Milliseconds(), string(bridge.ReportStarted), s.leftBehind.highest)
		if err != nil {
			return err
		}
		return tx.Exec("DELETE FROM moments WHERE name = 'stopped'")
	})
	if err != nil {
		return fmt.Errorf("looking for reports that were on their way when kontur-ari ended: %w", err)
	}
	return nil
}

// Stopped notes that how each request ended is recorded, and that no other will be made.
func (s *Store) Stopped(ctx context.Context) error {
	if err := s.setTimestamp(ctx, "stopped", s.now()); err != nil {
		return fmt.Errorf("noting that nothing is on its way: %w", err)
	}
	return nil
}
