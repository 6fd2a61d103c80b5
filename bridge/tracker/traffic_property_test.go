package tracker_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"kontur-ari/bridge"
	"kontur-ari/bridge/tracker"
	"kontur-ari/bridge/tracker/pbxtest"
)

var anyPolicy = rapid.SampledFrom([]tracker.Policy{allCalls, outsideCalls, makesRecordings()})

// traffic is some traffic and the policy that the Tracker reports it by.
type traffic struct {
	*pbxtest.Traffic
	policy tracker.Policy
}

func anyTraffic(t *rapid.T, policy tracker.Policy, most int) *traffic {
	return &traffic{pbxtest.AnyTraffic(t, policy.ReportInternal, most), policy}
}

func byCall(reports []bridge.Report) map[string][]string {
	lines := make(map[string][]string)
	for _, r := range reports {
		lines[string(r.Call)] = append(lines[string(r.Call)], pbxtest.Line(r, pbxtest.Midnight))
	}
	return lines
}

func TestTrafficIsReportedAsItWas(t *testing.T) {
	directory := pbxtest.Office()
	rapid.Check(t, func(t *rapid.T) {
		m := anyTraffic(t, anyPolicy.Draw(t, "policy"), 5)
		l := newListener(directory, m.policy)
		l.ledger.Orderly = true
		if err := l.hearAll(m.Events()); err != nil {
			t.Fatal(err)
		}
		want, got := m.Want(), byCall(l.reports)
		for call, lines := range want {
			if strings.Join(got[call], "\n") != strings.Join(lines, "\n") {
				t.Fatalf("call %s was not reported as it was%s", call, m.Evidence(m.Events(), l.reports))
			}
		}
		if len(got) != len(want) {
			t.Fatalf("%d calls were reported, and %d were", len(got), len(want))
		}
		if n := l.tracker.Remembered(); n != 0 {
			t.Fatalf("%d things are remembered after the last call", n)
		}
	})
}
