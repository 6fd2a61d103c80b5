package store

import (
	"context"
	"encoding/json"
	"fmt"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store/sqlite"
)

// writeClickToCalls stores click-to-calls by their communication, the first of each, and
// why they were refused.
func writeClickToCalls(tx sqlite.Tx, all []bridge.ClickToCallNews, committed int64) error {
	for _, news := range all {
		if news.Result != "" {
			if err := tx.Exec("UPDATE orders SET status = ?, message = ? WHERE communication = ?", string(news.Status), news.Message, news.ClickToCall.CommunicationID); err != nil {
				return err
			}
			continue
		}
		given, err := json.Marshal(news.ClickToCall)
		if err != nil {
			return fmt.Errorf("writing the order of communication %s: %w", news.ClickToCall.CommunicationID, err)
		}
		if err := tx.Exec("INSERT INTO orders (communication, committed, given) VALUES (?, ?, ?) ON CONFLICT (communication) DO NOTHING", news.ClickToCall.CommunicationID, committed, given); err != nil {
			return err
		}
	}
	return nil
}

// ClickToCallFor implements [bridge.ClickToCalls].
func (s *Store) ClickToCallFor(ctx context.Context, communicationID string) (bridge.ClickToCall, *bridge.Refusal, bool, error) {
	type row struct {
		click   bridge.ClickToCall
		refusal bridge.Refusal
	}
	stored, found, err := queryOne(ctx, s, "SELECT given, status, message FROM orders WHERE communication = ?", func(scan sqlite.Row) (r row, err error) {
		var given []byte
		if err := scan.Scan(&given, &r.refusal.Status, &r.refusal.Message); err != nil {
			return r, err
		}
		return r, json.Unmarshal(given, &r.click)
	}, communicationID)
	err = annotate(err, "looking for the order of communication %s", communicationID)
	if stored.refusal.Status == "" {
		return stored.click, nil, found, err
	}
	return stored.click, &stored.refusal, found, err
}

// CallOf implements [bridge.ClickToCalls].
func (s *Store) CallOf(ctx context.Context, communicationID string) (bridge.CallID, bool, error) {
	call, found, err := queryOne(ctx, s, "SELECT call FROM identities WHERE communication_id = ? COLLATE NOCASE ORDER BY learnt DESC LIMIT 1", scanOne[bridge.CallID], communicationID)
	return call, found, annotate(err, "looking for the call of communication %s", communicationID)
}
