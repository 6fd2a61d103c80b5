package ari

import (
	"net/http"
	"sync"
	"time"
)

const (
	// sameClock is the difference below which two clocks count as one: the Date of
	// Asterisk's answers is in whole seconds.
	sameClock = time.Second
	// clockStep is the smallest correction of an offset that is in use.
	clockStep = 50 * time.Millisecond
	// clockWindow is how long events of one window are collected. A window counts for
	// one or two such spans.
	clockWindow = 5 * time.Second
)

// clock estimates Asterisk's clock: by how much it is ahead of ours. Events are the
// first source: they arrive a moment after the time they carry. While there are none,
// the Date of answers is the second.
//
// The estimate never exceeds the truth, so that nothing gets a time of Asterisk that is
// still to come. The exception is a moment after Asterisk's clock was set back. All
// methods may be called concurrently.
type clock struct {
	mu sync.Mutex
	// estimate is the best guess. inUse is derived from it: 0 while the clocks are about
	// the same, and otherwise as steady as possible.
	estimate, inUse time.Duration
	// recent and before are the last two windows of events.
	recent, before eventWindow
}

// eventWindow is what the events of one window showed.
type eventWindow struct {
	since time.Time
	// ahead is the largest difference that one of them showed.
	ahead time.Duration
}

// observeEvent takes an event's time and when the event arrived. Within a window the
// event with the shortest way is the most accurate one.
func (c *clock) observeEvent(at, arrived time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ahead := at.Sub(arrived)
	age := arrived.Sub(c.recent.since)
	switch {
	case c.recent.since.IsZero(), age < 0, age >= 2*clockWindow:
		c.recent, c.before = eventWindow{arrived, ahead}, eventWindow{}
	case age >= clockWindow:
		c.recent, c.before = eventWindow{arrived, ahead}, c.recent
	default:
		c.recent.ahead = max(c.recent.ahead, ahead)
	}
	c.estimate = c.recent.ahead
	if !c.before.since.IsZero() {
		c.estimate = max(c.estimate, c.before.ahead)
	}
	c.useEstimate()
}

// observeDate takes the Date of an answer, and when its request was sent and the answer
// received.
func (c *clock) observeDate(header http.Header, sent, received time.Time) {
	date, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if age := received.Sub(c.recent.since); !c.recent.since.IsZero() && age >= 0 && age < 2*clockWindow {
		// Events are more accurate, and a proxy may have written the Date.
		return
	}
	least, most := date.Sub(received), date.Add(time.Second).Sub(sent)
	if c.estimate < least || c.estimate > most {
		c.estimate = least
	}
	c.useEstimate()
}

// useEstimate derives the offset in use from the estimate. It requires the lock.
func (c *clock) useEstimate() {
	ahead := c.estimate
	if ahead.Abs() < sameClock {
		ahead = 0
	}
	if (ahead-c.inUse).Abs() >= sameClock || c.inUse != 0 && ahead-c.inUse >= clockStep {
		c.inUse = ahead
	}
}

// ahead returns by how much Asterisk's clock is ahead of ours: negative when it is
// behind, 0 when they differ by less than a second.
func (c *clock) ahead() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.inUse
}

// at returns the time on Asterisk's clock when ours shows that time.
func (c *clock) at(ours time.Time) time.Time { return ours.Add(c.ahead()) }
