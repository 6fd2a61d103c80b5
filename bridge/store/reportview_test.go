package store_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store"
)

// letters opens the letters of a directory for changes.
func letters(t testing.TB, directory string) *store.Reports {
	t.Helper()
	return opened(t, directory, store.OpenReports)
}

func opened(t testing.TB, directory string, open func(context.Context, string) (*store.Reports, error)) *store.Reports {
	t.Helper()
	l, err := open(t.Context(), directory)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Errorf("closing the letters: %v", err)
		}
	})
	return l
}

var conflict = bridge.Result{Verdict: bridge.Refused, Status: 409, Request: []byte(`{"q":1}`), Answer: []byte(`{"a":1}`), Reason: "HTTP 409: Not There"}

func eventReport(call bridge.CallID, leg bridge.LegID, event bridge.LegEvent) bridge.Report {
	r := report(call, bridge.ReportEvent)
	r.Leg, r.Event = leg, event
	return r
}

// twoCalls returns a store with two calls. Of the first, report 1 was delivered, 2 and 3 are
// dead letters, and 5 waits. Of the second, 4 was tried once and waits.
func twoCalls(t testing.TB) (directory string, s *store.Store) {
	t.Helper()
	directory = t.TempDir()
	s = open(t, directory)
	commit(t, s, bridge.Batch{Reports: []bridge.Report{
		report("1.1", bridge.ReportStarted), eventReport("1.1", "1.2", bridge.LegAppeared), report("1.1", bridge.ReportFinished),
		report("2.1", bridge.ReportStarted), report("1.1", bridge.ReportRegister),
	}})
	settle(t, s, head(t, s, "1.1"), bridge.Result{Verdict: bridge.Delivered, Status: 200, Request: []byte("q"), Answer: []byte("a")})
	settle(t, s, head(t, s, "1.1"), bridge.Result{Verdict: bridge.Retry, Reason: "no answer in time"})
	settle(t, s, head(t, s, "1.1"), conflict)
	settle(t, s, head(t, s, "1.1"), bridge.Result{Verdict: bridge.Refused, Reason: "can't be sent"})
	settle(t, s, head(t, s, "2.1"), bridge.Result{Verdict: bridge.Retry, Status: 503, Reason: "HTTP 503"})
	return directory, s
}

func walked(t testing.TB, l *store.Reports, state store.ReportState, filter store.ReportFilter) (ids []int64) {
	t.Helper()
	err := l.Walk(t.Context(), state, filter, func(letter store.ReportView) error {
		if letter.State != state {
			t.Errorf("letter %d is %s, want %s", letter.ID, letter.State, state)
		}
		ids = append(ids, letter.ID)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

func TestLettersAreReadByTheirState(t *testing.T) {
	directory, s := twoCalls(t)
	l := opened(t, directory, store.ReadReports)
	for _, test := range []struct {
		state  store.ReportState
		filter store.ReportFilter
		want   []int64
	}{
		{store.ReportDead, store.ReportFilter{}, []int64{3, 2}},
		{store.ReportDead, store.ReportFilter{Reason: "not there"}, []int64{2}},
		{store.ReportDead, store.ReportFilter{Call: "2.1"}, nil},
		{store.ReportDead, store.ReportFilter{Since: time.Now().Add(-time.Minute), Call: "1.1"}, []int64{3, 2}},
		{store.ReportDead, store.ReportFilter{Since: time.Now().Add(time.Minute)}, nil},
		{store.ReportWaiting, store.ReportFilter{}, []int64{5, 4}},
		{store.ReportWaiting, store.ReportFilter{Since: time.Now().Add(time.Minute)}, nil},
		{store.ReportDelivered, store.ReportFilter{}, []int64{1}},
	} {
		if diff := cmp.Diff(test.want, walked(t, l, test.state, test.filter)); diff != "" {
			t.Errorf("%s, %+v (-want +got):\n%s", test.state, test.filter, diff)
		}
	}
	if n, err := s.DeadLetters(t.Context()); err != nil || n != 2 {
		t.Errorf("%d dead letters, error %v; want 2", n, err)
	}
	waiting, err := l.WaitingCalls(t.Context(), store.ReportFilter{})
	if err != nil || len(waiting) != 2 || waiting[0].First.ID != 4 || waiting[0].First.Reason != "HTTP 503" || waiting[1].Reports != 1 {
		t.Errorf("calls that wait: %+v, error %v", waiting, err)
	}
}

func TestALetterIsFoundWhateverBecameOfIt(t *testing.T) {
	directory, _ := twoCalls(t)
	l := opened(t, directory, store.ReadReports)
	got, found, err := l.Find(t.Context(), 2)
	if err != nil || !found {
		t.Fatalf("found %v, error %v", found, err)
	}
	want := store.ReportView{
		ID: 2, State: store.ReportDead, Call: "1.1", Kind: bridge.ReportEvent, Event: bridge.LegAppeared, Leg: "1.2",
		Attempts: 2, Status: 409, Reason: conflict.Reason, Request: conflict.Request, Answer: conflict.Answer,
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(store.ReportView{}, "Committed", "Settled", "Report")); diff != "" {
		t.Errorf("letter (-want +got):\n%s", diff)
	}
	if got.Committed.IsZero() || got.Settled.Before(got.Committed) || len(got.Report) == 0 {
		t.Errorf("made at %v, settled at %v, report %q", got.Committed, got.Settled, got.Report)
	}
	for id, want := range map[int64]store.ReportState{1: store.ReportDelivered, 4: store.ReportWaiting} {
		if got, found, err := l.Find(t.Context(), id); err != nil || !found || got.State != want {
			t.Errorf("report %d is %q, found %v, error %v; want %s", id, got.State, found, err, want)
		}
	}
	if _, found, err := l.Find(t.Context(), 99); err != nil || found {
		t.Errorf("a report that never was: found %v, error %v", found, err)
	}
	ofCall, err := l.OfCall(t.Context(), "1.1")
	var states []store.ReportState
	for _, letter := range ofCall {
		states = append(states, letter.State)
	}
	if diff := cmp.Diff([]store.ReportState{store.ReportDelivered, store.ReportDead, store.ReportDead, store.ReportWaiting}, states); diff != "" || err != nil {
		t.Errorf("letters of the call, error %v (-want +got):\n%s", err, diff)
	}
}

func TestADeliveredEventIsReadFromItsRequest(t *testing.T) {
	directory := t.TempDir()
	s := open(t, directory)
	for _, request := range []string{`{"type":"connected","externalCallItemId":"1.2"}`, "no JSON"} {
		commit(t, s, bridge.Batch{Reports: []bridge.Report{eventReport("1.1", "1.2", bridge.LegConnected)}})
		settle(t, s, head(t, s, "1.1"), bridge.Result{Verdict: bridge.Delivered, Status: 200, Request: []byte(request)})
	}
	ofCall, err := opened(t, directory, store.ReadReports).OfCall(t.Context(), "1.1")
	if err != nil || len(ofCall) != 2 {
		t.Fatalf("%d letters, error %v", len(ofCall), err)
	}
	if ofCall[0].Event != bridge.LegConnected || ofCall[0].Leg != "1.2" || ofCall[1].Event != "" {
		t.Errorf("letters %+v", ofCall)
	}
}

func TestManyLettersAreWalkedInPages(t *testing.T) {
	directory := t.TempDir()
	const many = 1203
	deadLetters(t, open(t, directory), many)
	l := opened(t, directory, store.ReadReports)
	ids := walked(t, l, store.ReportDead, store.ReportFilter{})
	if len(ids) != many || ids[0] != many || ids[many-1] != 1 {
		t.Errorf("%d letters, from %d to %d", len(ids), ids[0], ids[len(ids)-1])
	}
	next := int64(1)
	err := l.Whole(t.Context(), ids, func(letter store.ReportView) error {
		if letter.ID != next || string(letter.Answer) != string(conflict.Answer) {
			return fmt.Errorf("letter %d with answer %q, want %d", letter.ID, letter.Answer, next)
		}
		next++
		return nil
	})
	if err != nil || next != many+1 {
		t.Errorf("read up to %d, error %v", next-1, err)
	}
	if err := l.Whole(t.Context(), ids, func(store.ReportView) error { return fs.ErrInvalid }); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("a visit that fails: %v", err)
	}
}

// deadLetters makes dead letters, ten of each call.
func deadLetters(t testing.TB, s *store.Store, count int) {
	t.Helper()
	var batch bridge.Batch
	for i := range count {
		batch.Reports = append(batch.Reports, report(bridge.CallID(fmt.Sprint("call", i/10)), bridge.ReportEvent))
	}
	pending, err := s.Commit(t.Context(), batch)
	if err != nil {
		t.Fatal(err)
	}
	sent := make([]bridge.Sent, len(pending))
	for i, p := range pending {
		sent[i] = bridge.Sent{Pending: p, Result: conflict}
	}
	if err := s.RecordResults(t.Context(), sent); err != nil {
		t.Fatal(err)
	}
}

func TestWhereNothingIsStoredThereAreNoLetters(t *testing.T) {
	directory := t.TempDir()
	for name, open := range map[string]func(context.Context, string) (*store.Reports, error){"reading": store.ReadReports, "changing": store.OpenReports} {
		if _, err := open(t.Context(), directory); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v, want %v", name, err, fs.ErrNotExist)
		}
	}
	if files, err := os.ReadDir(directory); err != nil || len(files) != 0 {
		t.Errorf("files that were made: %v, error %v", files, err)
	}
}

func TestRootLeavesTheServicesFilesToTheService(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can own files as another user")
	}
	const service = 65534
	directory := t.TempDir()
	s, err := store.Open(t.Context(), directory)
	if err != nil {
		t.Fatal(err)
	}
	deadLetters(t, s, 1)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{directory, filepath.Join(directory, store.FileName), filepath.Join(directory, store.FileName+".lock")} {
		if err := os.Chown(path, service, service); err != nil {
			t.Fatal(err)
		}
	}
	owned := func(when string) {
		files, err := os.ReadDir(directory)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %v", when, files)
		for _, f := range files {
			info, err := f.Info()
			if err != nil {
				t.Fatal(err)
			}
			if owner := info.Sys().(*syscall.Stat_t); owner.Uid != service || owner.Gid != service {
				t.Errorf("%s: %s is of %d:%d", when, f.Name(), owner.Uid, owner.Gid)
			}
		}
	}
	for name, open := range map[string]func(context.Context, string) (*store.Reports, error){"reading": store.ReadReports, "changing": store.OpenReports} {
		l, err := open(t.Context(), directory)
		if err != nil {
			t.Fatal(err)
		}
		if name == "changing" {
			if returned, err := l.Retry(t.Context(), []int64{1}); err != nil || len(returned) != 1 {
				t.Errorf("retried %v, error %v", returned, err)
			}
		}
		owned("while " + name)
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		owned("after " + name)
	}
}
