package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"kontur-ari/bridge"
)

// Plan is what of a selection of dead letters can be sent again in the order of
// their calls.
type Plan struct {
	// Ready are those that can, in order.
	Ready []Letter
	// Behind are those that can't.
	Behind []Behind
	// Unbegun are the calls of Ready of which nothing shows that the CRM took their
	// call-started, or will be told it: it may refuse the same again.
	Unbegun []bridge.CallID
}

// Behind is a dead letter that can't be sent again by itself.
type Behind struct {
	Letter Letter
	// Earlier are the dead letters of the call that come before it and are not in
	// the selection.
	Earlier []Letter
}

// Plan looks at dead letters that are to be sent again. An id that is none is left
// out.
func (l *Letters) Plan(ctx context.Context, ids []int64) (Plan, error) {
	selected := make(map[int64]bool)
	concerned := make(map[bridge.CallID][]Letter)
	for _, id := range ids {
		selected[id] = true
	}
	text := letterHead + "(" + letters[LetterDead] + `)
		WHERE call IN (SELECT call FROM dead_letters WHERE id IN (SELECT value FROM json_each(?))) ORDER BY id`
	err := inPages(ids, func(page []byte) error {
		found, err := query(ctx, l.store, text, scanLetter, string(page))
		if err != nil {
			return fmt.Errorf("reading the dead letters of some calls: %w", err)
		}
		for _, letter := range found {
			known := concerned[letter.Call]
			// Another page may have had the same call.
			if len(known) == 0 || known[len(known)-1].ID < letter.ID {
				concerned[letter.Call] = append(known, letter)
			}
		}
		return nil
	})
	if err != nil {
		return Plan{}, err
	}
	plan := planOf(concerned, selected)
	plan.Unbegun, err = l.unbegun(ctx, plan.Ready)
	return plan, err
}

// planOf tells which of the selected letters can be sent again. concerned are all
// dead letters of their calls, in order.
func planOf(concerned map[bridge.CallID][]Letter, selected map[int64]bool) (plan Plan) {
	for _, ofCall := range concerned {
		var earlier []Letter
		for _, letter := range ofCall {
			switch {
			case !selected[letter.ID]:
				earlier = append(earlier, letter)
			case len(earlier) > 0:
				plan.Behind = append(plan.Behind, Behind{letter, earlier[:len(earlier):len(earlier)]})
			default:
				plan.Ready = append(plan.Ready, letter)
			}
		}
	}
	slices.SortFunc(plan.Ready, func(a, b Letter) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(plan.Behind, func(a, b Behind) int { return cmp.Compare(a.Letter.ID, b.Letter.ID) })
	return plan
}

// unbegun are the calls of some letters of which no call-started was taken, or waits,
// or is among the dead letters, and whose letter needs one: register-call tells a
// whole call, and call-failed all there is of one in which nobody was dialled.
func (l *Letters) unbegun(ctx context.Context, ready []Letter) (calls []bridge.CallID, err error) {
	const text = `SELECT DISTINCT d.call FROM dead_letters d WHERE d.id IN (SELECT value FROM json_each(?))
		AND d.kind NOT IN ('call-started', 'register-call', 'call-failed')
		AND NOT EXISTS (SELECT 1 FROM identities WHERE call = d.call)
		AND NOT EXISTS (SELECT 1 FROM deliveries WHERE call = d.call AND kind = 'call-started')
		AND NOT EXISTS (SELECT 1 FROM outbox WHERE call = d.call AND kind = 'call-started')
		AND NOT EXISTS (SELECT 1 FROM dead_letters WHERE call = d.call AND kind = 'call-started')
		ORDER BY d.call`
	ids := make([]int64, len(ready))
	for i, letter := range ready {
		ids[i] = letter.ID
	}
	err = inPages(ids, func(page []byte) error {
		found, err := query(ctx, l.store, text, func(row scanner) (call bridge.CallID, err error) { return call, row.Scan(&call) }, string(page))
		if err != nil {
			return fmt.Errorf("looking whether calls were begun: %w", err)
		}
		calls = append(calls, found...)
		return nil
	})
	slices.Sort(calls)
	return slices.Compact(calls), err
}

// Retry puts dead letters back into the outbox, under their ids and so at their
// places in the order of their calls, as if they had never been tried. A letter that
// comes after a dead letter of its call is left where it is. It is durable before it
// returns; after an error a part may have been put back, and is returned.
func (l *Letters) Retry(ctx context.Context, ids []int64) (returned []int64, err error) {
	// What failed before it was refused may have reached the CRM all the same.
	const putBack = `INSERT INTO outbox (id, call, committed, report, kind, uncertain, returned)
		SELECT id, call, committed, report, COALESCE(kind, ''), attempts > 1, 1 FROM dead_letters d WHERE id IN (SELECT value FROM json_each(?1))
			AND NOT EXISTS (SELECT 1 FROM dead_letters e WHERE e.call = d.call AND e.id < d.id AND e.id NOT IN (SELECT value FROM json_each(?1)))
		RETURNING id`
	returned, err = l.change(ctx, ids, func(conn *sql.Conn, page []byte) ([]int64, error) {
		put, err := idsOf(ctx, conn, putBack, page)
		if err != nil {
			return nil, err
		}
		gone, err := json.Marshal(put)
		if err != nil {
			return nil, err
		}
		_, err = conn.ExecContext(ctx, "DELETE FROM dead_letters WHERE id IN (SELECT value FROM json_each(?))", string(gone))
		return put, err
	})
	if err != nil {
		return returned, fmt.Errorf("putting dead letters back into the outbox: %w", err)
	}
	return returned, nil
}

// Drop removes dead letters for good, and returns which: one may have been dropped or
// put back by somebody else. It is durable before it returns; after an error a part
// may have been removed, and is returned.
func (l *Letters) Drop(ctx context.Context, ids []int64) (dropped []int64, err error) {
	dropped, err = l.change(ctx, ids, func(conn *sql.Conn, page []byte) ([]int64, error) {
		if _, err := conn.ExecContext(ctx, "UPDATE numbering SET highest = MAX(highest, (SELECT MAX(id) FROM dead_letters))"); err != nil {
			return nil, err
		}
		return idsOf(ctx, conn, "DELETE FROM dead_letters WHERE id IN (SELECT value FROM json_each(?)) RETURNING id", page)
	})
	if err != nil {
		return dropped, fmt.Errorf("dropping dead letters: %w", err)
	}
	return dropped, nil
}

// change applies a change to ids in order, a page and a transaction at a time. Between
// two it leaves the store to the daemon for as long as it kept it.
func (l *Letters) change(ctx context.Context, ids []int64, apply func(conn *sql.Conn, page []byte) ([]int64, error)) (changed []int64, err error) {
	conn, err := l.store.read.Conn(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	var free time.Time
	err = inPages(ids, func(page []byte) error {
		if err := pause(ctx, time.Until(free)); err != nil {
			return err
		}
		began, of, err := together(ctx, conn, func() ([]int64, error) { return apply(conn, page) })
		changed = append(changed, of...)
		free = time.Now().Add(time.Since(began))
		return err
	})
	return changed, err
}

// together applies a change in a transaction that began at a moment.
func together(ctx context.Context, conn *sql.Conn, apply func() ([]int64, error)) (began time.Time, changed []int64, err error) {
	if err := begin(ctx, conn); err != nil {
		return began, nil, fmt.Errorf("beginning a transaction: %w", err)
	}
	began = time.Now()
	if changed, err = apply(); err == nil {
		_, err = conn.ExecContext(ctx, "COMMIT")
	}
	if err != nil {
		// A change that was given up still holds the lock.
		_, rollback := conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
		return began, nil, errors.Join(err, rollback)
	}
	return began, changed, nil
}

// The write lock of a daemon at work is free for moments only. SQLite looks for them
// ever more seldom the longer it waits, so it is made to begin anew every lockLook.
const (
	lockLook     = 20 * time.Millisecond
	lockPatience = 30 * time.Second
)

func begin(ctx context.Context, conn *sql.Conn) error {
	if _, err := conn.ExecContext(ctx, fmt.Sprintf("PRAGMA busy_timeout = %d", lockLook.Milliseconds())); err != nil {
		return err
	}
	for limit := time.Now().Add(lockPatience); ; {
		_, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE")
		busy, ok := errors.AsType[*sqlite.Error](err)
		if !ok || busy.Code()&0xff != sqlite3.SQLITE_BUSY || time.Now().After(limit) {
			return err
		}
	}
}

func pause(ctx context.Context, long time.Duration) error {
	timer := time.NewTimer(long)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// idsOf runs a statement on a page of ids and returns the ids that it says, in order.
func idsOf(ctx context.Context, conn *sql.Conn, text string, page []byte) (ids []int64, err error) {
	rows, err := conn.QueryContext(ctx, text, string(page))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids, rows.Err()
}
