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
	"kontur-ari/bridge/store/rescue"
	"kontur-ari/bridge/store/sqlite"
)

// History reads what a store holds about calls, also while a daemon uses it, or after one was
// killed. It writes nothing. One caller uses it at a time.
type History struct {
	file foreignFile
	// indexed: the file has the call index. One of an earlier version, or whose schema is
	// damaged, has not.
	indexed bool
}

// OpenHistory opens the store of a directory for reading. The error matches [fs.ErrNotExist]
// where there is none.
func OpenHistory(_ context.Context, directory string) (*History, error) {
	path := filepath.Join(directory, FileName)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("no calls are stored in %s yet: %w", directory, err)
	}
	return OpenHistoryFile(path)
}

// OpenHistoryFile is OpenHistory for a store's file of any name, such as a copy. Of a damaged
// one that was moved aside it reads what can be read.
func OpenHistoryFile(path string) (*History, error) {
	var errs []error
	for _, way := range historyWays {
		history, err := openHistory(path, way)
		if err == nil {
			return history, nil
		}
		errs = append(errs, err)
	}
	err := fmt.Errorf("reading the store %s: %w", path, errors.Join(errs...))
	if FaultOf(err) == Damaged {
		err = fmt.Errorf("%s is no store, or so damaged that nothing can be read: %w", path, errors.Join(errs...))
	}
	return nil, err
}

func openHistory(path string, way historyWay) (*History, error) {
	conn, err := sqlite.OpenConn(path, way.mode, way.settings...)
	if err != nil {
		return nil, err
	}
	if _, err = conn.Version(); err == nil {
		err = conn.Exec("SELECT 1 FROM events WHERE id = 0")
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	err = conn.Exec("SELECT 1 FROM spans WHERE id = 0")
	return &History{foreignFile{conn}, err == nil}, nil
}

type historyWay struct {
	mode     sqlite.Mode
	settings []string
}

// historyWays are the ways to read a file, to be tried in order. A reader without the right to
// write can't make the index of a log that was closed in order; then no process writes, and the
// file can be taken as it is. Of a damaged file the tables are read that its schema still names.
var historyWays = []historyWay{
	{sqlite.ModeRead, []string{"query_only(ON)"}},
	{sqlite.ModeImmutable, []string{"query_only(ON)"}},
	{sqlite.ModeRead, rescue.Salvaging},
}

// Close closes the file.
func (h *History) Close() error { return h.file.conn.Close() }

// CallSummary counts the reports of a call.
type CallSummary struct {
	Call bridge.CallID
	// First is when its first request was settled, or made where it still waits. Requests is how
	// many the CRM took, Waiting and Refused how many it did not.
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
	calls, err := query(ctx, h.file, text, func(row sqlite.Row) (c CallSummary, err error) {
		var first int64
		err = row.Scan(&c.Call, &first, &c.Requests, &c.Waiting, &c.Refused)
		c.First = time.UnixMilli(first)
		return c, err
	}, limit)
	return calls, annotate(err, "reading the last calls")
}

// Delivery is a request that the CRM has taken or refused, or that waits.
type Delivery struct {
	// Committed is when the report was made, Settled when the CRM's answer was recorded: zero
	// while it waits.
	Committed, Settled time.Time
	Kind               bridge.ReportKind
	Attempts, Status   int
	Request, Answer    []byte
	// Waits: it has not been delivered yet.
	Waits bool
	// LeftOut: it will not be sent, since its call was over before any report of it was
	// delivered. The call's last report says everything.
	LeftOut bool
	// Reason says why the CRM refused it for good, or why it still waits. It is "" for neither,
	// and for one that was not tried yet.
	Reason string
}

// Deliveries returns the requests about a call in order: those that were sent, those that wait,
// and those that are left out.
func (h *History) Deliveries(ctx context.Context, call bridge.CallID) ([]Delivery, error) {
	const text = `SELECT id, committed, settled, kind, attempts, status, request, answer, '', 0 FROM deliveries WHERE call = ?1
		UNION ALL SELECT id, committed, settled, report ->> '$.kind', attempts, status, request, answer, reason, 0 FROM dead_letters WHERE call = ?1
		UNION ALL SELECT id, committed, 0, report ->> '$.kind', attempts, 0, x'', x'', reason, 0 FROM outbox WHERE call = ?1
		UNION ALL SELECT id, committed, settled, kind, 0, 0, x'', x'', '', 1 FROM collapsed WHERE call = ?1
		ORDER BY id`
	deliveries, err := query(ctx, h.file, text, func(row sqlite.Row) (d Delivery, err error) {
		var id, committed, settled int64
		err = row.Scan(&id, &committed, &settled, &d.Kind, &d.Attempts, &d.Status, &d.Request, &d.Answer, &d.Reason, &d.LeftOut)
		d.Committed = time.UnixMilli(committed)
		if d.Waits = settled == 0; !d.Waits {
			d.Settled = time.UnixMilli(settled)
		}
		return d, err
	}, string(call))
	return deliveries, annotate(err, "reading the deliveries of call %s", call)
}
