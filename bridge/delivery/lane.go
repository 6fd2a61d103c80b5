package delivery

import (
	"kontur-ari/bridge"
	"kontur-ari/internal/breaker"
)

const (
	// mostLanes bounds how many calls are served at a time, and so the memory that a
	// long outage takes: beyond them a call is on disk only. Old calls are taken up
	// from there while fewer than backlogLanes are being served, so that there is
	// room for new ones.
	mostLanes    = 1024
	backlogLanes = 512
	// readAhead is how many reports of a call are read at once.
	readAhead = 8
)

// lane is the delivery of one call.
type lane struct {
	call  bridge.CallID
	state laneState
	// reports are the oldest that wait, as far as they were read; all says that there
	// were no others.
	reports []bridge.Pending
	all     bool
	// woken: a report was committed since they were read. stale: an older one was.
	woken, stale bool
	// again: a stale lane was read again already. That happens once for each report sent,
	// because the lane stays stale while a retried dead letter waits.
	again bool
	// marked: the store has the first report marked as in flight.
	marked bool
	// failures counts failed sends in a row.
	failures int
}

type laneState int

const (
	// ready: to be read.
	ready laneState = iota
	// loaded: to be sent.
	loaded
	// busy: a request is under way, or its answer is being recorded.
	busy
	// waiting: pausing after a failure.
	waiting
)

// queue holds calls that wait for their turn, first in, first out.
type queue struct{ lanes []*lane }

func (q *queue) empty() bool  { return len(q.lanes) == 0 }
func (q *queue) push(l *lane) { q.lanes = append(q.lanes, l) }

func (q *queue) pop() *lane {
	l := q.lanes[0]
	q.lanes[0] = nil
	if q.lanes = q.lanes[1:]; len(q.lanes) == 0 {
		// The array is let go, so that a crowd does not stay in memory.
		q.lanes = nil
	}
	return l
}

// The methods below are called with the lock held.

// admit begins to serve a call.
func (d *Dispatcher) admit(call bridge.CallID, to *queue) {
	l := &lane{call: call}
	d.lanes[call] = l
	to.push(l)
}

// enqueue has a lane read, or read again.
func (d *Dispatcher) enqueue(l *lane, to *queue) {
	l.state, l.reports, l.stale, l.marked = ready, nil, false, false
	to.push(l)
	d.toFeed.Signal()
}

// continueCall goes on with a call after a report was delivered or refused. If the next
// report is in memory, the caller must wake a worker.
func (d *Dispatcher) continueCall(l *lane) {
	l.failures = 0
	switch {
	case len(l.reports) > 0 && !l.stale:
		l.state = loaded
		d.loaded.push(l)
	case l.stale, !l.all, l.woken:
		d.enqueue(l, &d.fresh)
	default:
		d.dismiss(l)
	}
}

// dismiss forgets a lane without waiting reports.
func (d *Dispatcher) dismiss(l *lane) {
	delete(d.lanes, l.call)
	if d.backlog.more {
		d.toFeed.Signal()
	}
}

// pauseCall makes a lane pause after a failure, unless all do: then its turn comes after
// the others', so that one call that the CRM can't digest does not keep the gate shut.
func (d *Dispatcher) pauseCall(l *lane) {
	l.failures++
	if d.breaker.State() == breaker.Open {
		d.enqueue(l, &d.aged)
		return
	}
	l.state, l.reports = waiting, nil
	d.after(d.pauses.After(l.failures), func() {
		if l.state == waiting {
			d.enqueue(l, &d.fresh)
		}
	})
}

// unload takes back what was read and not sent: when it can be, it may be outdated.
func (d *Dispatcher) unload() {
	for !d.loaded.empty() {
		l := d.loaded.pop()
		l.state, l.reports = ready, nil
		d.aged.push(l)
	}
}
