package store_test

import (
	"database/sql"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store"
)

// second returns the moment n seconds after the beginning of a call, and the zero time for 0.
func second(n int) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return moment.Add(time.Duration(n) * time.Second)
}

// recorded returns a channel that existed between two seconds of its call. Its leg was
// connected at second since; 0 means never.
func recorded(call bridge.CallID, leg bridge.LegID, from, since, to int) bridge.Recorded {
	id := bridge.ChannelID(leg + "-channel")
	return bridge.Recorded{Call: call, Leg: leg, Since: second(since), Channel: id, Name: "PJSIP/" + string(id), From: second(from), To: second(to)}
}

func monitored(name string) bridge.RecordingFile {
	return bridge.RecordingFile{Place: bridge.PlaceMonitor, Name: name}
}

// sought commits a channel whose recordings are to be looked for, and returns its job.
func sought(t testing.TB, s *store.Store, channel bridge.Recorded) bridge.RecordingJob {
	t.Helper()
	commit(t, s, bridge.Batch{Recorded: []bridge.Recorded{channel}})
	jobs := soughtOrSettling(t, s)
	return jobs[len(jobs)-1]
}

func soughtOrSettling(t testing.TB, s *store.Store) []bridge.RecordingJob {
	t.Helper()
	jobs, err := s.SoughtOrSettling(t.Context(), 0, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	return jobs
}

// found records that a channel has led to files. It puts the last file into a state and
// returns its job. If another channel has led to the file before, that is the job of the other.
func found(t testing.TB, s *store.Store, channel bridge.Recorded, state bridge.RecordingState, names ...string) bridge.RecordingJob {
	t.Helper()
	job := sought(t, s, channel)
	var files []bridge.RecordingFile
	for _, name := range names {
		files = append(files, monitored(name))
	}
	find(t, s, job, files, nil)
	jobs := soughtOrSettling(t, s)
	if len(jobs) == 0 {
		return bridge.RecordingJob{}
	}
	job = jobs[len(jobs)-1]
	job.State = state
	keep(t, s, job)
	return job
}

func find(t testing.TB, s *store.Store, sought bridge.RecordingJob, files, missing []bridge.RecordingFile) {
	t.Helper()
	if err := s.Found(t.Context(), sought, files, missing); err != nil {
		t.Fatal(err)
	}
}

func keep(t testing.TB, s *store.Store, job bridge.RecordingJob) {
	t.Helper()
	if err := s.Keep(t.Context(), job); err != nil {
		t.Fatal(err)
	}
}

// recording is a stored recording: whose it is, and how far it has come.
type recording struct {
	State  bridge.RecordingState
	Call   bridge.CallID
	Leg    bridge.LegID
	Name   string
	Reason string
}

// recordings returns all stored recordings, in any state.
func recordings(t *testing.T, directory string) (all []recording) {
	t.Helper()
	raw(t, directory, func(db *sql.DB) error {
		rows, err := db.QueryContext(t.Context(), "SELECT state, call, leg, name, reason FROM recordings ORDER BY id")
		if err != nil {
			return err
		}
		for rows.Next() {
			var r recording
			var name []byte
			if err := rows.Scan(&r.State, &r.Call, &r.Leg, &name, &r.Reason); err != nil {
				return err
			}
			r.Name = string(name)
			all = append(all, r)
		}
		return errors.Join(rows.Err(), rows.Close())
	})
	return all
}

// checkRecordings compares all stored recordings, but not their reasons.
func checkRecordings(t *testing.T, directory string, want ...recording) {
	t.Helper()
	if diff := cmp.Diff(want, recordings(t, directory), cmpopts.IgnoreFields(recording{}, "Reason")); diff != "" {
		t.Errorf("recordings (-want +got):\n%s", diff)
	}
}

func TestWhoseRecordingsAreSoughtIsKnownAfterAnotherStart(t *testing.T) {
	directory := t.TempDir()
	talked := recorded("1.1", "1.2", 1, 3, 9)
	talked.Files = []string{"/var/spool/asterisk/monitor/a b.wav", "Иван.wav"}
	unheard := recorded("1.1", "1.1", 1, 0, 9)
	unheard.Messages = []string{"/var/spool/asterisk/voicemail/default/101/INBOX/msg0000"}
	want := []bridge.Recorded{talked, unheard, recorded("2.1", "2.2", 4, 5, 6)}
	s, err := store.Open(t.Context(), directory)
	if err != nil {
		t.Fatal(err)
	}
	before := time.Now().Truncate(time.Millisecond)
	commit(t, s, bridge.Batch{Recorded: want[:2]})
	commit(t, s, bridge.Batch{Recorded: want[2:]})
	after := time.Now()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	s = open(t, directory)
	jobs := soughtOrSettling(t, s)
	var got []bridge.Recorded
	for _, job := range jobs {
		got = append(got, job.Recorded)
		if job.Made.Before(before) || job.Made.After(after) {
			t.Errorf("job %d was made at %v, want it between %v and %v", job.ID, job.Made, before, after)
		}
		made := bridge.RecordingJob{ID: job.ID, State: bridge.RecordingSought, Recorded: job.Recorded, Made: job.Made}
		if diff := cmp.Diff(made, job); diff != "" {
			t.Errorf("a job that was just made (-want +got):\n%s", diff)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("channels (-want +got):\n%s", diff)
	}
	page, err := s.SoughtOrSettling(t.Context(), jobs[0].ID, 1)
	if diff := cmp.Diff(jobs[1:2], page); diff != "" || err != nil {
		t.Errorf("one behind the first, error %v (-want +got):\n%s", err, diff)
	}
}

func TestWhatIsFoundTakesThePlaceOfTheJobThatLookedForIt(t *testing.T) {
	directory := t.TempDir()
	s := open(t, directory)
	channel := recorded("1.1", "1.2", 1, 3, 9)
	channel.Files = []string{"a.wav", "b.wav", "c.wav"}
	job, other := sought(t, s, channel), sought(t, s, recorded("2.1", "2.2", 1, 2, 3))
	find(t, s, job, []bridge.RecordingFile{monitored("a.wav"), {Place: bridge.PlaceVoicemail, Name: "b.wav"}}, []bridge.RecordingFile{monitored("c.wav")})

	want := []bridge.RecordingJob{
		other,
		{State: bridge.RecordingSettling, Recorded: channel, Made: job.Made, File: monitored("a.wav")},
		{State: bridge.RecordingSettling, Recorded: channel, Made: job.Made, File: bridge.RecordingFile{Place: bridge.PlaceVoicemail, Name: "b.wav"}},
	}
	jobs := soughtOrSettling(t, s)
	ignoreNew := cmp.FilterPath(func(path cmp.Path) bool { return path.String() == "ID" }, cmp.Comparer(func(a, b int64) bool { return a == b || a == 0 || b == 0 }))
	if diff := cmp.Diff(want, jobs, ignoreNew); diff != "" {
		t.Fatalf("jobs (-want +got):\n%s", diff)
	}
	all := recordings(t, directory)
	if missing := all[len(all)-1]; missing.State != bridge.RecordingMissing || missing.Name != "c.wav" || missing.Leg != "1.2" || missing.Reason == "" {
		t.Errorf("the one that is not there: %+v", missing)
	}
	find(t, s, other, nil, nil)
	if left := soughtOrSettling(t, s); len(left) != 2 {
		t.Errorf("%d jobs are left, want 2: nothing was found of the other channel", len(left))
	}
}

func TestAJobIsKeptAsItIs(t *testing.T) {
	directory := t.TempDir()
	s, err := store.Open(t.Context(), directory)
	if err != nil {
		t.Fatal(err)
	}
	waits := sought(t, s, recorded("1.1", "1.2", 1, 3, 9))
	waits.Attempts, waits.Due, waits.Reason = 2, second(20), "the directory can't be read"
	keep(t, s, waits)
	settling := found(t, s, recorded("2.1", "2.2", 1, 3, 9), bridge.RecordingSettling, "2.wav")
	settling.File = bridge.RecordingFile{Place: bridge.PlaceVoicemail, Name: "default/101/INBOX/msg0001.WAV"}
	settling.Size, settling.Modified, settling.Reason = 1<<40+1, time.Date(2026, 3, 22, 10, 38, 35, 123456789, time.UTC), "it grows"
	keep(t, s, settling)
	ready := found(t, s, recorded("3.1", "3.2", 1, 3, 9), bridge.RecordingReady, "3.wav")
	ready.Size, ready.Modified, ready.Attempts, ready.Due, ready.Reason = 44, moment.Add(time.Nanosecond), 7, second(21), "HTTP 503"
	keep(t, s, ready)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	s = open(t, directory)
	sameMoment := cmp.Comparer(time.Time.Equal)
	if diff := cmp.Diff([]bridge.RecordingJob{waits, settling}, soughtOrSettling(t, s), sameMoment); diff != "" {
		t.Errorf("looked for, or settling (-want +got):\n%s", diff)
	}
	due, _, err := s.DueUploads(t.Context(), second(21), 10)
	if diff := cmp.Diff([]bridge.RecordingJob{ready}, due, sameMoment); diff != "" || err != nil {
		t.Errorf("to be uploaded, error %v (-want +got):\n%s", err, diff)
	}
}

func TestRecordingsAreUploadedOnceTheirCallsAreOver(t *testing.T) {
	s := open(t, t.TempDir())
	commit(t, s, bridge.Batch{Changed: []bridge.CallState{{Call: "open", State: []byte("{}")}}})
	for n, job := range []struct {
		call bridge.CallID
		due  int
	}{{"late", 30}, {"open", 5}, {"second", 12}, {"latest", 40}, {"first", 11}, {"now", 20}} {
		ready := found(t, s, recorded(job.call, "leg", 1, 2, 3), bridge.RecordingReady, fmt.Sprint(n, ".wav"))
		ready.Due = second(job.due)
		keep(t, s, ready)
	}
	found(t, s, recorded("settling", "leg", 1, 2, 3), bridge.RecordingSettling, "settling.wav")
	check := func(when string, limit int, next time.Time, want ...bridge.CallID) {
		t.Helper()
		due, after, err := s.DueUploads(t.Context(), second(20), limit)
		if err != nil {
			t.Fatal(err)
		}
		var calls []bridge.CallID
		for _, job := range due {
			calls = append(calls, job.Recorded.Call)
		}
		if diff := cmp.Diff(want, calls); diff != "" {
			t.Errorf("%s: calls with uploads due (-want +got):\n%s", when, diff)
		}
		if !after.Equal(next) {
			t.Errorf("%s: the next is due at %v, want %v", when, after, next)
		}
	}
	check("while a call goes on", 10, second(30), "first", "second", "now")
	check("some of them", 2, second(30), "first", "second")
	commit(t, s, bridge.Batch{Gone: []bridge.CallID{"open"}})
	check("once it is over", 10, second(30), "open", "first", "second", "now")
	if due, next, err := s.DueUploads(t.Context(), second(50), 10); len(due) != 6 || !next.IsZero() || err != nil {
		t.Errorf("once all are due: %d, the next at %v, error %v", len(due), next, err)
	}
}

func TestRecordingsAreCountedByTheirState(t *testing.T) {
	s := open(t, t.TempDir())
	if counts, oldest, err := s.Count(t.Context()); len(counts) != 0 || !oldest.IsZero() || err != nil {
		t.Errorf("of none: %v, the oldest %v, error %v", counts, oldest, err)
	}
	// A job takes its time from the job that searched for the file.
	at := func(n int, state bridge.RecordingState) {
		t.Helper()
		job := sought(t, s, recorded("1.1", "1.2", 1, 2, 3))
		job.Made = second(n)
		find(t, s, job, []bridge.RecordingFile{monitored(fmt.Sprint(n))}, nil)
		jobs := soughtOrSettling(t, s)
		job = jobs[len(jobs)-1]
		job.State = state
		keep(t, s, job)
	}
	for n, state := range []bridge.RecordingState{
		bridge.RecordingEmpty, bridge.RecordingUploaded, bridge.RecordingAnnounced, bridge.RecordingRefused, bridge.RecordingMissing,
		bridge.RecordingReady, bridge.RecordingReady, bridge.RecordingSettling,
	} {
		at(n+1, state)
	}
	sought(t, s, recorded("2.1", "2.2", 1, 2, 3))
	counts, oldest, err := s.Count(t.Context())
	want := map[bridge.RecordingState]int{
		bridge.RecordingEmpty: 1, bridge.RecordingUploaded: 1, bridge.RecordingAnnounced: 1, bridge.RecordingRefused: 1, bridge.RecordingMissing: 1,
		bridge.RecordingReady: 2, bridge.RecordingSettling: 1, bridge.RecordingSought: 1,
	}
	if diff := cmp.Diff(want, counts); diff != "" || err != nil {
		t.Errorf("counts, error %v (-want +got):\n%s", err, diff)
	}
	// The first five are final, or wait in the outbox.
	if !oldest.Equal(second(6)) {
		t.Errorf("the oldest is of %v, want %v", oldest, second(6))
	}
}
