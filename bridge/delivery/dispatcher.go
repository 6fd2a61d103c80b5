// Package delivery brings reports from the outbox to the CRM: those of one call
// in their order and one at a time, those of different calls side by side. A
// report leaves the outbox only when the CRM has taken it or refused it for good,
// so it is delivered at least once; a crash between the CRM's answer and its
// recording repeats that one request.
package delivery

import (
	"context"
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
	trouble *trouble
	pause   func(attempt int) time.Duration

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
		trouble: &trouble{log: log}, pause: pauseAfter,
		lanes: make(map[bridge.CallID]*lane), changed: make(chan struct{}),
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
	var cause string
	for ctx.Err() == nil {
		calls, err := d.outbox.PendingCalls(ctx)
		if err == nil {
			d.Wake(calls)
			return
		}
		if err.Error() != cause {
			cause = err.Error()
			d.log.Error("the outbox can't be read", zap.Error(err))
		}
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
func (d *Dispatcher) serve(ctx context.Context, call bridge.CallID) {
	pending, found, err := d.outbox.Head(ctx, call)
	if err != nil {
		d.storeFailed(ctx, call, err)
		return
	}
	if !found {
		d.finish(call)
		return
	}
	result := d.sender.Send(ctx, pending.Report, pending.Identity)
	if result.Verdict == bridge.Retry && ctx.Err() != nil {
		// Broken off by the end of the process: no failure of the CRM's.
		d.finish(call)
		return
	}
	// The answer is recorded even when the process is about to end: what the CRM
	// has taken must not be sent again.
	if err := d.settle(context.WithoutCancel(ctx), pending, result); err != nil {
		d.storeFailed(ctx, call, err)
		return
	}
	d.report(pending, result)
	if result.Verdict == bridge.Retry {
		d.retry(call, result.RetryAfter)
		return
	}
	d.again(call)
}

// settle tries twice, so that a passing fault of the disk repeats no request.
func (d *Dispatcher) settle(ctx context.Context, pending bridge.Pending, result bridge.Result) error {
	err := d.outbox.Settle(ctx, pending, result)
	if err != nil {
		err = d.outbox.Settle(ctx, pending, result)
	}
	return err
}

// report counts and logs how a send ended.
func (d *Dispatcher) report(pending bridge.Pending, result bridge.Result) {
	fields := []zap.Field{
		zap.String("call", string(pending.Report.Call)),
		zap.String("request", string(pending.Report.Kind)),
		zap.Int("attempt", pending.Attempts+1),
		zap.Int("status", result.Status),
	}
	if pending.Report.Kind == bridge.ReportEvent {
		fields = append(fields, zap.String("leg", string(pending.Report.Leg)), zap.String("event", string(pending.Report.Event)))
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	switch result.Verdict {
	case bridge.Delivered:
		d.stats.Delivered++
		d.trouble.over()
		d.log.Info("delivered", fields...)
	case bridge.Refused:
		d.stats.Refused++
		d.trouble.over()
		d.log.Error("refused by the CRM for good; kept as a dead letter", append(fields, zap.String("reason", result.Reason))...)
	case bridge.Retry:
		d.stats.Retried++
		d.trouble.because(result.Reason, fields)
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
		l.timer = time.AfterFunc(max(atLeast, d.pause(l.failures)), func() { d.resume(call) })
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

// storeFailed makes a lane wait for the store: nothing is sent whose outcome
// can't be recorded.
func (d *Dispatcher) storeFailed(ctx context.Context, call bridge.CallID, err error) {
	if ctx.Err() == nil {
		d.log.Error("the outbox failed", zap.String("call", string(call)), zap.Error(err))
	}
	d.retry(call, storeRetry)
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
