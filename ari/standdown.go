package ari

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"kontur-ari/internal/retry"
)

const (
	// freeLooks is how many looks in a row must find the application's name free
	// before we take it again.
	freeLooks = 3
	// ghostPause is how long a handshake that we gave up, and that Asterisk served
	// only now, may hold our name before Asterisk notices that nobody is there.
	ghostPause = time.Second
)

// standDown waits until whoever took our application is gone, or ctx ends. It
// only looks at Asterisk's list of applications, so it can't disturb the other.
func (s *Source) standDown(ctx context.Context, cause error) {
	s.change(Status{State: StoodDown, Cause: CauseReplaced, Reason: advice[CauseReplaced]})
	// After Asterisk has stood still, the one who replaced us may be ourselves: a
	// handshake whose patience ended, served late. Its name is free at once.
	if retry.Sleep(ctx, ghostPause) != nil || s.nameIsFree(ctx) {
		return
	}
	s.logged = CauseReplaced
	s.logger.Error("stood down: no events from Asterisk",
		zap.String("application", s.rest.application),
		zap.String("reason", advice[CauseReplaced]), zap.Error(cause))
	for free := 0; free < freeLooks; {
		if retry.Sleep(ctx, s.config.Timings.StoodDownCheck) != nil {
			return
		}
		if s.nameIsFree(ctx) {
			free++
		} else {
			free = 0
		}
	}
	s.logger.Warn("the other listener is gone: connecting again",
		zap.String("application", s.rest.application))
}

// nameIsFree reports whether Asterisk says that nobody is registered under our
// application's name. No answer is not a yes.
func (s *Source) nameIsFree(ctx context.Context) bool {
	_, err := s.rest.Application(ctx, s.rest.application)
	return errors.Is(err, ErrNotFound)
}
