package delivery_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"pgregory.net/rapid"

	"kontur-ari/bridge"
)

// recorded commits a call-recording and does not wake the dispatcher. It returns the
// report's name.
func (o *outbox) recorded(t *testing.T, call bridge.CallID, leg bridge.LegID) string {
	t.Helper()
	report := callRecording(call, leg, time.Now())
	if _, err := o.Commit(t.Context(), bridge.Batch{Reports: []bridge.Report{report}}); err != nil {
		t.Fatal(err)
	}
	return name(report)
}

// settleDown waits until the dispatcher has done all that the CRM does not hold up, short
// pauses included.
func settleDown() {
	time.Sleep(5 * time.Second)
	synctest.Wait()
}

func checkReceived(t *testing.T, crm *remote, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, crm.received()); diff != "" {
		t.Errorf("received (-want +got):\n%s", diff)
	}
}

func TestWakingAnIdleCallDeliversItsReports(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, crm := openStore(t), newRemote(takeAll)
		d := newDispatcher(s, crm, 2, zap.NewNop())
		stop := start(t, d)
		synctest.Wait()
		want := s.recorded(t, "call", "leg")
		d.WakeCall("call")
		d.WakeCall("call")
		d.WakeCall("nothing waits of it")
		settleDown()
		checkReceived(t, crm, want)
		if stats := d.Stats(); stats.Ready+stats.Busy+stats.Waiting != 0 || stats.More {
			t.Errorf("still being served: %+v", stats)
		}
		stop()
		d.WakeCall("call") // waking a call after the stop does no harm
	})
}

// A call is woken while its reports are on their way, however far they are. The reports
// committed before the wake follow them, and precede those committed later.
func TestAWokenCallDeliversItsReportsInOrder(t *testing.T) {
	for _, test := range []struct {
		name string
		// reports is the number of reports that wait when the call is woken.
		reports int
		// busy: the call's first report is under way. Otherwise a report of another call
		// occupies the only connection.
		busy bool
	}{
		{"its only report is under way", 1, true},
		{"its first report is under way", 3, true},
		{"its first report is under way, and not all are read", 12, true},
		{"as many as are read at once, the first under way", 8, true},
		{"its reports are about to be sent", 3, false},
		{"its reports are about to be sent, and not all are read", 12, false},
	} {
		for _, inMemory := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, in memory %t", test.name, inMemory), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { wakeAmong(t, test.reports, test.busy, inMemory) })
			})
		}
	}
}

func wakeAmong(t *testing.T, reports int, busy, inMemory bool) {
	s, crm := openStore(t), newRemote(takeAll)
	hold := make(chan struct{})
	crm.hold = hold
	d := newDispatcher(s, crm, 1, zap.NewNop())
	if inMemory {
		start(t, d)
		synctest.Wait()
	}
	var want []string
	if !busy {
		want = commit(t, s, "another", 1)
	}
	want = append(want, commit(t, s, "call", reports)...)
	d.Wake(s.news())
	if !inMemory {
		start(t, d)
	}
	synctest.Wait()
	if got := crm.inFlight["call"] == 1; got != busy {
		t.Fatalf("a report of it is under way: %t, want %t", got, busy)
	}
	want = append(want, s.recorded(t, "call", "first"), s.recorded(t, "call", "second"))
	d.WakeCall("call")
	later := bridge.Report{Kind: bridge.ReportEvent, Call: "call", Leg: "later"}
	s.add(t, later)
	d.Wake(s.news())
	want = append(want, name(later), s.recorded(t, "call", "third"))
	d.WakeCall("call")
	synctest.Wait()
	close(hold)
	settleDown()
	checkReceived(t, crm, want...)
}

func TestACallWokenDuringItsPauseDeliversInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openStore(t)
		crm := newRemote(func(report bridge.Report, attempt int) bridge.Result {
			if attempt == 1 && report.Kind == bridge.ReportEvent {
				return bridge.Result{Verdict: bridge.Retry, Reason: "HTTP 500"}
			}
			return takeAll(report, attempt)
		})
		want := commit(t, s, "call", 1)
		d := newDispatcher(s, crm, 2, zap.NewNop())
		start(t, d)
		synctest.Wait()
		if stats := d.Stats(); stats.Waiting != 1 {
			t.Fatalf("it does not pause: %+v", stats)
		}
		want = append(want, s.recorded(t, "call", "leg"))
		d.WakeCall("call")
		synctest.Wait()
		checkReceived(t, crm)
		settleDown()
		checkReceived(t, crm, want...)
	})
}

func TestCallsWokenBeyondTheLimitAreServedLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, crm := openStore(t), newRemote(takeAll)
		hold := make(chan struct{})
		crm.hold = hold
		d := newDispatcher(s, crm, 2, zap.NewNop())
		start(t, d)
		synctest.Wait()
		const served, beyond = 1024, 700
		var all []bridge.Report
		want := make(map[string]bool)
		for n := range served {
			r := bridge.Report{Kind: bridge.ReportEvent, Call: bridge.CallID(fmt.Sprint("served", n))}
			all = append(all, r)
			want[name(r)] = true
		}
		s.add(t, all...)
		d.Wake(s.news())
		synctest.Wait()
		if stats := d.Stats(); stats.Ready+stats.Busy != served || stats.More {
			t.Fatalf("being served: %+v, want %d calls and no more on disk", stats, served)
		}
		for n := range beyond {
			call := bridge.CallID(fmt.Sprint("beyond", n))
			want[s.recorded(t, call, "leg")] = true
			d.WakeCall(call)
		}
		want[s.recorded(t, "served1000", "leg")] = true
		d.WakeCall("served1000")
		if stats := d.Stats(); stats.Ready+stats.Busy != served || !stats.More {
			t.Errorf("being served: %+v, want %d calls and more on disk", stats, served)
		}
		close(hold)
		settleDown()
		for _, n := range crm.received() {
			if !want[n] {
				t.Errorf("%s was received twice, or never sent", n)
			}
			delete(want, n)
		}
		if len(want) > 0 {
			t.Errorf("%d reports were not received", len(want))
		}
		if stats := d.Stats(); stats.More || stats.Ready+stats.Busy+stats.Waiting != 0 {
			t.Errorf("still being served: %+v", stats)
		}
	})
}

// A call woken while the gate is shut delivers its reports once the gate opens.
func TestACallWokenWhileTheCRMIsDownIsDeliveredOnceItIsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openStore(t)
		var probes []time.Time
		crm := outage(time.Now().Add(5*time.Minute), &probes)
		want := commit(t, s, "call", 1)
		d := newDispatcher(s, crm, 4, zap.NewNop())
		start(t, d)
		time.Sleep(time.Minute)
		if gate := d.Stats().Gate; gate != "shut" || d.Reachable() {
			t.Fatalf("the gate is %s", gate)
		}
		want = append(want, s.recorded(t, "call", "leg"), s.recorded(t, "new", "leg"))
		d.WakeCall("call")
		d.WakeCall("new")
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		got := crm.received()
		slices.Sort(got)
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("received (-want +got):\n%s", diff)
		}
	})
}

// Reports reach the dispatcher by Wake or by WakeCall, while other requests are
// under way. The CRM receives each report of a call once, and in order.
func TestWakingNeverLosesNorReordersReports(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		steps := rapid.SliceOfN(rapid.SampledFrom([]string{"one", "two", "woken", "woken twice", "release", "wait"}), 1, 40).Draw(rt, "steps")
		calls := rapid.SliceOfN(rapid.IntRange(0, 2), len(steps), len(steps)).Draw(rt, "calls")
		connections := rapid.IntRange(1, 3).Draw(rt, "connections")
		var problem string
		synctest.Test(t, func(t *testing.T) { problem = playWakes(t, connections, steps, calls) })
		if problem != "" {
			rt.Fatal(problem)
		}
	})
}

// playWakes commits reports and wakes their calls as the steps say. The CRM answers one
// request for each "release".
func playWakes(t *testing.T, connections int, steps []string, calls []int) (problem string) {
	s, crm := openStore(t), newRemote(takeAll)
	hold := make(chan struct{}, len(steps))
	crm.hold = hold
	d := newDispatcher(s, crm, connections, zap.NewNop())
	stop := start(t, d)
	want := make(map[bridge.CallID][]string)
	for n, step := range steps {
		call, leg := bridge.CallID(fmt.Sprint("call", calls[n])), bridge.LegID(fmt.Sprint(n))
		switch step {
		case "one", "two":
			for range map[string]int{"one": 1, "two": 2}[step] {
				r := bridge.Report{Kind: bridge.ReportEvent, Call: call, Leg: leg}
				s.add(t, r)
				want[call] = append(want[call], name(r))
				leg += "again"
			}
			d.Wake(s.news())
		case "woken", "woken twice":
			want[call] = append(want[call], s.recorded(t, call, leg))
			d.WakeCall(call)
			if step == "woken twice" {
				d.WakeCall(call)
			}
		case "release":
			hold <- struct{}{}
		case "wait":
			synctest.Wait()
		}
	}
	synctest.Wait()
	close(hold)
	settleDown()
	stop()
	for call, names := range want {
		if diff := cmp.Diff(names, crm.of(call)); diff != "" {
			return fmt.Sprintf("received of %s (-want +got):\n%s", call, diff)
		}
	}
	if crm.overlap {
		return "two requests of one call were in flight at once"
	}
	return ""
}
