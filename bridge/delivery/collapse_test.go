package delivery

import (
	"testing"
	"time"

	"kontur-ari/bridge"
)

func TestOnlyAnOldCallStartedThatCannotHaveReachedTheCRMIsCollapsible(t *testing.T) {
	now, after := time.Now(), 10*time.Second
	for _, test := range []struct {
		name      string
		kind      bridge.ReportKind
		waited    time.Duration
		uncertain bool
		want      bool
	}{
		{"old call-started", bridge.ReportStarted, time.Minute, false, true},
		{"just old enough", bridge.ReportStarted, after, false, true},
		{"too young", bridge.ReportStarted, after - 1, false, false},
		{"committed by a clock that is ahead", bridge.ReportStarted, -time.Hour, false, false},
		{"may have reached the CRM", bridge.ReportStarted, time.Hour, true, false},
		{"the CRM has the call-started", bridge.ReportEvent, time.Hour, false, false},
		{"only the end is left", bridge.ReportFinished, time.Hour, false, false},
		{"collapsed already", bridge.ReportRegister, time.Hour, false, false},
		{"failed", bridge.ReportFailed, time.Hour, false, false},
		{"a recording", bridge.ReportRecording, time.Hour, false, false},
	} {
		first := &bridge.Pending{Report: bridge.Report{Kind: test.kind}, Committed: now.Add(-test.waited), Uncertain: test.uncertain}
		if got := collapsible(first, now, after); got != test.want {
			t.Errorf("%s: collapsible %t, want %t", test.name, got, test.want)
		}
	}
}
