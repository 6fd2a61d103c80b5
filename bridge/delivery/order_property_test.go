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

// answers are all the ways in which a try can end.
var answers = []bridge.Result{
	{Verdict: bridge.Delivered, Status: 200},
	{Verdict: bridge.Delivered, Status: 200},
	{Verdict: bridge.Refused, Status: 409, Reason: "no"},
	{Verdict: bridge.Retry, Status: 500, Reason: "500"},
	{Verdict: bridge.Retry, Status: 503, Reason: "503", NotTaken: true},
	{Verdict: bridge.Retry, Status: 429, Reason: "429", NotTaken: true, RetryAfter: 3 * time.Second},
	{Verdict: bridge.Retry, Reason: "refused", NotTaken: true, Everybody: true},
	{Verdict: bridge.Retry, Reason: "no answer in time"},
}

// Whatever the CRM answers, each report of a call is tried until it is taken or refused, in the
// order of the call, and never again. If the CRM may know of a call, none of its reports is
// left out.
func TestEveryReportIsSettledOnceAndInOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		calls := rapid.IntRange(1, 6).Draw(rt, "calls")
		script := rapid.SliceOfN(rapid.SampledFrom(answers), 0, 60).Draw(rt, "answers")
		late := rapid.SliceOfN(rapid.IntRange(0, 40), calls, calls).Draw(rt, "seconds until a call ends")
		var problem string
		synctest.Test(t, func(t *testing.T) { problem = playAnswers(t, script, late) })
		if problem != "" {
			rt.Fatal(problem)
		}
	})
}

// playAnswers plays calls that begin at once and end so many seconds later, at a CRM
// that answers by the script and then takes everything.
func playAnswers(t *testing.T, script []bridge.Result, late []int) (problem string) {
	s := openStore(t)
	settled := make(map[bridge.CallID][]string)
	mayHave := make(map[bridge.CallID]bool)
	crm := newRemote(func(report bridge.Report, _ int) bridge.Result {
		result := bridge.Result{Verdict: bridge.Delivered, Status: 200}
		if len(script) > 0 {
			result, script = script[0], script[1:]
		}
		mayHave[report.Call] = mayHave[report.Call] || report.Kind == bridge.ReportStarted && !result.NotTaken
		if result.Verdict != bridge.Retry {
			settled[report.Call] = append(settled[report.Call], string(report.Kind))
		}
		return result
	})
	d := newDispatcher(s, crm, 3, zap.NewNop())
	stop := start(t, d)
	began := time.Now()
	for i := range late {
		call := bridge.CallID(fmt.Sprint("call", i))
		commitCall(t, s, call, going)
		d.Wake(s.news())
	}
	for second := range slices.Max(late) + 1 {
		time.Sleep(time.Until(began.Add(time.Duration(second) * time.Second)))
		for i, end := range late {
			if call := bridge.CallID(fmt.Sprint("call", i)); end == second {
				commitCall(t, s, call, whole[2:])
				d.Wake(s.news())
			}
		}
	}
	waitEmpty(t, s)
	stop()
	if crm.overlap {
		return "two requests of one call were in flight at once"
	}
	full := []string{"call-started", "call-event", "call-finished", "register-call"}
	for i := range late {
		call := bridge.CallID(fmt.Sprint("call", i))
		got := settled[call]
		if slices.Equal(got, full[3:]) && !mayHave[call] {
			continue
		}
		if diff := cmp.Diff(full, got); diff != "" {
			return fmt.Sprintf("call %d (-want +got):\n%s", i, diff)
		}
	}
	return ""
}
