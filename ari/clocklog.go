package ari

import (
	"time"

	"go.uber.org/zap"
)

// tellApart is how far the clocks must be apart to be told, and how much the
// difference must change to be told again.
const tellApart = 5 * time.Second

// Now is the time on Asterisk's clock, as far as that is known from its events and
// answers; our own while the two differ by less than a second. What we add to the
// events must carry it, since durations are reckoned between the two. It may be called
// at any time.
func (s *Source) Now() time.Time { return s.switcher.clock.at(time.Now()) }

// ClockAhead is by how much Asterisk's clock is ahead of ours; negative when it is
// behind, 0 when they differ by less than a second or nothing is known. It may be
// called at any time.
func (s *Source) ClockAhead() time.Duration { return s.switcher.clock.lead() }

// tellClock logs that the clocks differ, once for each difference, and that they agree
// again. It is called by Run's goroutine only.
func (s *Source) tellClock() {
	ahead := s.ClockAhead()
	switch {
	case ahead == 0 && s.clockTold != 0:
		s.logger.Info("the clocks of Asterisk and of this host agree again")
	case ahead == 0, ahead.Abs() < tellApart && s.clockTold == 0, (ahead - s.clockTold).Abs() < tellApart:
		return
	default:
		s.logger.Warn("the clocks of Asterisk and of this host differ: calls are told with the times of Asterisk's, so see that it is right",
			zap.Duration("ahead", ahead.Round(time.Millisecond)))
	}
	s.clockTold = ahead
}
