package store_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store"
)

// oneOfEachState makes a recording in each state, each of a call that is named after it.
func oneOfEachState(t *testing.T, s *store.Store) {
	t.Helper()
	for _, state := range []bridge.RecordingState{
		bridge.RecordingRefused, bridge.RecordingEmpty, bridge.RecordingMissing, bridge.RecordingReady, bridge.RecordingUploaded, bridge.RecordingAnnounced,
	} {
		kept := state
		if state == bridge.RecordingUploaded || state == bridge.RecordingAnnounced {
			kept = bridge.RecordingReady
		}
		job := found(t, s, recorded(bridge.CallID(state), "leg", 1, 3, 9), kept, string(state)+".wav")
		if kept != state {
			upload(t, s, job, "f-"+string(state), moment)
		}
	}
	settle(t, s, head(t, s, "told"), bridge.Result{Verdict: bridge.Delivered, Status: 200})
	found(t, s, recorded("settling", "leg", 1, 3, 9), bridge.RecordingSettling, "settling.wav")
	sought(t, s, recorded("sought", "leg", 1, 3, 9))
}

func states(t *testing.T, directory string) (all []bridge.RecordingState) {
	t.Helper()
	for _, r := range recordings(t, directory) {
		all = append(all, r.State)
	}
	slices.Sort(all)
	return all
}

func TestWhatHasBecomeOfARecordingIsForgottenOnceItIsOld(t *testing.T) {
	directory := t.TempDir()
	s := open(t, directory)
	oneOfEachState(t, s)
	if err := s.PruneRecordings(t.Context(), time.Now().Add(-time.Hour), nil); err != nil {
		t.Fatal(err)
	}
	if left := states(t, directory); len(left) != 8 {
		t.Errorf("what became final just now is forgotten: %v are left", left)
	}
	if err := s.PruneRecordings(t.Context(), time.Now().Add(time.Hour), everyPlace); err != nil {
		t.Fatal(err)
	}
	if left := states(t, directory); !slices.Contains(left, bridge.RecordingAnnounced) {
		t.Errorf("one is forgotten whose file is still to be removed: %v are left", left)
	}
	if err := s.PruneRecordings(t.Context(), time.Now().Add(time.Hour), nil); err != nil {
		t.Fatal(err)
	}
	onTheirWay := []bridge.RecordingState{bridge.RecordingReady, bridge.RecordingSettling, bridge.RecordingSought, bridge.RecordingUploaded}
	if diff := cmp.Diff(onTheirWay, states(t, directory)); diff != "" {
		t.Errorf("left (-want +got):\n%s", diff)
	}
}

func TestManyOldRecordingsAreForgottenInSteps(t *testing.T) {
	directory := t.TempDir()
	s := open(t, directory)
	job := sought(t, s, recorded("1.1", "1.2", 1, 3, 9))
	var missing []bridge.RecordingFile
	for n := range 250 {
		missing = append(missing, monitored(fmt.Sprint(n)))
	}
	find(t, s, job, []bridge.RecordingFile{monitored("there.wav")}, missing)
	if err := s.PruneRecordings(t.Context(), time.Now().Add(time.Hour), nil); err != nil {
		t.Fatal(err)
	}
	checkRecordings(t, directory, recording{State: bridge.RecordingSettling, Call: "1.1", Leg: "1.2", Name: "there.wav"})
}

// A recording that was final and is on its way again does not count as old.
func TestARecordingThatIsOnItsWayAgainIsNotForgotten(t *testing.T) {
	directory := t.TempDir()
	s := open(t, directory)
	job := found(t, s, recorded("1.1", "1.2", 1, 3, 9), bridge.RecordingRefused, "a.wav")
	job.State = bridge.RecordingReady
	keep(t, s, job)
	refused := found(t, s, recorded("2.1", "2.2", 1, 3, 9), bridge.RecordingReady, "b.wav")
	upload(t, s, refused, "f1", moment)
	settle(t, s, head(t, s, "2.1"), conflict)
	if _, err := letters(t, directory).Retry(t.Context(), []int64{1}); err != nil {
		t.Fatal(err)
	}
	settle(t, s, head(t, s, "2.1"), bridge.Result{Verdict: bridge.Expired, NotTaken: true})
	if err := s.PruneRecordings(t.Context(), time.Now().Add(time.Hour), nil); err != nil {
		t.Fatal(err)
	}
	checkRecordings(t, directory,
		recording{State: bridge.RecordingReady, Call: "1.1", Leg: "1.2", Name: "a.wav"},
		recording{State: bridge.RecordingReady, Call: "2.1", Leg: "2.2", Name: "b.wav"})
}

// A call-recording names its call as the CRM has named it.
func TestTheIdentityOfACallStaysAsLongAsARecordingOfItIsOnItsWay(t *testing.T) {
	s := open(t, t.TempDir())
	oneOfEachState(t, s)
	kept := map[bridge.CallID]bool{"sought": true, "settling": true, "ready": true, "uploaded": true}
	calls := []bridge.CallID{"sought", "settling", "ready", "uploaded", "told", "refused", "empty", "missing", "none"}
	for _, call := range calls {
		started, err := s.Commit(t.Context(), bridge.Batch{Reports: []bridge.Report{report(call, bridge.ReportStarted)}})
		if err != nil {
			t.Fatal(err)
		}
		settle(t, s, started[0], bridge.Result{Verdict: bridge.Delivered, Learnt: bridge.Identity{ExternalID: "e"}})
	}
	if err := s.Prune(t.Context(), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	for _, call := range calls {
		if _, known, err := s.Identity(t.Context(), call); known != kept[call] || err != nil {
			t.Errorf("the identity of the call whose recording is %s is there: %t, error %v", call, known, err)
		}
	}
}

// jobsOf returns all jobs of a store: recordings to search, files to upload, and files that
// may be removed.
func jobsOf(t *testing.T, s *store.Store) (all []bridge.RecordingJob) {
	t.Helper()
	due, _, err := s.DueUploads(t.Context(), time.Now(), 10_000)
	if err != nil {
		t.Fatal(err)
	}
	delivered, err := s.AnnouncedBefore(t.Context(), time.Now().Add(time.Hour), everyPlace, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	return slices.Concat(soughtOrSettling(t, s), due, delivered)
}

// manyRecordings makes a store with recordings in all states and with names of all
// kinds, closes it, and returns the jobs that it would give out.
func manyRecordings(t *testing.T) (directory string, jobs []bridge.RecordingJob) {
	t.Helper()
	directory = t.TempDir()
	s, err := store.Open(t.Context(), directory)
	if err != nil {
		t.Fatal(err)
	}
	commit(t, s, bridge.Batch{Changed: []bridge.CallState{{Call: "open", State: []byte("state")}}})
	oneOfEachState(t, s)
	var batch bridge.Batch
	for n := range 300 {
		channel := recorded(bridge.CallID(fmt.Sprint("call", n)), "leg", 1, 3, 9)
		channel.Files = []string{fmt.Sprintf("%0100d.wav", n)}
		batch.Recorded = append(batch.Recorded, channel)
	}
	commit(t, s, batch)
	for n, job := range soughtOrSettling(t, s)[2:40] {
		find(t, s, job, []bridge.RecordingFile{monitored(fmt.Sprintf("%c\xff%d.wav", 'a'+n, n))}, nil)
	}
	jobs = jobsOf(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return directory, jobs
}

func TestOfADamagedFileTheRecordingsAreSaved(t *testing.T) {
	directory, before := manyRecordings(t)
	path := filepath.Join(directory, store.FileName)
	scribble(t, path, pagesOf(t, path, "calls")...)
	s := open(t, directory)
	damage := oneDamage(t, s)
	if diff := cmp.Diff([]string{"calls"}, damage.Unreadable); diff != "" {
		t.Errorf("lost from (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(before, jobsOf(t, s)); diff != "" {
		t.Errorf("jobs (-before +after):\n%s", diff)
	}
	if saved := damage.Saved["recordings"]; saved != len(recordings(t, directory)) || saved < len(before) {
		t.Errorf("%d recordings are said to be saved, of %d and more", saved, len(before))
	}
	// The report still leads to its recording.
	settle(t, s, head(t, s, "uploaded"), bridge.Result{Verdict: bridge.Delivered, Status: 200})
	if counts, _, err := s.Count(t.Context()); err != nil || counts[bridge.RecordingAnnounced] != 2 || counts[bridge.RecordingUploaded] != 0 {
		t.Errorf("once it was delivered: %v, error %v", counts, err)
	}
	if job := sought(t, s, recorded("new", "leg", 1, 3, 9)); job.Recorded.Call != "new" || slices.ContainsFunc(before, func(b bridge.RecordingJob) bool { return b.ID == job.ID }) {
		t.Errorf("a new job has the id %d of another, or is not the last: %+v", job.ID, job.Recorded)
	}
}

func TestADamageAmongTheRecordingsCostsOnlyWhatItHits(t *testing.T) {
	directory, before := manyRecordings(t)
	path := filepath.Join(directory, store.FileName)
	pages := pagesOf(t, path, "recordings")
	if len(pages) < 10 {
		t.Fatalf("the recordings take %d pages: the test tests nothing", len(pages))
	}
	scribble(t, path, pages[len(pages)/2])
	s := openUntended(t, directory)
	_, err := s.SoughtOrSettling(t.Context(), 0, 10_000)
	s = restartAfter(t, s, directory, err)
	known := make(map[int64]bridge.RecordingJob)
	for _, job := range before {
		known[job.ID] = job
	}
	left := jobsOf(t, s)
	for _, job := range left {
		if diff := cmp.Diff(known[job.ID], job); diff != "" {
			t.Errorf("job %d (-before +after):\n%s", job.ID, diff)
		}
	}
	if len(left) < len(before)-40 || len(left) == len(before) {
		t.Errorf("%d jobs are left of %d", len(left), len(before))
	}
	damage := oneDamage(t, s)
	if diff := cmp.Diff([]string{"recordings"}, damage.Unreadable); diff != "" {
		t.Errorf("lost from (-want +got):\n%s", diff)
	}
	if calls, _, err := s.OpenCalls(t.Context()); len(calls) != 1 || err != nil {
		t.Errorf("calls in progress %v, error %v", calls, err)
	}
	sought(t, s, recorded("new", "leg", 1, 3, 9))
}

// SQLite does not notice a flipped bit in the JSON of a channel.
func TestAChannelThatCannotBeReadKeepsNoOtherFromBeingSought(t *testing.T) {
	directory := t.TempDir()
	s, err := store.Open(t.Context(), directory)
	if err != nil {
		t.Fatal(err)
	}
	commit(t, s, bridge.Batch{Recorded: []bridge.Recorded{recorded("1.1", "1.2", 1, 3, 9), recorded("2.1", "2.2", 1, 3, 9)}})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	turnBit(t, filepath.Join(directory, store.FileName), `{"call":"1.1","leg";"1.2"`)
	s = openUntended(t, directory)
	_, err = s.SoughtOrSettling(t.Context(), 0, 10)
	s = restartAfter(t, s, directory, err)
	if jobs := soughtOrSettling(t, s); len(jobs) != 1 || jobs[0].Recorded.Call != "2.1" {
		t.Errorf("sought: %+v", jobs)
	}
	if damage := oneDamage(t, s); !slices.Contains(damage.Unreadable, "recordings") {
		t.Errorf("it is not said that it was lost from the recordings: %v", damage.Unreadable)
	}
}

// everyPlace are all places that a file may be in.
var everyPlace = []bridge.RecordingPlace{bridge.PlaceMonitor, bridge.PlaceVoicemail, bridge.PlaceSwitch, bridge.PlaceOwn}
