package daemon

import "time"

const (
	// leap is how far ahead of the elapsed time the clock may get without being doubted.
	// doubtFor is how long it is doubted then: an operator corrects it within a day, or
	// it was right.
	leap     = time.Minute
	doubtFor = 24 * time.Hour
)

// horizon gives the time that old entries are removed by. A clock that jumps ahead by
// years would make everything old at once. Such a jump is believed after a day.
type horizon struct {
	// base is the time of the start, as far as it is believed.
	base time.Time
	// doubted is how long after the start the clock was first seen to be ahead; negative
	// while it is not.
	doubted time.Duration
}

// newHorizon begins at the start of the process. heard was recorded shortly before the
// last process ended, zero for never. If the clock makes everything of that process too
// old to keep, it is doubted as after a jump.
func newHorizon(started, heard time.Time, keep time.Duration) *horizon {
	h := &horizon{base: started.Round(0), doubted: -1}
	if !heard.IsZero() && started.Sub(heard) > keep {
		h.base = heard
	}
	return h
}

// now returns the believed time. clock is what the clock shows, since the time elapsed
// since the start. The result is never later than clock.
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
