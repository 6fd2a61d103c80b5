package main

import "time"

const (
	// leap is how far the clock may get ahead of what time has passed without being
	// doubted, and doubtFor how long it is doubted when it does: a clock that was set
	// wrong is set right within a day, or nobody knows better.
	leap     = time.Minute
	doubtFor = 24 * time.Hour
)

// horizon says what time it is for whoever deletes what is old. A clock that jumps
// ahead by years would have everything deleted at once; it is followed after a day.
type horizon struct {
	// base is what it was when the process started, as far as that is believed.
	base time.Time
	// doubted is how long after the start the clock was first seen to be ahead; negative
	// while it is not.
	doubted time.Duration
}

// newHorizon begins at the start of the process. heard is a moment that the last process
// has recorded shortly before it ended, zero for none: where what it has left would be
// too old altogether, the clock is doubted as if it had jumped then.
func newHorizon(started, heard time.Time, keep time.Duration) *horizon {
	h := &horizon{base: started.Round(0), doubted: -1}
	if !heard.IsZero() && started.Sub(heard) > keep {
		h.base = heard
	}
	return h
}

// now is what is believed, when the clock shows a time so long after the start. It is
// never later than the clock.
func (h *horizon) now(clock time.Time, since time.Duration) time.Time {
	clock = clock.Round(0)
	believed := h.base.Add(since)
	ahead := clock.Sub(believed)
	switch {
	case ahead <= 0:
		h.doubted = -1
		return clock
	case ahead < leap:
	case h.doubted < 0:
		h.doubted = since
		return believed
	case since-h.doubted < doubtFor:
		return believed
	}
	h.base, h.doubted = h.base.Add(ahead), -1
	return clock
}
