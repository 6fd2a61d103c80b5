package store

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store/sqlite"
	"kontur-ari/internal/retry"
)

// RetryPlan says which of a selection of dead letters can be sent again in the order of their
// calls.
type RetryPlan struct {
	// Ready can be sent again, in order.
	Ready []ReportView
	// Blocked can't.
	Blocked []BlockedReport
	// Unstarted are calls of Ready whose call-started the CRM has not taken, and will not get: it
	// may refuse the same again.
	Unstarted []bridge.CallID
}

// BlockedReport is a dead letter that can't be sent again by itself.
type BlockedReport struct {
	Report ReportView
	// Earlier are the call's dead letters before it that are not selected.
	Earlier []ReportView
}

// PlanRetry looks at dead letters that are to be sent again. Ids of other reports are left out.
func (r *Reports) PlanRetry(ctx context.Context, ids []int64) (RetryPlan, error) {
	selected := make(map[int64]bool)
	concerned := make(map[bridge.CallID][]ReportView)
	for _, id := range ids {
		selected[id] = true
	}
	text := viewHead + "(" + viewOf[ReportDead] + `)
		WHERE call IN (SELECT call FROM dead_letters WHERE id IN (SELECT value FROM json_each(?))) ORDER BY id`
	err := inPages(ids, func(page []byte) error {
		found, err := query(ctx, r.file, text, scanReport, string(page))
		if err != nil {
			return fmt.Errorf("reading the dead letters of some calls: %w", err)
		}
		for _, report := range found {
			known := concerned[report.Call]
			// An earlier page may have had the same call.
			if len(known) == 0 || known[len(known)-1].ID < report.ID {
				concerned[report.Call] = append(known, report)
			}
		}
		return nil
	})
	if err != nil {
		return RetryPlan{}, err
	}
	plan := planRetry(concerned, selected)
	plan.Unstarted, err = r.unstarted(ctx, plan.Ready)
	return plan, err
}

// planRetry says which of the selected dead letters can be sent again. concerned are all dead
// letters of their calls, in order.
func planRetry(concerned map[bridge.CallID][]ReportView, selected map[int64]bool) (plan RetryPlan) {
	for _, ofCall := range concerned {
		var earlier []ReportView
		for _, report := range ofCall {
			switch {
			case !selected[report.ID]:
				earlier = append(earlier, report)
			case len(earlier) > 0:
				plan.Blocked = append(plan.Blocked, BlockedReport{report, earlier[:len(earlier):len(earlier)]})
			default:
				plan.Ready = append(plan.Ready, report)
			}
		}
	}
	slices.SortFunc(plan.Ready, func(a, b ReportView) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(plan.Blocked, func(a, b BlockedReport) int { return cmp.Compare(a.Report.ID, b.Report.ID) })
	return plan
}

// unstarted selects calls that need a call-started and have none: neither taken, nor waiting, nor
// among the dead letters. register-call and call-failed need none.
func (r *Reports) unstarted(ctx context.Context, ready []ReportView) (calls []bridge.CallID, err error) {
	const text = `SELECT DISTINCT d.call FROM dead_letters d WHERE d.id IN (SELECT value FROM json_each(?))
		AND d.kind NOT IN ('call-started', 'register-call', 'call-failed')
		AND NOT EXISTS (SELECT 1 FROM identities WHERE call = d.call)
		AND NOT EXISTS (SELECT 1 FROM deliveries WHERE call = d.call AND kind = 'call-started')
		AND NOT EXISTS (SELECT 1 FROM outbox WHERE call = d.call AND kind = 'call-started')
		AND NOT EXISTS (SELECT 1 FROM dead_letters WHERE call = d.call AND kind = 'call-started')
		ORDER BY d.call`
	ids := make([]int64, len(ready))
	for i, report := range ready {
		ids[i] = report.ID
	}
	err = inPages(ids, func(page []byte) error {
		found, err := query(ctx, r.file, text, scanOne[bridge.CallID], string(page))
		if err != nil {
			return fmt.Errorf("looking whether calls were begun: %w", err)
		}
		calls = append(calls, found...)
		return nil
	})
	slices.Sort(calls)
	return slices.Compact(calls), err
}

// Retry puts dead letters back into the outbox under their ids, and so at their places in the
// order of their calls, as if they had never been tried. A dead letter behind another of its call
// stays. It is durable before it returns; after an error it returns those that were put back.
func (r *Reports) Retry(ctx context.Context, ids []int64) (returned []int64, err error) {
	// What failed before it was refused may have reached the CRM.
	const putBack = `INSERT INTO outbox (id, call, committed, report, kind, uncertain, returned)
		SELECT id, call, committed, report, COALESCE(kind, ''), attempts > 1, 1 FROM dead_letters d WHERE id IN (SELECT value FROM json_each(?1))
			AND NOT EXISTS (SELECT 1 FROM dead_letters e WHERE e.call = d.call AND e.id < d.id AND e.id NOT IN (SELECT value FROM json_each(?1)))
		RETURNING id`
	returned, err = r.change(ctx, ids, func(conn *sqlite.Conn, page []byte) ([]int64, error) {
		put, err := idsOf(conn, putBack, page)
		if err != nil {
			return nil, err
		}
		gone, err := json.Marshal(put)
		if err != nil {
			return nil, err
		}
		return put, conn.Exec("DELETE FROM dead_letters WHERE id IN (SELECT value FROM json_each(?))", string(gone))
	})
	return returned, annotate(err, "putting dead letters back into the outbox")
}

// Drop removes dead letters for good, and returns which: another process may have been faster. It
// is durable before it returns; after an error it returns those that were removed.
func (r *Reports) Drop(ctx context.Context, ids []int64) (dropped []int64, err error) {
	dropped, err = r.change(ctx, ids, func(conn *sqlite.Conn, page []byte) ([]int64, error) {
		if err := conn.Exec("UPDATE numbering SET highest = MAX(highest, (SELECT COALESCE(MAX(id), 0) FROM dead_letters))"); err != nil {
			return nil, err
		}
		return idsOf(conn, "DELETE FROM dead_letters WHERE id IN (SELECT value FROM json_each(?)) RETURNING id", page)
	})
	return dropped, annotate(err, "dropping dead letters")
}

// change applies a change to ids in order, a page and a transaction at a time. Between two
// transactions it leaves the store to the daemon for as long as it kept it.
func (r *Reports) change(ctx context.Context, ids []int64, apply func(conn *sqlite.Conn, page []byte) ([]int64, error)) (changed []int64, err error) {
	conn := r.file.conn
	conn.SetInterrupt(ctx.Done())
	defer conn.SetInterrupt(nil)
	var free time.Time
	err = inPages(ids, func(page []byte) error {
		if err := retry.Sleep(ctx, time.Until(free)); err != nil {
			return err
		}
		if err := beginPatiently(conn); err != nil {
			return fmt.Errorf("beginning a transaction: %w", err)
		}
		began := time.Now()
		ofPage, err := apply(conn, page)
		if err == nil {
			err = conn.Exec("COMMIT")
		}
		if err != nil {
			// A change that was given up still holds the lock.
			conn.SetInterrupt(nil)
			return errors.Join(err, conn.Exec("ROLLBACK"))
		}
		changed = append(changed, ofPage...)
		free = time.Now().Add(time.Since(began))
		return nil
	})
	if err != nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	return changed, err
}

// A daemon at work leaves the write lock free for moments only. SQLite looks for them ever more
// seldom the longer it waits, so it begins to wait again every lockLook.
const (
	lockLook     = 20 * time.Millisecond
	lockPatience = 30 * time.Second
)

func beginPatiently(conn *sqlite.Conn) error {
	conn.SetBusyTimeout(lockLook)
	for limit := time.Now().Add(lockPatience); ; {
		err := conn.Exec("BEGIN IMMEDIATE")
		if !sqlite.IsBusy(err) || time.Now().After(limit) {
			return err
		}
	}
}

// idsOf runs a statement on a page of ids and returns the ids that it answers, in order.
func idsOf(conn *sqlite.Conn, text string, page []byte) (ids []int64, err error) {
	err = conn.Query(text, func(row sqlite.Row) error {
		var id int64
		err := row.Scan(&id)
		ids = append(ids, id)
		return err
	}, string(page))
	slices.Sort(ids)
	return ids, err
}
