package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store/sqlite"
)

// MarkInFlight implements [bridge.Outbox].
func (s *Store) MarkInFlight(ctx context.Context, ids []int64) error {
	list, err := json.Marshal(ids)
	if err != nil {
		return fmt.Errorf("writing the ids of reports: %w", err)
	}
	err = s.write(ctx, func(tx sqlite.Tx) error {
		return tx.Exec("UPDATE outbox SET uncertain = 2 WHERE uncertain = 0 AND id IN (SELECT value FROM json_each(?))", string(list))
	})
	return annotate(err, "noting that %d reports are about to be tried", len(ids))
}

// lastWritten selects when the store was last in use, as far as is known.
const lastWritten = `SELECT MAX(at) FROM (SELECT MAX(at) AS at FROM moments WHERE name IN ('checked', 'heard')
	UNION ALL SELECT * FROM (SELECT committed FROM outbox ORDER BY id DESC LIMIT 1)
	UNION ALL SELECT * FROM (SELECT settled FROM deliveries ORDER BY id DESC LIMIT 1))`

// leftBehind is what the last process left: when it wrote last, as far as is known, in
// milliseconds since 1970, and the highest id of its reports.
type leftBehind struct{ written, highest int64 }

// MarkUncertain has reports that may have been sent when the last process ended count as such.
// These are the reports given to [Store.MarkInFlight]. Unless [Store.MarkStopped] was called,
// they are also the call-started reports committed within the given time before the end. So an
// older call-started must be given to MarkInFlight before it is sent. Call it once, before the
// first report is sent.
func (s *Store) MarkUncertain(ctx context.Context, within time.Duration) error {
	err := s.write(ctx, func(tx sqlite.Tx) error {
		if err := tx.Exec("UPDATE outbox SET uncertain = 1 WHERE uncertain = 2"); err != nil {
			return err
		}
		// What this process has written by now says nothing about the last one.
		err := tx.Exec(`UPDATE outbox SET uncertain = 1
			WHERE NOT EXISTS (SELECT 1 FROM moments WHERE name = 'stopped') AND uncertain = 0 AND committed >= ?1 AND kind = ?2 AND id <= ?3
				AND id > COALESCE((SELECT id FROM outbox o WHERE o.committed < ?1 AND o.id <= ?3 ORDER BY id DESC LIMIT 1), 0)`,
			s.leftBehind.written-within.Milliseconds(), string(bridge.ReportStarted), s.leftBehind.highest)
		if err != nil {
			return err
		}
		return tx.Exec("DELETE FROM moments WHERE name = 'stopped'")
	})
	return annotate(err, "looking for reports that were on their way when kontur-ari ended")
}

// MarkStopped stores that no request is in flight. Call it after the last answer was stored.
func (s *Store) MarkStopped(ctx context.Context) error {
	return annotate(s.setTimestamp(ctx, "stopped", s.now()), "noting that nothing is on its way")
}
