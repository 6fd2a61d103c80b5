package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var moment = time.Date(2026, 3, 22, 10, 38, 35, 615e6, time.UTC)

func open(t testing.TB, directory string) *store.Store {
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
	return s
}

func report(call bridge.CallID, kind bridge.ReportKind) bridge.Report {
	return bridge.Report{Kind: kind, Call: call, Time: moment, Direction: bridge.Inbound, ClientPhone: "79997775533"}
}

func commit(t testing.TB, s *store.Store, batch bridge.Batch) {
	t.Helper()
	if _, err := s.Commit(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
}

func head(t testing.TB, s *store.Store, call bridge.CallID) bridge.Pending {
	t.Helper()
	waiting, err := s.OldestWaiting(t.Context(), []bridge.CallID{call}, 1)
	if err != nil || len(waiting) != 1 {
		t.Fatalf("%d reports of call %s wait, error %v", len(waiting), call, err)
	}
	return waiting[0]
}

func TestCommittedCallsAreThereAfterAnotherStart(t *testing.T) {
	directory := t.TempDir()
	s, err := store.Open(t.Context(), directory)
	if err != nil {
		t.Fatal(err)
	}
	commit(t, s, bridge.Batch{Changed: []bridge.CallState{{Call: "1.1", State: []byte("one")}, {Call: "2.1", State: []byte("two")}}})
	commit(t, s, bridge.Batch{
		Changed: []bridge.CallState{{Call: "2.1", State: []byte("two again")}},
		Gone:    []bridge.CallID{"1.1", "unknown"},
		Ended:   []bridge.CallID{"1.1"},
	})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	calls, ended, err := open(t, directory).OpenCalls(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]bridge.CallState{{Call: "2.1", State: []byte("two again")}}, calls); diff != "" {
		t.Errorf("calls in progress (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]bridge.CallID{"1.1"}, ended); diff != "" {
		t.Errorf("ended calls (-want +got):\n%s", diff)
	}
}

func TestOnlyTheLastEndedCallsAreRemembered(t *testing.T) {
	s := open(t, t.TempDir())
	const extra = 10
	var batch bridge.Batch
	for i := range bridge.EndedMemory + extra {
		batch.Ended = append(batch.Ended, bridge.CallID(fmt.Sprint(i)))
	}
	commit(t, s, batch)
	_, ended, err := s.OpenCalls(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(ended) != bridge.EndedMemory || ended[0] != bridge.CallID(fmt.Sprint(extra)) {
		t.Errorf("remembered %d, the oldest %s", len(ended), ended[0])
	}
}

func TestReportsComeBackInOrderAndLeaveWhenSettled(t *testing.T) {
	s := open(t, t.TempDir())
	commit(t, s, bridge.Batch{Reports: []bridge.Report{
		report("b", bridge.ReportStarted), report("a", bridge.ReportStarted), report("b", bridge.ReportFinished),
	}})
	calls, last, more, err := s.WaitingCalls(t.Context(), 0, 10)
	if err != nil || last != 3 || more {
		t.Fatalf("the last report is %d, more %v, error %v", last, more, err)
	}
	if diff := cmp.Diff([]bridge.CallID{"b", "a"}, calls); diff != "" {
		t.Errorf("calls with reports waiting (-want +got):\n%s", diff)
	}

	first := head(t, s, "b")
	if diff := cmp.Diff(report("b", bridge.ReportStarted), first.Report); diff != "" {
		t.Errorf("first report (-want +got):\n%s", diff)
	}
	learnt := bridge.Identity{ExternalID: "Kontur/b", CommunicationID: "c-1"}
	settle(t, s, first, bridge.Result{Verdict: bridge.Retry, Reason: "503"})
	if again := head(t, s, "b"); again.ID != first.ID || again.Attempts != 1 {
		t.Errorf("after a failed try the head is %d with %d attempts, want %d with 1", again.ID, again.Attempts, first.ID)
	}
	settle(t, s, first, bridge.Result{Verdict: bridge.Delivered, Learnt: learnt, Status: 200})

	second := head(t, s, "b")
	if second.Report.Kind != bridge.ReportFinished || second.Identity != learnt {
		t.Errorf("second report %s with identity %+v", second.Report.Kind, second.Identity)
	}
	settle(t, s, second, bridge.Result{Verdict: bridge.Refused, Status: 409, Reason: "no"})
	if waiting, err := s.OldestWaiting(t.Context(), []bridge.CallID{"b"}, 1); err != nil || len(waiting) != 0 {
		t.Errorf("a settled call still has reports: %+v, error %v", waiting, err)
	}
}

func settle(t testing.TB, s *store.Store, pending bridge.Pending, result bridge.Result) {
	t.Helper()
	if err := s.RecordResults(t.Context(), []bridge.Sent{{Pending: pending, Result: result}}); err != nil {
		t.Fatal(err)
	}
}

func TestASecondProcessIsTurnedAway(t *testing.T) {
	directory := t.TempDir()
	open(t, directory)
	if _, err := store.Open(t.Context(), directory); !errors.Is(err, store.ErrLocked) {
		t.Errorf("opening a store twice: %v, want %v", err, store.ErrLocked)
	}
}

func TestWritesFromManySidesAreAllKept(t *testing.T) {
	s := open(t, t.TempDir())
	const writers, each = 32, 20
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			call := bridge.CallID(fmt.Sprint("call", w))
			for range each {
				if _, err := s.Commit(context.Background(), bridge.Batch{Reports: []bridge.Report{report(call, bridge.ReportEvent)}}); err != nil {
					t.Errorf("committing: %v", err)
				}
			}
		})
	}
	group.Wait()
	for w := range writers {
		call := bridge.CallID(fmt.Sprint("call", w))
		for i := range each {
			waiting, err := s.OldestWaiting(t.Context(), []bridge.CallID{call}, 1)
			if err != nil || len(waiting) == 0 {
				t.Fatalf("call %s has %d reports, want %d (error %v)", call, i, each, err)
			}
			settle(t, s, waiting[0], bridge.Result{Verdict: bridge.Delivered})
		}
	}
}

func TestPruneTakesWhatIsOldAndLeavesWhatWaits(t *testing.T) {
	directory := t.TempDir()
	s := open(t, directory)
	entry := func(received time.Time) bridge.Entry {
		return bridge.Entry{Received: received, Call: "1.1", Event: bridge.Event{Type: bridge.EventDial, Raw: []byte("{}")}}
	}
	var old bridge.Batch
	for range 1200 {
		old.Events = append(old.Events, entry(moment))
	}
	commit(t, s, old)
	commit(t, s, bridge.Batch{Events: []bridge.Entry{entry(time.Now())}, Reports: []bridge.Report{report("1.1", bridge.ReportStarted)}})
	if err := s.Prune(t.Context(), time.Now().Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	history, err := store.OpenHistory(t.Context(), directory)
	if err != nil {
		t.Fatal(err)
	}
	all, err := history.Journal(t.Context())
	if err := errors.Join(err, history.Close()); err != nil {
		t.Fatal(err)
	}
	if want := (store.Range{First: 1201, Last: 1201}); all != want {
		t.Errorf("events %v are left, want the one that is new, %v", all, want)
	}
	head(t, s, "1.1")
}

func TestHistoryReturnsWhatTheCRMReceivedOfACall(t *testing.T) {
	directory := t.TempDir()
	s := open(t, directory)
	commit(t, s, bridge.Batch{
		Reports: []bridge.Report{report("1.1", bridge.ReportStarted), report("1.1", bridge.ReportFinished)},
	})
	settle(t, s, head(t, s, "1.1"), bridge.Result{Verdict: bridge.Delivered, Status: 200, Request: []byte("q"), Answer: []byte("a")})
	settle(t, s, head(t, s, "1.1"), bridge.Result{Verdict: bridge.Refused, Status: 409, Request: []byte("q2"), Answer: []byte("a2"), Reason: "no"})

	history, err := store.OpenHistory(t.Context(), directory)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := history.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
	}()
	deliveries, err := history.Deliveries(t.Context(), "1.1")
	if err != nil {
		t.Fatal(err)
	}
	if len(deliveries) != 2 || deliveries[0].Kind != bridge.ReportStarted || deliveries[1].Reason != "no" || deliveries[1].Kind != bridge.ReportFinished {
		t.Errorf("deliveries: %+v", deliveries)
	}
	calls, err := history.Calls(t.Context(), 10)
	if err != nil || len(calls) != 1 || calls[0].Requests != 1 || calls[0].Refused != 1 {
		t.Errorf("calls %+v, error %v", calls, err)
	}
}

func TestWhenTheSwitchWasHeardLastIsKept(t *testing.T) {
	s := open(t, t.TempDir())
	if at, err := s.LastHeard(t.Context()); err != nil || !at.IsZero() {
		t.Errorf("before it was heard: %v, error %v", at, err)
	}
	for _, at := range []time.Time{moment, moment.Add(time.Hour)} {
		if err := s.SetLastHeard(t.Context(), at); err != nil {
			t.Fatal(err)
		}
		if got, err := s.LastHeard(t.Context()); err != nil || !got.Equal(at) {
			t.Errorf("heard at %v, kept as %v, error %v", at, got, err)
		}
	}
}

func TestCheckFailsOnceTheStoreIsClosed(t *testing.T) {
	s, err := store.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Check(t.Context()); err != nil {
		t.Errorf("checking an open store: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Check(t.Context()); !errors.Is(err, store.ErrClosed) {
		t.Errorf("checking a closed store: %v, want %v", err, store.ErrClosed)
	}
}

func TestAFileThatWasMovedAwayIsMissed(t *testing.T) {
	directory := t.TempDir()
	s := open(t, directory)
	path := filepath.Join(directory, store.FileName)
	if err := os.Rename(path, path+".elsewhere"); err != nil {
		t.Fatal(err)
	}
	if err := s.Check(t.Context()); !errors.Is(err, store.ErrMoved) {
		t.Errorf("checking a store whose file is gone: %v, want %v", err, store.ErrMoved)
	}
	if err := os.Rename(path+".elsewhere", path); err != nil {
		t.Fatal(err)
	}
	if err := s.Check(t.Context()); err != nil {
		t.Errorf("checking a store whose file is back: %v", err)
	}
}
