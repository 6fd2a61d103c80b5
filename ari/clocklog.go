package ari

import (
	"time"

	"go.uber.org/zap"
)

const (
	// clockTolerance is the difference between the clocks that is logged, and the change
	// of it that is logged again.
	clockTolerance = 5 * time.Second
	// clockLasting is how long such a difference must last before it is logged. Events
	// read after a pause of the whole process seem to come from a clock that is behind.
	clockLasting = 15 * time.Second
)

// clockReport is the difference between the clocks that was logged last, 0 when they
// agreed. changed is since when there is another difference; zero while there is none.
type clockReport struct {
	ahead   time.Duration
	changed time.Time
}

// Now returns the time on Asterisk's clock, as far as its events and answers show it,
// and our own time while the two differ by less than a second. Durations are computed
// between Asterisk's events and ours, so ours must carry this time. It may be called at
// any time.
func (s *Source) Now() time.Time { return s.rest.clock.at(time.Now()) }

// ClockAhead returns by how much Asterisk's clock is ahead of ours: negative when it is
// behind, 0 when they differ by less than a second or nothing is known. It may be called
// at any time.
func (s *Source) ClockAhead() time.Duration { return s.rest.clock.ahead() }

// logClock logs that the clocks differ, once for each difference, and that they agree
// again. Only Run's goroutine calls it.
func (s *Source) logClock() {
	logged, ahead := &s.clockLogged, s.ClockAhead()
	isNew := (ahead-logged.ahead).Abs() >= clockTolerance || ahead == 0 && logged.ahead != 0
	switch {
	case !isNew:
		logged.changed = time.Time{}
		return
	case logged.changed.IsZero():
		logged.changed = time.Now()
	}
	if time.Since(logged.changed) < clockLasting {
		return
	}
	*logged = clockReport{ahead: ahead}
	if ahead == 0 {
		s.logger.Info("the clocks of Asterisk and of this host agree again")
		return
	}
	s.logger.Warn("the clocks of Asterisk and of this host differ: calls are told with the times of Asterisk's, so see that it is right",
		zap.Duration("ahead", ahead.Round(time.Millisecond)))
}
