package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store/sqlite"
)

// ErrOlder means that the file was written by an older version of kontur-ari, and was not brought
// forward yet.
var ErrOlder = errors.New("the store was written by an older version of kontur-ari: start the service of this version once, it brings the store forward")

// ReportState says what has become of a report.
type ReportState string

// The states of a report.
const (
	// ReportWaiting: it is in the outbox.
	ReportWaiting ReportState = "waiting"
	// ReportDead: the CRM has refused it for good, and it is kept.
	ReportDead ReportState = "dead"
	// ReportDelivered: the CRM has taken it.
	ReportDelivered ReportState = "delivered"
	// ReportLeftOut: it is not sent, since its call was over before any report of it was
	// delivered. The call's last report says everything.
	ReportLeftOut ReportState = "left out"
)

// ReportView is a report, and what has become of it.
type ReportView struct {
	ID    int64
	State ReportState
	Call  bridge.CallID
	Kind  bridge.ReportKind
	// Event and Leg are those of a call-event; "" for the others.
	Event bridge.LegEvent
	Leg   bridge.LegID
	// Committed is when the report was made, Settled when the CRM's answer was recorded: zero
	// while it waits.
	Committed, Settled time.Time
	// Attempts counts the tries; Status is the HTTP status of the last, 0 for none.
	Attempts, Status int
	// Reason says why it was refused, or why it still waits; "" for neither.
	Reason string
	// Returned: it was a dead letter, and was not tried again yet.
	Returned bool
	// Report is the report as JSON, Request and Answer are the bodies of the last try. Only
	// [Reports.Find] and [Reports.Whole] fill them in; each may be empty.
	Report, Request, Answer []byte
}

// Reports reads the reports that a store keeps, and lets an operator decide about those that
// the CRM has refused: also while a daemon uses the store, which waits for it for moments only.
// One caller uses it at a time.
type Reports struct{ file foreignFile }

// ReadReports opens the store of a directory for reading. Errors: [fs.ErrNotExist] where there
// is none, [ErrOlder], [ErrNewer], or what the disk or SQLite says.
func ReadReports(ctx context.Context, directory string) (*Reports, error) {
	const read = 4 // R_OK of access(2)
	if err := permitted(directory, read); err != nil {
		return nil, err
	}
	history, err := OpenHistory(ctx, directory)
	if err != nil {
		return nil, err
	}
	return reportsOf(history.file)
}

// OpenReports is ReadReports for [Reports.Retry] and [Reports.Drop] as well. It takes no lock,
// makes no file where there is none, and leaves the schema as it is.
func OpenReports(_ context.Context, directory string) (*Reports, error) {
	const readAndWrite = 4 | 2 // R_OK and W_OK of access(2)
	if err := permitted(directory, readAndWrite); err != nil {
		return nil, err
	}
	// The daemon has switched the log on already.
	conn, err := sqlite.OpenConn(filepath.Join(directory, FileName), sqlite.ModeWrite, "synchronous(FULL)")
	if err != nil {
		return nil, fmt.Errorf("opening the store in %s: %w", directory, err)
	}
	return reportsOf(foreignFile{conn})
}

// permitted distinguishes a store that does not exist from one that the user may not open:
// SQLite says the same of both. It does not open the file, since closing it would take away the
// locks of a store in this process.
func permitted(directory string, access uint32) error {
	for _, path := range []string{directory, filepath.Join(directory, FileName)} {
		err := syscall.Access(path, access)
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("no calls are stored in %s yet: %w", directory, err)
		}
		if err != nil {
			return fmt.Errorf("opening the store %s: %w: do this as root, or as the user of the service", path, err)
		}
	}
	return nil
}

func reportsOf(file foreignFile) (*Reports, error) {
	version, err := file.conn.Version()
	switch {
	case err != nil:
		err = fmt.Errorf("reading the schema version of the store: %w", err)
	case version > len(migrations):
		err = ErrNewer
	case version < len(migrations):
		err = ErrOlder
	default:
		return &Reports{file}, nil
	}
	return nil, errors.Join(err, file.conn.Close())
}

// Close closes the file.
func (r *Reports) Close() error { return r.file.conn.Close() }

// viewOf selects all reports of a state, in the same columns.
var viewOf = map[ReportState]string{
	ReportWaiting: `SELECT id, 'waiting' AS state, call, kind, COALESCE(report ->> '$.event', '') AS event, COALESCE(report ->> '$.leg', '') AS leg,
		committed, 0 AS settled, attempts, 0 AS status, reason, returned, report, x'' AS request, x'' AS answer FROM outbox`,
	ReportDead: `SELECT id, 'dead' AS state, call, kind, COALESCE(report ->> '$.event', '') AS event, COALESCE(report ->> '$.leg', '') AS leg,
		committed, settled, attempts, status, reason, 0 AS returned, report, request, answer FROM dead_letters`,
	// The report itself is gone. The request says the same in the contract's words.
	ReportDelivered: `SELECT id, 'delivered' AS state, call, kind,
		CASE WHEN kind = 'call-event' AND json_valid(CAST(request AS TEXT)) THEN COALESCE(CAST(request AS TEXT) ->> '$.type', '') ELSE '' END AS event,
		CASE WHEN kind = 'call-event' AND json_valid(CAST(request AS TEXT)) THEN COALESCE(CAST(request AS TEXT) ->> '$.externalCallItemId', '') ELSE '' END AS leg,
		committed, settled, attempts, status, '' AS reason, 0 AS returned, x'' AS report, request, answer FROM deliveries`,
	ReportLeftOut: `SELECT id, 'left out' AS state, call, kind, COALESCE(report ->> '$.event', '') AS event, COALESCE(report ->> '$.leg', '') AS leg,
		committed, settled, 0 AS attempts, 0 AS status, '' AS reason, 0 AS returned, report, x'' AS request, x'' AS answer FROM collapsed`,
}

// everyReport selects the reports of all states.
var everyReport = strings.Join([]string{viewOf[ReportWaiting], viewOf[ReportDead], viewOf[ReportDelivered], viewOf[ReportLeftOut]}, " UNION ALL ")

const (
	viewHead = "SELECT id, state, call, kind, event, leg, committed, settled, attempts, status, reason, returned, x'', x'', x'' FROM "
	viewFull = "SELECT id, state, call, kind, event, leg, committed, settled, attempts, status, reason, returned, report, request, answer FROM "
)

func scanReport(row sqlite.Row) (l ReportView, err error) {
	var committed, settled int64
	err = row.Scan(&l.ID, &l.State, &l.Call, &l.Kind, &l.Event, &l.Leg, &committed, &settled, &l.Attempts, &l.Status, &l.Reason, &l.Returned,
		&l.Report, &l.Request, &l.Answer)
	l.Committed = time.UnixMilli(committed)
	if settled != 0 {
		l.Settled = time.UnixMilli(settled)
	}
	return l, err
}

// pageRows is how many rows are read or changed at once: the daemon must not wait, and its write-
// ahead log must be emptied.
const pageRows = 500

// ReportFilter chooses reports. The zero ReportFilter chooses all.
type ReportFilter struct {
	// Call is the call whose reports are chosen; "" for all.
	Call bridge.CallID
	// Reason occurs in the report's, in capitals or small.
	Reason string
	// Since is the earliest time at which it was refused or, while it waits, made.
	Since time.Time
}

func (f ReportFilter) chooses(l ReportView) bool {
	at := l.Settled
	if at.IsZero() {
		at = l.Committed
	}
	return !at.Before(f.Since) && strings.Contains(strings.ToLower(l.Reason), strings.ToLower(f.Reason))
}

// Walk gives the reports of a state that a filter chooses to visit, the newest first, and ends
// early with the first error that visit returns.
func (r *Reports) Walk(ctx context.Context, state ReportState, filter ReportFilter, visit func(ReportView) error) error {
	text := viewHead + "(" + viewOf[state] + ") WHERE id < ?1 AND (?3 = '' OR call = ?3) ORDER BY id DESC LIMIT ?2"
	return walk(ctx, r.file, fmt.Sprintf("reading the reports that are %s", state), text, scanReport, func(report ReportView) (int64, error) {
		if !filter.chooses(report) {
			return report.ID, nil
		}
		return report.ID, visit(report)
	}, string(filter.Call))
}

// walk gives the rows of an answer to visit, which returns their ids: a page at a time, the
// highest id first. The first parameters of the statement are the id above a page and its length.
func walk[T any](ctx context.Context, file foreignFile, doing, text string, scan func(sqlite.Row) (T, error), visit func(T) (id int64, err error), args ...any) error {
	for before := int64(1) << 62; ; {
		page, err := query(ctx, file, text, scan, append([]any{before, pageRows}, args...)...)
		if err != nil {
			return fmt.Errorf("%s: %w", doing, err)
		}
		for _, row := range page {
			if before, err = visit(row); err != nil {
				return err
			}
		}
		if len(page) < pageRows {
			return nil
		}
	}
}

// WaitingCall is a call of which reports wait.
type WaitingCall struct {
	// First is the report that goes next, Reports is how many wait.
	First   ReportView
	Reports int
}

// WaitingCalls returns the calls whose next report is chosen by a filter, in the order of these
// reports.
func (r *Reports) WaitingCalls(ctx context.Context, filter ReportFilter) ([]WaitingCall, error) {
	const text = `SELECT o.id, o.call, o.kind, o.committed, o.attempts, o.reason, o.returned, n.reports
		FROM (SELECT MIN(id) AS first, COUNT(*) AS reports FROM outbox WHERE ?1 = '' OR call = ?1 GROUP BY call) n
		JOIN outbox o ON o.id = n.first ORDER BY o.id`
	calls, err := query(ctx, r.file, text, func(row sqlite.Row) (c WaitingCall, err error) {
		var committed int64
		err = row.Scan(&c.First.ID, &c.First.Call, &c.First.Kind, &committed, &c.First.Attempts, &c.First.Reason, &c.First.Returned, &c.Reports)
		c.First.State, c.First.Committed = ReportWaiting, time.UnixMilli(committed)
		return c, err
	}, string(filter.Call))
	if err != nil {
		return nil, fmt.Errorf("reading which calls have reports waiting: %w", err)
	}
	chosen := calls[:0]
	for _, c := range calls {
		if filter.chooses(c.First) {
			chosen = append(chosen, c)
		}
	}
	return chosen, nil
}

// Find returns the report of an id, whole; false where none is stored.
func (r *Reports) Find(ctx context.Context, id int64) (ReportView, bool, error) {
	report, found, err := queryOne(ctx, r.file, viewFull+"("+everyReport+") WHERE id = ?", scanReport, id)
	return report, found, annotate(err, "looking for report %d", id)
}

// OfCall returns all reports of a call, in order.
func (r *Reports) OfCall(ctx context.Context, call bridge.CallID) ([]ReportView, error) {
	found, err := query(ctx, r.file, viewHead+"("+everyReport+") WHERE call = ? ORDER BY id", scanReport, string(call))
	return found, annotate(err, "reading the reports of call %s", call)
}

// Whole gives dead letters to visit, whole and in order, and ends early with the first error that
// visit returns. Ids of other reports are left out.
func (r *Reports) Whole(ctx context.Context, ids []int64, visit func(ReportView) error) error {
	text := viewFull + "(" + viewOf[ReportDead] + ") WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id"
	return inPages(ids, func(page []byte) error {
		found, err := query(ctx, r.file, text, scanReport, string(page))
		if err != nil {
			return fmt.Errorf("reading dead letters: %w", err)
		}
		for _, letter := range found {
			if err := visit(letter); err != nil {
				return err
			}
		}
		return nil
	})
}

// inPages gives ids to take as JSON, a page at a time and in order.
func inPages(ids []int64, take func(page []byte) error) error {
	for page := range slices.Chunk(slices.Sorted(slices.Values(ids)), pageRows) {
		text, err := json.Marshal(page)
		if err != nil {
			return fmt.Errorf("writing the ids of reports: %w", err)
		}
		if err := take(text); err != nil {
			return err
		}
	}
	return nil
}

// DeadLetters returns how many dead letters there are.
func (s *Store) DeadLetters(ctx context.Context) (int, error) {
	count, _, err := queryOne(ctx, s, "SELECT COUNT(*) FROM dead_letters", scanOne[int])
	return count, annotate(err, "counting the dead letters")
}
