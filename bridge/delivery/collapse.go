package delivery

import (
	"time"

	"kontur-ari/bridge"
)

// The collapse rule. A call that is over before the CRM heard of it is reported by its
// last report alone: register-call, or call-failed where no number was dialled. Its live events
// would open a window for a call that ended long ago. The rule has two halves:
//
//   - collapsible looks at the first waiting report. It decides whether to ask the store.
//   - [bridge.Outbox.Collapse] looks at everything stored of the call. It leaves the call
//     alone unless its last report waits and nothing of it can have reached the CRM.
//
// A call that goes on, or that the CRM knows in part, keeps all its reports.

// collapsible returns whether a call may be collapsed whose first waiting report is
// given: that is its call-started, which waited for at least after and cannot have
// reached the CRM.
func collapsible(first *bridge.Pending, now time.Time, after time.Duration) bool {
	return first.Report.Kind == bridge.ReportStarted && !first.Uncertain && now.Sub(first.Committed) >= after
}

func (d *Dispatcher) mayCollapse(first *bridge.Pending) bool {
	return collapsible(first, time.Now(), d.config.CollapseAfter)
}

// lateOf returns the calls that may be collapsed if they are over.
func (d *Dispatcher) lateOf(reports map[bridge.CallID][]bridge.Pending, calls []bridge.CallID) (late []bridge.CallID) {
	for _, call := range calls {
		if waiting := reports[call]; len(waiting) > 0 && d.mayCollapse(&waiting[0]) {
			late = append(late, call)
		}
	}
	return late
}
