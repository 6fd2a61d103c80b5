package store

import (
	"context"
	"encoding/json"
	"fmt"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store/sqlite"
)

// superseded selects the reports that a call's last report makes needless. register-call
// describes the whole call; call-failed says all there is of a call in which no phone was
// dialled.
//
// A call is over when its last report waits. A call that goes on keeps its live events. A call
// that the CRM knows keeps them too, because its communication stays open until call-finished. A
// request that may have reached the CRM counts as one that did.
const superseded = `SELECT o.id FROM json_each(?1) c
	CROSS JOIN outbox o ON o.call = c.value
	WHERE o.id < (SELECT MAX(id) FROM outbox WHERE call = c.value AND kind IN ('register-call', 'call-failed'))
		AND NOT EXISTS (SELECT 1 FROM outbox WHERE call = c.value AND (uncertain = 1 OR returned))
		AND NOT EXISTS (SELECT 1 FROM deliveries WHERE call = c.value)
		AND NOT EXISTS (SELECT 1 FROM dead_letters WHERE call = c.value)`

// Collapse implements [bridge.Outbox]. What it removes is kept as long as what was delivered, so
// that an operator sees why no request was sent.
func (s *Store) Collapse(ctx context.Context, calls []bridge.CallID) (collapsed int, err error) {
	ids, err := json.Marshal(calls)
	if err != nil {
		return 0, fmt.Errorf("writing the ids of calls: %w", err)
	}
	// Most calls that are looked at go on, and need no write.
	found, err := query(ctx, s, superseded, scanOne[int64], string(ids))
	if err != nil || len(found) == 0 {
		return 0, annotate(err, "leaving out what nobody needs of %d calls", len(calls))
	}
	settled := s.now().UnixMilli()
	err = s.write(ctx, func(tx sqlite.Tx) error {
		const keep = "INSERT OR REPLACE INTO collapsed (id, call, committed, settled, report) SELECT id, call, committed, ?2, report FROM outbox WHERE id IN (" + superseded + ")"
		if err := tx.Exec(keep, string(ids), settled); err != nil {
			return err
		}
		return tx.Exec("DELETE FROM outbox WHERE id IN (SELECT id FROM collapsed WHERE call IN (SELECT value FROM json_each(?1)))", string(ids))
	})
	return len(found), annotate(err, "leaving out what nobody needs of %d calls", len(calls))
}
