package delivery

import (
	"context"
	"time"

	"kontur-ari/bridge"
	"kontur-ari/internal/breaker"
)

// mostUnrecorded bounds how many answers may wait to be recorded, for each
// connection: a crash repeats those requests. Only a line that is busy to its limit
// comes near it.
const mostUnrecorded = 16

// work sends one report after the other.
func (d *Dispatcher) work(ctx context.Context) {
	for {
		l, pending, ok := d.nextToSend()
		if !ok {
			return
		}
		if pending.Report.Expired(time.Now()) {
			d.sent(ctx, l, bridge.Result{Verdict: bridge.Expired, NotTaken: true})
		} else {
			d.sent(ctx, l, d.sender.Send(ctx, pending.Report, pending.Identity))
		}
		d.recordOwn(ctx)
	}
}

// nextToSend waits for a call whose next report may be sent now.
func (d *Dispatcher) nextToSend() (*lane, bridge.Pending, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for !d.ended {
		if !d.maySend() {
			d.toSend.Wait()
			continue
		}
		l := d.loaded.pop()
		if !d.fresh.empty() || !d.aged.empty() {
			d.toFeed.Signal()
		}
		if l.stale && !l.again {
			l.again = true
			d.enqueue(l, &d.fresh)
			continue
		}
		if d.mayCollapse(&l.reports[0]) && !l.marked {
			// It has become old since it was read, or committed: reading it notes that.
			d.enqueue(l, &d.fresh)
			continue
		}
		l.state, l.again, l.marked = busy, false, false
		d.breaker.Begin()
		return l, l.reports[0], true
	}
	return nil, bridge.Pending{}, false
}

// maySend is called with the lock held. Nothing is sent while what was answered
// before can't be recorded.
func (d *Dispatcher) maySend() bool {
	return !d.loaded.empty() && !d.storePaused && d.unrecorded.count()+d.recording < mostUnrecorded*d.config.Connections && d.breaker.Allows(time.Now())
}

// sent takes the outcome of a request. One that the end of the process broke off is no
// failure of the CRM's, but it is recorded where it may have got there.
func (d *Dispatcher) sent(ctx context.Context, l *lane, result bridge.Result) {
	d.mu.Lock()
	defer d.mu.Unlock()
	before := d.breaker.State()
	switch {
	case result.Verdict == bridge.Retry && ctx.Err() != nil:
		d.breaker.Abandoned()
		if !result.NotTaken {
			d.unrecorded.add(l, result, true)
		}
		return
	case result.Verdict == bridge.Retry:
		d.breaker.Failed(time.Now(), failureOf(l.call, result))
	case result.Verdict == bridge.Expired:
		// It says nothing about the CRM.
		d.breaker.Abandoned()
		d.toSend.Broadcast()
	default:
		d.breaker.Succeeded(time.Now())
	}
	if d.breaker.State() == breaker.Open {
		d.unload()
		// A millisecond later than the breaker's own pause, whose end the clock may not show yet.
		d.after(time.Until(d.breaker.ProbeAt())+time.Millisecond, d.wakeAll)
	} else if before != breaker.Closed {
		d.toFeed.Signal()
		d.toSend.Broadcast()
		if d.breaker.State() == breaker.Closed {
			d.crmTrouble.AllOver()
		}
	}
	d.unrecorded.add(l, result, false)
	if !d.loaded.empty() {
		d.toSend.Signal()
	}
}
