package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"kontur-ari/bridge"
)

// ErrOlder means that the file was written by an older version of kontur-ari, and
// was not brought forward yet.
var ErrOlder = errors.New("the store was written by an older version of kontur-ari: start the service of this version once, it brings the store forward")

// LetterState says what has become of a report.
type LetterState string

// The states of a report.
const (
	// LetterWaits: it is in the outbox.
	LetterWaits LetterState = "waiting"
	// LetterDead: the CRM has refused it for good, and it is kept.
	LetterDead LetterState = "dead"
	// LetterDelivered: the CRM has taken it.
	LetterDelivered LetterState = "delivered"
	// LetterLeftOut: it is not sent, since its call was over before the CRM could be
	// told anything of it; the call's last report tells it.
	LetterLeftOut LetterState = "left out"
)

// Letter is a report, and what has become of it.
type Letter struct {
	ID    int64
	State LetterState
	Call  bridge.CallID
	Kind  bridge.ReportKind
	// Event and Leg are those of a call-event; "" for the others.
	Event bridge.LegEvent
	Leg   bridge.LegID
	// Committed is when the report was made, Settled when the CRM's answer was
	// recorded; zero while it waits.
	Committed, Settled time.Time
	// Attempts counts the tries; Status is the HTTP status of the last, 0 for none.
	Attempts, Status int
	// Reason says why it was refused, or why it still waits; "" for neither.
	Reason string
	// Returned: it was a dead letter, and was not tried again yet.
	Returned bool
	// Report is the report in our own terms, Request and Answer are the bodies of
	// the last try. They are filled in by [Letters.Find] and [Letters.Whole] only;
	// each may be empty.
	Report, Request, Answer []byte
}

// Letters reads the reports that a store keeps, and lets a person decide about those
// that the CRM has refused: also while a daemon uses the store, in whose way it is for
// moments only. One caller at a time.
type Letters struct{ store *Store }

// ReadLetters opens the store of a directory for reading. Errors: [fs.ErrNotExist]
// where there is none, [ErrOlder], [ErrNewer], or what the disk or SQLite says.
func ReadLetters(ctx context.Context, directory string) (*Letters, error) {
	const read = 4 // R_OK of access(2)
	if err := permitted(directory, read); err != nil {
		return nil, err
	}
	history, err := OpenHistory(ctx, directory)
	if err != nil {
		return nil, err
	}
	return lettersOf(ctx, history.store)
}

// OpenLetters is ReadLetters for [Letters.Retry] and [Letters.Drop] as well. It takes
// no lock, makes no file where there is none, and leaves the schema as it is.
func OpenLetters(ctx context.Context, directory string) (*Letters, error) {
	const readAndWrite = 4 | 2 // R_OK and W_OK of access(2)
	if err := permitted(directory, readAndWrite); err != nil {
		return nil, err
	}
	// The log is switched on already, by the daemon.
	settings := url.Values{"mode": {"rw"}, "_pragma": {"busy_timeout(5000)", "synchronous(FULL)"}}
	db, err := open(filepath.Join(directory, FileName), settings, 1)
	if err != nil {
		return nil, err
	}
	return lettersOf(ctx, &Store{read: db, now: time.Now})
}

// permitted tells apart that there is nothing yet and that one may not: SQLite says
// the same of both. The file itself is not opened for that, since closing it would
// take away the locks of a store in this process.
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

func lettersOf(ctx context.Context, s *Store) (*Letters, error) {
	version, err := query(ctx, s, "PRAGMA user_version", func(row scanner) (v int, err error) { return v, row.Scan(&v) })
	switch {
	case err != nil:
		err = fmt.Errorf("reading the schema version of the store: %w", err)
	case version[0] > len(migrations):
		err = ErrNewer
	case version[0] < len(migrations):
		err = ErrOlder
	default:
		return &Letters{s}, nil
	}
	return nil, errors.Join(err, s.release())
}

// Close closes the file.
func (l *Letters) Close() error { return l.store.release() }

// letters are all letters of a state, in the same columns.
var letters = map[LetterState]string{
	LetterWaits: `SELECT id, 'waiting' AS state, call, kind, COALESCE(report ->> '$.event', '') AS event, COALESCE(report ->> '$.leg', '') AS leg,
		committed, 0 AS settled, attempts, 0 AS status, reason, returned, report, x'' AS request, x'' AS answer FROM outbox`,
	LetterDead: `SELECT id, 'dead' AS state, call, kind, COALESCE(report ->> '$.event', '') AS event, COALESCE(report ->> '$.leg', '') AS leg,
		committed, settled, attempts, status, reason, 0 AS returned, report, request, answer FROM dead_letters`,
	// Of these the report is gone; what was sent says the same in the contract's words.
	LetterDelivered: `SELECT id, 'delivered' AS state, call, kind,
		CASE WHEN kind = 'call-event' AND json_valid(CAST(request AS TEXT)) THEN COALESCE(CAST(request AS TEXT) ->> '$.type', '') ELSE '' END AS event,
		CASE WHEN kind = 'call-event' AND json_valid(CAST(request AS TEXT)) THEN COALESCE(CAST(request AS TEXT) ->> '$.externalCallItemId', '') ELSE '' END AS leg,
		committed, settled, attempts, status, '' AS reason, 0 AS returned, x'' AS report, request, answer FROM deliveries`,
	LetterLeftOut: `SELECT id, 'left out' AS state, call, kind, COALESCE(report ->> '$.event', '') AS event, COALESCE(report ->> '$.leg', '') AS leg,
		committed, settled, 0 AS attempts, 0 AS status, '' AS reason, 0 AS returned, report, x'' AS request, x'' AS answer FROM collapsed`,
}

// everyLetter are the letters of all states.
var everyLetter = strings.Join([]string{letters[LetterWaits], letters[LetterDead], letters[LetterDelivered], letters[LetterLeftOut]}, " UNION ALL ")

const (
	letterHead = "SELECT id, state, call, kind, event, leg, committed, settled, attempts, status, reason, returned, x'', x'', x'' FROM "
	letterFull = "SELECT id, state, call, kind, event, leg, committed, settled, attempts, status, reason, returned, report, request, answer FROM "
)

func scanLetter(row scanner) (l Letter, err error) {
	var committed, settled int64
	err = row.Scan(&l.ID, &l.State, &l.Call, &l.Kind, &l.Event, &l.Leg, &committed, &settled, &l.Attempts, &l.Status, &l.Reason, &l.Returned,
		&l.Report, &l.Request, &l.Answer)
	l.Committed = time.UnixMilli(committed)
	if settled != 0 {
		l.Settled = time.UnixMilli(settled)
	}
	return l, err
}

// lettersPage is how many letters are read, or changed, at once: neither keeps the
// daemon waiting, or its write-ahead log from being emptied.
const lettersPage = 500

// Filter chooses letters. The zero Filter chooses all.
type Filter struct {
	// Call is the one call whose letters are chosen.
	Call bridge.CallID
	// Reason occurs in the letter's, in capitals or small.
	Reason string
	// Since is the earliest moment at which it was refused or, while it waits, made.
	Since time.Time
}

func (f Filter) chooses(l Letter) bool {
	at := l.Settled
	if at.IsZero() {
		at = l.Committed
	}
	return !at.Before(f.Since) && strings.Contains(strings.ToLower(l.Reason), strings.ToLower(f.Reason))
}

// Walk gives the letters of a state that a filter chooses to visit, the newest first,
// and ends early with the first error that visit returns.
func (l *Letters) Walk(ctx context.Context, state LetterState, filter Filter, visit func(Letter) error) error {
	text := letterHead + "(" + letters[state] + ") WHERE id < ?1 AND (?2 = '' OR call = ?2) ORDER BY id DESC LIMIT ?3"
	for before := int64(1) << 62; ; {
		page, err := query(ctx, l.store, text, scanLetter, before, string(filter.Call), lettersPage)
		if err != nil {
			return fmt.Errorf("reading the reports that are %s: %w", state, err)
		}
		for _, letter := range page {
			if !filter.chooses(letter) {
				continue
			}
			if err := visit(letter); err != nil {
				return err
			}
		}
		if len(page) < lettersPage {
			return nil
		}
		before = page[len(page)-1].ID
	}
}

// WaitingCall is a call of which reports wait.
type WaitingCall struct {
	// First is the report that goes next, Reports is how many wait.
	First   Letter
	Reports int
}

// WaitingCalls returns the calls whose next report is chosen by a filter, in the order
// of these reports.
func (l *Letters) WaitingCalls(ctx context.Context, filter Filter) ([]WaitingCall, error) {
	const text = `SELECT o.id, o.call, o.kind, o.committed, o.attempts, o.reason, o.returned, n.reports
		FROM (SELECT MIN(id) AS first, COUNT(*) AS reports FROM outbox WHERE ?1 = '' OR call = ?1 GROUP BY call) n
		JOIN outbox o ON o.id = n.first ORDER BY o.id`
	calls, err := query(ctx, l.store, text, func(row scanner) (c WaitingCall, err error) {
		var committed int64
		err = row.Scan(&c.First.ID, &c.First.Call, &c.First.Kind, &committed, &c.First.Attempts, &c.First.Reason, &c.First.Returned, &c.Reports)
		c.First.State, c.First.Committed = LetterWaits, time.UnixMilli(committed)
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
func (l *Letters) Find(ctx context.Context, id int64) (Letter, bool, error) {
	found, err := query(ctx, l.store, letterFull+"("+everyLetter+") WHERE id = ?", scanLetter, id)
	if err != nil {
		return Letter{}, false, fmt.Errorf("looking for report %d: %w", id, err)
	}
	if len(found) == 0 {
		return Letter{}, false, nil
	}
	return found[0], true, nil
}

// OfCall returns all letters of a call, in order.
func (l *Letters) OfCall(ctx context.Context, call bridge.CallID) ([]Letter, error) {
	found, err := query(ctx, l.store, letterHead+"("+everyLetter+") WHERE call = ? ORDER BY id", scanLetter, string(call))
	if err != nil {
		return nil, fmt.Errorf("reading the reports of call %s: %w", call, err)
	}
	return found, nil
}

// Whole gives the dead letters of some ids to visit, whole and in order, and ends
// early with the first error that visit returns. An id that is none is left out.
func (l *Letters) Whole(ctx context.Context, ids []int64, visit func(Letter) error) error {
	text := letterFull + "(" + letters[LetterDead] + ") WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id"
	return inPages(ids, func(page []byte) error {
		found, err := query(ctx, l.store, text, scanLetter, string(page))
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

// inPages gives ids away as JSON, a page at a time and in order.
func inPages(ids []int64, take func(page []byte) error) error {
	for page := range slices.Chunk(slices.Sorted(slices.Values(ids)), lettersPage) {
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
	counted, err := query(ctx, s, "SELECT COUNT(*) FROM dead_letters", func(row scanner) (n int, err error) { return n, row.Scan(&n) })
	if err != nil {
		return 0, fmt.Errorf("counting the dead letters: %w", err)
	}
	return counted[0], nil
}
