package tracker_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"kontur-ari/bridge"
	"kontur-ari/bridge/tracker"
)

var anyPolicy = rapid.SampledFrom([]tracker.Policy{allCalls, outsideCalls, makesRecordings()})

func (m *traffic) byCall() map[string][]string {
	lines := make(map[string][]string)
	for _, c := range m.truths {
		if c.started {
			lines[string(c.call)] = c.lines
		}
	}
	return lines
}

func byCall(reports []bridge.Report) map[string][]string {
	lines := make(map[string][]string)
	for _, r := range reports {
		lines[string(r.Call)] = append(lines[string(r.Call)], transcribe(r, midnight))
	}
	return lines
}

func TestTrafficIsReportedAsItWas(t *testing.T) {
	directory := office(t)
	rapid.Check(t, func(t *rapid.T) {
		m := anyTraffic(t, anyPolicy.Draw(t, "policy"), 5)
		l := newListener(directory, m.policy)
		l.ledger.orderly = true
		if err := l.hearAll(m.x.events); err != nil {
			t.Fatal(err)
		}
		want, got := m.byCall(), byCall(l.reports)
		for call, lines := range want {
			if strings.Join(got[call], "\n") != strings.Join(lines, "\n") {
				t.Fatalf("call %s was not reported as it was%s", call, m.evidence(m.x.events, l.reports))
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
