package store

import (
	"context"
	"fmt"
	"time"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store/sqlite"
)

// Recordings reads what has become of recordings, and lets an operator have them tried again:
// also while a daemon uses the store, which takes up what is put back within seconds. One caller
// uses it at a time.
type Recordings struct{ reports *Reports }

// ReadRecordings opens the store of a directory for reading. Its errors are those of
// [ReadReports].
func ReadRecordings(ctx context.Context, directory string) (*Recordings, error) {
	reports, err := ReadReports(ctx, directory)
	if err != nil {
		return nil, err
	}
	return &Recordings{reports}, nil
}

// OpenRecordings is ReadRecordings for [Recordings.Retry] as well.
func OpenRecordings(ctx context.Context, directory string) (*Recordings, error) {
	reports, err := OpenReports(ctx, directory)
	if err != nil {
		return nil, err
	}
	return &Recordings{reports}, nil
}

// Close closes the file.
func (r *Recordings) Close() error { return r.reports.Close() }

// RecordingEntry is a recording, and what has become of it.
type RecordingEntry struct {
	bridge.RecordingJob
	// Report is the id of its call-recording in the outbox; 0 for none.
	Report int64
	// Settled is when its state became final, Removed when we removed its file; zero for neither.
	Settled, Removed time.Time
}

// Retryable says whether [Recordings.Retry] may try the recording again: it was given up, or
// waits for its next try.
func (e *RecordingEntry) Retryable() bool {
	switch e.State {
	case bridge.RecordingRefused, bridge.RecordingMissing, bridge.RecordingEmpty, bridge.RecordingReady:
		return true
	}
	return false
}

// RecordingFilter chooses recordings. The zero filter chooses all.
type RecordingFilter struct {
	Call  bridge.CallID
	State bridge.RecordingState
	// Since is the earliest end of the channel.
	Since time.Time
}

// Walk gives the recordings that a filter chooses to visit, the newest first, and ends early with
// the first error that visit returns.
func (r *Recordings) Walk(ctx context.Context, filter RecordingFilter, visit func(RecordingEntry) error) error {
	const text = "SELECT " + recordingColumns + `, report, settled, removed FROM recordings
		WHERE id < ?1 AND (?3 = '' OR call = ?3) AND (?4 = '' OR state = ?4) AND made >= ?5 ORDER BY id DESC LIMIT ?2`
	return walk(ctx, r.reports.file, "reading the recordings", text, scanEntry, func(entry RecordingEntry) (int64, error) { return entry.ID, visit(entry) },
		string(filter.Call), string(filter.State), milliseconds(filter.Since))
}

// Find returns those of some recordings that exist, in order.
func (r *Recordings) Find(ctx context.Context, ids []int64) (found []RecordingEntry, err error) {
	const text = "SELECT " + recordingColumns + ", report, settled, removed FROM recordings WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id"
	err = inPages(ids, func(page []byte) error {
		entries, err := query(ctx, r.reports.file, text, scanEntry, string(page))
		found = append(found, entries...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("looking for recordings: %w", err)
	}
	return found, nil
}

func scanEntry(row sqlite.Row) (e RecordingEntry, err error) {
	var settled, removed int64
	e.RecordingJob, err = scanRecording(row, &e.Report, &settled, &removed)
	e.Settled, e.Removed = fromMilliseconds(settled), fromMilliseconds(removed)
	return e, err
}

// Retry has recordings looked for and uploaded again from the beginning. A recording that is not
// [RecordingEntry.Retryable] is left as it is. Its refused call-recording leaves the dead
// letters, since another takes its place. It is durable before it returns; after an error it
// returns those that were put back.
func (r *Recordings) Retry(ctx context.Context, ids []int64) (returned []int64, err error) {
	const which = "id IN (SELECT value FROM json_each(?1)) AND state IN ('refused', 'missing', 'empty', 'ready')"
	returned, err = r.reports.change(ctx, ids, func(conn *sqlite.Conn, page []byte) ([]int64, error) {
		const forget = "DELETE FROM dead_letters WHERE id IN (SELECT report FROM recordings WHERE report <> 0 AND " + which + ")"
		if err := conn.Exec("UPDATE numbering SET highest = MAX(highest, (SELECT COALESCE(MAX(id), 0) FROM dead_letters))"); err != nil {
			return nil, err
		}
		if err := conn.Exec(forget, string(page)); err != nil {
			return nil, err
		}
		// A missing file is looked for as at first. A call-recording in the outbox may be in
		// flight.
		const again = `UPDATE recordings SET state = CASE state WHEN 'missing' THEN 'sought' ELSE 'settling' END,
			place = CASE state WHEN 'missing' THEN '' ELSE place END, name = CASE state WHEN 'missing' THEN x'' ELSE name END,
			stem = CASE state WHEN 'missing' THEN x'' ELSE stem END, attempts = 0, due = 0, report = 0, settled = 0, removed = 0, reason = 'put back to be tried again'
			WHERE ` + which + " AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.id = recordings.report) RETURNING id"
		return idsOf(conn, again, page)
	})
	if err != nil {
		return returned, fmt.Errorf("having recordings tried again: %w", err)
	}
	return returned, nil
}
