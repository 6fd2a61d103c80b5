package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store/sqlite"
)

// WaitingCalls implements [bridge.Outbox].
func (s *Store) WaitingCalls(ctx context.Context, after int64, limit int) (calls []bridge.CallID, last int64, more bool, err error) {
	type row struct {
		id   int64
		call bridge.CallID
	}
	rows, err := query(ctx, s, "SELECT id, call FROM outbox WHERE id > ? ORDER BY id LIMIT ?", func(scan sqlite.Row) (r row, err error) {
		return r, scan.Scan(&r.id, &r.call)
	}, after, limit)
	if err != nil {
		return nil, 0, false, fmt.Errorf("reading which calls have reports waiting: %w", err)
	}
	seen := make(map[bridge.CallID]bool)
	for _, r := range rows {
		after = r.id
		if !seen[r.call] {
			seen[r.call] = true
			calls = append(calls, r.call)
		}
	}
	return calls, after, len(rows) == limit, nil
}

// RetriedCalls implements [bridge.Outbox].
func (s *Store) RetriedCalls(ctx context.Context) ([]bridge.CallID, error) {
	calls, err := query(ctx, s, "SELECT DISTINCT call FROM outbox WHERE returned = 1", scanOne[bridge.CallID])
	if err != nil {
		return nil, fmt.Errorf("looking for dead letters that were put back: %w", err)
	}
	return calls, nil
}

// OldestWaiting implements [bridge.Outbox].
func (s *Store) OldestWaiting(ctx context.Context, calls []bridge.CallID, each int) ([]bridge.Pending, error) {
	const oldest = `SELECT o.id, o.call, o.committed, o.report, o.attempts, o.uncertain = 1, COALESCE(i.external_id, ''), COALESCE(i.communication_id, '')
		FROM json_each(?1) c CROSS JOIN outbox o ON o.id IN (SELECT id FROM outbox WHERE call = c.value ORDER BY id LIMIT ?2)
		LEFT JOIN identities i ON i.call = o.call ORDER BY c.key, o.id`
	ids, err := json.Marshal(calls)
	if err != nil {
		return nil, fmt.Errorf("writing the ids of calls: %w", err)
	}
	found, err := query(ctx, s, oldest, scanPending, string(ids), each)
	if err != nil {
		return nil, fmt.Errorf("reading the next reports of %d calls: %w", len(calls), err)
	}
	return found, nil
}

// scanPending reads one row of the outbox. A report that is no JSON is a damage of the file. JSON
// that is no report of this call becomes a report without a kind, which the sender refuses.
func scanPending(row sqlite.Row) (p bridge.Pending, err error) {
	var report []byte
	var call bridge.CallID
	var committed int64
	if err := row.Scan(&p.ID, &call, &committed, &report, &p.Attempts, &p.Uncertain, &p.Identity.ExternalID, &p.Identity.CommunicationID); err != nil {
		return p, err
	}
	p.Committed = time.UnixMilli(committed)
	if !json.Valid(report) {
		return p, fmt.Errorf("report %d: %w", p.ID, errNoDocument)
	}
	if err := json.Unmarshal(report, &p.Report); err != nil || p.Report.Call != call {
		p.Report = bridge.Report{Call: call}
	}
	return p, nil
}

// RecordResults implements [bridge.Outbox].
func (s *Store) RecordResults(ctx context.Context, sent []bridge.Sent) error {
	settled := s.now().UnixMilli()
	err := s.write(ctx, func(tx sqlite.Tx) error {
		for _, one := range sent {
			if err := recordResult(tx, one.Pending, one.Result, settled); err != nil {
				return fmt.Errorf("report %d of call %s, which was %s: %w", one.Pending.ID, one.Pending.Report.Call, one.Result.Verdict, err)
			}
		}
		return nil
	})
	return annotate(err, "recording how %d requests ended", len(sent))
}

func recordResult(tx sqlite.Tx, pending bridge.Pending, result bridge.Result, settled int64) error {
	if err := learn(tx, pending.Report.Call, result.Learnt, settled); err != nil {
		return err
	}
	switch result.Verdict {
	case bridge.Delivered:
		return delivered(tx, pending, result, settled)
	case bridge.Refused:
		return refused(tx, pending, result, settled)
	case bridge.Expired:
		return expired(tx, pending, settled)
	}
	return tx.Exec("UPDATE outbox SET attempts = attempts + 1, reason = ?, uncertain = uncertain = 1 OR ?, returned = 0 WHERE id = ?",
		result.Reason, !result.NotTaken, pending.ID)
}

func learn(tx sqlite.Tx, call bridge.CallID, learnt bridge.Identity, at int64) error {
	if learnt == (bridge.Identity{}) {
		return nil
	}
	return tx.Exec(`INSERT INTO identities (call, external_id, communication_id, learnt) VALUES (?, ?, ?, ?)
		ON CONFLICT (call) DO UPDATE SET learnt = excluded.learnt,
			external_id = COALESCE(NULLIF(excluded.external_id, ''), external_id),
			communication_id = COALESCE(NULLIF(excluded.communication_id, ''), communication_id)`,
		string(call), learnt.ExternalID, learnt.CommunicationID, at)
}

func delivered(tx sqlite.Tx, pending bridge.Pending, result bridge.Result, settled int64) error {
	err := tx.Exec("INSERT OR REPLACE INTO deliveries (id, call, committed, settled, kind, attempts, status, request, answer) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
		pending.ID, string(pending.Report.Call), pending.Committed.UnixMilli(), settled, string(pending.Report.Kind), pending.Attempts+1,
		result.Status, result.Request, result.Answer)
	if err != nil {
		return err
	}
	if err := recordingSettled(tx, pending, bridge.RecordingAnnounced, "", settled); err != nil {
		return err
	}
	return tx.Exec("DELETE FROM outbox WHERE id = ?", pending.ID)
}

func refused(tx sqlite.Tx, pending bridge.Pending, result bridge.Result, settled int64) error {
	err := tx.Exec(`INSERT OR REPLACE INTO dead_letters (id, call, committed, settled, report, attempts, status, request, answer, reason)
		SELECT id, call, committed, ?, report, attempts + 1, ?, ?, ?, ? FROM outbox WHERE id = ?`,
		settled, result.Status, result.Request, result.Answer, result.Reason, pending.ID)
	if err != nil {
		return err
	}
	if err := recordingSettled(tx, pending, bridge.RecordingRefused, result.Reason, settled); err != nil {
		return err
	}
	return tx.Exec("DELETE FROM outbox WHERE id = ?", pending.ID)
}

// Identity returns what the CRM answered to a call's call-started; false where it has not
// answered yet, or the call is not known.
func (s *Store) Identity(ctx context.Context, call bridge.CallID) (bridge.Identity, bool, error) {
	const learnt = "SELECT external_id, communication_id FROM identities WHERE call = ?"
	identity, found, err := queryOne(ctx, s, learnt, func(row sqlite.Row) (i bridge.Identity, err error) {
		return i, row.Scan(&i.ExternalID, &i.CommunicationID)
	}, string(call))
	return identity, found, annotate(err, "reading how the CRM calls the call %s", call)
}
