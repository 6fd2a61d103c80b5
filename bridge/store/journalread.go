package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store/sqlite"
)

// entriesPage is how many entries are read at once. A transaction held open would keep the
// daemon's write-ahead log from being emptied, so a slow reader holds none between two pages.
const entriesPage = 500

// Event is a journal entry.
type Event struct {
	// ID grows in the order of arrival; 1 is the first event ever stored.
	ID int64
	// Received is when it was read, in milliseconds, on the clock of the process.
	Received time.Time
	// Call is the call it belonged to when it arrived; "" for none.
	Call bridge.CallID
	Type bridge.EventType
	Raw  []byte
}

// Range is a part of the journal: the ids of its first and its last entry. The zero Range is
// empty.
type Range struct{ First, Last int64 }

// Journal returns the range of all entries. Its First is 1 as long as nothing was pruned.
func (h *History) Journal(ctx context.Context) (Range, error) {
	return h.rangeOf(ctx, "reading how long the journal is", "SELECT MIN(id) AS id FROM events UNION ALL SELECT MAX(id) FROM events")
}

// CallRange returns the range of the events of a call, and of those about channels. It goes to
// the end of the journal for a call or channel that has not ended, as far as is known.
func (h *History) CallRange(ctx context.Context, call bridge.CallID, channels []bridge.ChannelID) (Range, error) {
	names := []string{string(call)}
	for _, channel := range channels {
		names = append(names, string(channel))
	}
	list, err := json.Marshal(names)
	if err != nil {
		return Range{}, fmt.Errorf("writing the channels of call %s: %w", call, err)
	}
	text := `SELECT first AS id FROM spans WHERE name IN (SELECT value FROM json_each(?1))
		UNION ALL SELECT CASE last WHEN 0 THEN (SELECT MAX(id) FROM events) ELSE last END FROM spans WHERE name IN (SELECT value FROM json_each(?1))`
	if !h.indexed {
		text = "SELECT id FROM events WHERE call <> '' AND call IN (SELECT value FROM json_each(?1)) OR channel <> '' AND channel IN (SELECT value FROM json_each(?1))"
	}
	return h.rangeOf(ctx, fmt.Sprintf("looking for the events of call %s", call), text, string(list))
}

// SnapshotRange returns the range of the snapshots in which a text occurs, in quotation marks.
func (h *History) SnapshotRange(ctx context.Context, text string) (Range, error) {
	quoted, err := json.Marshal(text)
	if err != nil {
		return Range{}, fmt.Errorf("quoting %s: %w", text, err)
	}
	return h.rangeOf(ctx, "looking for snapshots that show "+text,
		"SELECT id FROM events WHERE type = ?1 AND instr(raw, ?2) > 0", string(bridge.EventSnapshot), quoted)
}

func (h *History) rangeOf(ctx context.Context, doing, ids string, args ...any) (Range, error) {
	text := "SELECT COALESCE(MIN(id), 0), COALESCE(MAX(id), 0) FROM (" + ids + ")"
	found, _, err := queryOne(ctx, h.file, text, func(row sqlite.Row) (r Range, err error) { return r, row.Scan(&r.First, &r.Last) }, args...)
	return found, annotate(err, "%s", doing)
}

// UnreadableError names entries of a damaged journal that could not be read.
type UnreadableError struct {
	// Parts are the ranges in which they are.
	Parts []Range
	// First is what is wrong with the first of them.
	First error
}

func (e *UnreadableError) Error() string {
	parts := make([]string, len(e.Parts))
	for i, part := range e.Parts {
		parts[i] = fmt.Sprintf("%d to %d", part.First, part.Last)
	}
	return fmt.Sprintf("events %s of the journal can't be read: %v", strings.Join(parts, ", "), e.First)
}

// Unwrap returns what is wrong with the first part.
func (e *UnreadableError) Unwrap() error { return e.First }

// Events gives the entries of a range to visit, in order, and ends early with the first error
// that visit returns. Where the file is damaged it goes on behind the damage. Then the error is
// an [*UnreadableError], after all other entries were visited.
func (h *History) Events(ctx context.Context, part Range, visit func(Event) error) error {
	var unreadable UnreadableError
	for next := part.First; next <= part.Last; {
		// With an error come the entries before the one that can't be read.
		page, err := h.events(ctx, "WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?", next, part.Last, entriesPage)
		if FaultOf(err) == Damaged && len(page) == 0 {
			behind := h.behindDamage(ctx, next, part.Last)
			unreadable.Parts = append(unreadable.Parts, Range{First: next, Last: behind - 1})
			unreadable.First = cmp.Or(unreadable.First, err)
			next = behind
			continue
		}
		if err != nil && FaultOf(err) != Damaged {
			return fmt.Errorf("reading the journal: %w", err)
		}
		if len(page) == 0 {
			break
		}
		for _, e := range page {
			if err := visit(e); err != nil {
				return err
			}
		}
		next = page[len(page)-1].ID + 1
	}
	if len(unreadable.Parts) > 0 {
		return &unreadable
	}
	return nil
}

// behindDamage looks for the next entry that can be read, in steps that grow.
func (h *History) behindDamage(ctx context.Context, first, last int64) int64 {
	for step := int64(1); first+step <= last && ctx.Err() == nil; step *= 2 {
		if found, err := h.events(ctx, "WHERE id >= ? ORDER BY id LIMIT 1", first+step); err == nil && len(found) > 0 {
			return min(found[0].ID, last+1)
		}
	}
	return last + 1
}

// SnapshotBefore returns the last snapshot before an entry; false when there is none.
func (h *History) SnapshotBefore(ctx context.Context, id int64) (Event, bool, error) {
	return h.snapshot(ctx, "WHERE type = ? AND id < ? ORDER BY id DESC LIMIT 1", id)
}

// SnapshotAfter returns the first snapshot after an entry; false when there is none.
func (h *History) SnapshotAfter(ctx context.Context, id int64) (Event, bool, error) {
	return h.snapshot(ctx, "WHERE type = ? AND id > ? ORDER BY id LIMIT 1", id)
}

func (h *History) snapshot(ctx context.Context, which string, id int64) (Event, bool, error) {
	found, err := h.events(ctx, which, string(bridge.EventSnapshot), id)
	if err != nil {
		return Event{}, false, fmt.Errorf("looking for a snapshot: %w", err)
	}
	if len(found) == 0 {
		return Event{}, false, nil
	}
	return found[0], true, nil
}

func (h *History) events(ctx context.Context, which string, args ...any) ([]Event, error) {
	return query(ctx, h.file, "SELECT id, received, call, type, raw FROM events "+which, scanEvent, args...)
}

func scanEvent(row sqlite.Row) (e Event, err error) {
	var received int64
	err = row.Scan(&e.ID, &received, &e.Call, &e.Type, &e.Raw)
	e.Received = time.UnixMilli(received)
	return e, err
}
