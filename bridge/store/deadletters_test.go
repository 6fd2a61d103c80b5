package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store"
)

func idsOf(letters []store.ReportView) (ids []int64) {
	for _, letter := range letters {
		ids = append(ids, letter.ID)
	}
	return ids
}

func waitingIDs(t testing.TB, s *store.Store, call bridge.CallID) (ids []int64) {
	t.Helper()
	waiting, err := s.OldestWaiting(t.Context(), []bridge.CallID{call}, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range waiting {
		ids = append(ids, p.ID)
	}
	return ids
}

func TestADeadLetterThatIsRetriedWaitsAtItsPlace(t *testing.T) {
	directory, s := twoCalls(t)
	l := letters(t, directory)
	returned, err := l.Retry(t.Context(), []int64{2, 99})
	if diff := cmp.Diff([]int64{2}, returned); diff != "" || err != nil {
		t.Fatalf("returned, error %v (-want +got):\n%s", err, diff)
	}
	if diff := cmp.Diff([]int64{2, 5}, waitingIDs(t, s, "1.1")); diff != "" {
		t.Errorf("what waits of the call (-want +got):\n%s", diff)
	}
	if first := head(t, s, "1.1"); first.Attempts != 0 || first.Report.Leg != "1.2" || !first.Uncertain {
		t.Errorf("the report is %+v; it was tried twice, and the first try may have got there", first)
	}
	calls, err := s.RetriedCalls(t.Context())
	if diff := cmp.Diff([]bridge.CallID{"1.1"}, calls); diff != "" || err != nil {
		t.Errorf("calls with letters put back, error %v (-want +got):\n%s", err, diff)
	}
	letter, _, err := l.Find(t.Context(), 2)
	if err != nil || letter.State != store.ReportWaiting || !letter.Returned || letter.Reason != "" {
		t.Errorf("letter %+v, error %v", letter, err)
	}
	if n, err := s.DeadLetters(t.Context()); err != nil || n != 1 {
		t.Errorf("%d dead letters are left, error %v; want 1", n, err)
	}
	commit(t, s, bridge.Batch{Reports: []bridge.Report{report("3.1", bridge.ReportStarted)}})
	if next := head(t, s, "3.1"); next.ID != 6 {
		t.Errorf("the next report has id %d, want 6", next.ID)
	}
}

func TestALetterThatWasRefusedAtOnceIsCertainlyNotTaken(t *testing.T) {
	directory := t.TempDir()
	s := open(t, directory)
	deadLetters(t, s, 1)
	if _, err := letters(t, directory).Retry(t.Context(), []int64{1}); err != nil {
		t.Fatal(err)
	}
	if head(t, s, "call0").Uncertain {
		t.Error("the report is said to have got there, perhaps; it was tried once, and refused")
	}
}

func TestALetterIsNotRetriedBeforeAnEarlierOneOfItsCall(t *testing.T) {
	directory, s := twoCalls(t)
	l := letters(t, directory)
	plan, err := l.PlanRetry(t.Context(), []int64{3, 4})
	if err != nil || len(plan.Ready) != 0 || len(plan.Blocked) != 1 || plan.Blocked[0].Report.ID != 3 {
		t.Fatalf("plan %+v, error %v", plan, err)
	}
	if diff := cmp.Diff([]int64{2}, idsOf(plan.Blocked[0].Earlier)); diff != "" {
		t.Errorf("what comes before 3 (-want +got):\n%s", diff)
	}
	// Another process may retry between the plan and the deed.
	if returned, err := l.Retry(t.Context(), []int64{3}); err != nil || len(returned) != 0 {
		t.Errorf("retried %v, error %v", returned, err)
	}
	if dropped, err := l.Drop(t.Context(), []int64{2, 4}); err != nil || !slices.Equal(dropped, []int64{2}) {
		t.Errorf("dropped %v, error %v; 4 is no dead letter", dropped, err)
	}
	if returned, err := l.Retry(t.Context(), []int64{3}); err != nil || !slices.Equal(returned, []int64{3}) {
		t.Errorf("retried %v, error %v", returned, err)
	}
	if diff := cmp.Diff([]int64{3, 5}, waitingIDs(t, s, "1.1")); diff != "" {
		t.Errorf("what waits (-want +got):\n%s", diff)
	}
}

// Another process may have dropped or retried them first.
func TestDroppingWhereNoDeadLetterIsLeftDropsNone(t *testing.T) {
	directory := t.TempDir()
	s := open(t, directory)
	l := letters(t, directory)
	commit(t, s, bridge.Batch{Reports: []bridge.Report{report("call", bridge.ReportStarted)}})
	if dropped, err := l.Drop(t.Context(), []int64{1, 2}); err != nil || len(dropped) > 0 {
		t.Errorf("dropped %v, error %v", dropped, err)
	}
	if id := head(t, s, "call").ID; id != 1 {
		t.Errorf("report %d waits", id)
	}
}

func TestARetryNamesCallsWhoseStartIsGone(t *testing.T) {
	directory := t.TempDir()
	s := open(t, directory)
	l := letters(t, directory)
	for _, call := range []bridge.CallID{"delivered", "dropped", "both"} {
		commit(t, s, bridge.Batch{Reports: []bridge.Report{report(call, bridge.ReportStarted), report(call, bridge.ReportFinished), report(call, bridge.ReportRegister)}})
		for i, result := range []bridge.Result{conflict, conflict, conflict} {
			if i == 0 && call == "delivered" {
				result = bridge.Result{Verdict: bridge.Delivered, Status: 200}
			}
			settle(t, s, head(t, s, call), result)
		}
	}
	if _, err := l.Drop(t.Context(), []int64{4}); err != nil {
		t.Fatal(err)
	}
	plan, err := l.PlanRetry(t.Context(), []int64{2, 3, 5, 6, 7, 8, 9})
	if diff := cmp.Diff([]bridge.CallID{"dropped"}, plan.Unstarted); diff != "" || err != nil {
		t.Errorf("calls of which no start was taken, error %v (-want +got):\n%s", err, diff)
	}
	if _, err := l.Drop(t.Context(), []int64{5}); err != nil {
		t.Fatal(err)
	}
	if plan, err := l.PlanRetry(t.Context(), []int64{6}); err != nil || len(plan.Ready) != 1 || len(plan.Unstarted) != 0 {
		t.Errorf("register-call needs no start: %+v, error %v", plan, err)
	}
}

func TestACancelledRetryLeavesLettersAlone(t *testing.T) {
	directory := t.TempDir()
	s := open(t, directory)
	deadLetters(t, s, 3)
	l := letters(t, directory)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if returned, err := l.Retry(ctx, []int64{1, 2, 3}); !errors.Is(err, context.Canceled) || len(returned) != 0 {
		t.Errorf("retried %v, error %v", returned, err)
	}
	if n, err := s.DeadLetters(t.Context()); err != nil || n != 3 {
		t.Errorf("%d dead letters, error %v; want 3", n, err)
	}
}

// Any choice of dead letters is retried in the order of each call, and none overtakes another.
// None is lost, and none stays that could go.
func TestRetryingRespectsTheOrderOfEachCall(t *testing.T) {
	directory := t.TempDir()
	s, l := open(t, directory), letters(t, directory)
	round := 0
	rapid.Check(t, func(rt *rapid.T) {
		round++
		owners := rapid.SliceOfN(rapid.IntRange(0, 3), 1, 25).Draw(rt, "the reports' calls")
		verdicts := rapid.SliceOfN(rapid.SampledFrom([]bridge.Verdict{bridge.Refused, bridge.Refused, bridge.Delivered}), len(owners), len(owners)).Draw(rt, "verdicts")
		waiting := rapid.SliceOfN(rapid.IntRange(0, 2), 4, 4).Draw(rt, "last reports that wait, of each call")
		first, dead := settleScript(t, s, round, owners, verdicts, waiting)
		chosen := rapid.SliceOfN(rapid.Int64Range(first, first+int64(len(owners))-1), 0, 30).Draw(rt, "chosen")
		before := make(map[bridge.CallID][]int64)
		for call := range dead {
			before[call] = waitingIDs(t, s, call)
		}
		plan, err := l.PlanRetry(t.Context(), chosen)
		if err != nil {
			rt.Fatal(err)
		}
		returned, err := l.Retry(t.Context(), chosen)
		if err != nil || !slices.Equal(returned, idsOf(plan.Ready)) {
			rt.Fatalf("returned %v, error %v; planned %v", returned, err, idsOf(plan.Ready))
		}
		for call, ids := range dead {
			back := 0
			for back < len(ids) && slices.Contains(chosen, ids[back]) {
				back++
			}
			left := walked(t, l, store.ReportDead, store.ReportFilter{Call: call})
			slices.Reverse(left)
			if !slices.Equal(left, ids[back:]) {
				rt.Fatalf("dead letters of %s: %v, want %v", call, left, ids[back:])
			}
			want := slices.Sorted(slices.Values(slices.Concat(before[call], ids[:back])))
			if got := waitingIDs(t, s, call); !slices.Equal(got, want) {
				rt.Fatalf("waiting of %s: %v, want %v", call, got, want)
			}
		}
	})
}

// settleScript makes the reports of a round's calls. It settles those of each call but the
// last few. It returns the id of the first report, and the dead letters of each call in order.
func settleScript(t testing.TB, s *store.Store, round int, owners []int, verdicts []bridge.Verdict, waiting []int) (first int64, dead map[bridge.CallID][]int64) {
	t.Helper()
	var batch bridge.Batch
	left := make(map[bridge.CallID]int)
	for _, owner := range owners {
		call := bridge.CallID(fmt.Sprintf("%d.%d", round, owner))
		batch.Reports = append(batch.Reports, report(call, bridge.ReportEvent))
		left[call]++
	}
	pending, err := s.Commit(t.Context(), batch)
	if err != nil {
		t.Fatal(err)
	}
	dead = make(map[bridge.CallID][]int64)
	var sent []bridge.Sent
	for i, p := range pending {
		call := p.Report.Call
		left[call]--
		if left[call] < waiting[owners[i]] {
			continue
		}
		if verdicts[i] == bridge.Refused {
			dead[call] = append(dead[call], p.ID)
		}
		sent = append(sent, bridge.Sent{Pending: p, Result: bridge.Result{Verdict: verdicts[i], Status: 409}})
	}
	if err := s.RecordResults(t.Context(), sent); err != nil {
		t.Fatal(err)
	}
	return pending[0].ID, dead
}
