package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"kontur-ari/bridge"
)

// History reads what a store holds about calls, also while a daemon uses it.
// It writes nothing.
type History struct{ store *Store }

// OpenHistory opens the store of a directory for reading. The error matches
// [fs.ErrNotExist] where there is none.
func OpenHistory(directory string) (*History, error) {
	path := filepath.Join(directory, FileName)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("no calls are stored in %s yet: %w", directory, err)
	}
	read, err := open(path, 1)
	if err != nil {
		return nil, err
	}
	return &History{&Store{read: read, now: time.Now}}, nil
}

// Close closes the file.
func (h *History) Close() error { return h.store.release() }

// CallSummary is a line about a reported call.
type CallSummary struct {
	Call bridge.CallID
	// First is when the CRM took its first request; Requests how many it took,
	// Waiting and Refused how many it did not.
	First                      time.Time
	Requests, Waiting, Refused int
}

// Calls lists the calls that were reported last, the newest first.
func (h *History) Calls(ctx context.Context, limit int) ([]CallSummary, error) {
	const text = `SELECT call, MIN(at), SUM(kind = 'd'), SUM(kind = 'w'), SUM(kind = 'r') FROM (
			SELECT call, settled AS at, 'd' AS kind, id FROM deliveries
			UNION ALL SELECT call, committed, 'w', id FROM outbox
			UNION ALL SELECT call, settled, 'r', id FROM dead_letters)
		GROUP BY call ORDER BY MIN(id) DESC LIMIT ?`
	calls, err := query(ctx, h.store, text, func(row scanner) (c CallSummary, err error) {
		var first int64
		err = row.Scan(&c.Call, &first, &c.Requests, &c.Waiting, &c.Refused)
		c.First = time.UnixMilli(first)
		return c, err
	}, limit)
	if err != nil {
		return nil, fmt.Errorf("reading the last calls: %w", err)
	}
	return calls, nil
}

// Event is a journal entry.
type Event struct {
	Received time.Time
	Type     bridge.EventType
	Raw      []byte
}

// Events returns what the switch said about a call, in order of arrival: the
// events of every channel that was ever found to be in it.
func (h *History) Events(ctx context.Context, call bridge.CallID) ([]Event, error) {
	const text = `SELECT received, type, raw FROM events
		WHERE call = ?1 OR (channel <> '' AND channel IN (SELECT channel FROM events WHERE call = ?1))
		ORDER BY id`
	events, err := query(ctx, h.store, text, func(row scanner) (e Event, err error) {
		var received int64
		err = row.Scan(&received, &e.Type, &e.Raw)
		e.Received = time.UnixMilli(received)
		return e, err
	}, string(call))
	if err != nil {
		return nil, fmt.Errorf("reading the events of call %s: %w", call, err)
	}
	return events, nil
}

// Delivery is a request that the CRM has taken or refused.
type Delivery struct {
	// Committed is when the report was made, Settled when the CRM's answer was
	// recorded.
	Committed, Settled time.Time
	Kind               bridge.ReportKind
	Attempts, Status   int
	Request, Answer    []byte
	// Refused is the reason where the CRM refused it for good, else "".
	Refused string
}

// Deliveries returns what the CRM was told about a call, in order.
func (h *History) Deliveries(ctx context.Context, call bridge.CallID) ([]Delivery, error) {
	const text = `SELECT id, committed, settled, kind, attempts, status, request, answer, '' FROM deliveries WHERE call = ?1
		UNION ALL SELECT id, committed, settled, report ->> '$.kind', attempts, status, request, answer, reason FROM dead_letters WHERE call = ?1
		ORDER BY id`
	deliveries, err := query(ctx, h.store, text, func(row scanner) (d Delivery, err error) {
		var id, committed, settled int64
		err = row.Scan(&id, &committed, &settled, &d.Kind, &d.Attempts, &d.Status, &d.Request, &d.Answer, &d.Refused)
		d.Committed, d.Settled = time.UnixMilli(committed), time.UnixMilli(settled)
		return d, err
	}, string(call))
	if err != nil {
		return nil, fmt.Errorf("reading the deliveries of call %s: %w", call, err)
	}
	return deliveries, nil
}
