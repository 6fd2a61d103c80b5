package delivery_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"kontur-ari/bridge"
	"kontur-ari/bridge/delivery"
	"kontur-ari/bridge/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// remote is a CRM in the same process. It keeps the reports that it takes, and answers as
// the test wants.
type remote struct {
	mu       sync.Mutex
	answer   func(report bridge.Report, attempt int) bridge.Result
	taken    []string
	attempts map[string]int
	inFlight map[bridge.CallID]int
	overlap  bool
	hold     chan struct{}
}

func newRemote(answer func(report bridge.Report, attempt int) bridge.Result) *remote {
	return &remote{answer: answer, attempts: make(map[string]int), inFlight: make(map[bridge.CallID]int)}
}

func name(report bridge.Report) string {
	return fmt.Sprint(report.Call, " ", report.Kind, " ", report.Leg)
}

func (r *remote) Send(ctx context.Context, report bridge.Report, _ bridge.Identity) bridge.Result {
	r.mu.Lock()
	r.inFlight[report.Call]++
	r.overlap = r.overlap || r.inFlight[report.Call] > 1
	r.attempts[name(report)]++
	attempt, hold := r.attempts[name(report)], r.hold
	r.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.inFlight[report.Call]--; r.inFlight[report.Call] == 0 {
		delete(r.inFlight, report.Call)
	}
	if ctx.Err() != nil {
		return bridge.Result{Verdict: bridge.Retry, Reason: "broken off"}
	}
	result := r.answer(report, attempt)
	if result.Verdict == bridge.Delivered {
		r.taken = append(r.taken, name(report))
	}
	return result
}

func (r *remote) received() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.taken)
}

func takeAll(bridge.Report, int) bridge.Result {
	return bridge.Result{Verdict: bridge.Delivered, Status: 200}
}

// outbox is a store that keeps the reports that news has not returned yet.
type outbox struct {
	*store.Store
	unseen []bridge.Pending
}

// add commits reports.
func (o *outbox) add(t *testing.T, reports ...bridge.Report) {
	t.Helper()
	pending, err := o.Commit(t.Context(), bridge.Batch{Reports: reports})
	if err != nil {
		t.Fatal(err)
	}
	o.unseen = append(o.unseen, pending...)
}

// news returns the reports that were committed since its last call.
func (o *outbox) news() []bridge.Pending {
	unseen := o.unseen
	o.unseen = nil
	return unseen
}

func openStore(t *testing.T) *outbox {
	t.Helper()
	return openStoreIn(t, t.TempDir())
}

func openStoreIn(t *testing.T, directory string) *outbox {
	t.Helper()
	s, err := store.Open(t.Context(), directory)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("closing the store: %v", err)
		}
	})
	return &outbox{Store: s}
}

func commit(t *testing.T, s *outbox, call bridge.CallID, reports int) (names []string) {
	t.Helper()
	var all []bridge.Report
	for i := range reports {
		r := bridge.Report{Kind: bridge.ReportEvent, Call: call, Leg: bridge.LegID(fmt.Sprint(i))}
		all, names = append(all, r), append(names, name(r))
	}
	s.add(t, all...)
	return names
}

// newDispatcher is one that delivers as it does by default.
func newDispatcher(outbox bridge.Outbox, crm bridge.Sender, connections int, log *zap.Logger) *delivery.Dispatcher {
	return delivery.New(outbox, crm, delivery.Config{
		Connections: connections, FirstPause: 500 * time.Millisecond, LongestPause: 30 * time.Second, CollapseAfter: 10 * time.Second,
	}, log)
}

// start runs a dispatcher until the test ends or the returned function is called.
func start(t *testing.T, d *delivery.Dispatcher) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				t.Errorf("running: %v", err)
			}
		})
	}
	t.Cleanup(stop)
	return stop
}

func waitEmpty(t *testing.T, s *outbox) {
	t.Helper()
	for ctx := t.Context(); ; {
		calls, _, _, err := s.WaitingCalls(ctx, 0, 1)
		if err != nil {
			t.Fatal(err)
		}
		if len(calls) == 0 {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatal(ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func waitBusy(t *testing.T, d *delivery.Dispatcher, requests int) {
	t.Helper()
	for d.Stats().Busy < requests {
		select {
		case <-t.Context().Done():
			t.Fatalf("%d requests in flight, want %d", d.Stats().Busy, requests)
		case <-time.After(time.Millisecond):
		}
	}
}

func TestReportsOfACallGoOneAtATimeAndInOrder(t *testing.T) {
	s, crm := openStore(t), newRemote(takeAll)
	crm.hold = make(chan struct{})
	d := newDispatcher(s, crm, 8, zap.NewNop())
	const calls, each = 20, 6
	want := make(map[string][]string)
	for c := range calls / 2 {
		call := bridge.CallID(fmt.Sprint("left", c))
		want[string(call)] = commit(t, s, call, each)
	}
	start(t, d)
	waitBusy(t, d, 8) // calls are served side by side
	close(crm.hold)
	for c := range calls / 2 {
		call := bridge.CallID(fmt.Sprint("new", c))
		want[string(call)] = commit(t, s, call, each)
		d.Wake(s.news())
	}
	waitEmpty(t, s)
	got := make(map[string][]string)
	for _, n := range crm.received() {
		var call string
		if _, err := fmt.Sscan(n, &call); err != nil {
			t.Fatal(err)
		}
		got[call] = append(got[call], n)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("received (-want +got):\n%s", diff)
	}
	if crm.overlap {
		t.Error("two requests of one call were in flight at once")
	}
}

func TestACallThatFailsHoldsNoOtherUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openStore(t)
		var released time.Time
		began := time.Now()
		crm := newRemote(func(report bridge.Report, attempt int) bridge.Result {
			if report.Call == "bad" && attempt < 4 {
				return bridge.Result{Verdict: bridge.Retry, Reason: "503", Status: 503}
			}
			if report.Call == "bad" {
				released = time.Now()
			}
			return takeAll(report, attempt)
		})
		d := newDispatcher(s, crm, 1, zap.NewNop())
		bad := commit(t, s, "bad", 1)
		good := commit(t, s, "good", 3)
		stop := start(t, d)
		waitEmpty(t, s)
		stop()
		if diff := cmp.Diff(append(good, bad...), crm.received()); diff != "" {
			t.Errorf("received (-want +got):\n%s", diff)
		}
		// Three pauses of at least half of 0.5, 1 and 2 seconds.
		if waited := released.Sub(began); waited < 1750*time.Millisecond || waited > 4*time.Second {
			t.Errorf("the fourth try came after %v", waited)
		}
	})
}

func TestThePauseThatTheCRMAsksForIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openStore(t)
		began := time.Now()
		crm := newRemote(func(report bridge.Report, attempt int) bridge.Result {
			if attempt == 1 {
				return bridge.Result{Verdict: bridge.Retry, Reason: "429", RetryAfter: time.Minute}
			}
			if waited := time.Since(began); waited < time.Minute {
				t.Errorf("tried again after %v", waited)
			}
			return takeAll(report, attempt)
		})
		commit(t, s, "call", 1)
		stop := start(t, newDispatcher(s, crm, 4, zap.NewNop()))
		waitEmpty(t, s)
		stop()
	})
}

func TestARefusedReportDoesNotStopItsCall(t *testing.T) {
	s := openStore(t)
	crm := newRemote(func(report bridge.Report, attempt int) bridge.Result {
		if report.Leg == "1" {
			return bridge.Result{Verdict: bridge.Refused, Status: 409, Reason: "no"}
		}
		return takeAll(report, attempt)
	})
	names := commit(t, s, "call", 3)
	d := newDispatcher(s, crm, 4, zap.NewNop())
	start(t, d)
	waitEmpty(t, s)
	if diff := cmp.Diff([]string{names[0], names[2]}, crm.received()); diff != "" {
		t.Errorf("received (-want +got):\n%s", diff)
	}
	d.Drain(t.Context())
	if stats := d.Stats(); stats.Refused != 1 || stats.Delivered != 2 {
		t.Errorf("stats %+v", stats)
	}
}

func TestDrainDeliversWhatIsReadyAndDoesNotWaitForPauses(t *testing.T) {
	s := openStore(t)
	crm := newRemote(func(report bridge.Report, attempt int) bridge.Result {
		if report.Call == "bad" {
			return bridge.Result{Verdict: bridge.Retry, Reason: "down"}
		}
		return takeAll(report, attempt)
	})
	d := newDispatcher(s, crm, 2, zap.NewNop())
	commit(t, s, "bad", 1)
	good := commit(t, s, "good", 50)
	d.Wake(s.news())
	stop := start(t, d)
	d.Drain(t.Context())
	stop()
	if diff := cmp.Diff(good, crm.received()); diff != "" {
		t.Errorf("received (-want +got):\n%s", diff)
	}
}

func TestAStopInMidRequestLeavesTheReportInTheOutbox(t *testing.T) {
	s, crm := openStore(t), newRemote(takeAll)
	crm.hold = make(chan struct{})
	commit(t, s, "call", 1)
	d := newDispatcher(s, crm, 2, zap.NewNop())
	stop := start(t, d)
	waitBusy(t, d, 1)
	stop()
	waiting, err := s.OldestWaiting(t.Context(), []bridge.CallID{"call"}, 2)
	// The CRM may have it, so the call must not be collapsed.
	if err != nil || len(waiting) != 1 || waiting[0].Attempts != 1 || !waiting[0].Uncertain {
		t.Errorf("what waits: %+v, error %v", waiting, err)
	}
}

func TestTroubleIsLoggedOncePerCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openStore(t)
		crm := newRemote(func(report bridge.Report, attempt int) bridge.Result {
			switch {
			case attempt <= 3:
				return bridge.Result{Verdict: bridge.Retry, Reason: "connection refused"}
			case attempt <= 5:
				return bridge.Result{Verdict: bridge.Retry, Reason: "503"}
			}
			return takeAll(report, attempt)
		})
		commit(t, s, "call", 1)
		core, logs := observer.New(zap.InfoLevel)
		stop := start(t, newDispatcher(s, crm, 2, zap.New(core)))
		waitEmpty(t, s)
		stop()
		var lines []string
		for _, entry := range logs.All() {
			line := entry.Message
			for _, field := range []string{"reason", "failed"} {
				if value, ok := entry.ContextMap()[field]; ok {
					line += fmt.Sprint(": ", value)
				}
			}
			lines = append(lines, line)
		}
		want := []string{
			"the CRM can't be told; reports wait: connection refused",
			"the CRM can't be told; reports wait: 503",
			"the CRM is told again: 5",
			"delivered",
		}
		if diff := cmp.Diff(want, lines); diff != "" {
			t.Errorf("log lines (-want +got):\n%s", diff)
		}
	})
}
