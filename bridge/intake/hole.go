package intake

import (
	"maps"
	"slices"
	"time"

	"go.uber.org/zap"

	"kontur-ari/bridge"
)

// mostNamed bounds how many channels are named of which something was dropped.
const mostNamed = 32

// hole is what is missing between an event that found no room in memory and the
// snapshot that makes up for it. As after a lost connection, the difference between two
// snapshots shows what happened in between.
type hole struct {
	since, until time.Time
	// room is what the queue must have shrunk to before the snapshot is asked for.
	room    int64
	asked   bool
	dropped map[bridge.EventType]int64
	// channels are the first of those that the events were about; unnamed counts the
	// events about others.
	channels []bridge.ChannelID
	unnamed  int64
}

// drop notes an event that is not taken. It is called with the lock held.
func (q *queue) drop(r *received) {
	if q.hole == nil {
		q.hole = &hole{since: r.at, room: q.most / 2, dropped: make(map[bridge.EventType]int64)}
		q.announce(hole{since: r.at})
		q.source.Missed(r.at)
	}
	h := q.hole
	if r.event.Type == bridge.EventSnapshot {
		// It is too large for what room there was: the next finds more.
		h.room, h.asked = 0, false
		q.source.Missed(h.since)
	}
	q.dropped[r.event.Type]++
	h.dropped[r.event.Type]++
	id := r.event.Subject()
	switch {
	case id == "" || slices.Contains(h.channels, id):
	case len(h.channels) < mostNamed:
		h.channels = append(h.channels, id)
	default:
		h.unnamed++
	}
}

// close ends the hole: a snapshot is taken. It is called with the lock held.
func (q *queue) close(at time.Time) {
	q.hole.until = at
	q.announce(*q.hole)
	q.hole = nil
}

// announce hands a hole to the goroutine that logs: the reader of the switch must not
// wait for the log. It is called with the lock held.
func (q *queue) announce(h hole) {
	q.holes = append(q.holes, h)
	signal(q.holesChanged)
}

// takeHoles returns the holes that began or ended since the last call.
func (q *queue) takeHoles() []hole {
	q.mu.Lock()
	defer q.mu.Unlock()
	holes := q.holes
	q.holes = nil
	return holes
}

// open returns the hole that there is now, and false where there is none.
func (q *queue) open() (hole, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.hole == nil {
		return hole{}, false
	}
	h := *q.hole
	h.dropped, h.channels = maps.Clone(h.dropped), slices.Clone(h.channels)
	return h, true
}

// fields name what is missing.
func (h hole) fields() []zap.Field {
	names := make([]string, len(h.channels))
	for i, id := range h.channels {
		names[i] = string(id)
	}
	return []zap.Field{zap.Any("dropped", h.dropped), zap.Strings("channels", names), zap.Int64("unnamed", h.unnamed)}
}

// logHoles logs the beginnings and ends of holes until done is closed.
func (i *Intake) logHoles(done <-chan struct{}) {
	for ended := false; !ended; {
		select {
		case <-done:
			ended = true
		case <-i.queue.holesChanged:
		}
		for _, h := range i.queue.takeHoles() {
			if h.until.IsZero() {
				i.log.Error("memory is full of events that can't be stored; those that come now are dropped")
				continue
			}
			i.log.Warn("events are taken again, after a new snapshot of the switch", append(h.fields(), zap.Duration("lasted", h.until.Sub(h.since)))...)
		}
	}
	if h, open := i.queue.open(); open {
		i.log.Warn("stopped while events are dropped", h.fields()...)
	}
}
