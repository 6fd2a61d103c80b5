package intake_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"kontur-ari/bridge"
	"kontur-ari/bridge/directory"
	"kontur-ari/bridge/intake"
	"kontur-ari/bridge/store"
	"kontur-ari/bridge/tracker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newTracker(t *testing.T) *tracker.Tracker {
	t.Helper()
	numbers, err := directory.NewNumbers("RU", regexp.MustCompile(`\d{2,5}`), "anonymous")
	if err != nil {
		t.Fatal(err)
	}
	people, err := directory.New(nil, []directory.Trunk{{Endpoint: "PJSIP/trunk", Number: "79229929292"}}, numbers)
	if err != nil {
		t.Fatal(err)
	}
	return tracker.New(people, tracker.Policy{ReportInternal: true})
}

// disk is a store that can be made to fail as a full disk does.
type disk struct {
	*store.Store
	mu    sync.Mutex
	fails error
	takes time.Duration
}

func (d *disk) fail(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fails = err
}

func (d *disk) Commit(ctx context.Context, batch bridge.Batch) ([]bridge.Pending, error) {
	d.mu.Lock()
	fails, takes := d.fails, d.takes
	d.mu.Unlock()
	time.Sleep(takes)
	if fails != nil {
		return nil, fmt.Errorf("committing: %w", fails)
	}
	return d.Store.Commit(ctx, batch)
}

func newDisk(t *testing.T) *disk {
	t.Helper()
	s, err := store.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("closing the store: %v", err)
		}
	})
	return &disk{Store: s}
}

// call gives the two events of a caller who hangs up in the IVR.
func call(id string) []bridge.Event {
	channel := func(state bridge.ChannelState) *bridge.Channel {
		return &bridge.Channel{ID: bridge.ChannelID(id), Name: "PJSIP/trunk-" + id, State: state, CallerNumber: "79997775533", Exten: "79229929292"}
	}
	return []bridge.Event{
		{Type: bridge.EventChannelCreated, Time: time.Now(), Channel: channel(bridge.StateRing), Raw: []byte("{}")},
		{Type: bridge.EventChannelDestroyed, Time: time.Now(), Channel: channel(bridge.StateUp), Raw: []byte("{}")},
	}
}

func reportsOf(t *testing.T, s *store.Store, id string) (kinds []bridge.ReportKind) {
	t.Helper()
	for {
		waiting, err := s.OldestWaiting(t.Context(), []bridge.CallID{bridge.CallID(id)}, 1)
		if err != nil {
			t.Fatal(err)
		}
		if len(waiting) == 0 {
			return kinds
		}
		kinds = append(kinds, waiting[0].Report.Kind)
		if err := s.RecordResults(t.Context(), []bridge.Sent{{Pending: waiting[0], Result: bridge.Result{Verdict: bridge.Delivered}}}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestEveryEventIsCommittedWhenRunReturns(t *testing.T) {
	d := newDisk(t)
	var woken sync.Map
	i := intake.New(newTracker(t), d, func(reports []bridge.Pending) {
		for _, pending := range reports {
			woken.Store(string(pending.Report.Call), true)
		}
	}, zap.NewNop())
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- i.Run(ctx) }()
	const calls = 3000
	for n := range calls {
		for _, event := range call(fmt.Sprint(n)) {
			i.Put(event)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	stats := i.Stats()
	if stats.Events != 2*calls || stats.Reports != 3*calls || stats.Waiting != 0 || stats.OpenCalls != 0 {
		t.Errorf("stats %+v", stats)
	}
	for n := range calls {
		if _, ok := woken.Load(fmt.Sprint(n)); !ok {
			t.Fatalf("delivery was not woken for call %d", n)
		}
	}
	want := fmt.Sprint([]bridge.ReportKind{bridge.ReportStarted, bridge.ReportFinished, bridge.ReportRegister})
	if got := fmt.Sprint(reportsOf(t, d.Store, "17")); got != want {
		t.Errorf("reports of a call: %s, want %s", got, want)
	}
}

func TestACallGoesOnAfterARestart(t *testing.T) {
	d := newDisk(t)
	events := call("1.1")
	for _, event := range events {
		tr := newTracker(t)
		open, ended, err := d.OpenCalls(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := tr.Restore(open, ended); err != nil {
			t.Fatal(err)
		}
		i := intake.New(tr, d, func([]bridge.Pending) {}, zap.NewNop())
		i.Put(event)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := i.Run(ctx); err != nil {
			t.Fatal(err)
		}
	}
	want := fmt.Sprint([]bridge.ReportKind{bridge.ReportStarted, bridge.ReportFinished, bridge.ReportRegister})
	if got := fmt.Sprint(reportsOf(t, d.Store, "1.1")); got != want {
		t.Errorf("reports: %s, want %s", got, want)
	}
}

func TestAFullDiskLosesNothingAndIsLoggedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDisk(t)
		d.fail(errors.New("database or disk is full"))
		core, logs := observer.New(zap.InfoLevel)
		i := intake.New(newTracker(t), d, func([]bridge.Pending) {}, zap.New(core))
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- i.Run(ctx) }()
		for _, event := range call("1.1") {
			i.Put(event)
		}
		time.Sleep(time.Minute) // a minute of the bubble's clock: many tries
		if !i.Stats().Failing {
			t.Error("a full disk is not seen in the stats")
		}
		if logs.Len() != 1 {
			t.Errorf("%d log lines while the disk was full, want 1", logs.Len())
		}
		d.fail(nil)
		time.Sleep(10 * time.Second)
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if got := len(reportsOf(t, d.Store, "1.1")); got != 3 {
			t.Errorf("%d reports after the disk healed, want 3", got)
		}
	})
}

func TestAStopWithAFullDiskNamesWhatIsLost(t *testing.T) {
	d := newDisk(t)
	d.fail(errors.New("database or disk is full"))
	i := intake.New(newTracker(t), d, func([]bridge.Pending) {}, zap.NewNop())
	for _, event := range call("1.1") {
		i.Put(event)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := i.Run(ctx)
	if err == nil || !regexp.MustCompile(`2 events were not stored: .*full`).MatchString(err.Error()) {
		t.Errorf("stopping: %v", err)
	}
}

// The Tracker can't interpret a client who never called in. It reports none of the phones
// that the client reaches, and makes a note for each. The log shows the first note alone.
func TestACallThatIsNotUnderstoodLeavesOneLogLineAndACounter(t *testing.T) {
	core, logs := observer.New(zap.InfoLevel)
	i := intake.New(newTracker(t), newDisk(t), func([]bridge.Pending) {}, zap.New(core))
	client := &bridge.Channel{ID: "1.1", Name: "PJSIP/trunk-1", State: bridge.StateDown}
	i.Put(bridge.Event{Type: bridge.EventChannelCreated, Time: time.Now(), Channel: client, Raw: []byte("{}")})
	for n := range 5 {
		phone := &bridge.Channel{ID: bridge.ChannelID(fmt.Sprint("2.", n)), Name: fmt.Sprint("PJSIP/101-", n), State: bridge.StateDown}
		for _, event := range []bridge.Event{
			{Type: bridge.EventChannelCreated, Channel: phone},
			{Type: bridge.EventDial, Caller: client, Peer: phone},
			{Type: bridge.EventChannelDestroyed, Channel: phone},
		} {
			event.Time, event.Raw = time.Now(), []byte("{}")
			i.Put(event)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := i.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if logs.Len() != 1 {
		t.Fatalf("%d log lines, want 1: %v", logs.Len(), logs.All())
	}
	fields := logs.All()[0].ContextMap()
	reason, _ := fields["reason"].(string)
	if fields["call"] != "1.1" || fields["channel"] == "" || reason == "" {
		t.Errorf("fields of the log line: %v", fields)
	}
	if diff := cmp.Diff(map[string]int64{reason: 1}, i.Stats().NotUnderstood); diff != "" {
		t.Errorf("counters (-want +got):\n%s", diff)
	}
}
