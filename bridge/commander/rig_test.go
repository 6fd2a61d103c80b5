package commander_test

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest"
	"go.uber.org/zap/zaptest/observer"

	"kontur-ari/bridge"
	"kontur-ari/bridge/commander"
	"kontur-ari/bridge/directory"
	"kontur-ari/bridge/intake"
	"kontur-ari/bridge/store"
	"kontur-ari/bridge/tracker"
)

// rig is a Commander with everything around it: a real store and Tracker, and a
// switch.
type rig struct {
	logs *observer.ObservedLogs
	*commander.Commander
	t         *testing.T
	sw        *fakeSwitch
	directory string
	config    commander.Config
	db        *store.Store
	intake    *intake.Intake
	stop      context.CancelFunc
	stopped   chan error
}

func newRig(t *testing.T, change ...func(*commander.Config)) *rig {
	x := &rig{t: t, sw: newFakeSwitch(), directory: t.TempDir()}
	x.start(change...)
	t.Cleanup(x.end)
	return x
}

func (x *rig) start(change ...func(*commander.Config)) {
	x.t.Helper()
	numbers, err := directory.NewNumbers("RU", regexp.MustCompile(`^\d{2,5}$`), "anonymous")
	x.must(err)
	people, err := directory.New([]directory.User{
		{ID: "u101", Extension: "101", Endpoint: "PJSIP/101"},
		{ID: "u102", Extension: "102", Endpoint: "PJSIP/102"},
		{ID: "U107", Extension: "107", Endpoint: "PJSIP/107"},
		{ID: "u105", Extension: "105", Endpoint: "PJSIP/105"},
		{ID: "mobile", Mobile: "79161110102"},
	}, []directory.Trunk{{Endpoint: "PJSIP/trunk"}}, numbers)
	x.must(err)
	x.db, err = store.Open(x.t.Context(), x.directory)
	x.must(err)
	tr := tracker.New(people, tracker.Policy{Application: "kontur-ari"})
	open, ended, err := x.db.OpenCalls(x.t.Context())
	x.must(err)
	x.must(tr.Restore(open, ended))
	observed, logs := observer.New(zap.DebugLevel)
	x.logs = logs
	log := zaptest.NewLogger(x.t, zaptest.WrapOptions(zap.WrapCore(func(core zapcore.Core) zapcore.Core { return zapcore.NewTee(core, observed) })))
	// The Commander is there before the intake runs.
	act := func(actions []bridge.Action) { x.Act(actions) }
	x.intake = intake.New(tr, x.db, func([]bridge.Pending) {}, log, intake.WithActions(act))
	config := commander.Config{
		Application: "kontur-ari",
		Directory:   people, Numbers: numbers, PerMinute: 3, AtOnce: 2, RingTimeout: 30 * time.Second,
		Allowed: func(number string) bool { return strings.HasPrefix(number, "7") && len(number) == 11 },
	}
	for _, change := range change {
		change(&config)
	}
	x.config = config
	x.Commander = commander.New(config, x.intake, x.db, x.sw, log)
	x.sw.heard = x.intake.Put
	ctx, stop := context.WithCancel(context.Background())
	x.stop, x.stopped = stop, make(chan error, 1)
	go func() { x.stopped <- x.intake.Run(ctx) }()
}

func (x *rig) end() {
	x.Close()
	x.stop()
	if err := errors.Join(<-x.stopped, x.db.Close()); err != nil {
		x.t.Error(err)
	}
}

// restart is a crash and a new start; the switch goes on.
func (x *rig) restart() {
	x.sw.mu.Lock()
	x.sw.heard = nil
	x.sw.mu.Unlock()
	x.end()
	x.start()
}

func (x *rig) must(err error) {
	x.t.Helper()
	if err != nil {
		x.t.Fatal(err)
	}
}

// await waits for something that is done in the background.
func (x *rig) await(what string, holds func() bool) {
	x.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(time.Minute); !holds(); {
		select {
		case <-tick.C:
		case <-deadline:
			x.t.Fatalf("not in time: %s", what)
		}
	}
}

// flush returns when every event so far is stored.
func (x *rig) flush() {
	x.t.Helper()
	x.must(x.intake.Give(x.t.Context(), bridge.Event{Type: bridge.EventChannelStateChange, Time: time.Now()}))
}

// reports are those that wait for the CRM, of the call of a communication.
func (x *rig) reports(communication string) []string {
	x.t.Helper()
	x.flush()
	call := bridge.ClickToCall{Application: "kontur-ari", CommunicationID: communication}.Call()
	var reported []string
	for {
		waiting, err := x.db.OldestWaiting(x.t.Context(), []bridge.CallID{call}, 1)
		x.must(err)
		if len(waiting) == 0 {
			return reported
		}
		kind := string(waiting[0].Report.Kind)
		if waiting[0].Report.Event != "" {
			kind = string(waiting[0].Report.Event)
		}
		reported = append(reported, kind)
		x.must(x.db.RecordResults(x.t.Context(), []bridge.Sent{{Pending: waiting[0], Result: bridge.Result{Verdict: bridge.Delivered}}}))
	}
}

func (x *rig) wantRequests(want ...string) {
	x.t.Helper()
	if got := x.sw.history(); !slices.Equal(got, want) {
		x.t.Errorf("the switch got the requests %q, want %q", got, want)
	}
}

func (x *rig) wantReports(communication string, want ...string) {
	x.t.Helper()
	if got := x.reports(communication); !slices.Equal(got, want) {
		x.t.Errorf("communication %s: the CRM gets %q, want %q", communication, got, want)
	}
}

// toClient is the command for a call to a client.
func toClient(communication, from string) bridge.CallCommand {
	return bridge.CallCommand{CommunicationID: communication, FromUserID: from, ClientPhone: "8 (999) 777-55-33"}
}

func refusedWith(err error) bridge.RefusalStatus {
	if refusal, ok := errors.AsType[*bridge.Refusal](err); ok {
		return refusal.Status
	}
	return ""
}
