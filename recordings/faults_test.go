package recordings_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store"
	"kontur-ari/recordings"
)

// A recording that is worked on while it is converted is taken as it is in the end.
func TestAChangeDuringTheConversionIsNoticed(t *testing.T) {
	t.Parallel()
	flag := filepath.Join(t.TempDir(), "go on")
	o := newOffice(t, func(o *office) {
		program := o.put(t.TempDir(), "ffmpeg", []byte("#!/bin/sh\nwhile [ ! -e '"+flag+"' ]; do /bin/sleep 0.02; done\n/bin/cat\n"))
		o.must(os.Chmod(program, 0o700))
		o.config.Conversion = recordings.Conversion{Program: program, TimeLimit: patience, Always: true}
	})
	path := o.put(o.monitor, "a.wav", wave(1000, 1000))
	c := o.newCall()
	o.over(c, c.recorded("/spool/monitor/a.wav"))
	o.await("it is being converted", func() bool { return len(o.left("conversions")) == 1 })
	whole := wave(5000, 5000)
	o.must(os.WriteFile(path, whole, 0o600))
	o.must(os.WriteFile(flag, nil, 0o600))
	if file := o.awaitAnnounced(1)[0]; file.Sum != sha256.Sum256(whole) {
		t.Errorf("the CRM has %d bytes of %d", file.Size, len(whole))
	}
	o.awaitStates(done)
	o.await("nothing is left behind", func() bool { return len(o.left("conversions")) == 0 })
}

// A name alone says where a file is by the date only: that is looked at again, too.
func TestANameThatWasNotFoundIsLookedForAgain(t *testing.T) {
	t.Parallel()
	o := newOffice(t, func(o *office) { o.config.Patience.Appear = 100 * time.Millisecond })
	c := o.newCall()
	o.over(c, c.recorded("out-1.wav"))
	o.awaitStates(map[bridge.RecordingState]int{bridge.RecordingMissing: 1})
	o.put(o.monitor, c.ended.Format("2006/01/02/")+"out-1.wav", wave(100, 100))
	o.retryAll()
	o.awaitAnnounced(1)
	o.awaitStates(done)
}

// retryAll has everything tried again that can be.
func (o *office) retryAll() {
	o.Helper()
	kept, err := store.OpenRecordings(o.Context(), o.storage)
	o.must(err)
	var ids []int64
	o.must(kept.Walk(o.Context(), store.RecordingFilter{}, func(entry store.RecordingEntry) error {
		ids = append(ids, entry.ID)
		return nil
	}))
	_, err = kept.Retry(o.Context(), ids)
	o.must(errors.Join(err, kept.Close()))
}

// While the directory can't be read it is not known whether anything was recorded.
func TestADirectoryThatCantBeReadLosesNothing(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		appear time.Duration
		state  bridge.RecordingState
	}{"for a while": {time.Hour, bridge.RecordingSought}, "for long": {100 * time.Millisecond, bridge.RecordingMissing}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, func(o *office) { o.config.Patience.Named, o.config.Patience.Appear = 50*time.Millisecond, test.appear })
			// Not even root can open a file as a directory.
			aside := o.monitor + ".aside"
			o.must(os.Rename(o.monitor, aside))
			o.must(os.WriteFile(o.monitor, nil, 0o600))
			c := o.newCall()
			o.put(aside, c.ended.Format("2006/01/02/")+fmt.Sprintf("in-%s.wav", c.channel), wave(100, 100))
			o.over(c, c.recorded())
			o.await("it is logged", func() bool { return strings.Contains(strings.Join(o.warned(), " "), "can't be opened") })
			o.awaitStates(map[bridge.RecordingState]int{test.state: 1})
			o.must(os.Remove(o.monitor))
			o.must(os.Rename(aside, o.monitor))
			if test.state == bridge.RecordingMissing {
				o.retryAll()
			}
			o.awaitAnnounced(1)
			o.awaitStates(done)
		})
	}
}

// One file under two names is one recording: later processing changes its ending, and two
// channels may lead to it.
func TestAFileThatGivesWayToAnotherIsAnnouncedOnce(t *testing.T) {
	t.Parallel()
	o := newOffice(t, func(o *office) { o.config.Patience.Still = 300 * time.Millisecond })
	path := o.put(o.monitor, "x.wav", wave(100, 100))
	c := o.newCall()
	first := c.recorded("/spool/monitor/x.wav")
	second := first
	second.Channel = "1795401475.99"
	o.over(c, first)
	o.awaitStates(map[bridge.RecordingState]int{bridge.RecordingSettling: 1})
	o.put(o.monitor, "x.mp3", bytes.Repeat([]byte("mp3"), 100))
	o.must(os.Remove(path))
	_, err := o.db.Commit(t.Context(), bridge.Batch{Recorded: []bridge.Recorded{second}})
	o.must(err)
	o.courier.Look()
	if file := o.awaitAnnounced(1)[0]; file.Name != "x.mp3" {
		t.Errorf("the CRM has %s", file.Name)
	}
	o.awaitStates(done)
}

// forgetful is a store that at first fails to note removed files.
type forgetful struct {
	bridge.RecordingJobs
	asked, fails atomic.Int64
}

func (f *forgetful) Removed(ctx context.Context, job bridge.RecordingJob) error {
	f.asked.Add(1)
	if f.fails.Add(-1) >= 0 {
		return errors.New("the disk is full")
	}
	return f.RecordingJobs.Removed(ctx, job)
}

// Where the store fails, removing goes on at its pace.
func TestRemovingTakesItsTimeWhereTheStoreFails(t *testing.T) {
	t.Parallel()
	f := &forgetful{}
	f.fails.Store(1)
	o := newOffice(t, func(o *office) {
		o.config.Keep, o.config.Uploads = 0, 16
		o.jobs = func(jobs bridge.RecordingJobs) bridge.RecordingJobs {
			f.RecordingJobs = jobs
			return f
		}
	})
	var names []string
	const files = 120 // more than go at once
	for n := range files {
		names = append(names, fmt.Sprintf("/spool/monitor/%d.wav", n))
		o.put(o.monitor, fmt.Sprintf("%d.wav", n), wave(10, 10))
	}
	c := o.newCall()
	o.over(c, c.recorded(names...))
	o.awaitAnnounced(files)
	o.await("all are removed", func() bool { entries, err := os.ReadDir(o.monitor); return err == nil && len(entries) == 0 })
	if asked := f.asked.Load(); asked > 2*files {
		t.Errorf("the store was asked %d times for %d files", asked, files)
	}
}

// A switch that does not answer at once keeps no recording for good.
func TestADeletionIsTriedAgain(t *testing.T) {
	t.Parallel()
	k := &keeper{files: map[string][]byte{"talk": wave(500, 500)}, refuse: 2}
	o := newOffice(t, keeping(k))
	c := o.newCall()
	o.over(c, c.stored("talk", true))
	o.awaitAnnounced(1)
	o.await("it is deleted", func() bool { return len(k.gone()) == 1 })
}
