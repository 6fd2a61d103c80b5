package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store/sqlite"
)

var _ bridge.RecordingJobs = (*Store)(nil)

// writeRecorded stores the channels whose recordings are to be looked for.
func writeRecorded(tx sqlite.Tx, recorded []bridge.Recorded, made int64) error {
	for _, r := range recorded {
		document, err := json.Marshal(r)
		if err != nil {
			return fmt.Errorf("writing what is known of channel %s: %w", r.Channel, err)
		}
		const add = "INSERT INTO recordings (call, leg, since, channel, began, ended, made, state, recorded) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
		err = tx.Exec(add, string(r.Call), string(r.Leg), milliseconds(r.Since), string(r.Channel), milliseconds(r.From), milliseconds(r.To),
			made, string(bridge.RecordingSought), document)
		if err != nil {
			return err
		}
	}
	return nil
}

const recordingColumns = "id, state, call, leg, since, channel, began, ended, made, recorded, place, name, size, modified, attempts, due, reason"

func scanRecording(row sqlite.Row, more ...any) (job bridge.RecordingJob, err error) {
	var since, began, ended, made, modified, due int64
	var call, leg, channel string
	var recorded, name []byte
	err = row.Scan(append([]any{&job.ID, &job.State, &call, &leg, &since, &channel, &began, &ended, &made, &recorded,
		&job.File.Place, &name, &job.Size, &modified, &job.Attempts, &due, &job.Reason}, more...)...)
	if err != nil {
		return job, err
	}
	if !json.Valid(recorded) {
		return job, fmt.Errorf("recording %d: %w", job.ID, errNoDocument)
	}
	// JSON that does not describe a channel leaves the channel empty: no file will be found.
	_ = json.Unmarshal(recorded, &job.Recorded)
	job.Recorded.Call, job.Recorded.Leg, job.Recorded.Channel = bridge.CallID(call), bridge.LegID(leg), bridge.ChannelID(channel)
	job.Recorded.Since, job.Recorded.From, job.Recorded.To = fromMilliseconds(since), fromMilliseconds(began), fromMilliseconds(ended)
	job.Made, job.Due, job.File.Name = fromMilliseconds(made), fromMilliseconds(due), string(name)
	if modified != 0 {
		job.Modified = time.Unix(0, modified)
	}
	return job, nil
}

func scanJob(row sqlite.Row) (bridge.RecordingJob, error) { return scanRecording(row) }

// SoughtOrSettling implements [bridge.RecordingJobs].
func (s *Store) SoughtOrSettling(ctx context.Context, after int64, limit int) ([]bridge.RecordingJob, error) {
	const text = "SELECT " + recordingColumns + " FROM recordings WHERE state IN ('sought', 'settling') AND id > ? ORDER BY id LIMIT ?"
	jobs, err := query(ctx, s, text, scanJob, after, limit)
	if err != nil {
		return nil, fmt.Errorf("reading which recordings to look for: %w", err)
	}
	return jobs, nil
}

// Found implements [bridge.RecordingJobs].
func (s *Store) Found(ctx context.Context, sought bridge.RecordingJob, files, missing []bridge.RecordingFile) error {
	now := s.now().UnixMilli()
	err := s.write(ctx, func(tx sqlite.Tx) error {
		for _, file := range files {
			if err := addRecording(tx, sought, file, bridge.RecordingSettling, "", 0); err != nil {
				return err
			}
		}
		for _, file := range missing {
			if err := addRecording(tx, sought, file, bridge.RecordingMissing, "there is no such file", now); err != nil {
				return err
			}
		}
		return tx.Exec("DELETE FROM recordings WHERE id = ? AND state = 'sought'", sought.ID)
	})
	return annotate(err, "keeping the %d recordings of channel %s", len(files), sought.Recorded.Channel)
}

// sameFile selects the recordings of a file (?1, and ?2 but for its ending) by a channel that
// lived at the same time as another (?3 to ?4). A file of that name from another time is another
// file.
const sameFile = "place = ?1 AND stem = ?2 AND ended >= ?3 AND began <= ?4"

// addRecording adds a file, unless it has a job already. Then the job belongs to the leg that was
// answered first of the two, and covers the time of both channels.
func addRecording(tx sqlite.Tx, sought bridge.RecordingJob, file bridge.RecordingFile, state bridge.RecordingState, reason string, settled int64) error {
	r := sought.Recorded
	same := []any{string(file.Place), []byte(file.Stem()), milliseconds(r.From), milliseconds(r.To)}
	if state == bridge.RecordingSettling {
		// The file exists after all.
		if err := tx.Exec("DELETE FROM recordings WHERE "+sameFile+" AND state = 'missing'", same...); err != nil {
			return err
		}
		if r.Talked() {
			const earlier = "UPDATE recordings SET call = ?5, leg = ?6, since = ?7 WHERE " + sameFile + " AND state IN ('settling', 'ready') AND (since = 0 OR since > ?7)"
			if err := tx.Exec(earlier, append(same, string(r.Call), string(r.Leg), milliseconds(r.Since))...); err != nil {
				return err
			}
		}
		if err := tx.Exec("UPDATE recordings SET began = MIN(began, ?3), ended = MAX(ended, ?4) WHERE "+sameFile, same...); err != nil {
			return err
		}
	}
	const add = `INSERT INTO recordings (call, leg, since, channel, began, ended, made, state, recorded, place, name, stem, reason, settled)
		SELECT ?5, ?6, ?7, ?8, ?3, ?4, ?9, ?10, COALESCE((SELECT recorded FROM recordings WHERE id = ?13), x'7b7d'), ?1, ?14, ?2, ?11, ?12 WHERE NOT EXISTS (SELECT 1 FROM recordings WHERE ` + sameFile + `)`
	return tx.Exec(add, append(same, string(r.Call), string(r.Leg), milliseconds(r.Since), string(r.Channel),
		milliseconds(sought.Made), string(state), reason, settled, sought.ID, []byte(file.Name))...)
}

// Keep implements [bridge.RecordingJobs].
func (s *Store) Keep(ctx context.Context, job bridge.RecordingJob) error {
	settled := int64(0)
	switch job.State {
	case bridge.RecordingRefused, bridge.RecordingEmpty, bridge.RecordingMissing:
		settled = s.now().UnixMilli()
	}
	modified := int64(0)
	if !job.Modified.IsZero() {
		modified = job.Modified.UnixNano()
	}
	err := s.write(ctx, func(tx sqlite.Tx) error {
		return tx.Exec("UPDATE recordings SET state = ?, place = ?, name = ?, stem = ?, size = ?, modified = ?, attempts = ?, due = ?, reason = ?, settled = ? WHERE id = ?",
			string(job.State), string(job.File.Place), []byte(job.File.Name), []byte(job.File.Stem()), job.Size, modified, job.Attempts, milliseconds(job.Due), job.Reason, settled, job.ID)
	})
	return annotate(err, "keeping that recording %d is %s", job.ID, job.State)
}

// DueUploads implements [bridge.RecordingJobs].
func (s *Store) DueUploads(ctx context.Context, now time.Time, limit int) (due []bridge.RecordingJob, next time.Time, err error) {
	const ready = " FROM recordings r WHERE state = 'ready' AND "
	const over = "NOT EXISTS (SELECT 1 FROM calls c WHERE c.call = r.call)"
	due, err = query(ctx, s, "SELECT "+recordingColumns+ready+"due <= ?1 AND "+over+" ORDER BY due, id LIMIT ?2", scanJob, now.UnixMilli(), limit)
	if err == nil {
		var later int64
		// Recordings of a call that goes on are due once it has ended.
		later, _, err = queryOne(ctx, s, "SELECT due"+ready+"due > ?1 ORDER BY due LIMIT 1", scanOne[int64], now.UnixMilli())
		next = fromMilliseconds(later)
	}
	return due, next, annotate(err, "reading which recordings to upload")
}

// Uploaded implements [bridge.RecordingJobs].
func (s *Store) Uploaded(ctx context.Context, job bridge.RecordingJob, fileID string, at time.Time) (bridge.CallID, error) {
	committed := s.now().UnixMilli()
	at = at.UTC().Truncate(time.Millisecond)
	// A write whose caller has gone may still run: its result goes through a channel.
	learnt := make(chan bridge.CallID, 1)
	err := s.write(ctx, func(tx sqlite.Tx) error {
		// The leg may have changed since the job was read.
		report := bridge.Report{Kind: bridge.ReportRecording, FileID: fileID, Time: at, Uploaded: at}
		var state bridge.RecordingState
		var stored string
		const whose = "SELECT call, leg, state, COALESCE((SELECT report ->> '$.fileId' FROM outbox WHERE outbox.id = recordings.report), '') FROM recordings WHERE id = ?"
		found, err := tx.First(whose, func(row sqlite.Row) error {
			return row.Scan(&report.Call, &report.Leg, &state, &stored)
		}, job.ID)
		switch {
		case err != nil:
			return err
		case !found:
			return bridge.ErrNoRecording
		}
		select {
		case <-learnt: // that of an attempt that failed
		default:
		}
		learnt <- report.Call
		if state == bridge.RecordingUploaded && stored == fileID {
			return nil // by an earlier try, of which it was not known
		}
		if state != bridge.RecordingReady {
			return bridge.ErrNoRecording
		}
		document, err := json.Marshal(report)
		if err != nil {
			return err
		}
		id := s.nextReportID()
		if err := tx.Exec(insertReport, id, string(report.Call), committed, document, string(report.Kind)); err != nil {
			return err
		}
		return tx.Exec("UPDATE recordings SET state = 'uploaded', report = ?, reason = '', due = 0 WHERE id = ?", id, job.ID)
	})
	if err != nil {
		return "", fmt.Errorf("keeping that recording %d is uploaded: %w", job.ID, err)
	}
	return <-learnt, nil
}

// recordingSettled stores what became of the call-recording of a recording.
func recordingSettled(tx sqlite.Tx, pending bridge.Pending, state bridge.RecordingState, reason string, settled int64) error {
	if pending.Report.Kind != bridge.ReportRecording {
		return nil
	}
	return tx.Exec("UPDATE recordings SET state = ?, reason = ?, settled = ? WHERE report = ?", string(state), reason, settled, pending.ID)
}

// reasonExpired is why a recording is uploaded again.
const reasonExpired = "the CRM could not be told within a day of its upload"

// expired has a recording uploaded again, also where the CRM may have taken the report and its
// answer was lost: a recording twice is better than none. A report without a recording becomes a
// dead letter.
func expired(tx sqlite.Tx, pending bridge.Pending, settled int64) error {
	const keep = `INSERT OR REPLACE INTO dead_letters (id, call, committed, settled, report, attempts, status, request, answer, reason)
		SELECT id, call, committed, ?1, report, attempts, 0, x'', x'', ?2 FROM outbox WHERE id = ?3 AND NOT EXISTS (SELECT 1 FROM recordings WHERE report = ?3)`
	if err := tx.Exec(keep, settled, reasonExpired, pending.ID); err != nil {
		return err
	}
	const again = "UPDATE recordings SET state = 'ready', report = 0, attempts = 0, due = ?, settled = 0, reason = ? WHERE report = ?"
	if err := tx.Exec(again, settled, reasonExpired, pending.ID); err != nil {
		return err
	}
	return tx.Exec("DELETE FROM outbox WHERE id = ?", pending.ID)
}

// AnnouncedBefore implements [bridge.RecordingJobs].
func (s *Store) AnnouncedBefore(ctx context.Context, before time.Time, places []bridge.RecordingPlace, limit int) ([]bridge.RecordingJob, error) {
	const text = "SELECT " + recordingColumns + ` FROM recordings WHERE state = 'told' AND removed = 0 AND settled < ?
		AND place IN (SELECT value FROM json_each(?)) ORDER BY settled LIMIT ?`
	list, err := json.Marshal(places)
	if err != nil {
		return nil, fmt.Errorf("writing the names of places: %w", err)
	}
	jobs, err := query(ctx, s, text, scanJob, before.UnixMilli(), string(list), limit)
	return jobs, annotate(err, "reading which recordings the CRM has")
}

// Removed implements [bridge.RecordingJobs].
func (s *Store) Removed(ctx context.Context, job bridge.RecordingJob) error {
	err := s.write(ctx, func(tx sqlite.Tx) error {
		return tx.Exec("UPDATE recordings SET removed = ? WHERE id = ?", s.now().UnixMilli(), job.ID)
	})
	return annotate(err, "keeping that the file of recording %d is gone", job.ID)
}

// Count implements [bridge.RecordingJobs].
func (s *Store) Count(ctx context.Context) (map[bridge.RecordingState]int, time.Time, error) {
	type group struct {
		state  bridge.RecordingState
		count  int
		oldest int64
	}
	groups, err := query(ctx, s, "SELECT state, COUNT(*), MIN(made) FROM recordings GROUP BY state", func(row sqlite.Row) (g group, err error) {
		return g, row.Scan(&g.state, &g.count, &g.oldest)
	})
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("counting the recordings: %w", err)
	}
	counts, oldest := make(map[bridge.RecordingState]int), int64(0)
	for _, g := range groups {
		counts[g.state] = g.count
		switch g.state {
		case bridge.RecordingSought, bridge.RecordingSettling, bridge.RecordingReady:
			if oldest == 0 || g.oldest < oldest {
				oldest = g.oldest
			}
		}
	}
	return counts, fromMilliseconds(oldest), nil
}
