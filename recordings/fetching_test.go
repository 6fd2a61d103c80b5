package recordings_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"kontur-ari/bridge"
	"kontur-ari/crm/crmtest"
)

// keeper is a switch that keeps recordings.
type keeper struct {
	mu      sync.Mutex
	files   map[string][]byte
	deleted []string
	// down: it does not answer. fetches counts what was asked for.
	down    bool
	fetches int
	// refuse is how many deletions go wrong.
	refuse int
}

var errAway = errors.New("the switch is away")

func (k *keeper) keep(name string, content []byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.files[name] = content
}

func (k *keeper) setDown(down bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.down = down
}

func (k *keeper) FetchRecording(_ context.Context, name string, into io.Writer) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.fetches++
	content, found := k.files[name]
	switch {
	case k.down:
		return errAway
	case !found:
		return bridge.ErrNoStoredRecording
	}
	_, err := into.Write(content)
	return err
}

func (k *keeper) DeleteRecording(_ context.Context, name string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.refuse--; k.refuse >= 0 {
		return errAway
	}
	if _, found := k.files[name]; !found {
		return bridge.ErrNoStoredRecording
	}
	delete(k.files, name)
	k.deleted = append(k.deleted, name)
	return nil
}

func (k *keeper) gone() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.deleted)
}

// keeping has recordings of a switch.
func keeping(k *keeper) func(*office) {
	return func(o *office) { o.stored = k }
}

// stored returns the call's channel. The switch keeps a recording of it.
func (c call) stored(name string, made bool) bridge.Recorded {
	r := c.recorded()
	r.Stored, r.Own = []bridge.StoredFile{{Name: name, Format: "wav"}}, made
	return r
}

func TestARecordingThatTheSwitchKeepsIsFetched(t *testing.T) {
	t.Parallel()
	for name, made := range map[string]bool{"recorded by the dial plan": false, "recorded for kontur-ari": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := &keeper{files: map[string][]byte{"talk": wave(500, 500)}}
			o := newOffice(t, keeping(k))
			c := o.newCall()
			o.over(c, c.stored("talk", made))
			if file := o.awaitAnnounced(1)[0]; file.Name != "talk.wav" || file.Size != 544 || file.ContentType != "audio/wav" {
				t.Errorf("the CRM has %s, %s, %d bytes", file.Name, file.ContentType, file.Size)
			}
			o.awaitStates(done)
			if made {
				o.await("it is deleted", func() bool { return slices.Equal(k.gone(), []string{"talk"}) })
			} else if gone := k.gone(); len(gone) > 0 {
				t.Errorf("deleted %q, which belongs to the dial plan", gone)
			}
			o.await("nothing is left behind", func() bool { return len(o.left("conversions")) == 0 })
		})
	}
}

func TestARecordingOfTheSwitchIsWaitedFor(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		before []byte
		down   bool
	}{
		"not there yet": {nil, false},
		"not whole yet": {wave(100, 0), false},
		"switch away":   {wave(500, 500), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := &keeper{files: map[string][]byte{}, down: test.down}
			if test.before != nil {
				k.keep("talk", test.before)
			}
			o := newOffice(t, keeping(k), func(o *office) { o.config.Patience.Appear, o.config.Patience.Repair = time.Hour, time.Hour })
			c := o.newCall()
			o.over(c, c.stored("talk", true))
			o.await("it was asked for", func() bool { k.mu.Lock(); defer k.mu.Unlock(); return k.fetches > 0 })
			o.awaitStates(map[bridge.RecordingState]int{bridge.RecordingSettling: 1})
			k.keep("talk", wave(500, 500))
			k.setDown(false)
			if file := o.awaitAnnounced(1)[0]; file.Size != 544 {
				t.Errorf("the CRM has %d bytes", file.Size)
			}
			o.awaitStates(done)
		})
	}
}

func TestARecordingThatTheSwitchHasNotIsMissing(t *testing.T) {
	t.Parallel()
	o := newOffice(t, keeping(&keeper{files: map[string][]byte{"silent": wave(0, 0)}}), func(o *office) { o.config.Patience.Appear = 100 * time.Millisecond })
	c := o.newCall()
	o.over(c, c.stored("none", true), c.stored("silent", true))
	o.awaitStates(map[bridge.RecordingState]int{bridge.RecordingMissing: 1, bridge.RecordingEmpty: 1})
}

// A new process fetches again what the last one had fetched and not uploaded.
func TestANewProcessFetchesAgain(t *testing.T) {
	t.Parallel()
	o := newOffice(t, keeping(&keeper{files: map[string][]byte{"talk": wave(500, 500)}}))
	back := o.crm.Fail(crmtest.Rule{Kind: crmtest.KindFile, Status: http.StatusServiceUnavailable})
	c := o.newCall()
	o.over(c, c.stored("talk", true))
	o.awaitStates(map[bridge.RecordingState]int{bridge.RecordingReady: 1})
	o.reopen()
	back()
	if file := o.awaitAnnounced(1)[0]; file.Size != 544 {
		t.Errorf("the CRM has %d bytes", file.Size)
	}
	o.awaitStates(done)
}
