package recordings_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"kontur-ari/bridge"
	"kontur-ari/crm/crmtest"
)

var done = map[bridge.RecordingState]int{bridge.RecordingAnnounced: 1}

func TestAReportedRecordingIsUploadedAndAnnouncedOnce(t *testing.T) {
	t.Parallel()
	for name, reported := range map[string][]string{
		"path in the switch":             {"/spool/monitor/2026/11/24/in-101.wav"},
		"path and name":                  {"/spool/monitor/2026/11/24/in-101.wav", "in-101.wav"},
		"relative path":                  {"2026/11/24/in-101.wav"},
		"other ending than was reported": {"/spool/monitor/2026/11/24/in-101.WAV"},
		"no ending":                      {"/spool/monitor/2026/11/24/in-101"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t)
			content := wave(16000, 16000)
			o.put(o.monitor, "2026/11/24/in-101.wav", content)
			c := o.newCall()
			c.began = time.Date(2026, 11, 24, 12, 0, 0, 0, time.Local)
			c.ended = c.began.Add(time.Minute)
			o.over(c, c.recorded(reported...))
			files := o.awaitAnnounced(1)
			if f := files[0]; f.Name != "in-101.wav" || f.ContentType != "audio/wav" || f.Sum != sha256.Sum256(content) {
				t.Errorf("the CRM has %s, %s, %d bytes", f.Name, f.ContentType, f.Size)
			}
			o.awaitStates(done)
			request := lastRecording(o)
			if leg := request.Body.ExternalCallItemID; leg != string(c.id)+"5" || request.Call != string(c.id) {
				t.Errorf("announced at leg %s of call %s", leg, request.Call)
			}
			if warned := o.warned(); len(warned) > 0 {
				t.Errorf("warned: %q", warned)
			}
		})
	}
}

func lastRecording(o *office) (last crmtest.Request) {
	for _, request := range o.crm.Requests() {
		if request.Kind == crmtest.KindRecording {
			last = request
		}
	}
	return last
}

func TestAnUnreportedRecordingIsFoundByItsName(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	c := o.newCall()
	day := c.ended.Format("2006/01/02")
	o.put(o.monitor, fmt.Sprintf("%s/out-79997775533-101-%s.wav", day, c.channel), wave(100, 100))
	// A longer id, and what is no sound.
	o.put(o.monitor, fmt.Sprintf("%s/out-79997775533-101-%s0.wav", day, c.channel), wave(200, 200))
	o.put(o.monitor, fmt.Sprintf("%s/out-79997775533-101-%s.txt", day, c.channel), []byte("a note"))
	o.over(c, c.recorded())
	if files := o.awaitAnnounced(1); files[0].Size != 144 {
		t.Errorf("the CRM has %d bytes", files[0].Size)
	}
	o.awaitStates(done)
}

func TestACallWithoutRecordingsLeavesNothing(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	c, missed := o.newCall(), o.newCall()
	unheard := missed.recorded("/spool/monitor/ringing.wav")
	unheard.Since = time.Time{}
	o.put(o.monitor, "ringing.wav", wave(100, 100))
	o.over(c, c.recorded())
	o.over(missed, unheard)
	o.awaitStates(map[bridge.RecordingState]int{})
	if warned := o.warned(); len(warned) > 0 || len(o.crm.Files()) > 0 {
		t.Errorf("warned %q, uploaded %d files", warned, len(o.crm.Files()))
	}
}

func TestAMessageIsFoundInItsMailbox(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	c := o.newCall()
	note := func(channel string, at time.Time) []byte {
		return fmt.Appendf(nil, ";\n[message]\norigmailbox=101\ncallerchan=%s\norigtime=%d\n", channel, at.Unix())
	}
	inbox := "default/101/INBOX/"
	o.put(o.voicemail, inbox+"msg0000.txt", note(c.name, c.began.Add(-time.Hour))) // before a restart of Asterisk
	o.put(o.voicemail, inbox+"msg0000.wav", wave(10, 10))
	o.put(o.voicemail, inbox+"msg0001.txt", note("PJSIP/other-00000001", c.ended))
	o.put(o.voicemail, inbox+"msg0001.wav", wave(20, 20))
	o.put(o.voicemail, inbox+"msg0002.txt", note(c.name, c.ended))
	o.put(o.voicemail, inbox+"msg0002.gsm", []byte("gsm"))
	o.put(o.voicemail, inbox+"msg0002.wav", wave(30, 30))
	unheard := c.recorded()
	unheard.Since = time.Time{}
	o.over(c, unheard)
	if files := o.awaitAnnounced(1); files[0].Size != 74 || files[0].Name != "msg0002.wav" {
		t.Errorf("the CRM has %s, %d bytes", files[0].Name, files[0].Size)
	}
	o.awaitStates(done)
}

// When a message is deleted, Asterisk gives those behind it new numbers: a name may be
// another message's by the time it is uploaded.
func TestAMessageIsFollowedWhenItIsRenumbered(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	c, other := o.newCall(), o.newCall()
	leave := func(name string, from call, sound int) {
		o.put(o.voicemail, "default/101/INBOX/"+name+".txt", fmt.Appendf(nil, "callerchan=%s\norigtime=%d\n", from.name, from.ended.Unix()))
		o.put(o.voicemail, "default/101/INBOX/"+name+".wav", wave(sound, sound))
	}
	leave("msg0001", c, 100)
	back := o.crm.Fail(crmtest.Rule{Kind: crmtest.KindFile, Status: http.StatusServiceUnavailable})
	message := c.recorded()
	message.Since, message.Messages = time.Time{}, []string{filepath.Join(o.voicemail, "default/101/INBOX/msg0001")}
	o.over(c, message)
	o.awaitStates(map[bridge.RecordingState]int{bridge.RecordingReady: 1})
	// msg0000 is deleted, while no upload is under way.
	o.close()
	leave("msg0000", c, 100)
	leave("msg0001", other, 300)
	back()
	o.open()
	if file := o.awaitAnnounced(1)[0]; file.Name != "msg0000.wav" || file.Size != 144 {
		t.Errorf("the CRM has %s, %d bytes: another's message", file.Name, file.Size)
	}
	o.awaitStates(done)
}

// A message that was listened to is in another folder of its mailbox.
func TestAMessageIsFollowedWhenItIsListenedTo(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	back := o.crm.Fail(crmtest.Rule{Kind: crmtest.KindFile, Status: http.StatusServiceUnavailable})
	c := o.newCall()
	for ending, content := range map[string][]byte{".wav": wave(100, 100), ".txt": fmt.Appendf(nil, "callerchan=%s\norigtime=%d\n", c.name, c.ended.Unix())} {
		o.put(o.voicemail, "default/101/INBOX/msg0000"+ending, content)
	}
	message := c.recorded()
	message.Since, message.Messages = time.Time{}, []string{filepath.Join(o.voicemail, "default/101/INBOX/msg0000")}
	o.over(c, message)
	o.await("the first upload has failed", func() bool { return o.courier.Stats().Failed > 0 })
	o.close()
	o.must(os.Mkdir(filepath.Join(o.voicemail, "default/101/Old"), 0o700))
	for _, ending := range []string{".wav", ".txt"} {
		o.must(os.Rename(filepath.Join(o.voicemail, "default/101/INBOX/msg0000"+ending), filepath.Join(o.voicemail, "default/101/Old/msg0007"+ending)))
	}
	back()
	o.open()
	if file := o.awaitAnnounced(1)[0]; file.Name != "msg0007.wav" || file.Size != 144 {
		t.Errorf("the CRM has %s, %d bytes", file.Name, file.Size)
	}
	o.awaitStates(done)
}

func TestAFileIsTakenWhenItsWriterIsDone(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		first, then []byte
		want        int64
	}{
		"the header is written last": {wave(8000, 0), wave(8000, 8000), 8044},
		"it grows":                   {wave(8000, 16000), wave(16000, 16000), 16044},
		"it is empty first":          {nil, wave(500, 500), 544},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, func(o *office) { o.config.Patience.Repair = 10 * time.Second })
			c := o.newCall()
			path := o.put(o.monitor, "a.wav", test.first)
			o.over(c, c.recorded("/spool/monitor/a.wav"))
			o.awaitStates(map[bridge.RecordingState]int{bridge.RecordingSettling: 1})
			o.must(os.WriteFile(path, test.then, 0o600))
			if files := o.awaitAnnounced(1); files[0].Size != test.want {
				t.Errorf("the CRM has %d bytes, want %d", files[0].Size, test.want)
			}
			o.awaitStates(done)
		})
	}
}

func TestAFileThatComesLaterIsWaitedFor(t *testing.T) {
	t.Parallel()
	o := newOffice(t, func(o *office) { o.config.Patience.Appear = patience })
	c := o.newCall()
	o.over(c, c.recorded("/spool/monitor/later.wav"))
	o.awaitStates(map[bridge.RecordingState]int{bridge.RecordingSettling: 1})
	// The command that MixMonitor runs afterwards makes another file of it.
	o.put(o.monitor, "later.mp3", bytes.Repeat([]byte("an mp3"), 100))
	if files := o.awaitAnnounced(1); files[0].Name != "later.mp3" || files[0].ContentType != "audio/mpeg" {
		t.Errorf("the CRM has %s, %s", files[0].Name, files[0].ContentType)
	}
}

func TestAMissingRecordingIsLoggedOnce(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		name  string
		make  func(o *office)
		state bridge.RecordingState
	}{
		"no file":       {"/spool/monitor/none.wav", func(*office) {}, bridge.RecordingMissing},
		"no directory":  {"/elsewhere/none.wav", func(*office) {}, bridge.RecordingMissing},
		"outside":       {"/spool/monitor/../../etc/passwd", func(*office) {}, bridge.RecordingMissing},
		"a link out":    {"/spool/monitor/link.wav", func(o *office) { o.must(os.Symlink("/etc/passwd", filepath.Join(o.monitor, "link.wav"))) }, bridge.RecordingMissing},
		"a fifo":        {"/spool/monitor/fifo.wav", func(o *office) { o.must(syscall.Mkfifo(filepath.Join(o.monitor, "fifo.wav"), 0o600)) }, bridge.RecordingMissing},
		"a directory":   {"/spool/monitor/directory.wav", func(o *office) { o.must(os.Mkdir(filepath.Join(o.monitor, "directory.wav"), 0o700)) }, bridge.RecordingMissing},
		"a NUL":         {"/spool/monitor/a\x00b.wav", func(*office) {}, bridge.RecordingMissing},
		"no sound":      {"/spool/monitor/silent.wav", func(o *office) { o.put(o.monitor, "silent.wav", wave(0, 0)) }, bridge.RecordingEmpty},
		"nothing in it": {"/spool/monitor/nothing.mp3", func(o *office) { o.put(o.monitor, "nothing.mp3", nil) }, bridge.RecordingEmpty},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, func(o *office) { o.config.Patience.Appear = 300 * time.Millisecond })
			test.make(o)
			c := o.newCall()
			o.over(c, c.recorded(test.name))
			o.awaitStates(map[bridge.RecordingState]int{test.state: 1})
			want := map[bridge.RecordingState]int{bridge.RecordingMissing: 1}[test.state]
			o.await("it is logged", func() bool { return len(o.warned()) >= want })
			if warned := o.warned(); len(warned) != want {
				t.Errorf("warned %d times, want %d: %q", len(warned), want, warned)
			}
			if n := len(o.crm.Files()); n > 0 {
				t.Errorf("%d files were uploaded", n)
			}
		})
	}
}

// A name in an old encoding is found as it is.
func TestANameNeedsNotBeUTF8(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	c := o.newCall()
	name := fmt.Sprintf("%s/\xe7\xe0\xef\xe8\xf1\xfc-%s.wav", c.ended.Format("2006/01/02"), c.channel)
	o.put(o.monitor, name, wave(10, 10))
	o.over(c, c.recorded())
	if files := o.awaitAnnounced(1); files[0].Size != 54 {
		t.Errorf("the CRM has %d bytes", files[0].Size)
	}
	o.awaitStates(done)
}

func TestAFileOfTwoChannelsIsAnnouncedOnceAtTheLegThatAnsweredFirst(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.put(o.monitor, "both.wav", wave(100, 100))
	c := o.newCall()
	first := c.recorded("/spool/monitor/both.wav")
	second := first
	second.Channel, second.Leg, second.Since = "1795401475.99", "1795401475.99", first.Since.Add(time.Second)
	o.over(c, second, first)
	o.awaitAnnounced(1)
	o.awaitStates(done)
	if leg := lastRecording(o).Body.ExternalCallItemID; leg != string(first.Leg) {
		t.Errorf("announced at leg %s", leg)
	}
}

// await waits until something holds.
func (o *office) await(what string, holds func() bool) {
	o.Helper()
	for deadline := time.Now().Add(patience); !holds(); {
		if time.Now().After(deadline) {
			o.Fatalf("waited in vain: %s\n%s", what, o.story())
		}
		select {
		case <-o.Context().Done():
		case <-time.After(5 * time.Millisecond):
		}
	}
}
