package store

import (
	"context"

	"kontur-ari/bridge"
)

// mostSpans bounds how many spans are known to be written.
const mostSpans = 1024

// spans are the names whose span was written lately: true are those that go on, of which
// an event need not be looked up, and false channels that were destroyed. The committer
// forgets them when a transaction fails, or when spans are removed.
type spans map[string]bool

func (s spans) add(name string, goesOn bool) {
	if len(s) >= mostSpans {
		clear(s)
	}
	s[name] = goesOn
}

// writeSpans keeps where in the journal the events of each call, and about each channel,
// are, so that they are found without an index that is written with every event. ids are
// those of the batch's events.
func writeSpans(tx transaction, batch *bridge.Batch, ids []int64) error {
	for i := range batch.Events {
		entry := &batch.Events[i]
		channel := string(entry.Event.Subject())
		if err := tx.channelSpan(channel, ids[i], entry.Event.Type == bridge.EventChannelDestroyed); err != nil {
			return err
		}
		if call := string(entry.Call); call != channel {
			if err := tx.callSpan(call, ids[i]); err != nil {
				return err
			}
		}
	}
	if len(ids) == 0 {
		return nil
	}
	for _, call := range batch.Gone {
		// One that was known from snapshots alone has no span.
		if tx.c.spans[string(call)] {
			delete(tx.c.spans, string(call))
		}
		if err := tx.exec("UPDATE spans SET last = ? WHERE name = ?", ids[len(ids)-1], string(call)); err != nil {
			return err
		}
	}
	return nil
}

// lengthened makes the span longer of what was over.
const lengthened = "INSERT INTO spans (name, first) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET last = excluded.first WHERE last > 0"

// channelSpan notes that an event is about a channel. One that is heard of lives, whatever
// became of the call that has its name: there may be more until it is destroyed. A straggler
// after that makes the span longer.
func (tx transaction) channelSpan(channel string, event int64, last bool) error {
	goesOn, known := tx.c.spans[channel]
	text := "INSERT INTO spans (name, first) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET last = 0 WHERE last > 0"
	switch {
	case channel == "" || goesOn && !last:
		return nil
	case last:
		text = "INSERT INTO spans (name, first, last) VALUES (?1, ?2, ?2) ON CONFLICT (name) DO UPDATE SET last = excluded.last"
	case known:
		text, last = lengthened, true
	}
	err := tx.exec(text, channel, event)
	if err == nil {
		tx.c.spans.add(channel, !last)
	}
	return err
}

// callSpan notes that an event is of a call. What comes although the call was over makes
// its span longer.
func (tx transaction) callSpan(call string, event int64) error {
	if tx.c.spans[call] || call == "" {
		return nil
	}
	before := tx.c.conn.lastRow()
	changed, err := tx.update(lengthened, call, event)
	if err != nil {
		return err
	}
	// Of one that was inserted SQLite tells the row, unless by chance that is the number of
	// the row before: then it is looked up once more.
	if changed == 0 || tx.c.conn.lastRow() != before {
		tx.c.spans.add(call, true)
	}
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
