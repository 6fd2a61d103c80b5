package store

import (
	"context"
	"encoding/json"
	"fmt"

	"kontur-ari/bridge"
)

// PendingCalls implements [bridge.Outbox].
func (s *Store) PendingCalls(ctx context.Context) ([]bridge.CallID, error) {
	calls, err := query(ctx, s, "SELECT call FROM outbox GROUP BY call ORDER BY MIN(id)", func(row scanner) (call bridge.CallID, err error) {
		return call, row.Scan(&call)
	})
	if err != nil {
		return nil, fmt.Errorf("reading which calls have reports waiting: %w", err)
	}
	return calls, nil
}

// Head implements [bridge.Outbox].
func (s *Store) Head(ctx context.Context, call bridge.CallID) (bridge.Pending, bool, error) {
	const head = `SELECT o.id, o.report, o.attempts, COALESCE(i.external_id, ''), COALESCE(i.communication_id, '')
		FROM outbox o LEFT JOIN identities i ON i.call = o.call WHERE o.call = ? ORDER BY o.id LIMIT 1`
	found, err := query(ctx, s, head, func(row scanner) (p bridge.Pending, err error) {
		var report []byte
		if err := row.Scan(&p.ID, &report, &p.Attempts, &p.Identity.ExternalID, &p.Identity.CommunicationID); err != nil {
			return p, err
		}
		return p, json.Unmarshal(report, &p.Report)
	}, string(call))
	if err != nil {
		return bridge.Pending{}, false, fmt.Errorf("reading the next report of call %s: %w", call, err)
	}
	if len(found) == 0 {
		return bridge.Pending{}, false, nil
	}
	return found[0], true, nil
}

// Settle implements [bridge.Outbox].
func (s *Store) Settle(ctx context.Context, pending bridge.Pending, result bridge.Result) error {
	err := s.committer.do(ctx, func(ctx context.Context, tx transaction) error {
		if err := s.learn(ctx, tx, pending.Report.Call, result.Learnt); err != nil {
			return err
		}
		switch result.Verdict {
		case bridge.Delivered:
			return s.delivered(ctx, tx, pending, result)
		case bridge.Refused:
			return s.refused(ctx, tx, pending, result)
		}
		return tx.exec(ctx, "UPDATE outbox SET attempts = attempts + 1, reason = ? WHERE id = ?", result.Reason, pending.ID)
	})
	if err != nil {
		return fmt.Errorf("recording that report %d of call %s was %s: %w", pending.ID, pending.Report.Call, result.Verdict, err)
	}
	return nil
}

func (s *Store) learn(ctx context.Context, tx transaction, call bridge.CallID, learnt bridge.Identity) error {
	if learnt == (bridge.Identity{}) {
		return nil
	}
	return tx.exec(ctx, `INSERT INTO identities (call, external_id, communication_id, learnt) VALUES (?, ?, ?, ?)
		ON CONFLICT (call) DO UPDATE SET learnt = excluded.learnt,
			external_id = COALESCE(NULLIF(excluded.external_id, ''), external_id),
			communication_id = COALESCE(NULLIF(excluded.communication_id, ''), communication_id)`,
		string(call), learnt.ExternalID, learnt.CommunicationID, s.now().UnixMilli())
}

func (s *Store) delivered(ctx context.Context, tx transaction, pending bridge.Pending, result bridge.Result) error {
	err := tx.exec(ctx, `INSERT INTO deliveries (id, call, committed, settled, kind, attempts, status, request, answer)
		SELECT id, call, committed, ?, ?, attempts + 1, ?, ?, ? FROM outbox WHERE id = ?`,
		s.now().UnixMilli(), string(pending.Report.Kind), result.Status, notNull(result.Request), notNull(result.Answer), pending.ID)
	if err != nil {
		return err
	}
	return tx.exec(ctx, "DELETE FROM outbox WHERE id = ?", pending.ID)
}

func (s *Store) refused(ctx context.Context, tx transaction, pending bridge.Pending, result bridge.Result) error {
	err := tx.exec(ctx, `INSERT INTO dead_letters (id, call, committed, settled, report, attempts, status, request, answer, reason)
		SELECT id, call, committed, ?, report, attempts + 1, ?, ?, ?, ? FROM outbox WHERE id = ?`,
		s.now().UnixMilli(), result.Status, notNull(result.Request), notNull(result.Answer), result.Reason, pending.ID)
	if err != nil {
		return err
	}
	return tx.exec(ctx, "DELETE FROM outbox WHERE id = ?", pending.ID)
}

// notNull keeps SQLite from taking an empty body for NULL.
func notNull(body []byte) []byte {
	if body == nil {
		return []byte{}
	}
	return body
}

// Identity returns what the CRM has answered to a call's call-started; false where
// it has not answered yet, or the call is not known.
func (s *Store) Identity(ctx context.Context, call bridge.CallID) (bridge.Identity, bool, error) {
	const learnt = "SELECT external_id, communication_id FROM identities WHERE call = ?"
	found, err := query(ctx, s, learnt, func(row scanner) (i bridge.Identity, err error) {
		return i, row.Scan(&i.ExternalID, &i.CommunicationID)
	}, string(call))
	if err != nil {
		return bridge.Identity{}, false, fmt.Errorf("reading how the CRM calls the call %s: %w", call, err)
	}
	if len(found) == 0 {
		return bridge.Identity{}, false, nil
	}
	return found[0], true, nil
}
