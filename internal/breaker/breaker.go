// Package breaker decides how many requests may be in flight to a service that others
// share: a circuit breaker. It stops asking a service that is down, probes it with one
// request after a pause, and lets one more through with every success after that.
//
// It is no library: those of the field have one fixed pause, and close at the first
// success. Here a pause grows, the service may ask for a longer one, failures
// of one key alone open nothing, and load returns step by step.
package breaker

import "time"

// Settings are how a [Breaker] decides. All fields are required.
type Settings struct {
	// MaxInFlight bounds the requests in flight while the breaker is closed.
	MaxInFlight int
	// OpenAfter failures in a row open a closed breaker, ReopenAfter a half-open one.
	// They must be of more than one key: one that the service can't digest opens nothing.
	OpenAfter, ReopenAfter int
	// CloseAfter successes close an open breaker. The first makes it half-open.
	CloseAfter int
	// Pause returns how long an open breaker waits before it lets a probe through.
	// opened counts how often it has opened since it was closed; 1 is the first time.
	Pause func(opened int) time.Duration
}

// State is what a [Breaker] lets through.
type State string

// The states of a breaker.
const (
	// Closed lets through MaxInFlight requests at a time.
	Closed State = "closed"
	// Open lets nothing through until its pause is over, then one probe at a time.
	Open State = "open"
	// HalfOpen lets through one request more with every success.
	HalfOpen State = "half-open"
)

// Breaker is pure: callers pass the time, and must call [Breaker.Begin] for each
// request, then exactly one of Succeeded, Failed and Abandoned. One goroutine at a
// time uses it.
type Breaker struct {
	settings Settings

	state    State
	inFlight int
	// successes since the breaker opened; they limit a half-open breaker.
	successes int
	// failures in a row, the key of the last one, and whether several keys failed.
	failures int
	lastKey  string
	several  bool
	// opened counts how often the breaker opened since it was closed.
	opened int
	// probeAt is the end of the pause, pausedUntil that of the pause which the service
	// asked for.
	probeAt, pausedUntil time.Time
}

// Failure is how a request failed that may succeed later.
type Failure struct {
	// Key is whose request it was. Failures with Key "" count as those of several keys.
	Key string
	// Everybody: every other request fails for the same reason. It opens the breaker
	// at once.
	Everybody bool
	// RetryAfter is the pause that the service asked for; 0 for none. It opens the
	// breaker at once, and no success of a request in flight cuts it short.
	RetryAfter time.Duration
}

// New returns a closed Breaker.
func New(settings Settings) *Breaker {
	return &Breaker{settings: settings, state: Closed}
}

// Allows returns whether one more request may begin now.
func (b *Breaker) Allows(now time.Time) bool {
	if b.state == Open && now.Before(b.probeAt) {
		return false
	}
	return b.inFlight < b.Limit()
}

// Limit returns how many requests the state lets be in flight. For an open breaker
// that is the one probe, whether its pause is over or not.
func (b *Breaker) Limit() int {
	switch b.state {
	case Open:
		return 1
	case HalfOpen:
		return 1 + b.successes
	}
	return b.settings.MaxInFlight
}

// State returns the state. An open breaker stays open until a probe succeeds.
func (b *Breaker) State() State { return b.state }

// InFlight returns how many requests have begun and not ended.
func (b *Breaker) InFlight() int { return b.inFlight }

// ProbeAt returns when an open breaker lets a probe through.
func (b *Breaker) ProbeAt() time.Time { return b.probeAt }

// Begin counts a request that [Breaker.Allows] has let through.
func (b *Breaker) Begin() { b.inFlight++ }

// Abandoned ends a request that says nothing about the service.
func (b *Breaker) Abandoned() { b.inFlight-- }

// Succeeded ends a request that the service answered: it is up.
func (b *Breaker) Succeeded(now time.Time) {
	b.inFlight--
	b.failures, b.several = 0, false
	switch {
	case b.state == Closed, b.state == Open && now.Before(b.pausedUntil):
		return
	case b.state == Open:
		b.state, b.successes = HalfOpen, 0
	}
	if b.successes++; b.successes >= b.settings.CloseAfter {
		b.close()
	}
}

// Idle closes a half-open breaker while nothing is in flight, and returns whether it
// did. Callers use it when nothing waits to be sent: then no crowd can run the
// service over.
func (b *Breaker) Idle() bool {
	if b.state != HalfOpen || b.inFlight > 0 {
		return false
	}
	b.close()
	return true
}

func (b *Breaker) close() { b.state, b.opened = Closed, 0 }

// Failed ends a request that failed and may succeed later.
func (b *Breaker) Failed(now time.Time, failure Failure) {
	b.inFlight--
	asked := now.Add(failure.RetryAfter)
	b.pausedUntil = later(b.pausedUntil, asked)
	if b.state == Open && now.Before(b.probeAt) {
		// It began before the breaker opened, so its failure is no news.
		b.probeAt = later(b.probeAt, asked)
		return
	}
	b.several = b.several || failure.Key == "" || b.failures > 0 && failure.Key != b.lastKey
	b.lastKey = failure.Key
	b.failures++
	if b.opens(failure) {
		b.state = Open
		b.opened++
		b.probeAt = now.Add(max(failure.RetryAfter, b.settings.Pause(b.opened)))
	}
}

// opens returns whether the failure that was just counted opens the breaker.
func (b *Breaker) opens(failure Failure) bool {
	switch {
	case b.state == Open, failure.Everybody, failure.RetryAfter > 0:
		return true
	case b.state == HalfOpen:
		return b.several && b.failures >= b.settings.ReopenAfter
	}
	return b.several && b.failures >= b.settings.OpenAfter
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
