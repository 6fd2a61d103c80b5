package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"kontur-ari/bridge"
)

// Commit implements [bridge.Journal].
func (s *Store) Commit(ctx context.Context, batch bridge.Batch) ([]bridge.Pending, error) {
	reports := make([][]byte, len(batch.Reports))
	for i, report := range batch.Reports {
		var err error
		if reports[i], err = json.Marshal(report); err != nil {
			return nil, fmt.Errorf("writing a report of call %s: %w", report.Call, err)
		}
	}
	committed := s.now().UnixMilli()
	pending := make([]bridge.Pending, len(reports))
	err := s.committer.doJournal(ctx, func(ctx context.Context, tx transaction) error {
		for i := range batch.Events {
			if err := insertEvent(ctx, tx, &batch.Events[i]); err != nil {
				return fmt.Errorf("adding to the journal: %w", err)
			}
		}
		if err := writeCalls(ctx, tx, batch); err != nil {
			return fmt.Errorf("keeping the calls in progress: %w", err)
		}
		if err := writeOrders(ctx, tx, batch.Orders, committed); err != nil {
			return fmt.Errorf("remembering what was ordered: %w", err)
		}
		for i, report := range reports {
			id, err := tx.insert(ctx, "INSERT INTO outbox (call, committed, report) VALUES (?, ?, ?)", string(batch.Reports[i].Call), committed, report)
			if err != nil {
				return fmt.Errorf("adding to the outbox: %w", err)
			}
			pending[i] = bridge.Pending{ID: id, Committed: time.UnixMilli(committed), Report: batch.Reports[i]}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("committing %d events and %d reports: %w", len(batch.Events), len(batch.Reports), err)
	}
	return pending, nil
}

func insertEvent(ctx context.Context, tx transaction, entry *bridge.Entry) error {
	raw := entry.Event.Raw
	if raw == nil {
		raw = []byte{}
	}
	return tx.exec(ctx, "INSERT INTO events (received, call, channel, type, raw) VALUES (?, ?, ?, ?, ?)",
		entry.Received.UnixMilli(), string(entry.Call), string(entry.Event.Subject()), string(entry.Event.Type), raw)
}

func writeCalls(ctx context.Context, tx transaction, batch bridge.Batch) error {
	for _, call := range batch.Changed {
		if err := tx.exec(ctx, "INSERT INTO calls (call, state) VALUES (?, ?) ON CONFLICT (call) DO UPDATE SET state = excluded.state", string(call.Call), call.State); err != nil {
			return err
		}
	}
	for _, call := range batch.Gone {
		if err := tx.exec(ctx, "DELETE FROM calls WHERE call = ?", string(call)); err != nil {
			return err
		}
	}
	for _, call := range batch.Ended {
		if err := tx.exec(ctx, "INSERT INTO ended_calls (call) VALUES (?)", string(call)); err != nil {
			return err
		}
	}
	if len(batch.Ended) == 0 {
		return nil
	}
	return tx.exec(ctx, "DELETE FROM ended_calls WHERE id <= (SELECT MAX(id) FROM ended_calls) - ?", bridge.EndedMemory)
}

// OpenCalls implements [bridge.Journal].
func (s *Store) OpenCalls(ctx context.Context) ([]bridge.CallState, []bridge.CallID, error) {
	// Who asks gets what the file holds now, and needs not be told that it is another.
	defer s.committer.replaced.Store(false)
	open, err := query(ctx, s, "SELECT call, state FROM calls ORDER BY call", func(row scanner) (state bridge.CallState, err error) {
		return state, row.Scan(&state.Call, &state.State)
	})
	if err != nil {
		return nil, nil, fmt.Errorf("reading the calls in progress: %w", err)
	}
	ended, err := query(ctx, s, "SELECT call FROM ended_calls ORDER BY id", func(row scanner) (call bridge.CallID, err error) {
		return call, row.Scan(&call)
	})
	if err != nil {
		return nil, nil, fmt.Errorf("reading the calls that ended lately: %w", err)
	}
	return open, ended, nil
}

// pruneStep is how many rows of a table one transaction of Prune removes, so
// that the writer is never kept from the events for long.
const pruneStep = 500

// ordersKept is how long orders are remembered at least: as long, one that comes
// again rings nobody.
const ordersKept = 30 * 24 * time.Hour

// Prune removes journal entries and deliveries that are older than a moment.
// Whatever still waits, and dead letters, stay; orders do so for a month.
func (s *Store) Prune(ctx context.Context, before time.Time) error {
	ordersBefore := s.now().Add(-ordersKept)
	if before.Before(ordersBefore) {
		ordersBefore = before
	}
	for _, statement := range []struct {
		before        time.Time
		count, remove string
	}{
		{before, "SELECT COUNT(*) FROM (SELECT 1 FROM events WHERE received < ? LIMIT 1)",
			"DELETE FROM events WHERE id IN (SELECT id FROM events WHERE received < ? LIMIT ?)"},
		{before, "SELECT COUNT(*) FROM (SELECT 1 FROM deliveries WHERE settled < ? LIMIT 1)",
			"DELETE FROM deliveries WHERE id IN (SELECT id FROM deliveries WHERE settled < ? LIMIT ?)"},
		{before, "SELECT COUNT(*) FROM (SELECT 1 FROM collapsed WHERE settled < ? LIMIT 1)",
			"DELETE FROM collapsed WHERE id IN (SELECT id FROM collapsed WHERE settled < ? LIMIT ?)"},
		{ordersBefore, "SELECT COUNT(*) FROM (SELECT 1 FROM orders WHERE committed < ? LIMIT 1)",
			"DELETE FROM orders WHERE communication IN (SELECT communication FROM orders WHERE committed < ? LIMIT ?)"},
		{before, "SELECT COUNT(*) FROM (SELECT 1 FROM identities WHERE " + unusedIdentity + " LIMIT 1)",
			"DELETE FROM identities WHERE call IN (SELECT call FROM identities WHERE " + unusedIdentity + " LIMIT ?)"},
	} {
		for {
			left, err := query(ctx, s, statement.count, func(row scanner) (n int, err error) { return n, row.Scan(&n) }, statement.before.UnixMilli())
			if err != nil {
				return fmt.Errorf("looking for what is too old: %w", err)
			}
			if slices.Equal(left, []int{0}) {
				break
			}
			err = s.committer.do(ctx, func(ctx context.Context, tx transaction) error {
				return tx.exec(ctx, statement.remove, statement.before.UnixMilli(), pruneStep)
			})
			if err != nil {
				return fmt.Errorf("removing what is too old: %w", err)
			}
		}
	}
	return nil
}

// unusedIdentity holds for what was learnt about a call of which nothing waits.
const unusedIdentity = `learnt < ? AND call NOT IN (SELECT call FROM outbox) AND call NOT IN (SELECT call FROM calls) AND call NOT IN (SELECT call FROM dead_letters)`
