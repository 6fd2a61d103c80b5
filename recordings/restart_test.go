package recordings_test

import (
	"database/sql"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store"
	"kontur-ari/crm/crmtest"
)

// A new process goes on where the last one ended, wherever that was.
func TestANewProcessGoesOnWithEveryRecording(t *testing.T) {
	t.Parallel()
	unavailable := func(kind crmtest.Kind) func(*office) func() {
		return func(o *office) func() {
			return o.crm.Fail(crmtest.Rule{Kind: kind, Status: http.StatusServiceUnavailable})
		}
	}
	for state, test := range map[bridge.RecordingState]struct {
		// hinder keeps the recording in the state until the returned function is called.
		hinder func(*office) func()
	}{
		bridge.RecordingSettling: {func(o *office) func() {
			o.config.Patience.Still = time.Hour
			return func() { o.config.Patience.Still = 50 * time.Millisecond }
		}},
		bridge.RecordingReady:    {unavailable(crmtest.KindFile)},
		bridge.RecordingUploaded: {unavailable(crmtest.KindRecording)},
	} {
		t.Run(string(state), func(t *testing.T) {
			t.Parallel()
			var goOn func()
			o := newOffice(t, func(o *office) { goOn = test.hinder(o) })
			o.put(o.monitor, "a.wav", wave(100, 100))
			c := o.newCall()
			o.over(c, c.recorded("/spool/monitor/a.wav"))
			for range 2 {
				o.awaitStates(map[bridge.RecordingState]int{state: 1})
				o.reopen()
			}
			o.close()
			goOn()
			o.open()
			o.awaitAnnounced(1)
			o.awaitStates(done)
		})
	}
}

// What is looked for when a process ends, the next one looks for.
func TestANewProcessLooksForWhatTheLastOneDidNotFind(t *testing.T) {
	t.Parallel()
	o := newOffice(t, func(o *office) { o.config.Patience.Appear = time.Hour })
	c := o.newCall()
	// A name alone: where the file will be is not known.
	o.over(c, c.recorded("a.wav"))
	o.awaitStates(map[bridge.RecordingState]int{bridge.RecordingSought: 1})
	o.reopen()
	o.put(o.monitor, "a.wav", wave(100, 100))
	o.awaitAnnounced(1)
	o.awaitStates(done)
}

// The CRM forgets a file after a day: what could not be announced by then is uploaded again.
func TestAFileThatCouldNotBeAnnouncedForADayIsUploadedAgain(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	back := o.crm.Fail(crmtest.Rule{Kind: crmtest.KindRecording, Status: http.StatusServiceUnavailable})
	o.put(o.monitor, "a.wav", wave(100, 100))
	c := o.newCall()
	o.over(c, c.recorded("/spool/monitor/a.wav"))
	o.awaitStates(map[bridge.RecordingState]int{bridge.RecordingUploaded: 1})
	o.close()
	o.ageUploads(25 * time.Hour)
	o.open()
	o.await("the file is uploaded again", func() bool { return len(o.crm.Files()) == 2 })
	back()
	files := o.awaitAnnounced(1)
	o.awaitStates(done)
	if all := o.crm.Files(); len(all) != 2 || files[0].ID != all[1].ID {
		t.Errorf("of %d files %s was announced", len(all), files[0].ID)
	}
	letters, err := o.db.DeadLetters(t.Context())
	o.must(err)
	if letters != 0 {
		t.Errorf("%d dead letters", letters)
	}
}

// ageUploads makes every upload that was not announced so much older; the office is closed.
func (o *office) ageUploads(by time.Duration) {
	o.Helper()
	db, err := sql.Open("sqlite", filepath.Join(o.storage, store.FileName)+"?_pragma=busy_timeout(5000)")
	o.must(err)
	_, err = db.Exec("UPDATE outbox SET report = CAST(json_set(CAST(report AS TEXT), '$.uploaded', ?) AS BLOB) WHERE kind = 'call-recording'", time.Now().Add(-by).UTC().Format(time.RFC3339Nano))
	o.must(err)
	o.must(db.Close())
}

// What a person has tried again is taken up while the process runs.
func TestWhatIsPutBackIsTriedAgain(t *testing.T) {
	t.Parallel()
	o := newOffice(t, func(o *office) { o.config.Patience.Appear = 100 * time.Millisecond })
	c := o.newCall()
	o.over(c, c.recorded("/spool/monitor/a.wav"))
	o.awaitStates(map[bridge.RecordingState]int{bridge.RecordingMissing: 1})
	o.put(o.monitor, "a.wav", wave(100, 100))
	kept, err := store.OpenRecordings(t.Context(), o.storage)
	o.must(err)
	var ids []int64
	o.must(kept.Walk(t.Context(), store.RecordingFilter{}, func(entry store.RecordingEntry) error {
		ids = append(ids, entry.ID)
		return nil
	}))
	returned, err := kept.Retry(t.Context(), ids)
	o.must(err)
	o.must(kept.Close())
	if len(returned) != 1 {
		t.Fatalf("put back: %v", returned)
	}
	o.awaitAnnounced(1)
	o.awaitStates(done)
}
