package store

import (
	"context"

	"kontur-ari/bridge"
)

// mostSpans bounds how many spans are known to be written.
const mostSpans = 1024

// spans are the names whose span is in the file and not at its end: an event of theirs
// need not be looked up. The committer forgets them when a transaction fails, or when
// spans are removed.
type spans map[string]struct{}

// writeSpans keeps where in the journal the events of each call, and about each channel,
// are, so that they are found without an index that is written with every event. ids are
// those of the batch's events.
func writeSpans(tx transaction, batch *bridge.Batch, ids []int64) error {
	for i := range batch.Events {
		entry := &batch.Events[i]
		channel := string(entry.Event.Subject())
		if err := tx.span(channel, ids[i], entry.Event.Type == bridge.EventChannelDestroyed); err != nil {
			return err
		}
		if call := string(entry.Call); call != channel {
			if err := tx.span(call, ids[i], false); err != nil {
				return err
			}
		}
	}
	if len(ids) == 0 {
		return nil
	}
	for _, call := range batch.Gone {
		// One that was known from snapshots alone has no span.
		delete(tx.c.spans, string(call))
		if err := tx.exec("UPDATE spans SET last = ? WHERE name = ?", ids[len(ids)-1], string(call)); err != nil {
			return err
		}
	}
	return nil
}

// span notes that an event is of a call or about a channel. What comes although nothing
// more was expected makes the span longer.
func (tx transaction) span(name string, event int64, last bool) error {
	if name == "" {
		return nil
	}
	if last {
		delete(tx.c.spans, name)
		return tx.exec("INSERT INTO spans (name, first, last) VALUES (?1, ?2, ?2) ON CONFLICT (name) DO UPDATE SET last = excluded.last", name, event)
	}
	if _, known := tx.c.spans[name]; known {
		return nil
	}
	before := tx.c.conn.lastRow()
	if err := tx.exec("INSERT OR IGNORE INTO spans (name, first) VALUES (?, ?)", name, event); err != nil {
		return err
	}
	if tx.c.conn.lastRow() == before {
		// It is there, or by chance has the id of what was inserted before.
		grown, err := tx.update("UPDATE spans SET last = ? WHERE name = ? AND last > 0", event, name)
		if err != nil || grown > 0 {
			return err
		}
	}
	if len(tx.c.spans) >= mostSpans {
		clear(tx.c.spans)
	}
	tx.c.spans[name] = struct{}{}
	return nil
}

// pruneSpans removes the spans of which no event is left, but for those of calls in
// progress. A channel whose end was never heard counts by its beginning; should it live
// on, its next event begins a new span.
func (s *Store) pruneSpans(ctx context.Context) error {
	const (
		gone   = "MAX(first, last) < (SELECT COALESCE(MIN(id), 9223372036854775807) FROM events) AND name NOT IN (SELECT call FROM calls)"
		look   = "SELECT id FROM spans WHERE " + gone + " ORDER BY id LIMIT ?"
		remove = "DELETE FROM spans WHERE id IN (SELECT value FROM json_each(?)) AND " + gone
	)
	for {
		ids, err := query(ctx, s, look, func(row scanner) (id int64, err error) { return id, row.Scan(&id) }, pruneRows)
		if err != nil || len(ids) == 0 {
			return err
		}
		if err := s.removeIDs(ctx, remove, ids); err != nil {
			return err
		}
	}
}
