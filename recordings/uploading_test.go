package recordings_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"net/http"
	"os"
	"testing"
	"time"

	"kontur-ari/bridge"
	"kontur-ari/crm/crmtest"
)

func TestNothingIsUploadedBeforeItsCallIsOver(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.put(o.monitor, "a.wav", wave(100, 100))
	c := o.newCall()
	goesOn := bridge.Batch{Changed: []bridge.CallState{{Call: c.id, State: []byte("{}")}}, Recorded: []bridge.Recorded{c.recorded("/spool/monitor/a.wav")}}
	_, err := o.db.Commit(t.Context(), goesOn)
	o.must(err)
	o.courier.Look()
	o.awaitStates(map[bridge.RecordingState]int{bridge.RecordingReady: 1})
	if n := len(o.crm.Files()); n != 0 {
		t.Fatalf("%d files were uploaded while the call goes on", n)
	}
	_, err = o.db.Commit(t.Context(), bridge.Batch{Gone: []bridge.CallID{c.id}})
	o.must(err)
	o.over(c)
	o.awaitAnnounced(1)
}

func TestAnUploadThatIsCutIsMadeAgainFromTheStart(t *testing.T) {
	t.Parallel()
	content := wave(100_000, 100_000)
	for tenth := int64(1); tenth < 10; tenth++ {
		t.Run(fmt.Sprintf("%d0 %%", tenth), func(t *testing.T) {
			t.Parallel()
			o := newOffice(t)
			o.crm.Fail(crmtest.Rule{Kind: crmtest.KindFile, CutAfter: tenth * int64(len(content)) / 10, Times: 2})
			o.put(o.monitor, "a.wav", content)
			c := o.newCall()
			o.over(c, c.recorded("/spool/monitor/a.wav"))
			files := o.awaitAnnounced(1)
			if files[0].Sum != sha256.Sum256(content) {
				t.Error("the CRM has another content")
			}
			o.awaitStates(done)
			if stats := o.courier.Stats(); stats.Failed != 2 || stats.Uploads != 1 || stats.Bytes != int64(len(content)) {
				t.Errorf("stats: %+v", stats)
			}
		})
	}
}

// However many go at a time, together they go no faster than is allowed.
func TestUploadsGoNoFasterThanAllowed(t *testing.T) {
	t.Parallel()
	const perSecond, each = 100_000, 60_000
	o := newOffice(t, func(o *office) { o.config.BytesPerSecond = perSecond })
	began := time.Now()
	for n := range 3 {
		name := fmt.Sprintf("%d.wav", n)
		o.put(o.monitor, name, wave(each, each))
		c := o.newCall()
		o.over(c, c.recorded("/spool/monitor/"+name))
	}
	o.awaitAnnounced(3)
	// What may go at once at the beginning is small beside it.
	if took, least := time.Since(began), 1500*time.Millisecond; took < least {
		t.Errorf("%d bytes were uploaded in %s, want at least %s", 3*each, took, least)
	}
}

func TestWhatTheCRMRefusesIsKeptAsRefused(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.crm.Fail(crmtest.Rule{Kind: crmtest.KindFile, Status: http.StatusConflict, Body: `{"status":"fileTooLarge","message":"The file is larger than 100 MB."}`, Times: 1})
	o.put(o.monitor, "large.wav", wave(100, 100))
	o.put(o.monitor, "small.wav", wave(100, 100))
	large, small := o.newCall(), o.newCall()
	o.over(large, large.recorded("/spool/monitor/large.wav"))
	o.awaitStates(map[bridge.RecordingState]int{bridge.RecordingRefused: 1})
	o.over(small, small.recorded("/spool/monitor/small.wav"))
	o.awaitStates(map[bridge.RecordingState]int{bridge.RecordingRefused: 1, bridge.RecordingAnnounced: 1})
}

func TestARefusedAnnouncementIsKeptAsRefused(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.crm.Fail(crmtest.Rule{Kind: crmtest.KindRecording, Status: http.StatusConflict, Body: `{"status":"communicationNotFound"}`, Times: 1})
	o.put(o.monitor, "a.wav", wave(100, 100))
	c := o.newCall()
	o.over(c, c.recorded("/spool/monitor/a.wav"))
	o.awaitStates(map[bridge.RecordingState]int{bridge.RecordingRefused: 1})
	letters, err := o.db.DeadLetters(t.Context())
	o.must(err)
	if letters != 1 {
		t.Errorf("%d dead letters", letters)
	}
}

func TestFilesThatTheCRMHasAreRemovedWhereThatIsWanted(t *testing.T) {
	t.Parallel()
	o := newOffice(t, func(o *office) { o.config.Keep = 0 })
	taken, silent := o.put(o.monitor, "taken.wav", wave(100, 100)), o.put(o.monitor, "silent.wav", wave(0, 0))
	message := o.put(o.voicemail, "default/101/INBOX/msg0000.wav", wave(100, 100))
	c := o.newCall()
	o.over(c, c.recorded("/spool/monitor/taken.wav", "/spool/monitor/silent.wav", message))
	o.awaitStates(map[bridge.RecordingState]int{bridge.RecordingAnnounced: 2, bridge.RecordingEmpty: 1})
	o.await("the file is gone", func() bool { _, err := os.Stat(taken); return os.IsNotExist(err) })
	for what, path := range map[string]string{"a file that the CRM does not have": silent, "a message in a mailbox": message} {
		if _, err := os.Stat(path); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestAFileThatIsAnotherByNowIsNotRemoved(t *testing.T) {
	t.Parallel()
	o := newOffice(t, func(o *office) { o.config.Keep = time.Second })
	path := o.put(o.monitor, "a.wav", wave(100, 100))
	c := o.newCall()
	o.over(c, c.recorded("/spool/monitor/a.wav"))
	o.awaitAnnounced(1)
	o.must(os.WriteFile(path, wave(200, 200), 0o600))
	o.await("it is said that the file stays", func() bool { return len(o.warned()) == 1 })
	if content, err := os.ReadFile(path); err != nil || !bytes.Equal(content, wave(200, 200)) {
		t.Errorf("the file: %d bytes, %v", len(content), err)
	}
}
