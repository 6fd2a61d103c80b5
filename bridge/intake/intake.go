// Package intake takes events to disk: a queue that never makes the switch's
// reader wait, and the single writer that applies each event to the Tracker and
// commits a whole batch at once: the events, the calls they changed and the
// reports they caused.
package intake

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"kontur-ari/bridge"
)

const (
	// largestBatch bounds how many events one transaction holds.
	largestBatch = 1000
	// firstPause and longestPause bound the wait before a failed commit is tried
	// again.
	firstPause   = 100 * time.Millisecond
	longestPause = 5 * time.Second
)

// Intake owns a Tracker and is its only caller. Put may be called from anywhere
// at any time; Run is called once.
type Intake struct {
	tracker *bridge.Tracker
	journal bridge.Journal
	wake    func([]bridge.Pending)
	log     *zap.Logger

	mu      sync.Mutex
	queue   []received
	arrived chan struct{}
	// tracking is held while the Tracker is in use.
	tracking sync.Mutex
	act      func([]bridge.Action)

	notes           *notes
	failures        *failures
	events, reports atomic.Int64
	openCalls       atomic.Int64
	failing         atomic.Bool
}

type received struct {
	event bridge.Event
	at    time.Time
	// stored, where somebody waits for it, is closed when the event is durable.
	stored chan struct{}
}

// Stats are counts since the start.
type Stats struct {
	// Events and Reports were committed.
	Events, Reports int64
	// NotUnderstood counts the calls that were reported less, by reason; each has
	// left one log line. A call that is noted for two reasons counts for both.
	NotUnderstood map[string]int64
	// Failed counts the calls that the CRM has ordered and in which nobody was dialled,
	// by cause.
	Failed map[bridge.FailureCause]int64
	// Waiting events are in memory only; OpenCalls are in progress.
	Waiting, OpenCalls int
	// Failing: the last commit did not succeed.
	Failing bool
}

// New makes an Intake. The Tracker must have been restored; wake is told the
// reports that were committed, in order, and must not block.
func New(tracker *bridge.Tracker, journal bridge.Journal, wake func([]bridge.Pending), log *zap.Logger) *Intake {
	return &Intake{tracker: tracker, journal: journal, wake: wake, log: log, notes: newNotes(log), failures: newFailures(log), arrived: make(chan struct{}, 1)}
}

// Put takes an event. It never waits for the disk. An event that carries no
// readable time gets that of its arrival.
func (i *Intake) Put(event bridge.Event) {
	now := time.Now()
	if event.Time.IsZero() {
		event.Time = now
	}
	i.put(received{event: event, at: now})
}

// Give takes an event and returns when it is durable, with everything it has
// caused. When ctx ends first, it may be so later.
func (i *Intake) Give(ctx context.Context, event bridge.Event) error {
	stored := make(chan struct{})
	i.put(received{event: event, at: time.Now(), stored: stored})
	select {
	case <-stored:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("waiting until %s is stored: %w", event.Type, context.Cause(ctx))
	}
}

// Look lets somebody look at the Tracker between two events. look must be quick,
// and change nothing.
func (i *Intake) Look(look func(*bridge.Tracker)) {
	i.tracking.Lock()
	defer i.tracking.Unlock()
	look(i.tracker)
}

// Act names who does what the switch must be told; he is told of it once the event
// that asks for it is durable, and must not block. Call it before Run.
func (i *Intake) Act(act func([]bridge.Action)) { i.act = act }

func (i *Intake) put(r received) {
	i.mu.Lock()
	i.queue = append(i.queue, r)
	i.mu.Unlock()
	select {
	case i.arrived <- struct{}{}:
	default:
	}
}

// Run commits events as they arrive. When ctx ends it commits what has arrived
// by then, gives up only where the disk fails it, and returns. An error names
// how many events were not committed.
func (i *Intake) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return i.drain(ctx)
		case <-i.arrived:
		}
		for batch := i.take(); len(batch) > 0; batch = i.take() {
			if err := i.process(ctx, batch); err != nil {
				return err
			}
		}
	}
}

func (i *Intake) drain(ctx context.Context) error {
	for batch := i.take(); len(batch) > 0; batch = i.take() {
		if err := i.process(ctx, batch); err != nil {
			return err
		}
	}
	return nil
}

// take removes up to a batch of events from the queue.
func (i *Intake) take() []received {
	i.mu.Lock()
	defer i.mu.Unlock()
	n := min(len(i.queue), largestBatch)
	batch := i.queue[:n:n]
	if i.queue = i.queue[n:]; len(i.queue) == 0 {
		// The array is let go, so that a burst does not stay in memory.
		i.queue = nil
	}
	return batch
}

// process applies a batch once and commits it, trying until it is durable or
// ctx has ended.
func (i *Intake) process(ctx context.Context, events []received) error {
	batch, actions := i.apply(events)
	pending, err := i.commit(ctx, batch)
	if err != nil {
		return err
	}
	i.events.Add(int64(len(batch.Events)))
	i.reports.Add(int64(len(batch.Reports)))
	if len(actions) > 0 && i.act != nil {
		i.act(actions)
	}
	for _, r := range events {
		if r.stored != nil {
			close(r.stored)
		}
	}
	if len(pending) > 0 {
		i.wake(pending)
	}
	return nil
}

func (i *Intake) apply(events []received) (batch bridge.Batch, actions []bridge.Action) {
	i.tracking.Lock()
	defer i.tracking.Unlock()
	touched := make(map[bridge.CallID]bool)
	for _, r := range events {
		outcome := i.tracker.Apply(r.event)
		batch.Events = append(batch.Events, bridge.Entry{Event: r.event, Received: r.at, Call: outcome.Call})
		batch.Reports = append(batch.Reports, outcome.Reports...)
		batch.Ended = append(batch.Ended, outcome.Ended...)
		if r.event.Order != nil {
			batch.Orders = append(batch.Orders, *r.event.Order)
		}
		actions = append(actions, outcome.Actions...)
		for _, failure := range outcome.Failures {
			i.failures.take(failure)
		}
		for _, id := range outcome.Touched {
			touched[id] = true
		}
		for _, note := range outcome.Notes {
			i.notes.take(note)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(touched)) {
		if state, open := i.tracker.State(id); open {
			batch.Changed = append(batch.Changed, state)
		} else {
			batch.Gone = append(batch.Gone, id)
			i.notes.forget(id)
		}
	}
	calls, _ := i.tracker.Open()
	i.openCalls.Store(int64(calls))
	return batch, actions
}

// commit tries until the batch is durable. Once ctx has ended one failure more
// is the last.
func (i *Intake) commit(ctx context.Context, batch bridge.Batch) ([]bridge.Pending, error) {
	var cause string
	began := time.Now()
	for attempt, pause := 1, firstPause; ; attempt, pause = attempt+1, min(2*pause, longestPause) {
		// The commit itself is not cancelled: it is short, or the disk is gone.
		pending, err := i.journal.Commit(context.WithoutCancel(ctx), batch)
		if errors.Is(err, bridge.ErrStoreReplaced) {
			batch = i.whole(batch)
			pending, err = i.journal.Commit(context.WithoutCancel(ctx), batch)
		}
		i.failing.Store(err != nil)
		if err == nil {
			if cause != "" {
				i.log.Info("events are stored again", zap.Int("attempt", attempt), zap.Duration("lasted", time.Since(began)))
			}
			return pending, nil
		}
		if root := rootCause(err); root != cause {
			cause = root
			i.log.Error("events can't be stored; they wait in memory", zap.Int("attempt", attempt), zap.Error(err))
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%d events were not stored: %w", len(batch.Events)+i.waiting(), err)
		case <-time.After(pause):
		}
	}
}

// whole adds to a batch the calls in progress and the memory of ended ones, for a
// journal that may have lost them.
func (i *Intake) whole(batch bridge.Batch) bridge.Batch {
	i.tracking.Lock()
	defer i.tracking.Unlock()
	batch.Changed, batch.Ended = i.tracker.Saved()
	return batch
}

// rootCause is what an error boils down to, without what was being done.
func rootCause(err error) string {
	for next := errors.Unwrap(err); next != nil; next = errors.Unwrap(err) {
		err = next
	}
	return err.Error()
}

func (i *Intake) waiting() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return len(i.queue)
}

// Stats may be called at any time.
func (i *Intake) Stats() Stats {
	return Stats{
		Events: i.events.Load(), Reports: i.reports.Load(), NotUnderstood: i.notes.counts(), Failed: i.failures.counts(),
		Waiting: i.waiting(), OpenCalls: int(i.openCalls.Load()), Failing: i.failing.Load(),
	}
}
