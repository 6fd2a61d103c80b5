package commander

import (
	"sync"
	"time"

	"kontur-ari/bridge"
	"kontur-ari/bridge/tracker"
)

// limits bound the click-to-calls of each user. Users are those of the directory, so their
// number is bounded.
type limits struct {
	perMinute, atOnce int

	mu sync.Mutex
	// given are the times of a user's click-to-calls in the last minute; admitted those of
	// them that the Tracker may not know yet.
	given    map[string][]time.Time
	admitted map[string]map[string]bool
}

func newLimits(perMinute, atOnce int) *limits {
	return &limits{
		perMinute: perMinute, atOnce: atOnce,
		given: make(map[string][]time.Time), admitted: make(map[string]map[string]bool),
	}
}

// admit counts a click-to-call against the limits of its user. The caller must call release
// once the Tracker knows it.
func (c *Commander) admit(click bridge.ClickToCall) (release func(), refusal *bridge.Refusal) {
	l := c.limits
	l.mu.Lock()
	defer l.mu.Unlock()
	open := make(map[string]bool)
	for communication := range l.admitted[click.From] {
		open[communication] = true
	}
	c.tracking.Look(func(t *tracker.Tracker) {
		known, _ := t.OpenClickToCalls()
		for _, other := range known {
			if other.From == click.From {
				open[other.CommunicationID] = true
			}
		}
	})
	if len(open) >= l.atOnce {
		return nil, &bridge.Refusal{Status: bridge.RefusedRate, Message: "This user has as many calls going on as the telephone exchange allows at a time."}
	}
	if !l.count(click.From, time.Now()) {
		return nil, &bridge.Refusal{Status: bridge.RefusedRate, Message: "This user has ordered as many calls in the last minute as the telephone exchange allows."}
	}
	if l.admitted[click.From] == nil {
		l.admitted[click.From] = make(map[string]bool)
	}
	l.admitted[click.From][click.CommunicationID] = true
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.admitted[click.From], click.CommunicationID)
	}, nil
}

// count adds a click-to-call of a user; false where the minute before has too many already.
// The caller holds the lock.
func (l *limits) count(user string, now time.Time) bool {
	recent := l.given[user]
	for len(recent) > 0 && now.Sub(recent[0]) >= time.Minute {
		recent = recent[1:]
	}
	if len(recent) >= l.perMinute {
		l.given[user] = recent
		return false
	}
	l.given[user] = append(recent, now)
	return true
}
