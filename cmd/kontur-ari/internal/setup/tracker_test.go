package setup_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store"
	"kontur-ari/bridge/tracker"
	"kontur-ari/bridge/tracker/pbxtest"
	"kontur-ari/cmd/kontur-ari/internal/setup"
	"kontur-ari/configs"
)

// Calls that are answered: see the package pbxtest for the language.
const (
	inboundTalk = `
		0 new A PJSIP/trunk Ring caller=79997775533 exten=79229929292
		1 new B PJSIP/101 Down
		1 dial A>B 101
		5 enter B br1
		5 enter A br1`
	internalTalk = `
		0 new A PJSIP/101 Ring caller=101 exten=102
		1 new B PJSIP/102 Down
		1 dial A>B 102
		5 enter B br1
		5 enter A br1`
	over = `
		9 gone B
		9 gone A`
)

func openStore(t *testing.T) *store.Store {
	t.Helper()
	db, err := store.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// newTracker returns a Tracker as configured, and what was logged of its making.
func newTracker(t *testing.T, cfg configs.Config, db *store.Store) (*tracker.Tracker, *observer.ObservedLogs) {
	t.Helper()
	people, err := setup.Directory(cfg)
	if err != nil {
		t.Fatal(err)
	}
	core, logged := observer.New(zapcore.DebugLevel)
	tr, err := setup.Tracker(t.Context(), people, cfg, db, zap.New(core))
	if err != nil {
		t.Fatal(err)
	}
	return tr, logged
}

// heard is what a Tracker decides about events.
type heard struct {
	reports, recorded int
	recordings        []string
}

func hear(tr *tracker.Tracker, events []bridge.Event) (all heard) {
	for _, event := range events {
		outcome := tr.Apply(event)
		all.reports += len(outcome.Reports)
		all.recorded += len(outcome.Recorded)
		for _, action := range outcome.Actions {
			if action.Kind == bridge.ActionRecord {
				all.recordings = append(all.recordings, action.Recording)
			}
		}
	}
	return all
}

func play(t *testing.T, script string) []bridge.Event {
	t.Helper()
	events, err := pbxtest.Play(script)
	if err != nil {
		t.Fatal(err)
	}
	return events
}

func TestTheTrackerFollowsThePolicyOfTheConfiguration(t *testing.T) {
	recorded := []string{"kontur-ari-recording-A-1"}
	made := func(c *configs.Config) { c.Recordings.Enabled, c.Recordings.Make = true, true }
	for name, test := range map[string]struct {
		script string
		change func(*configs.Config)
		// reported and handedOver: there are reports, and channels that may have recordings.
		reported, handedOver bool
		recordings           []string
	}{
		"nothing is asked for":            {inboundTalk, func(c *configs.Config) { c.Recordings.Enabled = false }, true, false, nil},
		"internal calls are not reported": {internalTalk, func(c *configs.Config) { c.Calls.ReportInternal = false }, false, false, nil},
		"internal calls are reported":     {internalTalk, func(c *configs.Config) { c.Calls.ReportInternal, c.Recordings.Enabled = true, false }, true, false, nil},
		"recordings are handed over":      {inboundTalk, func(c *configs.Config) { c.Recordings.Enabled = true }, true, true, nil},
		"recordings are made":             {inboundTalk, made, true, true, recorded},
		"recordings of another application": {
			inboundTalk, func(c *configs.Config) { made(c); c.Asterisk.Application = "second" }, true, true, []string{"second-recording-A-1"},
		},
		"internal conversations are not recorded": {
			internalTalk, func(c *configs.Config) { made(c); c.Calls.ReportInternal = true }, true, true, nil,
		},
		"internal conversations are recorded": {
			internalTalk, func(c *configs.Config) { made(c); c.Calls.ReportInternal, c.Recordings.MakeInternal = true, true }, true, true, recorded,
		},
		"nothing is recorded of a user": {
			inboundTalk, func(c *configs.Config) { made(c); c.Recordings.NeverUsers = []string{"u101"} }, true, true, nil,
		},
		"of another user nothing is recorded": {
			inboundTalk, func(c *configs.Config) { made(c); c.Recordings.NeverUsers = []string{"u102"} }, true, true, recorded,
		},
		"nothing is recorded of a number, however it is written": {
			inboundTalk, func(c *configs.Config) { made(c); c.Recordings.NeverNumbers = []string{"8 (922) 992-92-92"} }, true, true, nil,
		},
		"of another number nothing is recorded": {
			inboundTalk, func(c *configs.Config) { made(c); c.Recordings.NeverNumbers = []string{"8 (922) 992-92-93"} }, true, true, recorded,
		},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := office()
			test.change(&cfg)
			tr, _ := newTracker(t, cfg, openStore(t))
			got := hear(tr, play(t, test.script+over))
			if (got.reports > 0) != test.reported || (got.recorded > 0) != test.handedOver || !slices.Equal(got.recordings, test.recordings) {
				t.Errorf("%+v, want reports %v, channels that may have recordings %v, recordings %v", got, test.reported, test.handedOver, test.recordings)
			}
		})
	}
}

// stored commits the state of calls as the daemon does.
func stored(t *testing.T, db *store.Store, batch bridge.Batch) {
	t.Helper()
	if _, err := db.Commit(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
}

func TestTheTrackerKnowsTheCallsOfTheStore(t *testing.T) {
	db := openStore(t)
	beginning, whole := play(t, inboundTalk), play(t, inboundTalk+over)
	other, _ := newTracker(t, office(), db)
	want := hear(other, whole).reports
	before, _ := newTracker(t, office(), db)
	reports := hear(before, beginning).reports
	state, ok := before.State("A")
	if !ok {
		t.Fatal("the call is not in progress")
	}
	stored(t, db, bridge.Batch{Changed: []bridge.CallState{state}})
	after, logged := newTracker(t, office(), db)
	if calls, channels := after.Open(); calls != 1 || channels != 2 {
		t.Errorf("%d calls with %d channels, want the one of the store", calls, channels)
	}
	if lines := logged.FilterMessage("calls in progress restored").FilterField(zap.Int("calls", 1)).Len(); lines != 1 || logged.Len() != 1 {
		t.Errorf("logged are %+v", logged.All())
	}
	rest := hear(after, whole[len(beginning):]).reports
	if reports+rest != want || reports == 0 || rest == 0 {
		t.Errorf("%d reports before and %d after, want %d", reports, rest, want)
	}
}

func TestTheTrackerReportsNoCallThatEndedBeforeItsTime(t *testing.T) {
	db := openStore(t)
	stored(t, db, bridge.Batch{Ended: []bridge.CallID{"A"}})
	tr, _ := newTracker(t, office(), db)
	if got := hear(tr, play(t, inboundTalk+over)); got.reports > 0 {
		t.Errorf("%d reports about a call that was reported to its end", got.reports)
	}
}

func TestACallThatCannotBeReadIsLoggedAndRemoved(t *testing.T) {
	db := openStore(t)
	before, _ := newTracker(t, office(), db)
	hear(before, play(t, inboundTalk))
	state, _ := before.State("A")
	stored(t, db, bridge.Batch{Changed: []bridge.CallState{state, {Call: "broken", State: []byte(`{"id":"another"}`)}, {Call: "text", State: []byte("no JSON")}}})
	after, logged := newTracker(t, office(), db)
	if calls, _ := after.Open(); calls != 1 {
		t.Errorf("%d calls are restored, want the one that is whole", calls)
	}
	lines := logged.FilterLevelExact(zapcore.ErrorLevel).All()
	if len(lines) != 1 || !strings.Contains(lines[0].Message, "can't be taken up again") || !strings.Contains(lines[0].ContextMap()["error"].(string), "2 calls") {
		t.Errorf("logged are %+v", logged.All())
	}
	open, _, err := db.OpenCalls(t.Context())
	if err != nil || len(open) != 1 || open[0].Call != "A" || !bytes.Equal(open[0].State, state.State) {
		t.Errorf("the store has %v, error %v; want call A alone", open, err)
	}
	if _, logged := newTracker(t, office(), db); logged.FilterLevelExact(zapcore.ErrorLevel).Len() > 0 {
		t.Errorf("the next start finds it once more: %+v", logged.All())
	}
}

func TestATrackerNeedsItsStore(t *testing.T) {
	people, err := setup.Directory(office())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	tr, err := setup.Tracker(ctx, people, office(), openStore(t), zap.NewNop())
	if !errors.Is(err, context.Canceled) || tr != nil {
		t.Errorf("without the calls of the store there is %v, error %v", tr, err)
	}
	if _, ok := errors.AsType[*setup.UnusableError](err); ok {
		t.Errorf("%v is taken for an error of the configuration", err)
	}
}

func TestATrackerOfAnUnknownRegionIsRefused(t *testing.T) {
	people, err := setup.Directory(office())
	if err != nil {
		t.Fatal(err)
	}
	cfg := office()
	cfg.Calls.Region = "XX"
	_, err = setup.Tracker(t.Context(), people, cfg, openStore(t), zap.NewNop())
	checkUnusable(t, err, "calls.region: ")
}
