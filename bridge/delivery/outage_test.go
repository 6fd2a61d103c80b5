package delivery_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store"
)

// The requests of a call that is over, and of one that goes on.
var (
	whole = []bridge.ReportKind{bridge.ReportStarted, bridge.ReportEvent, bridge.ReportFinished, bridge.ReportRegister}
	going = whole[:2]
)

func commitCall(t *testing.T, s *outbox, call bridge.CallID, kinds []bridge.ReportKind) (names []string) {
	t.Helper()
	var all []bridge.Report
	for _, kind := range kinds {
		r := bridge.Report{Kind: kind, Call: call}
		all, names = append(all, r), append(names, name(r))
	}
	s.add(t, all...)
	return names
}

// of returns the reports received of a call.
func (r *remote) of(call bridge.CallID) (names []string) {
	for _, n := range r.received() {
		if strings.HasPrefix(n, string(call)+" ") {
			names = append(names, n)
		}
	}
	return names
}

// until returns the answers of a CRM that can't be reached before a moment. A try that
// begins earlier fails, however long it takes.
func until(back time.Time, tries *int) func(bridge.Report, int) bridge.Result {
	return func(report bridge.Report, attempt int) bridge.Result {
		if time.Now().Before(back) {
			*tries++
			return bridge.Result{Verdict: bridge.Retry, Reason: "refused", Everybody: true, NotTaken: true}
		}
		return takeAll(report, attempt)
	}
}

func TestAnOutageEndsWithWhatTheCRMStillNeeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, tries := openStore(t), 0
		crm := newRemote(takeAll)
		d := newDispatcher(s, crm, 8, zap.NewNop())
		commitCall(t, s, "begun before the outage", going)
		stop := start(t, d)
		waitEmpty(t, s)

		crm.mu.Lock()
		crm.answer = until(time.Now().Add(30*time.Minute), &tries)
		crm.mu.Unlock()
		want := map[bridge.CallID][]string{
			"begun before the outage": append(crm.received(), commitCall(t, s, "begun before the outage", whole[2:])...),
			"going on":                commitCall(t, s, "going on", going),
		}
		for i := range 100 {
			call := bridge.CallID(fmt.Sprint("over", i))
			want[call] = commitCall(t, s, call, whole)[3:]
		}
		d.Wake(s.news())
		time.Sleep(30*time.Minute - 5*time.Second)
		want["of the end"] = commitCall(t, s, "of the end", whole)
		d.Wake(s.news())
		waitEmpty(t, s)
		stop()

		for call, names := range want {
			if diff := cmp.Diff(names, crm.of(call)); diff != "" && call != "of the end" {
				t.Errorf("received of %s (-want +got):\n%s", call, diff)
			}
		}
		// The pause may have lasted long enough for it to be collapsed, or not.
		if got := crm.of("of the end"); cmp.Diff(want["of the end"], got) != "" && cmp.Diff(want["of the end"][3:], got) != "" {
			t.Errorf("received of the call of the end: %q", got)
		}
		if tries < 60 || tries > 130 {
			t.Errorf("the CRM was tried %d times in half an hour", tries)
		}
		if stats := d.Stats(); stats.Collapsed < 300 || stats.Gate != "open" {
			t.Errorf("stats %+v", stats)
		}
	})
}

// On a quiet switch it would take days until so many requests get through.
func TestTheGateIsOpenOnceNothingWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, tries := openStore(t), 0
		d := newDispatcher(s, newRemote(until(time.Now().Add(10*time.Minute), &tries)), 16, zap.NewNop())
		commitCall(t, s, "call", whole)
		stop := start(t, d)
		time.Sleep(time.Minute)
		if stats := d.Stats(); stats.Gate != "shut" {
			t.Errorf("while the CRM is away: %+v", stats)
		}
		waitEmpty(t, s)
		synctest.Wait()
		if stats := d.Stats(); stats.Gate != "open" || tries < 10 {
			t.Errorf("after %d tries: %+v", tries, stats)
		}
		stop()
	})
}

// A CRM that hangs may have taken what a restart of ours broke off: then its popup is
// to be closed, and register-call alone would not do that.
func TestACallThatAStopBrokeOffIsNotCollapsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, crm := openStore(t), newRemote(takeAll)
		names := commitCall(t, s, "call", going)
		crm.hold = make(chan struct{})
		stop := start(t, newDispatcher(s, crm, 2, zap.NewNop()))
		synctest.Wait()
		stop()
		names = append(names, commitCall(t, s, "call", whole[2:])...)
		time.Sleep(time.Minute)
		close(crm.hold)
		start(t, newDispatcher(s, crm, 2, zap.NewNop()))
		waitEmpty(t, s)
		if diff := cmp.Diff(names, crm.received()); diff != "" {
			t.Errorf("received (-want +got):\n%s", diff)
		}
	})
}

func TestMoreCallsThanAreServedAtATimeAreAllDelivered(t *testing.T) {
	s, crm := openStore(t), newRemote(takeAll)
	want := make(map[bridge.CallID][]string)
	add := func(from, to int) {
		var all []bridge.Report
		for i := from; i < to; i++ {
			call := bridge.CallID(fmt.Sprint("call", i))
			for n := range 1 + i%11 { // some have more than is read at once
				r := bridge.Report{Kind: bridge.ReportEvent, Call: call, Leg: bridge.LegID(fmt.Sprint(n))}
				all = append(all, r)
				want[call] = append(want[call], name(r))
			}
		}
		s.add(t, all...)
	}
	add(0, 1100) // of an earlier run
	crm.hold = make(chan struct{})
	d := newDispatcher(s, crm, 8, zap.NewNop())
	start(t, d)
	waitBusy(t, d, 8)
	s.news()
	add(1100, 2400) // more than fit
	d.Wake(s.news())
	if !d.Stats().More {
		t.Fatal("all calls fit: the test tests nothing")
	}
	close(crm.hold)
	waitEmpty(t, s)
	got := make(map[bridge.CallID][]string)
	for _, n := range crm.received() {
		call, _, _ := strings.Cut(n, " ")
		got[bridge.CallID(call)] = append(got[bridge.CallID(call)], n)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("received (-want +got):\n%s", diff)
	}
}

// A popup is of use while the telephone rings, so calls of this moment don't stand in
// line behind those of an outage.
func TestACallOfThisMomentDoesNotWaitForTheBacklog(t *testing.T) {
	s, crm := openStore(t), newRemote(takeAll)
	for i := range 1500 {
		commit(t, s, bridge.CallID(fmt.Sprint("old", i)), 1)
	}
	crm.hold = make(chan struct{})
	d := newDispatcher(s, crm, 2, zap.NewNop())
	start(t, d)
	waitBusy(t, d, 2)
	s.news()
	fresh := commit(t, s, "fresh", 1)
	d.Wake(s.news())
	close(crm.hold)
	waitEmpty(t, s)
	for i, n := range crm.received() {
		if n == fresh[0] && i > 100 {
			t.Errorf("%d calls of the backlog went before one of this moment", i)
		}
	}
}

// returnLetters puts dead letters back, as another process does.
func returnLetters(t *testing.T, directory string, ids ...int64) {
	t.Helper()
	letters, err := store.OpenReports(t.Context(), directory)
	if err != nil {
		t.Fatal(err)
	}
	returned, err := letters.Retry(t.Context(), ids)
	if err := errors.Join(err, letters.Close()); err != nil || len(returned) != len(ids) {
		t.Fatalf("%d letters were put back, error %v", len(returned), err)
	}
}

func TestADeadLetterThatIsPutBackGoesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		directory := t.TempDir()
		s := openStoreIn(t, directory)
		good := false
		crm := newRemote(func(report bridge.Report, attempt int) bridge.Result {
			switch {
			case good:
				return takeAll(report, attempt)
			case report.Leg == "0":
				return bridge.Result{Verdict: bridge.Refused, Status: 409, Reason: "no"}
			}
			return bridge.Result{Verdict: bridge.Retry, Reason: "503", NotTaken: true}
		})
		names := commit(t, s, "call", 3)
		d := newDispatcher(s, crm, 2, zap.NewNop())
		start(t, d)
		synctest.Wait()
		returnLetters(t, directory, 1)
		good = true
		waitEmpty(t, s)
		if diff := cmp.Diff(names, crm.received()); diff != "" {
			t.Errorf("received (-want +got):\n%s", diff)
		}
	})
}

func TestADeadLetterThatIsPutBackGoesBeforeWhatWasReadAlready(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		directory := t.TempDir()
		s := openStoreIn(t, directory)
		crm := newRemote(func(report bridge.Report, attempt int) bridge.Result {
			if report.Call == "call" && report.Leg == "0" && attempt == 1 {
				return bridge.Result{Verdict: bridge.Refused, Status: 409, Reason: "no"}
			}
			return takeAll(report, attempt)
		})
		names := commit(t, s, "call", 1)
		d := newDispatcher(s, crm, 1, zap.NewNop())
		start(t, d)
		waitEmpty(t, s)
		hold := make(chan struct{})
		crm.mu.Lock()
		crm.hold = hold
		crm.mu.Unlock()
		s.news()
		busy := commit(t, s, "busy", 1) // keeps the only connection
		names = append(busy, names...)
		for _, leg := range []bridge.LegID{"1", "2"} {
			r := bridge.Report{Kind: bridge.ReportEvent, Call: "call", Leg: leg}
			s.add(t, r)
			names = append(names, name(r))
		}
		d.Wake(s.news())
		synctest.Wait()
		returnLetters(t, directory, 1)
		time.Sleep(5 * time.Second)
		close(hold)
		waitEmpty(t, s)
		if diff := cmp.Diff(names, crm.received()); diff != "" {
			t.Errorf("received (-want +got):\n%s", diff)
		}
	})
}

func TestDeadLettersThatArePutBackLeaveRoomForTheCallsOfThisMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const letters = 2500
		directory := t.TempDir()
		s, refuses := openStoreIn(t, directory), true
		crm := newRemote(func(report bridge.Report, attempt int) bridge.Result {
			if refuses {
				return bridge.Result{Verdict: bridge.Refused, Status: 403, Reason: "no"}
			}
			return takeAll(report, attempt)
		})
		d := newDispatcher(s, crm, 2, zap.NewNop())
		ids := make([]int64, letters)
		for i := range ids {
			ids[i] = int64(i) + 1
			s.add(t, bridge.Report{Kind: bridge.ReportEvent, Call: bridge.CallID(fmt.Sprint("old", i))})
		}
		start(t, d)
		waitEmpty(t, s)
		refuses, crm.hold = false, make(chan struct{})
		returnLetters(t, directory, ids...)
		time.Sleep(5 * time.Second)
		if stats := d.Stats(); stats.Ready+stats.Busy < 500 || stats.Ready+stats.Busy > 1100 {
			t.Errorf("%d calls are served", stats.Ready+stats.Busy)
		}
		s.news()
		fresh := commit(t, s, "fresh", 1)
		d.Wake(s.news())
		close(crm.hold)
		waitEmpty(t, s)
		if at := slices.Index(crm.received(), fresh[0]); at < 0 || at > 100 {
			t.Errorf("the call of this moment was delivered as number %d", at)
		}
		if got := len(crm.received()); got != letters+1 {
			t.Errorf("%d reports were delivered, want %d", got, letters+1)
		}
	})
}

// refusingStore is a store whose reads fail.
type refusingStore struct {
	*outbox
	fails func() bool
}

func (s refusingStore) OldestWaiting(ctx context.Context, calls []bridge.CallID, each int) ([]bridge.Pending, error) {
	if s.fails() {
		return nil, fmt.Errorf("reading: %w", context.DeadlineExceeded)
	}
	return s.outbox.OldestWaiting(ctx, calls, each)
}

func TestReadsThatFailAreTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, crm, reads := openStore(t), newRemote(takeAll), 0
		names := commit(t, s, "call", 20)
		disk := refusingStore{s, func() bool { reads++; return reads%2 == 1 }}
		stop := start(t, newDispatcher(disk, crm, 2, zap.NewNop()))
		waitEmpty(t, s)
		stop()
		if diff := cmp.Diff(names, crm.received()); diff != "" {
			t.Errorf("received (-want +got):\n%s", diff)
		}
	})
}
