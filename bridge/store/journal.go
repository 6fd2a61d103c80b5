package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store/sqlite"
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
	err := s.write(ctx, func(tx sqlite.Tx) error {
		if err := s.writeEvents(tx, &batch); err != nil {
			return fmt.Errorf("adding to the journal: %w", err)
		}
		if err := writeCalls(tx, batch); err != nil {
			return fmt.Errorf("keeping the calls in progress: %w", err)
		}
		if err := writeClickToCalls(tx, batch.ClickToCalls, committed); err != nil {
			return fmt.Errorf("remembering what was ordered: %w", err)
		}
		if err := writeRecorded(tx, batch.Recorded, committed); err != nil {
			return fmt.Errorf("keeping whose recordings to look for: %w", err)
		}
		for i, report := range reports {
			id := s.nextReportID()
			if err := tx.Exec(insertReport, id, string(batch.Reports[i].Call), committed, report, string(batch.Reports[i].Kind)); err != nil {
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

const insertReport = "INSERT INTO outbox (id, call, committed, report, kind) VALUES (?, ?, ?, ?, ?)"

func (s *Store) writeEvents(tx sqlite.Tx, batch *bridge.Batch) (err error) {
	ids := make([]int64, len(batch.Events))
	for i := range batch.Events {
		if ids[i], err = insertEvent(tx, &batch.Events[i]); err != nil {
			return err
		}
	}
	return s.writeCallIndex(tx, batch, ids)
}

func insertEvent(tx sqlite.Tx, entry *bridge.Entry) (int64, error) {
	err := tx.Exec("INSERT INTO events (received, call, channel, type, raw) VALUES (?, ?, ?, ?, ?)",
		entry.Received.UnixMilli(), string(entry.Call), string(entry.Event.Subject()), string(entry.Event.Type), entry.Event.Raw)
	return tx.LastInsertID(), err
}

func writeCalls(tx sqlite.Tx, batch bridge.Batch) error {
	for _, call := range batch.Changed {
		if err := tx.Exec("INSERT OR REPLACE INTO calls (call, state) VALUES (?, ?)", string(call.Call), call.State); err != nil {
			return err
		}
	}
	for _, call := range batch.Gone {
		if err := tx.Exec("DELETE FROM calls WHERE call = ?", string(call)); err != nil {
			return err
		}
	}
	for _, call := range batch.Ended {
		if err := tx.Exec("INSERT INTO ended_calls (call) VALUES (?)", string(call)); err != nil {
			return err
		}
	}
	if len(batch.Ended) == 0 {
		return nil
	}
	return tx.Exec("DELETE FROM ended_calls WHERE id <= (SELECT MAX(id) FROM ended_calls) - ?", bridge.EndedMemory)
}

// OpenCalls implements [bridge.Journal].
func (s *Store) OpenCalls(ctx context.Context) ([]bridge.CallState, []bridge.CallID, error) {
	open, err := query(ctx, s, "SELECT call, state FROM calls ORDER BY call", func(row sqlite.Row) (state bridge.CallState, err error) {
		return state, row.Scan(&state.Call, &state.State)
	})
	if err != nil {
		return nil, nil, fmt.Errorf("reading the calls in progress: %w", err)
	}
	ended, err := query(ctx, s, "SELECT call FROM ended_calls ORDER BY id", scanOne[bridge.CallID])
	return open, ended, annotate(err, "reading the calls that ended lately")
}
