package delivery

import (
	"kontur-ari/bridge"
	"kontur-ari/internal/breaker"
)

// mostInMemory bounds how many calls wait for a connection with their reports in memory
// although they were not read.
const mostInMemory = 512

// Wake hands over reports that were committed, in the order of their ids. It never
// blocks.
func (d *Dispatcher) Wake(reports []bridge.Pending) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, report := range reports {
		d.wake(report)
	}
	d.wakeSenders(len(d.loaded.lanes))
	if !d.fresh.empty() || d.backlog.more {
		d.toFeed.Signal()
	}
}

// WakeCall says that a report of a call was committed, for callers that can't say whether
// it was before or after others of that call. It never blocks.
func (d *Dispatcher) WakeCall(call bridge.CallID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch l := d.lanes[call]; {
	case l != nil:
		l.woken = true
	case len(d.lanes) >= mostLanes:
		d.backlog.more, d.backlog.grown = true, true
	default:
		d.admit(call, &d.fresh)
	}
	d.toFeed.Signal()
}

// wake is called with the lock held.
func (d *Dispatcher) wake(report bridge.Pending) {
	call := report.Report.Call
	switch l := d.lanes[call]; {
	case l != nil:
		d.append(l, report)
	case len(d.lanes) >= mostLanes:
		d.backlog.more, d.backlog.grown = true, true
	case d.keepsInMemory() && report.ID > d.seen && d.complete(&report):
		// Nothing else of the call waits: it would have a lane, or be in the backlog.
		l = &lane{call: call, state: loaded, reports: []bridge.Pending{report}, all: true}
		d.lanes[call] = l
		d.loaded.push(l)
	default:
		d.admit(call, &d.fresh)
	}
}

// append has a report of a call that is being served sent after the others of it:
// without being read, where all the others are in memory.
func (d *Dispatcher) append(l *lane, report bridge.Pending) {
	held := l.state == loaded || l.state == busy
	if !held || !l.all || l.woken || l.stale || report.ID <= d.seen || len(l.reports) >= readAhead {
		l.woken = true
		return
	}
	report.Identity = l.reports[0].Identity
	l.reports = append(l.reports, report)
}

// keepsInMemory returns whether a new call's reports may be sent without being read
// from disk: only while they are sent soon.
func (d *Dispatcher) keepsInMemory() bool {
	return !d.backlog.more && d.breaker.State() != breaker.Open && len(d.loaded.lanes) < mostInMemory
}

// complete fills in how the CRM knows the call; false when that must be read.
func (d *Dispatcher) complete(report *bridge.Pending) bool {
	if report.Report.Kind == bridge.ReportStarted {
		return true
	}
	identity, known := d.identities.get(report.Report.Call)
	report.Identity = identity
	return known
}
