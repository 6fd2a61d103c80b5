// Package delivery brings reports from the outbox to the CRM: those of one call
// in their order and one at a time, those of different calls side by side. A
// report leaves the outbox only when the CRM has taken it or refused it for good,
// so it is delivered at least once; a crash between the CRM's answer and its
// recording repeats that one request.
package delivery

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.uber.org/zap"

	"kontur-ari/bridge"
)

// storeRetry is the pause before the store is asked again after it failed.
const storeRetry = time.Second

// Dispatcher owns the delivery of all calls. Wake, Drain and Stats may be called
// from anywhere; Run is called once.
type Dispatcher struct {
	outbox  bridge.Outbox
	sender  bridge.Sender
	workers int
	log     *zap.Logger
	// crmTrouble and storeTrouble keep the log to a line per change.
	crmTrouble, storeTrouble *trouble

	mu    sync.Mutex
	lanes map[bridge.CallID]*lane
	ready []bridge.CallID
	stats Stats
	// more wakes a worker, changed whoever waits for quiet.
	more    *sync.Cond
	changed chan struct{}
	ended   bool
}

// lane is the delivery of one call.
type lane struct {
	state laneState
	// woken: a report was committed while the lane was busy.
	woken bool
	// failures counts failed sends in a row.
	failures int
	timer    *time.Timer
	// unsettled is an answer that the store could not take yet. It belongs to
	// the worker while the lane is busy.
	unsettled *settlement
}

// settlement is how a send ended.
type settlement struct {
	pending bridge.Pending
	result  bridge.Result
}

type laneState int

const (
	queued laneState = iota
	busy
	waiting
)

// Stats are counts since the start, and what is going on now.
type Stats struct {
	Delivered, Refused, Retried int64
	// Ready and Busy calls are being served, Waiting ones pause after a failure.
	Ready, Busy, Waiting int
}

// New makes a Dispatcher that has at most workers requests in flight.
func New(outbox bridge.Outbox, sender bridge.Sender, workers int, log *zap.Logger) *Dispatcher {
	d := &Dispatcher{
		outbox: outbox, sender: sender, workers: workers, log: log,
		crmTrouble:   newTrouble(log, "the CRM can't be told; reports wait", "the CRM is told again"),
		storeTrouble: newTrouble(log, "the outbox can't be read or written; reports wait", "the outbox works again"),
		lanes:        make(map[bridge.CallID]*lane), changed: make(chan struct{}),
	}
	d.more = sync.NewCond(&d.mu)
	return d
}

// Wake tells that reports of these calls were committed. It never blocks.
func (d *Dispatcher) Wake(calls []bridge.CallID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, call := range calls {
		switch l := d.lanes[call]; {
		case l == nil:
			d.lanes[call] = &lane{state: queued}
			d.enqueue(call)
		case l.state == busy:
			l.woken = true
		}
	}
}

// enqueue is called with the lock held, for a lane in state queued.
func (d *Dispatcher) enqueue(call bridge.CallID) {
	d.ready = append(d.ready, call)
	d.more.Signal()
}

// Run delivers until ctx ends, beginning with what earlier runs left. When ctx
// ends, requests in flight are broken off and Run returns nil: the outbox has
// them still.
func (d *Dispatcher) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, d.end)
	defer stop()
	d.load(ctx)
	var workers sync.WaitGroup
	for range d.workers {
		workers.Go(func() { d.work(ctx) })
	}
	workers.Wait()
	return nil
}

// end lets the workers go and stops the pauses.
func (d *Dispatcher) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ended = true
	for _, l := range d.lanes {
		if l.timer != nil {
			l.timer.Stop()
		}
	}
	d.more.Broadcast()
}

// load finds the calls whose reports wait since before the start.
func (d *Dispatcher) load(ctx context.Context) {
	for ctx.Err() == nil {
		calls, err := d.outbox.PendingCalls(ctx)
		if err == nil {
			d.storeTrouble.over("")
			d.Wake(calls)
			return
		}
		d.storeTrouble.because("", rootCause(err))
		sleep(ctx, storeRetry)
	}
}

func (d *Dispatcher) work(ctx context.Context) {
	for {
		call, ok := d.next()
		if !ok {
			return
		}
		d.serve(ctx, call)
	}
}

// next waits for a call that is ready.
func (d *Dispatcher) next() (bridge.CallID, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for len(d.ready) == 0 && !d.ended {
		d.more.Wait()
	}
	if d.ended {
		return "", false
	}
	call := d.ready[0]
	if d.ready = d.ready[1:]; len(d.ready) == 0 {
		d.ready = nil
	}
	l := d.lanes[call]
	l.state, l.woken = busy, false
	return call, true
}

// serve sends the oldest report of a call and decides what becomes of the lane.
// Nothing is sent while the outcome of what was sent before is not recorded.
func (d *Dispatcher) serve(ctx context.Context, call bridge.CallID) {
	done := d.unsettled(call)
	if done == nil {
		var err error
		if done, err = d.send(ctx, call); err != nil {
			d.storeFailed(ctx, call, nil, err)
			return
		}
		if done == nil {
			d.finish(call)
			return
		}
	}
	// The answer is recorded even when the process is about to end: what the CRM
	// has taken must not be sent again.
	if err := d.outbox.Settle(context.WithoutCancel(ctx), done.pending, done.result); err != nil {
		d.storeFailed(ctx, call, done, err)
		return
	}
	d.storeTrouble.over(call)
	d.report(done)
	if done.result.Verdict == bridge.Retry {
		d.retry(call, done.result.RetryAfter)
		return
	}
	d.again(call)
}

// send makes one try for the oldest report of a call; nil when none waits, or
// when the end of the process broke the try off, which is no failure of the
// CRM's. The error is the store's.
func (d *Dispatcher) send(ctx context.Context, call bridge.CallID) (*settlement, error) {
	pending, found, err := d.outbox.Head(ctx, call)
	if err != nil || !found {
		return nil, err
	}
	result := d.sender.Send(ctx, pending.Report, pending.Identity)
	if result.Verdict == bridge.Retry && ctx.Err() != nil {
		return nil, nil
	}
	return &settlement{pending, result}, nil
}

// unsettled takes what a lane could not record the last time.
func (d *Dispatcher) unsettled(call bridge.CallID) *settlement {
	d.mu.Lock()
	defer d.mu.Unlock()
	l := d.lanes[call]
	done := l.unsettled
	l.unsettled = nil
	return done
}

// report counts and logs how a send ended.
func (d *Dispatcher) report(done *settlement) {
	report, result := done.pending.Report, done.result
	fields := []zap.Field{
		zap.String("call", string(report.Call)),
		zap.String("request", string(report.Kind)),
		zap.Int("attempt", done.pending.Attempts+1),
		zap.Int("status", result.Status),
	}
	if report.Kind == bridge.ReportEvent {
		fields = append(fields, zap.String("leg", string(report.Leg)), zap.String("event", string(report.Event)))
	}
	d.count(result.Verdict)
	switch result.Verdict {
	case bridge.Delivered:
		d.crmTrouble.over(report.Call)
		d.log.Info("delivered", fields...)
	case bridge.Refused:
		d.crmTrouble.over(report.Call)
		d.log.Error("refused by the CRM for good; kept as a dead letter", append(fields, zap.String("reason", result.Reason))...)
	case bridge.Retry:
		d.crmTrouble.because(report.Call, result.Reason, fields...)
	}
}

func (d *Dispatcher) count(verdict bridge.Verdict) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch verdict {
	case bridge.Delivered:
		d.stats.Delivered++
	case bridge.Refused:
		d.stats.Refused++
	case bridge.Retry:
		d.stats.Retried++
	}
}

// finish lets an idle lane go, unless a report came meanwhile.
func (d *Dispatcher) finish(call bridge.CallID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if l := d.lanes[call]; l.woken && !d.ended {
		l.state = queued
		d.enqueue(call)
	} else {
		delete(d.lanes, call)
	}
	d.notify()
}

// again puts a lane behind the other ready ones after a success.
func (d *Dispatcher) again(call bridge.CallID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	l := d.lanes[call]
	l.state, l.failures = queued, 0
	d.enqueue(call)
	d.notify()
}

// retry makes a lane pause.
func (d *Dispatcher) retry(call bridge.CallID, atLeast time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	l := d.lanes[call]
	l.failures++
	l.state = waiting
	if !d.ended {
		l.timer = time.AfterFunc(max(atLeast, pauseAfter(l.failures)), func() { d.resume(call) })
	}
	d.notify()
}

// resume ends a lane's pause.
func (d *Dispatcher) resume(call bridge.CallID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if l := d.lanes[call]; l != nil && l.state == waiting && !d.ended {
		l.state, l.timer = queued, nil
		d.enqueue(call)
	}
}

// storeFailed makes a lane wait for the store. What is done is kept, to be
// recorded before anything else of the call is sent.
func (d *Dispatcher) storeFailed(ctx context.Context, call bridge.CallID, done *settlement, err error) {
	if ctx.Err() == nil {
		d.storeTrouble.because(call, rootCause(err))
	}
	d.mu.Lock()
	d.lanes[call].unsettled = done
	d.mu.Unlock()
	d.retry(call, storeRetry)
}

// rootCause is what an error boils down to, without the call that it befell.
func rootCause(err error) string {
	for next := errors.Unwrap(err); next != nil; next = errors.Unwrap(err) {
		err = next
	}
	return err.Error()
}

// notify is called with the lock held.
func (d *Dispatcher) notify() {
	close(d.changed)
	d.changed = make(chan struct{})
}

// Drain returns when nothing is ready or in flight, or when ctx ends. Calls that
// pause after a failure are not waited for.
func (d *Dispatcher) Drain(ctx context.Context) {
	for {
		d.mu.Lock()
		quiet := true
		for _, l := range d.lanes {
			quiet = quiet && l.state == waiting
		}
		changed := d.changed
		d.mu.Unlock()
		if quiet {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
		}
	}
}

// Stats may be called at any time.
func (d *Dispatcher) Stats() Stats {
	d.mu.Lock()
	defer d.mu.Unlock()
	stats := d.stats
	for _, l := range d.lanes {
		switch l.state {
		case queued:
			stats.Ready++
		case busy:
			stats.Busy++
		case waiting:
			stats.Waiting++
		}
	}
	return stats
}
