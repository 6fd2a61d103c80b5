package delivery

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"kontur-ari/bridge"
	"kontur-ari/internal/breaker"
	"kontur-ari/internal/oncelog"
)

const (
	// reading is the key of failed reads in the trouble with the store. No call has it.
	reading = "reading the outbox"
	// storePause is the pause before the store is asked again after it failed.
	storePause = time.Second
	// returnedEvery is the pause between two looks for dead letters that were put back.
	returnedEvery = time.Second
	// backlogPage is how many reports are looked at to find calls that wait on disk.
	backlogPage = 512
	// lookAhead is how many calls are read to be sent next, for each connection.
	lookAhead = 8
	// mostRead bounds how many calls are read at once.
	mostRead = 64
	// freshTurns of each round go to calls with new reports: people may be on the
	// telephone. The rest is for those that have waited long.
	freshTurns, round = 3, 4
)

// backlog is what waits on disk only.
type backlog struct {
	// after is the id up to which every report's call has been taken up.
	after int64
	// more: there may be others. grown: there are since the last look began.
	more, grown bool
	// returned: it is time to look for dead letters that were put back.
	returned bool
}

// feed finds the calls that are ready and reads their reports.
func (d *Dispatcher) feed(ctx context.Context) {
	for {
		job, ok := d.nextJob()
		if !ok {
			return
		}
		err := job(ctx)
		d.mu.Lock()
		d.feeding = false
		if err == nil {
			d.storeTrouble.Over(reading)
		} else if errors.Is(err, bridge.ErrStoreDamaged) {
			d.giveUp(err)
		} else if ctx.Err() == nil {
			d.storeTrouble.Failed(reading, oncelog.Cause(err))
			d.pauseStore()
		}
		d.notify()
		d.mu.Unlock()
	}
}

// nextJob waits until there is something to do.
func (d *Dispatcher) nextJob() (func(context.Context) error, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for {
		switch {
		case d.ended:
			return nil, false
		case d.storePaused:
		case d.backlog.returned:
			d.backlog.returned, d.feeding = false, true
			return d.takeUpReturned, true
		case d.backlog.more && len(d.lanes) < backlogLanes:
			d.backlog.grown, d.feeding = false, true
			after := d.backlog.after
			return func(ctx context.Context) error { return d.takeUpBacklog(ctx, after) }, true
		default:
			if lanes := d.takeReady(); len(lanes) > 0 {
				d.feeding = true
				return func(ctx context.Context) error { return d.load(ctx, lanes) }, true
			}
		}
		d.toFeed.Wait()
	}
}

// takeReady takes as many calls as can be sent soon. Nothing is read ahead that the
// gate would keep.
func (d *Dispatcher) takeReady() []*lane {
	room := min(lookAhead*d.config.Connections-len(d.loaded.lanes), mostRead)
	switch {
	case d.breaker.State() == breaker.Open && !d.breaker.Allows(time.Now()):
		return nil
	case d.breaker.State() == breaker.Open:
		room = min(room, 1-len(d.loaded.lanes))
	case d.breaker.State() == breaker.HalfOpen:
		room = min(room, d.breaker.Limit()-len(d.loaded.lanes))
	}
	var lanes []*lane
	for ; room > 0 && !(d.fresh.empty() && d.aged.empty()); room-- {
		from := &d.fresh
		if d.turn++; d.fresh.empty() || !d.aged.empty() && d.turn%round >= freshTurns {
			from = &d.aged
		}
		l := from.pop()
		l.woken, l.stale = false, false
		lanes = append(lanes, l)
	}
	return lanes
}

// takeUpBacklog begins to serve calls that waited on disk only.
func (d *Dispatcher) takeUpBacklog(ctx context.Context, after int64) error {
	calls, last, more, err := d.outbox.WaitingCalls(ctx, after, backlogPage)
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, call := range calls {
		if d.lanes[call] == nil {
			d.admit(call, &d.aged)
		}
	}
	d.backlog.after, d.backlog.more = last, more || d.backlog.grown
	return nil
}

// pollReturned has the feeder look for returned dead letters from time to time:
// another process puts them back.
func (d *Dispatcher) pollReturned() {
	d.mu.Lock()
	defer d.mu.Unlock()
	var again func()
	again = func() {
		d.backlog.returned = true
		d.toFeed.Signal()
		d.after(returnedEvery, again)
	}
	d.after(returnedEvery, again)
}

// takeUpReturned serves the calls of dead letters that were put back, as far as there is
// room beside those of this moment. They go before what was read of these calls already.
func (d *Dispatcher) takeUpReturned(ctx context.Context) error {
	calls, err := d.outbox.RetriedCalls(ctx)
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, call := range calls {
		if l := d.lanes[call]; l != nil {
			l.stale = true
		} else if len(d.lanes) < backlogLanes {
			d.admit(call, &d.aged)
		}
	}
	return nil
}

// load reads the reports of calls and hands them to the workers. After an error the
// calls are ready again.
func (d *Dispatcher) load(ctx context.Context, lanes []*lane) error {
	reports, noted, err := d.read(ctx, lanes)
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, l := range lanes {
		l.reports, l.marked = reports[l.call], noted[l.call]
		for _, pending := range l.reports {
			d.seen = max(d.seen, pending.ID)
		}
		l.all = len(l.reports) < readAhead
		switch {
		case err != nil, l.stale, len(l.reports) == 0 && l.woken:
			d.enqueue(l, &d.fresh)
		case len(l.reports) == 0:
			d.dismiss(l)
		default:
			l.state = loaded
			d.loaded.push(l)
		}
	}
	d.toSend.Broadcast()
	return err
}

// read reads the oldest reports of calls, after the superfluous ones were taken
// out of them. noted are the calls of which it noted that they are about to be tried.
func (d *Dispatcher) read(ctx context.Context, lanes []*lane) (reports map[bridge.CallID][]bridge.Pending, noted map[bridge.CallID]bool, err error) {
	calls := make([]bridge.CallID, len(lanes))
	for i, l := range lanes {
		calls[i] = l.call
	}
	reports = make(map[bridge.CallID][]bridge.Pending, len(lanes))
	if err := d.readInto(ctx, reports, calls); err != nil {
		return nil, nil, err
	}
	late := d.lateOf(reports, calls)
	if len(late) == 0 {
		return reports, nil, nil
	}
	collapsed, err := d.outbox.Collapse(ctx, late)
	if err == nil && collapsed > 0 {
		d.mu.Lock()
		d.stats.Collapsed += int64(collapsed)
		d.mu.Unlock()
		d.log.Debug("left out of calls that were over before they could be told", zap.Int("reports", collapsed))
		err = d.readInto(ctx, reports, late)
	}
	if err != nil {
		return reports, nil, err
	}
	noted, err = d.markInFlight(ctx, reports, late)
	return reports, noted, err
}

// markInFlight marks the first reports of old calls that go on as about to be sent: after
// a crash nothing else shows whether they were. Younger calls count as sent anyway.
func (d *Dispatcher) markInFlight(ctx context.Context, reports map[bridge.CallID][]bridge.Pending, late []bridge.CallID) (map[bridge.CallID]bool, error) {
	late = d.lateOf(reports, late)
	if len(late) == 0 {
		return nil, nil
	}
	noted := make(map[bridge.CallID]bool, len(late))
	ids := make([]int64, len(late))
	for i, call := range late {
		noted[call], ids[i] = true, reports[call][0].ID
	}
	return noted, d.outbox.MarkInFlight(ctx, ids)
}

func (d *Dispatcher) readInto(ctx context.Context, reports map[bridge.CallID][]bridge.Pending, calls []bridge.CallID) error {
	for _, call := range calls {
		delete(reports, call)
	}
	waiting, err := d.outbox.OldestWaiting(ctx, calls, readAhead)
	for _, pending := range waiting {
		reports[pending.Report.Call] = append(reports[pending.Report.Call], pending)
	}
	return err
}

// pauseStore asks nothing of the store for a moment, after it has failed. It is called with the
// lock held.
func (d *Dispatcher) pauseStore() {
	if d.storePaused {
		return
	}
	d.storePaused = true
	d.after(storePause, func() {
		d.storePaused = false
		d.wakeAll()
	})
}
