package store

import (
	"context"
	"math"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store/sqlite"
)

// The call index (table spans) says between which events of the journal those of a call are,
// or those about a channel. It is written twice for each, where an index of the events would
// be written with every event.

// maxKnown bounds how many entries are known to be in the file.
const maxKnown = 1024

// callIndex are names whose entry was written recently. True are those that go on: an event of
// theirs needs no write. False are channels that were destroyed. It is cleared when a
// transaction is rolled back, and when entries are removed.
type callIndex map[string]bool

func (c callIndex) add(name string, goesOn bool) {
	if len(c) >= maxKnown {
		clear(c)
	}
	c[name] = goesOn
}

// writeCallIndex writes the entries that the events of a batch begin, end or prolong. ids are
// those of the events.
func (s *Store) writeCallIndex(tx sqlite.Tx, batch *bridge.Batch, ids []int64) error {
	for i := range batch.Events {
		entry := &batch.Events[i]
		channel := string(entry.Event.Subject())
		if err := s.indexChannel(tx, channel, ids[i], entry.Event.Type == bridge.EventChannelDestroyed); err != nil {
			return err
		}
		if call := string(entry.Call); call != channel {
			if err := s.indexCall(tx, call, ids[i]); err != nil {
				return err
			}
		}
	}
	if len(ids) == 0 {
		return nil
	}
	for _, call := range batch.Gone {
		// A call that was known from snapshots alone has no entry.
		if s.index[string(call)] {
			delete(s.index, string(call))
		}
		if err := tx.Exec("UPDATE spans SET last = ? WHERE name = ?", ids[len(ids)-1], string(call)); err != nil {
			return err
		}
	}
	return nil
}

// prolong begins an entry, or prolongs one that had ended.
const prolong = "INSERT INTO spans (name, first) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET last = excluded.first WHERE last > 0"

// indexChannel stores that an event is about a channel. A channel counts as live until its
// ChannelDestroyed, even if the call with the same id has ended. An event after that only
// prolongs the entry.
func (s *Store) indexChannel(tx sqlite.Tx, channel string, event int64, last bool) error {
	goesOn, known := s.index[channel]
	text, args := "INSERT INTO spans (name, first) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET last = 0 WHERE last > 0", []any{channel, event}
	switch {
	case channel == "" || goesOn && !last:
		return nil
	case last:
		text = "INSERT INTO spans (name, first, last) VALUES (?1, ?2, ?2) ON CONFLICT (name) DO UPDATE SET last = excluded.last"
	case known:
		text, last = prolong, true
	}
	err := tx.Exec(text, args...)
	if err == nil {
		s.index.add(channel, !last)
	}
	return err
}

// indexCall notes that an event is of a call. An event after the call's end prolongs its
// entry.
func (s *Store) indexCall(tx sqlite.Tx, call string, event int64) error {
	if s.index[call] || call == "" {
		return nil
	}
	before := tx.LastInsertID()
	if err := tx.Exec(prolong, call, event); err != nil {
		return err
	}
	// After an insert SQLite says the id of the row, unless that is by chance the id of the
	// row before: then the entry is looked up once more.
	if tx.Changes() == 0 || tx.LastInsertID() != before {
		s.index.add(call, true)
	}
	return nil
}

// pruneCallIndex removes the entries of which no event is left, but for those of calls in
// progress. A channel whose end was never heard counts by its first event; should it live on,
// its next event begins a new entry.
func (s *Store) pruneCallIndex(ctx context.Context) error {
	const (
		gone   = "MAX(first, last) < (SELECT COALESCE(MIN(id), ?1) FROM events) AND name NOT IN (SELECT call FROM calls)"
		look   = "SELECT id FROM spans WHERE " + gone + " ORDER BY id LIMIT ?2"
		remove = "DELETE FROM spans WHERE id IN (SELECT value FROM json_each(?2)) AND " + gone
	)
	for {
		ids, err := query(ctx, s, look, scanOne[int64], int64(math.MaxInt64), pruneRows)
		if err != nil || len(ids) == 0 {
			return err
		}
		list, err := idList(ids)
		if err != nil {
			return err
		}
		if err := s.removePaced(ctx, remove, int64(math.MaxInt64), list); err != nil {
			return err
		}
	}
}
