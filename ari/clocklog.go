package ari

import (
	"time"

	"go.uber.org/zap"
)

const (
	// tellApart is how far the clocks must be apart to be told, and how much the
	// difference must change to be told again.
	tellApart = 5 * time.Second
	// tellAfter is how long that must have been so: events that are read after a pause
	// of the whole process seem to come of a clock that is behind.
	tellAfter = 15 * time.Second
)

// toldClock is how far apart the clocks were when that was logged last, 0 when they
// agreed, and since when they are apart in another way; zero while they are not.
type toldClock struct {
	ahead  time.Duration
	differ time.Time
}

// Now is the time on Asterisk's clock, as far as that is known from its events and
// answers; our own while the two differ by less than a second. What we add to the
// events must carry it, since durations are reckoned between the two. It may be called
// at any time.
func (s *Source) Now() time.Time { return s.rest.clock.at(time.Now()) }

// ClockAhead is by how much Asterisk's clock is ahead of ours; negative when it is
// behind, 0 when they differ by less than a second or nothing is known. It may be
// called at any time.
func (s *Source) ClockAhead() time.Duration { return s.rest.clock.lead() }

// tellClock logs that the clocks differ, once for each difference, and that they agree
// again. It is called by Run's goroutine only.
func (s *Source) tellClock() {
	told, ahead := &s.told, s.ClockAhead()
	news := (ahead-told.ahead).Abs() >= tellApart || ahead == 0 && told.ahead != 0
	switch {
	case !news:
		told.differ = time.Time{}
		return
	case told.differ.IsZero():
		told.differ = time.Now()
	}
	if time.Since(told.differ) < tellAfter {
		return
	}
	*told = toldClock{ahead: ahead}
	if ahead == 0 {
		s.logger.Info("the clocks of Asterisk and of this host agree again")
		return
	}
	s.logger.Warn("the clocks of Asterisk and of this host differ: calls are told with the times of Asterisk's, so see that it is right",
		zap.Duration("ahead", ahead.Round(time.Millisecond)))
}
