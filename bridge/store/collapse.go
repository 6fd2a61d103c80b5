package store

import (
	"context"
	"encoding/json"
	"fmt"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store/sqlite"
)

// superseded are the reports of calls that are over and of which nothing can have
// reached the CRM, but for the last one and what follows it: register-call tells the
// whole call, and call-failed all there is to tell of one in which nobody was dialled.
//
// A call is over when its last report waits. Of one that is not, the live events are
// still of use; of one that was told in part, the CRM has a communication that only
// the missing part brings to its end. A try that may have reached the CRM counts as
// told.
const superseded = `SELECT o.id FROM json_each(?1) c
	CROSS JOIN outbox o ON o.call = c.value
	WHERE o.id < (SELECT MAX(id) FROM outbox WHERE call = c.value AND kind IN ('register-call', 'call-failed'))
		AND NOT EXISTS (SELECT 1 FROM outbox WHERE call = c.value AND (uncertain = 1 OR returned))
		AND NOT EXISTS (SELECT 1 FROM deliveries WHERE call = c.value)
		AND NOT EXISTS (SELECT 1 FROM dead_letters WHERE call = c.value)`

// Collapse implements [bridge.Outbox]. What it takes is kept, as long as what was
// delivered, for those who ask what the CRM was told.
func (s *Store) Collapse(ctx context.Context, calls []bridge.CallID) (collapsed int, err error) {
	ids, err := json.Marshal(calls)
	if err != nil {
		return 0, fmt.Errorf("writing the ids of calls: %w", err)
	}
	// Most calls that are looked at are going on still: the writer is not troubled for them.
	found, err := query(ctx, s, superseded, scanOne[int64], string(ids))
	if err != nil || len(found) == 0 {
		return 0, wrapCollapse(err, calls)
	}
	settled := s.now().UnixMilli()
	err = s.write(ctx, func(tx sqlite.Tx) error {
		const keep = "INSERT OR REPLACE INTO collapsed (id, call, committed, settled, report) SELECT id, call, committed, ?2, report FROM outbox WHERE id IN (" + superseded + ")"
		if err := tx.Exec(keep, string(ids), settled); err != nil {
			return err
		}
		return tx.Exec("DELETE FROM outbox WHERE id IN (SELECT id FROM collapsed WHERE call IN (SELECT value FROM json_each(?1)))", string(ids))
	})
	return len(found), wrapCollapse(err, calls)
}

func wrapCollapse(err error, calls []bridge.CallID) error {
	if err != nil {
		return fmt.Errorf("leaving out what nobody needs of %d calls: %w", len(calls), err)
	}
	return nil
}
