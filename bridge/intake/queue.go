package intake

import (
	"fmt"
	"maps"
	"sync"
	"time"

	"kontur-ari/bridge"
)

// DefaultMemory is what an Intake holds at most unless [WithMemory] says otherwise.
const DefaultMemory = 64 << 20

// Source is the origin of the events, for asking it again after some were lost; package
// ari implements it. Neither method may block.
type Source interface {
	// Missed reports that events since that moment were delivered and then lost. The next
	// snapshot says so.
	Missed(since time.Time)
	// Resync asks for a snapshot soon.
	Resync()
}

// noSource is a Source that can't be asked.
type noSource struct{}

func (noSource) Missed(time.Time) {}
func (noSource) Resync()          {}

// queue holds the events that are not on disk yet, within a bound. An event without room
// is dropped, and with it every event up to the next snapshot: see [gap].
type queue struct {
	source Source
	// arrived signals that there are events, gapsChanged that there are gaps to log.
	// Both have room for one.
	arrived, gapsChanged chan struct{}

	mu     sync.Mutex
	most   int64
	events []received
	// spare is the array of a batch that was stored, for the events to come. burst: events
	// are what is left of an array that was too large for one batch; storingBurst: so are
	// those that are being stored.
	spare               []received
	burst, storingBurst bool
	// size is what the events take, those of the batch that is being stored included.
	size int64
	// storing is when the first event of the batch arrived that is being stored; zero
	// while there is none.
	storing time.Time
	gap     *gap
	dropped map[bridge.EventType]int64
	// gaps are those that began or ended and are not logged yet.
	gaps []gap
}

// received is an event in memory.
type received struct {
	event bridge.Event
	at    time.Time
	// stored receives the Tracker's decision (Outcome.Click) when the event is durable. It
	// has room for that; nil where no caller waits for it.
	stored chan bridge.ClickDecision
	// decision is what stored will receive.
	decision bridge.ClickDecision
	// size is its cost.
	size int64
}

func newQueue() *queue {
	return &queue{
		source: noSource{}, most: DefaultMemory, dropped: make(map[bridge.EventType]int64),
		arrived: make(chan struct{}, 1), gapsChanged: make(chan struct{}, 1),
	}
}

// put takes an event if there is room for it. It never blocks. The error is
// [bridge.ErrNoRoom].
func (q *queue) put(r received) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	r.size = cost(&r.event)
	if !q.admits(&r) {
		if r.stored == nil {
			q.drop(&r)
		}
		return fmt.Errorf("taking %s: %w", r.event.Type, bridge.ErrNoRoom)
	}
	if q.gap != nil && r.event.Type == bridge.EventSnapshot {
		q.endGap(r.at)
	}
	if q.events == nil {
		q.events, q.spare = q.spare, nil
	}
	q.events = append(q.events, r)
	q.size += r.size
	signal(q.arrived)
	return nil
}

// admits returns whether an event is taken now.
func (q *queue) admits(r *received) bool {
	snapshot := r.event.Type == bridge.EventSnapshot
	switch {
	case r.event.Type == bridge.EventClickResult:
		// There is one for each order that was taken, and without it the order would
		// never end.
		return true
	case q.size == 0:
		// However large it is: it would find no room later either.
		return q.gap == nil || snapshot
	case q.gap != nil && !snapshot:
		return false
	}
	return q.size+r.size <= q.most
}

// mostSpare is the largest batch whose array is used again: that of a burst does not
// stay in memory.
const mostSpare = 512

// take removes up to a batch of events. Their size counts until done is called.
func (q *queue) take() []received {
	q.mu.Lock()
	defer q.mu.Unlock()
	batch, cut := q.events, len(q.events) > largestBatch
	if q.events = nil; cut {
		batch, q.events = batch[:largestBatch:largestBatch], batch[largestBatch:]
	}
	q.storingBurst, q.burst = q.burst || cut, cut
	if len(batch) > 0 {
		q.storing = batch[0].at
	}
	return batch
}

// done reports that a batch is stored, and gives it back: the caller must not use it any
// more. Once there is room again, done asks the switch for a snapshot of what was dropped.
func (q *queue) done(batch []received) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.storing = time.Time{}
	for i := range batch {
		q.size -= batch[i].size
	}
	if cap(batch) <= mostSpare && !q.storingBurst {
		clear(batch)
		q.spare = batch[:0]
	}
	if q.gap != nil && !q.gap.asked && q.size <= q.gap.room {
		q.gap.asked = true
		q.source.Resync()
	}
}

// waiting is how many events are in memory but for those that are being stored.
func (q *queue) waiting() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.events)
}

// oldest is when the first of the events arrived that are in memory; zero where there
// are none.
func (q *queue) oldest() time.Time {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.storing.IsZero() && len(q.events) > 0 {
		return q.events[0].at
	}
	return q.storing
}

// count adds what is to be shown of the queue.
func (q *queue) count(stats *Stats) {
	q.mu.Lock()
	defer q.mu.Unlock()
	stats.Waiting, stats.Memory, stats.MemoryMost = len(q.events), q.size, q.most
	stats.Dropping, stats.Dropped = q.gap != nil, maps.Clone(q.dropped)
}

// signal wakes the goroutine that waits on a channel with room for one.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
