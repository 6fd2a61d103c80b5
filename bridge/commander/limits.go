package commander

import (
	"sync"
	"time"

	"kontur-ari/bridge"
	"kontur-ari/bridge/tracker"
)

// minutes bounds how many click-to-calls each user may begin in a minute. Users are those of
// the directory, so their number is bounded.
type minutes struct {
	most int

	mu sync.Mutex
	// given are the times of a user's click-to-calls in the last minute.
	given map[string][]time.Time
}

func newMinutes(most int) *minutes { return &minutes{most: most, given: make(map[string][]time.Time)} }

// admit checks a click-to-call against the limits of its user and counts it. Of two commands
// at the same time the Tracker still refuses one too many when it is given to it.
func (c *Commander) admit(click bridge.ClickToCall) *bridge.Refusal {
	var decision bridge.ClickDecision
	c.tracking.Look(func(t *tracker.Tracker) { decision = t.DecideClick(click, c.config.AtOnce) })
	if decision == bridge.ClickTooMany {
		return tooMany()
	}
	if !c.minutes.count(click.From, time.Now()) {
		return &bridge.Refusal{Status: bridge.RefusedRate, Message: "This user has ordered as many calls in the last minute as the telephone exchange allows."}
	}
	return nil
}

func tooMany() *bridge.Refusal {
	return &bridge.Refusal{Status: bridge.RefusedRate, Message: "This user has as many calls going on as the telephone exchange allows at a time."}
}

// count adds a click-to-call of a user; false where the minute before has too many already.
func (m *minutes) count(user string, now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	recent := m.given[user]
	for len(recent) > 0 && now.Sub(recent[0]) >= time.Minute {
		recent = recent[1:]
	}
	if len(recent) >= m.most {
		m.given[user] = recent
		return false
	}
	m.given[user] = append(recent, now)
	return true
}
