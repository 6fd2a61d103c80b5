package ari

import (
	"net/http"
	"sync"
	"time"
)

const (
	// sameClock is how far two clocks may be apart and count as one: Asterisk's answers
	// say the time in whole seconds.
	sameClock = time.Second
	// finer is by how much a better estimate must be better to be used.
	finer = 50 * time.Millisecond
	// window is how long what one event has shown of the clock is remembered, once
	// and at most twice that long.
	window = 5 * time.Second
)

// clock is what is known of Asterisk's clock: by how much it is ahead of ours. It is
// learnt from events, which arrive a moment after the time they carry, and while there
// are none from the Date of answers.
//
// An estimate is never more than the truth but for a moment after Asterisk's clock was
// set back, so nothing gets a time of Asterisk's that is still to come. All methods may
// be called concurrently.
type clock struct {
	mu sync.Mutex
	// estimate is the best guess, ahead what is made of it: 0 as long as both are
	// about the same, and otherwise as steady as can be.
	estimate, ahead time.Duration
	// recent and before are the windows that events were last heard in.
	recent, before heardEvents
}

// heardEvents are those of one window.
type heardEvents struct {
	since time.Time
	// ahead is the most that one of them has shown.
	ahead time.Duration
}

// hear takes an event's time and when it arrived. Of all that came within a window
// the one that was on its way for the shortest time is right.
func (c *clock) hear(at, arrived time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ahead := at.Sub(arrived)
	age := arrived.Sub(c.recent.since)
	switch {
	case c.recent.since.IsZero(), age < 0, age >= 2*window:
		c.recent, c.before = heardEvents{arrived, ahead}, heardEvents{}
	case age >= window:
		c.recent, c.before = heardEvents{arrived, ahead}, c.recent
	default:
		c.recent.ahead = max(c.recent.ahead, ahead)
	}
	c.estimate = c.recent.ahead
	if !c.before.since.IsZero() {
		c.estimate = max(c.estimate, c.before.ahead)
	}
	c.settle()
}

// answered takes the Date of an answer to a request that was sent and answered then.
func (c *clock) answered(header http.Header, sent, received time.Time) {
	date, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if age := received.Sub(c.recent.since); !c.recent.since.IsZero() && age >= 0 && age < 2*window {
		// Events say it more exactly, and a proxy may have made the Date.
		return
	}
	least, most := date.Sub(received), date.Add(time.Second).Sub(sent)
	if c.estimate < least || c.estimate > most {
		c.estimate = least
	}
	c.settle()
}

// conclude makes use of the estimate. It is called with the lock held.
func (c *clock) settle() {
	ahead := c.estimate
	if ahead.Abs() < sameClock {
		ahead = 0
	}
	if (ahead-c.ahead).Abs() >= sameClock || c.ahead != 0 && ahead-c.ahead >= finer {
		c.ahead = ahead
	}
}

// lead is by how much Asterisk's clock is ahead of ours; negative when it is behind,
// and 0 when they differ by less than a second.
func (c *clock) lead() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ahead
}

// at is what Asterisk's clock shows when ours shows that time.
func (c *clock) at(ours time.Time) time.Time { return ours.Add(c.lead()) }
