package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store"
)

func upload(t testing.TB, s *store.Store, job bridge.RecordingJob, fileID string, at time.Time) {
	t.Helper()
	if call, err := s.Uploaded(t.Context(), job, fileID, at); err != nil || call != job.Recorded.Call {
		t.Fatalf("an upload of call %s was kept as one of %q, error %v", job.Recorded.Call, call, err)
	}
}

// uploaded returns a store and its only job. The call-recording of the job waits.
func uploaded(t *testing.T) (directory string, s *store.Store, job bridge.RecordingJob) {
	t.Helper()
	directory = t.TempDir()
	s = open(t, directory)
	job = found(t, s, recorded("1.1", "1.2", 1, 3, 9), bridge.RecordingReady, "a.wav")
	upload(t, s, job, "f1", moment)
	return directory, s, job
}

func dueUploads(t *testing.T, s *store.Store) []bridge.RecordingJob {
	t.Helper()
	jobs, _, err := s.DueUploads(t.Context(), time.Now(), 10)
	if err != nil {
		t.Fatal(err)
	}
	return jobs
}

func checkDeadLetters(t *testing.T, s *store.Store, want int) {
	t.Helper()
	if n, err := s.DeadLetters(t.Context()); err != nil || n != want {
		t.Errorf("%d dead letters, error %v; want %d", n, err, want)
	}
}

func TestAnUploadedRecordingIsReportedBehindTheOtherReportsOfItsCall(t *testing.T) {
	directory := t.TempDir()
	s := open(t, directory)
	commitKinds(t, s, "1.1", overKinds)
	job := found(t, s, recorded("1.1", "1.2", 1, 3, 9), bridge.RecordingReady, "a.wav")
	job.Attempts, job.Reason = 2, "HTTP 503"
	keep(t, s, job)
	at := time.Date(2026, 3, 22, 14, 0, 0, 123456789, time.FixedZone("MSK", 3*60*60))
	before := time.Now().Truncate(time.Millisecond)
	upload(t, s, job, "f1", at)

	waiting := mustNext(t, s, "1.1")
	if len(waiting) != len(overKinds)+1 {
		t.Fatalf("%d reports wait, want those of the call and one more", len(waiting))
	}
	last := waiting[len(overKinds)]
	millisecond := at.UTC().Truncate(time.Millisecond)
	want := bridge.Report{Kind: bridge.ReportRecording, Call: "1.1", Leg: "1.2", FileID: "f1", Time: millisecond, Uploaded: millisecond}
	if diff := cmp.Diff(want, last.Report); diff != "" {
		t.Errorf("the last report (-want +got):\n%s", diff)
	}
	if last.ID <= waiting[len(overKinds)-1].ID || last.Committed.Before(before) || last.Attempts != 0 || last.Uncertain {
		t.Errorf("the last report waits as %+v", last)
	}
	if diff := cmp.Diff([]recording{{State: bridge.RecordingUploaded, Call: "1.1", Leg: "1.2", Name: "a.wav"}}, recordings(t, directory)); diff != "" {
		t.Errorf("recordings (-want +got):\n%s", diff)
	}
	if due := dueUploads(t, s); len(due) != 0 {
		t.Errorf("it is to be uploaded again: %+v", due)
	}
	// A reader that goes on from the last id it has seen comes to it.
	if calls, highest, _, err := s.WaitingCalls(t.Context(), waiting[len(overKinds)-1].ID, 10); err != nil || len(calls) != 1 || highest != last.ID {
		t.Errorf("behind the call's other reports wait %v up to %d, error %v", calls, highest, err)
	}
}

func TestARecordingIsReportedOnceHoweverOftenItWasUploaded(t *testing.T) {
	directory := t.TempDir()
	s := open(t, directory)
	job := found(t, s, recorded("1.1", "1.2", 1, 3, 9), bridge.RecordingReady, "a.wav")
	var group sync.WaitGroup
	const tries = 8
	failed := make(chan error, tries)
	for n := range tries {
		group.Go(func() {
			if _, err := s.Uploaded(context.Background(), job, fmt.Sprint("f", n), moment); err != nil {
				failed <- err
			}
		})
		// What is written together with one that fails must not fail with it.
		group.Go(func() {
			if _, err := s.Commit(context.Background(), bridge.Batch{Reports: []bridge.Report{report("2.1", bridge.ReportEvent)}}); err != nil {
				t.Errorf("committing: %v", err)
			}
		})
	}
	group.Wait()
	close(failed)
	if len(failed) != tries-1 {
		t.Errorf("%d of %d failed, want all but one", len(failed), tries)
	}
	if err := <-failed; !errors.Is(err, bridge.ErrNoRecording) || store.FaultOf(err) != store.NoFault {
		t.Errorf("one that is uploaded already: %v, want %v, and no fault of the disk", err, bridge.ErrNoRecording)
	}
	if waiting := mustNext(t, s, "1.1"); len(waiting) != 1 {
		t.Errorf("it waits %d times", len(waiting))
	}
	if others := waitingIDs(t, s, "2.1"); len(others) != tries {
		t.Errorf("%d other reports wait, want %d", len(others), tries)
	}
	checkRecordings(t, directory, recording{State: bridge.RecordingUploaded, Call: "1.1", Leg: "1.2", Name: "a.wav"})
}

// A caller that gives up gets no call, whether the upload is stored or not.
func TestAnUploadThatIsGivenUpIsKeptWholeOrNotAtAll(t *testing.T) {
	directory := t.TempDir()
	s := open(t, directory)
	job := found(t, s, recorded("1.1", "1.2", 1, 3, 9), bridge.RecordingReady, "a.wav")
	raw(t, directory, func(db *sql.DB) error {
		other, err := db.Conn(t.Context())
		if err != nil {
			return err
		}
		if _, err := other.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
			return err
		}
		impatient, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		ended := make(chan error, 1)
		context.AfterFunc(impatient, func() {
			_, err := other.ExecContext(context.Background(), "COMMIT")
			// The write that was begun has ended once another one has.
			ended <- errors.Join(err, s.Check(context.Background()))
		})
		if call, err := s.Uploaded(impatient, job, "f1", moment); !errors.Is(err, context.DeadlineExceeded) || call != "" {
			t.Errorf("the caller that gave up got call %q, error %v", call, err)
		}
		return errors.Join(<-ended, other.Close())
	})
	if kept := recordings(t, directory)[0].State == bridge.RecordingUploaded; kept != (len(mustNext(t, s, "1.1")) == 1) {
		t.Errorf("it is kept as uploaded: %t; its report is not so", kept)
	}
}

func TestOnlyWhatIsReadyCanHaveBeenUploaded(t *testing.T) {
	directory := t.TempDir()
	s := open(t, directory)
	jobs := []bridge.RecordingJob{sought(t, s, recorded("1.1", "1.2", 1, 3, 9)), {ID: 99}}
	for n, state := range []bridge.RecordingState{
		bridge.RecordingSettling, bridge.RecordingAnnounced, bridge.RecordingRefused, bridge.RecordingEmpty, bridge.RecordingMissing,
	} {
		jobs = append(jobs, found(t, s, recorded("1.1", "1.2", 1, 3, 9), state, fmt.Sprint(n)))
	}
	before := recordings(t, directory)
	for _, job := range jobs {
		if call, err := s.Uploaded(t.Context(), job, "f1", moment); !errors.Is(err, bridge.ErrNoRecording) || call != "" {
			t.Errorf("one that is %q was kept as an upload of call %q, error %v", job.State, call, err)
		}
	}
	if diff := cmp.Diff(before, recordings(t, directory)); diff != "" {
		t.Errorf("recordings (-before +after):\n%s", diff)
	}
	if left := waiting(t, s); len(left) != 0 {
		t.Errorf("reports %v wait", left)
	}
}

// While a file is uploaded, another channel may show that an earlier leg recorded it.
func TestARecordingIsReportedForTheLegFoundDuringItsUpload(t *testing.T) {
	s := open(t, t.TempDir())
	job := found(t, s, recorded("2.1", "late", 2, 5, 8), bridge.RecordingReady, "a.wav")
	find(t, s, sought(t, s, recorded("1.1", "early", 1, 3, 9)), []bridge.RecordingFile{monitored("a.wav")}, nil)
	if call, err := s.Uploaded(t.Context(), job, "f1", moment); call != "1.1" || err != nil {
		t.Fatalf("it was kept as an upload of call %q, error %v", call, err)
	}
	if got := head(t, s, "1.1").Report; got.Leg != "early" || got.Call != "1.1" {
		t.Errorf("the report is of leg %s of call %s", got.Leg, got.Call)
	}
}

func TestWhatBecomesOfACallRecordingBecomesOfItsRecording(t *testing.T) {
	for _, test := range []struct {
		name          string
		result        bridge.Result
		state         bridge.RecordingState
		reason        string
		waiting, dead int
	}{
		{"taken", bridge.Result{Verdict: bridge.Delivered, Status: 200}, bridge.RecordingAnnounced, "", 0, 0},
		{"refused", conflict, bridge.RecordingRefused, conflict.Reason, 0, 1},
		{"to be tried again", bridge.Result{Verdict: bridge.Retry, Reason: "HTTP 503"}, bridge.RecordingUploaded, "", 1, 0},
		{"expired", bridge.Result{Verdict: bridge.Expired, NotTaken: true}, bridge.RecordingReady, "the CRM could not be told within a day of its upload", 0, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			directory, s, job := uploaded(t)
			other := found(t, s, recorded("2.1", "2.2", 1, 3, 9), bridge.RecordingReady, "b.wav")
			upload(t, s, other, "f2", moment)
			settle(t, s, head(t, s, "1.1"), test.result)
			want := []recording{
				{State: test.state, Call: "1.1", Leg: "1.2", Name: "a.wav", Reason: test.reason},
				{State: bridge.RecordingUploaded, Call: "2.1", Leg: "2.2", Name: "b.wav"},
			}
			if diff := cmp.Diff(want, recordings(t, directory)); diff != "" {
				t.Errorf("recordings (-want +got):\n%s", diff)
			}
			if left := waitingIDs(t, s, job.Recorded.Call); len(left) != test.waiting {
				t.Errorf("reports %v of the call wait, want %d", left, test.waiting)
			}
			checkDeadLetters(t, s, test.dead)
		})
	}
}

func TestTheReportsOfACallSayNothingOfItsRecordings(t *testing.T) {
	directory, s, _ := uploaded(t)
	commit(t, s, bridge.Batch{Reports: []bridge.Report{report("1.1", bridge.ReportEvent), report("1.1", bridge.ReportEvent)}})
	for n, verdict := range []bridge.Verdict{bridge.Delivered, bridge.Refused} {
		settle(t, s, mustNext(t, s, "1.1")[1], bridge.Result{Verdict: verdict})
		if left := waitingIDs(t, s, "1.1"); len(left) != 2-n {
			t.Errorf("reports %v wait", left)
		}
	}
	checkRecordings(t, directory, recording{State: bridge.RecordingUploaded, Call: "1.1", Leg: "1.2", Name: "a.wav"})
}

func TestARecordingWhoseReportExpiredIsUploadedAndReportedAgain(t *testing.T) {
	directory, s, job := uploaded(t)
	first := head(t, s, "1.1")
	settle(t, s, first, bridge.Result{Verdict: bridge.Retry, Reason: "HTTP 503"})
	settle(t, s, first, bridge.Result{Verdict: bridge.Expired, NotTaken: true})
	due := dueUploads(t, s)
	if len(due) != 1 || due[0].ID != job.ID || due[0].Attempts != 0 || due[0].File != job.File {
		t.Fatalf("to be uploaded: %+v", due)
	}
	at := moment.Add(25 * time.Hour)
	upload(t, s, due[0], "f2", at)
	second := head(t, s, "1.1")
	if second.ID <= first.ID || second.Report.FileID != "f2" || !second.Report.Uploaded.Equal(at) || second.Attempts != 0 {
		t.Errorf("what waits then: %+v", second)
	}
	settle(t, s, second, bridge.Result{Verdict: bridge.Delivered, Status: 200})
	if diff := cmp.Diff([]recording{{State: bridge.RecordingAnnounced, Call: "1.1", Leg: "1.2", Name: "a.wav"}}, recordings(t, directory)); diff != "" {
		t.Errorf("recordings (-want +got):\n%s", diff)
	}
}

func TestAnExpiredReportOfNoKnownRecordingIsKeptAsADeadLetter(t *testing.T) {
	directory := t.TempDir()
	s := open(t, directory)
	lost := bridge.Report{Kind: bridge.ReportRecording, Call: "1.1", Leg: "1.2", FileID: "f1", Time: moment, Uploaded: moment}
	commit(t, s, bridge.Batch{Reports: []bridge.Report{lost}})
	settle(t, s, head(t, s, "1.1"), bridge.Result{Verdict: bridge.Retry, Reason: "HTTP 503"})
	settle(t, s, head(t, s, "1.1"), bridge.Result{Verdict: bridge.Expired, NotTaken: true})
	if left := waitingIDs(t, s, "1.1"); len(left) != 0 {
		t.Errorf("reports %v wait", left)
	}
	l := letters(t, directory)
	letter, there, err := l.Find(t.Context(), 1)
	if err != nil || !there || letter.State != store.ReportDead || letter.Kind != bridge.ReportRecording || letter.Leg != "1.2" || letter.Attempts != 1 || letter.Reason == "" {
		t.Errorf("the letter is %+v, error %v", letter, err)
	}
	// The letter is put back, and is still too late.
	if returned, err := l.Retry(t.Context(), []int64{1}); err != nil || len(returned) != 1 {
		t.Fatalf("returned %v, error %v", returned, err)
	}
	settle(t, s, head(t, s, "1.1"), bridge.Result{Verdict: bridge.Expired, NotTaken: true})
	checkDeadLetters(t, s, 1)
}

func TestARefusedCallRecordingThatIsPutBackIsDeliveredAfterAll(t *testing.T) {
	for name, expires := range map[string]bool{"in time": false, "too late for its upload": true} {
		t.Run(name, func(t *testing.T) {
			directory, s, _ := uploaded(t)
			settle(t, s, head(t, s, "1.1"), conflict)
			if returned, err := letters(t, directory).Retry(t.Context(), []int64{1}); err != nil || len(returned) != 1 {
				t.Fatalf("returned %v, error %v", returned, err)
			}
			if expires {
				settle(t, s, head(t, s, "1.1"), bridge.Result{Verdict: bridge.Expired, NotTaken: true})
				due := dueUploads(t, s)
				if len(due) != 1 {
					t.Fatalf("to be uploaded again: %+v", due)
				}
				upload(t, s, due[0], "f2", moment.Add(25*time.Hour))
			}
			settle(t, s, head(t, s, "1.1"), bridge.Result{Verdict: bridge.Delivered, Status: 200})
			if diff := cmp.Diff([]recording{{State: bridge.RecordingAnnounced, Call: "1.1", Leg: "1.2", Name: "a.wav"}}, recordings(t, directory)); diff != "" {
				t.Errorf("recordings (-want +got):\n%s", diff)
			}
			checkDeadLetters(t, s, 0)
		})
	}
}

func TestWhatTheCRMHasIsGivenOutUntilItsFileIsRemoved(t *testing.T) {
	directory := t.TempDir()
	s, err := store.Open(t.Context(), directory)
	if err != nil {
		t.Fatal(err)
	}
	var jobs []bridge.RecordingJob
	for n := range 4 {
		job := found(t, s, recorded("1.1", "1.2", 1, 3, 9), bridge.RecordingReady, fmt.Sprint(n))
		job.Size, job.Modified = int64(n), moment.Add(time.Nanosecond)
		keep(t, s, job)
		upload(t, s, job, fmt.Sprint("f", n), moment)
		jobs = append(jobs, job)
	}
	for range jobs[:3] {
		settle(t, s, head(t, s, "1.1"), bridge.Result{Verdict: bridge.Delivered, Status: 200})
	}
	if delivered, err := s.AnnouncedBefore(t.Context(), time.Now().Add(-time.Hour), everyPlace, 10); len(delivered) != 0 || err != nil {
		t.Errorf("delivered an hour ago: %+v, error %v", delivered, err)
	}
	later := time.Now().Add(time.Hour)
	for _, elsewhere := range [][]bridge.RecordingPlace{{bridge.PlaceVoicemail, bridge.PlaceSwitch}, {}, nil} {
		if delivered, err := s.AnnouncedBefore(t.Context(), later, elsewhere, 10); len(delivered) != 0 || err != nil {
			t.Errorf("delivered, of the places %q: %+v, error %v", elsewhere, delivered, err)
		}
	}
	delivered, err := s.AnnouncedBefore(t.Context(), later, everyPlace, 2)
	if err != nil || len(delivered) != 2 {
		t.Fatalf("%d were delivered, error %v; want 2, which were asked for", len(delivered), err)
	}
	for _, job := range delivered {
		if job.State != bridge.RecordingAnnounced || job.File.Name != fmt.Sprint(job.Size) || !job.Modified.Equal(moment.Add(time.Nanosecond)) {
			t.Errorf("job %+v", job)
		}
		if err := s.Removed(t.Context(), job); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, directory)
	if left, err := s.AnnouncedBefore(t.Context(), later, everyPlace, 10); err != nil || len(left) != 1 || left[0].ID == delivered[0].ID || left[0].ID == delivered[1].ID {
		t.Errorf("left are %+v, error %v; want the third alone", left, err)
	}
	if counts, _, err := s.Count(t.Context()); err != nil || counts[bridge.RecordingAnnounced] != 3 {
		t.Errorf("counts %v, error %v; a recording whose file was removed counts all the same", counts, err)
	}
}

// The caller repeats an upload whose outcome it doesn't know. It is stored once.
func TestAnUploadIsKeptOnceHoweverOftenThatIsAsked(t *testing.T) {
	s := open(t, t.TempDir())
	job := found(t, s, recorded("1.1", "1.2", 1, 3, 9), bridge.RecordingReady, "a.wav")
	for range 3 {
		if call, err := s.Uploaded(t.Context(), job, "f-1", moment); call != "1.1" || err != nil {
			t.Errorf("call %q, error %v", call, err)
		}
	}
	if _, err := s.Uploaded(t.Context(), job, "f-2", moment); !errors.Is(err, bridge.ErrNoRecording) {
		t.Errorf("another file: %v", err)
	}
	pending, err := s.OldestWaiting(t.Context(), []bridge.CallID{"1.1"}, 10)
	if err != nil || len(pending) != 1 || pending[0].Report.FileID != "f-1" {
		t.Errorf("waiting: %+v, %v", pending, err)
	}
}
