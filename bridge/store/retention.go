package store

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store/sqlite"
	"kontur-ari/internal/retry"
)

const (
	// pruneRows and pruneBytes bound one transaction of a removal: an event that is to be stored
	// must not wait long.
	pruneRows  = 100
	pruneBytes = 256 << 10
	// pruneShare is how many times as long as a removal the pause after it is.
	pruneShare = 4
)

// ordersKept is how long orders are kept at least. A repeated order within that time rings no
// phone.
const ordersKept = 30 * 24 * time.Hour

// kept is a table that is kept for support, with the columns of its time and its size.
type kept struct{ table, at, size string }

var keptForSupport = []kept{
	{"events", "received", "length(raw)"},
	{"deliveries", "settled", "length(request) + length(answer)"},
	{"collapsed", "settled", "length(report)"},
}

// oldRow is a row that may be removed.
type oldRow struct{ id, at, size int64 }

// Prune removes journal entries and deliveries that are older than a moment. Reports that wait
// and dead letters stay; orders stay for a month. It works in small steps, with pauses, and ends
// early when ctx does.
func (s *Store) Prune(ctx context.Context, before time.Time) error {
	for _, from := range keptForSupport {
		for {
			rows, err := s.oldest(ctx, from, before.UnixMilli())
			if err != nil {
				return fmt.Errorf("looking for what is too old: %w", err)
			}
			if len(rows) == 0 {
				break
			}
			if err := s.remove(ctx, from, rows); err != nil {
				return fmt.Errorf("removing what is too old: %w", err)
			}
		}
	}
	if err := s.pruneCallIndex(ctx); err != nil {
		return fmt.Errorf("removing what is too old: %w", err)
	}
	ordersBefore := s.now().Add(-ordersKept)
	if before.Before(ordersBefore) {
		ordersBefore = before
	}
	if err := s.pruneKeys(ctx, "orders", "communication", oldClickToCall, ordersBefore); err != nil {
		return err
	}
	return s.pruneKeys(ctx, "identities", "call", unusedIdentity, before)
}

// PruneRecordings removes recordings that were settled before a moment. A recording in one of the
// places stays until its file was removed. It works as Prune does.
func (s *Store) PruneRecordings(ctx context.Context, before time.Time, removed []bridge.RecordingPlace) error {
	places, err := json.Marshal(append([]bridge.RecordingPlace{}, removed...))
	if err != nil {
		return fmt.Errorf("writing the names of places: %w", err)
	}
	for {
		const old = `SELECT id FROM recordings WHERE settled BETWEEN 1 AND ?1
			AND (state <> 'told' OR removed > 0 OR place NOT IN (SELECT value FROM json_each(?3))) ORDER BY id LIMIT ?2`
		ids, err := query(ctx, s, old, scanOne[int64], before.UnixMilli(), pruneRows, string(places))
		if err != nil {
			return fmt.Errorf("looking for what is too old: %w", err)
		}
		if len(ids) == 0 {
			return nil
		}
		if err := s.removeIDs(ctx, "DELETE FROM recordings WHERE id IN (SELECT value FROM json_each(?))", ids); err != nil {
			return fmt.Errorf("removing what is too old: %w", err)
		}
	}
}

// PruneTo removes the oldest journal entries and deliveries until the used part of the file takes
// at most so many bytes. Reports that wait and dead letters stay, also beyond that size. The file
// does not shrink; its free pages are used again. It works as Prune does.
func (s *Store) PruneTo(ctx context.Context, most int64) error {
	for removed := false; ; removed = true {
		used, err := s.used(ctx)
		if err != nil {
			return fmt.Errorf("measuring the store: %w", err)
		}
		from, rows := kept{}, []oldRow(nil)
		if used > most {
			if from, rows, err = s.oldestOfAll(ctx); err != nil {
				return fmt.Errorf("looking for what is oldest: %w", err)
			}
		}
		if len(rows) > 0 {
			err = s.remove(ctx, from, rows)
		} else if removed {
			err = s.pruneCallIndex(ctx)
		}
		if err != nil {
			return fmt.Errorf("removing what is oldest: %w", err)
		}
		if len(rows) == 0 {
			return nil
		}
	}
}

// used is how many bytes of the file hold something.
func (s *Store) used(ctx context.Context) (int64, error) {
	const text = "SELECT (c.page_count - f.freelist_count) * s.page_size FROM pragma_page_count c, pragma_freelist_count f, pragma_page_size s"
	bytes, _, err := queryOne(ctx, s, text, scanOne[int64])
	return bytes, err
}

// oldest selects rows of a table for one step: the first by id, which are the oldest or nearly
// so. An index of the times would be written with every event to be read once an hour.
//
// A row with a time in the future was written while the clock was wrong. It counts as older than
// the next row with a time in the past.
func (s *Store) oldest(ctx context.Context, from kept, before int64) ([]oldRow, error) {
	text := fmt.Sprintf(`SELECT * FROM (SELECT id, %[1]s AS at, %[2]s FROM %[3]s ORDER BY id LIMIT ?1)
		WHERE at < ?2 OR at > ?3 AND (SELECT %[1]s FROM %[3]s WHERE %[1]s <= ?3 ORDER BY id LIMIT 1) < ?2`, from.at, from.size, from.table)
	rows, err := query(ctx, s, text, func(row sqlite.Row) (o oldRow, err error) { return o, row.Scan(&o.id, &o.at, &o.size) }, pruneRows, before, s.now().UnixMilli())
	if err != nil {
		return nil, err
	}
	total := int64(0)
	for i, row := range rows {
		if total += row.size; total > pruneBytes {
			return rows[:max(i, 1)], nil
		}
	}
	return rows, nil
}

// oldestOfAll is the table with the oldest row of all, and rows of it for one step.
func (s *Store) oldestOfAll(ctx context.Context) (from kept, rows []oldRow, err error) {
	for _, candidate := range keptForSupport {
		found, err := s.oldest(ctx, candidate, math.MaxInt64)
		if err != nil {
			return from, nil, err
		}
		if len(found) > 0 && (len(rows) == 0 || found[0].at < rows[0].at) {
			from, rows = candidate, found
		}
	}
	return from, rows, nil
}

func (s *Store) remove(ctx context.Context, from kept, rows []oldRow) error {
	ids := make([]int64, len(rows))
	for i, row := range rows {
		ids[i] = row.id
	}
	return s.removeIDs(ctx, "DELETE FROM "+from.table+" WHERE id IN (SELECT value FROM json_each(?))", ids)
}

func (s *Store) removeIDs(ctx context.Context, text string, ids []int64) error {
	list, err := idList(ids)
	if err != nil {
		return err
	}
	return s.removePaced(ctx, text, list)
}

// idList writes ids as the JSON that json_each reads.
func idList(ids []int64) (string, error) {
	list, err := json.Marshal(ids)
	if err != nil {
		return "", fmt.Errorf("writing ids: %w", err)
	}
	return string(list), nil
}

// removePaced makes one step of a removal, and the pause after it.
func (s *Store) removePaced(ctx context.Context, text string, args ...any) error {
	var took time.Duration
	err := s.write(ctx, func(tx sqlite.Tx) error {
		began := time.Now()
		defer func() { took = time.Since(began) }()
		clear(s.index)
		if err := s.keepReportIDs(tx); err != nil {
			return err
		}
		return tx.Exec(text, args...)
	})
	if err != nil {
		return err
	}
	return retry.Sleep(ctx, pruneShare*took)
}

const (
	oldClickToCall = "committed < ?1"
	// unusedIdentity selects identities of calls of which nothing waits.
	unusedIdentity = `learnt < ?1 AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.call = identities.call)
		AND NOT EXISTS (SELECT 1 FROM calls WHERE calls.call = identities.call)
		AND NOT EXISTS (SELECT 1 FROM recordings WHERE recordings.call = identities.call AND settled = 0)
		AND NOT EXISTS (SELECT 1 FROM dead_letters WHERE dead_letters.call = identities.call)`
)

// pruneKeys removes rows of a table without ids, in one walk along its keys.
func (s *Store) pruneKeys(ctx context.Context, table, key, which string, before time.Time) error {
	look := fmt.Sprintf("SELECT %s FROM %s WHERE %s AND %s > ?2 ORDER BY %s LIMIT ?3", key, table, which, key, key)
	remove := fmt.Sprintf("DELETE FROM %s WHERE %s AND %s IN (SELECT value FROM json_each(?2))", table, which, key)
	for after := ""; ; {
		keys, err := query(ctx, s, look, scanOne[string], before.UnixMilli(), after, pruneRows)
		if err != nil {
			return fmt.Errorf("looking for what is too old: %w", err)
		}
		if len(keys) == 0 {
			return nil
		}
		after = slices.Max(keys)
		list, err := json.Marshal(keys)
		if err != nil {
			return fmt.Errorf("removing what is too old: %w", err)
		}
		if err := s.removePaced(ctx, remove, before.UnixMilli(), string(list)); err != nil {
			return fmt.Errorf("removing what is too old: %w", err)
		}
	}
}
