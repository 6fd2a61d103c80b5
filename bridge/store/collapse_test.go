package store_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store"
)

// The requests of an answered call, of one that goes on, and of an order in which
// no phone was dialled.
var (
	overKinds   = []bridge.ReportKind{bridge.ReportStarted, bridge.ReportEvent, bridge.ReportEvent, bridge.ReportFinished, bridge.ReportRegister}
	goingKinds  = overKinds[:3]
	failedKinds = []bridge.ReportKind{bridge.ReportStarted, bridge.ReportEvent, bridge.ReportFailed}
)

func commitKinds(t *testing.T, s *store.Store, call bridge.CallID, kinds []bridge.ReportKind) {
	t.Helper()
	var batch bridge.Batch
	for _, kind := range kinds {
		batch.Reports = append(batch.Reports, report(call, kind))
	}
	commit(t, s, batch)
}

func waitingKinds(t *testing.T, s *store.Store, call bridge.CallID) (kinds []bridge.ReportKind) {
	t.Helper()
	waiting, err := s.OldestWaiting(t.Context(), []bridge.CallID{call}, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, pending := range waiting {
		kinds = append(kinds, pending.Report.Kind)
	}
	return kinds
}

func TestACallThatIsOverCollapsesIntoItsLastReport(t *testing.T) {
	tried := func(result bridge.Result) func(*testing.T, *store.Store) {
		return func(t *testing.T, s *store.Store) { settle(t, s, head(t, s, "1.1"), result) }
	}
	for _, test := range []struct {
		name  string
		kinds []bridge.ReportKind
		first func(*testing.T, *store.Store)
		want  []bridge.ReportKind
	}{
		{"over, and nothing delivered", overKinds, nil, overKinds[4:]},
		{"no phone was dialled", failedKinds, nil, failedKinds[2:]},
		{"going on", goingKinds, nil, goingKinds},
		{"over, and a try never got there", overKinds, tried(bridge.Result{Verdict: bridge.Retry, NotTaken: true}), overKinds[4:]},
		{"over, and a try may have got there", overKinds, tried(bridge.Result{Verdict: bridge.Retry}), overKinds},
		{"over, and delivered in part", overKinds, tried(bridge.Result{Verdict: bridge.Delivered}), overKinds[1:]},
		{"over, and refused in part", overKinds, tried(bridge.Result{Verdict: bridge.Refused}), overKinds[1:]},
		{"only its register-call is left", overKinds[4:], nil, overKinds[4:]},
	} {
		t.Run(test.name, func(t *testing.T) {
			directory := t.TempDir()
			s := open(t, directory)
			commitKinds(t, s, "1.1", test.kinds)
			commitKinds(t, s, "2.1", overKinds)
			if test.first != nil {
				test.first(t, s)
			}
			before := len(waitingKinds(t, s, "1.1"))
			collapsed, err := s.Collapse(t.Context(), []bridge.CallID{"1.1", "unknown"})
			if err != nil || collapsed != before-len(test.want) {
				t.Errorf("%d reports were left out, error %v; want %d", collapsed, err, before-len(test.want))
			}
			if diff := cmp.Diff(test.want, waitingKinds(t, s, "1.1")); diff != "" {
				t.Errorf("what waits (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(overKinds, waitingKinds(t, s, "2.1")); diff != "" {
				t.Errorf("another call (-want +got):\n%s", diff)
			}
			deliveries, err := openHistory(t, directory).Deliveries(t.Context(), "1.1")
			if err != nil || len(deliveries) != len(test.kinds) {
				t.Errorf("history has %d reports, want %d: %+v, error %v", len(deliveries), len(test.kinds), deliveries, err)
			}
			left := 0
			for _, d := range deliveries {
				if d.LeftOut {
					left++
				}
			}
			if left != collapsed {
				t.Errorf("history says %d were left out, want %d", left, collapsed)
			}
		})
	}
}
