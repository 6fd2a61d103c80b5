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
	"kontur-ari/bridge/tracker"
	"kontur-ari/internal/oncelog"
	"kontur-ari/internal/retry"
)

const (
	// largestBatch bounds how many events one transaction holds.
	largestBatch = 1000
)

// commitPauses are the pauses before a failed commit is tried again.
var commitPauses = retry.Pauses{First: 100 * time.Millisecond, Longest: time.Second}

// storing is the key of the one thing that can fail in the trouble with the journal.
const storing = "storing events"

// Intake owns a Tracker and is its only caller. Put may be called from anywhere
// at any time; Run is called once.
type Intake struct {
	tracker *tracker.Tracker
	journal bridge.Journal
	wake    func([]bridge.Pending)
	log     *zap.Logger

	queue    *queue
	slowness slowness
	trouble  *oncelog.Trouble
	// tracking is held while the Tracker is in use.
	tracking sync.Mutex
	act      func([]bridge.Action)
	recorded func()
	// entries is the array of the last batch, for the next.
	entries []bridge.Entry

	notes           *notes
	failures        *failures
	events, reports atomic.Int64
	openCalls       atomic.Int64
	failing         atomic.Bool
}

// Stats are counts since the start.
type Stats struct {
	// Events and Reports were committed.
	Events, Reports int64
	// NotUnderstood counts the calls that were reported less, by reason; each has
	// left one log line. A call that is noted for two reasons counts for both.
	NotUnderstood map[string]int64
	// Failed counts the click-to-calls that ended before a dial, by cause.
	Failed map[bridge.FailureCause]int64
	// Waiting events are in memory only; OpenCalls are in progress.
	Waiting, OpenCalls int
	// Memory is what the events that are not on disk take, of MemoryMost bytes.
	Memory, MemoryMost int64
	// Dropped counts the events that found no room there, by type; Dropping: those that
	// come now are dropped.
	Dropped  map[bridge.EventType]int64
	Dropping bool
	// Failing: the last commit did not succeed. Stalled: the one under way takes long.
	Failing, Stalled bool
}

// New makes an Intake. The Tracker must have been restored; wake is called with the
// reports that were committed, in order, and must not block.
func New(tr *tracker.Tracker, journal bridge.Journal, wake func([]bridge.Pending), log *zap.Logger, options ...Option) *Intake {
	i := &Intake{
		tracker: tr, journal: journal, wake: wake, log: log,
		queue: newQueue(), slowness: slowness{log: log},
		trouble: oncelog.New(log, zap.ErrorLevel, "events can't be stored; they wait in memory", "events are stored again"),
		notes:   newNotes(log), failures: newFailures(log),
	}
	for _, option := range options {
		option(i)
	}
	return i
}

// Put takes an event. It never waits for the disk. An event that carries no
// readable time gets that of its arrival. Where memory is full the event is dropped,
// counted, and made up for by a snapshot later; what became of an order never is.
func (i *Intake) Put(event bridge.Event) {
	now := time.Now()
	if event.Time.IsZero() {
		event.Time = now
	}
	// The queue counts and logs what it drops.
	_ = i.queue.put(received{event: event, at: now})
}

// Give takes an event and returns when it is durable, with everything it has
// caused. When ctx ends first, it may be so later. Where memory is full it is not
// taken: the error is [bridge.ErrNoRoom], and comes at once.
func (i *Intake) Give(ctx context.Context, event bridge.Event) error {
	_, err := i.GiveClick(ctx, event)
	return err
}

// GiveClick is [Intake.Give] for a [bridge.EventClickToCall]. It also returns what the
// Tracker decided about the click-to-call.
func (i *Intake) GiveClick(ctx context.Context, event bridge.Event) (bridge.ClickDecision, error) {
	stored := make(chan bridge.ClickDecision, 1)
	if err := i.queue.put(received{event: event, at: time.Now(), stored: stored}); err != nil {
		return "", err
	}
	select {
	case decision := <-stored:
		return decision, nil
	case <-ctx.Done():
		return "", fmt.Errorf("waiting until %s is stored: %w", event.Type, context.Cause(ctx))
	}
}

// Look gives the Tracker to look between two events. look must be quick,
// and change nothing.
func (i *Intake) Look(look func(*tracker.Tracker)) {
	i.tracking.Lock()
	defer i.tracking.Unlock()
	look(i.tracker)
}

// Run commits events as they arrive. When ctx ends it commits what has arrived
// by then, gives up only where the disk fails it, and returns. It returns earlier where the
// journal is damaged ([bridge.ErrStoreDamaged]). An error names how many events were not
// committed.
func (i *Intake) Run(ctx context.Context) error {
	var logging sync.WaitGroup
	done := make(chan struct{})
	logging.Go(func() { i.logGaps(done) })
	defer func() {
		i.slowness.close()
		close(done)
		logging.Wait()
	}()
	for {
		select {
		case <-ctx.Done():
			return i.processAll(ctx)
		case <-i.queue.arrived:
		}
		if err := i.processAll(ctx); err != nil {
			return err
		}
	}
}

// processAll processes until nothing waits.
func (i *Intake) processAll(ctx context.Context) error {
	for batch := i.queue.take(); len(batch) > 0; batch = i.queue.take() {
		if err := i.process(ctx, batch); err != nil {
			return err
		}
		i.queue.done(batch)
	}
	return nil
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
			r.stored <- r.decision
		}
	}
	if len(pending) > 0 {
		i.wake(pending)
	}
	if i.recorded != nil && len(batch.Recorded)+len(batch.Ended) > 0 {
		i.recorded()
	}
	if i.entries = nil; cap(batch.Events) <= mostSpare {
		clear(batch.Events)
		i.entries = batch.Events
	}
	return nil
}

func (i *Intake) apply(events []received) (batch bridge.Batch, actions []bridge.Action) {
	i.tracking.Lock()
	defer i.tracking.Unlock()
	touched := make(map[bridge.CallID]bool)
	batch.Events = slices.Grow(i.entries[:0], len(events))
	for n, r := range events {
		outcome := i.tracker.Apply(r.event)
		events[n].decision = outcome.Click
		batch.Events = append(batch.Events, bridge.Entry{Event: r.event, Received: r.at, Call: outcome.Call})
		batch.Reports = append(batch.Reports, outcome.Reports...)
		batch.Ended = append(batch.Ended, outcome.Ended...)
		batch.Recorded = append(batch.Recorded, outcome.Recorded...)
		if r.event.Type == bridge.EventClickResult && r.event.ClickToCall != nil || outcome.Click == bridge.ClickAccepted {
			batch.ClickToCalls = append(batch.ClickToCalls, *r.event.ClickToCall)
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

// commit tries until the batch is durable. A store that is damaged ends that at once. Once
// ctx has ended one failure more is the last.
func (i *Intake) commit(ctx context.Context, batch bridge.Batch) ([]bridge.Pending, error) {
	pauses := retry.New(commitPauses)
	for attempt := 1; ; attempt++ {
		// The commit itself is not cancelled: it is short, or the disk is gone.
		done := i.slowness.watch()
		pending, err := i.journal.Commit(context.WithoutCancel(ctx), batch)
		done()
		i.failing.Store(err != nil)
		if err == nil {
			i.trouble.Over(storing)
			return pending, nil
		}
		if errors.Is(err, bridge.ErrStoreDamaged) {
			return nil, i.unstored(batch, err)
		}
		i.trouble.Failed(storing, oncelog.Cause(err), zap.Int("attempt", attempt), zap.Error(err))
		if retry.Sleep(ctx, pauses.Next()) != nil {
			return nil, i.unstored(batch, err)
		}
	}
}

// unstored counts the events that a failed commit leaves in memory.
func (i *Intake) unstored(batch bridge.Batch, err error) error {
	return fmt.Errorf("%d events were not stored: %w", len(batch.Events)+i.queue.waiting(), err)
}

// Unstored is when the first of the events arrived that are not durable; zero where all
// are. It may be called at any time, and never waits for the disk.
func (i *Intake) Unstored() time.Time { return i.queue.oldest() }

// Stats may be called at any time, and never waits for the disk.
func (i *Intake) Stats() Stats {
	stats := Stats{
		Events: i.events.Load(), Reports: i.reports.Load(), NotUnderstood: i.notes.counts(), Failed: i.failures.counts(),
		OpenCalls: int(i.openCalls.Load()), Failing: i.failing.Load(), Stalled: i.slowness.stalled(),
	}
	i.queue.count(&stats)
	return stats
}
