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

// gap is a gap in the events: it begins with the first event that found no room in memory,
// and ends with the next snapshot. As after a lost connection, the difference between two
// snapshots shows what happened in between.
type gap struct {
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
	if q.gap == nil {
		q.gap = &gap{since: r.at, room: q.most / 2, dropped: make(map[bridge.EventType]int64)}
		q.announce(gap{since: r.at})
		q.source.Missed(r.at)
	}
	h := q.gap
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

// endGap ends the gap: a snapshot was accepted into the queue. It is called with the lock held.
func (q *queue) endGap(at time.Time) {
	q.gap.until = at
	q.announce(*q.gap)
	q.gap = nil
}

// announce passes a gap to the goroutine that logs: the reader of the switch must not
// wait for the log. It is called with the lock held.
func (q *queue) announce(h gap) {
	q.gaps = append(q.gaps, h)
	signal(q.gapsChanged)
}

// takeGaps returns the gaps that began or ended since the last call.
func (q *queue) takeGaps() []gap {
	q.mu.Lock()
	defer q.mu.Unlock()
	gaps := q.gaps
	q.gaps = nil
	return gaps
}

// openGap returns the gap that has not ended; false for none.
func (q *queue) openGap() (gap, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.gap == nil {
		return gap{}, false
	}
	h := *q.gap
	h.dropped, h.channels = maps.Clone(h.dropped), slices.Clone(h.channels)
	return h, true
}

// fields name what is missing.
func (h gap) fields() []zap.Field {
	names := make([]string, len(h.channels))
	for i, id := range h.channels {
		names[i] = string(id)
	}
	return []zap.Field{zap.Any("dropped", h.dropped), zap.Strings("channels", names), zap.Int64("unnamed", h.unnamed)}
}

// logGaps logs the beginnings and ends of gaps until done is closed.
func (i *Intake) logGaps(done <-chan struct{}) {
	for ended := false; !ended; {
		select {
		case <-done:
			ended = true
		case <-i.queue.gapsChanged:
		}
		for _, h := range i.queue.takeGaps() {
			if h.until.IsZero() {
				i.log.Error("memory is full of events that can't be stored; those that come now are dropped")
				continue
			}
			i.log.Warn("events are taken again, after a new snapshot of the switch", append(h.fields(), zap.Duration("lasted", h.until.Sub(h.since)))...)
		}
	}
	if h, open := i.queue.openGap(); open {
		i.log.Warn("stopped while events are dropped", h.fields()...)
	}
}
