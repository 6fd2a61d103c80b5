package ari

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"kontur-ari/internal/retry"
)

const (
	// freeChecks is how many checks in a row must find the application's name free
	// before we connect again.
	freeChecks = 3
	// lateHandshakePause is how long a handshake of ours that timed out, and that
	// Asterisk serves late, may hold the name before Asterisk sees that it is closed.
	lateHandshakePause = time.Second
)

// standDown waits until the listener that took our application is gone, or ctx ends. It
// only reads Asterisk's list of applications, so it can't disturb that listener.
func (s *Source) standDown(ctx context.Context, cause error) {
	s.change(Status{State: StoodDown, Cause: CauseReplaced, Reason: advice[CauseReplaced]})
	// After Asterisk has stood still, we may have replaced ourselves by a handshake that
	// timed out and was served late. Then the name is free at once.
	if retry.Sleep(ctx, lateHandshakePause) != nil || s.nameIsFree(ctx) {
		return
	}
	s.logged = CauseReplaced
	s.logger.Error("stood down: no events from Asterisk",
		zap.String("application", s.rest.application),
		zap.String("reason", advice[CauseReplaced]), zap.Error(cause))
	for free := 0; free < freeChecks; {
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

// nameIsFree reports whether Asterisk says that no listener is registered under our
// application's name. Without an answer it returns false.
func (s *Source) nameIsFree(ctx context.Context) bool {
	_, err := s.rest.Application(ctx, s.rest.application)
	return errors.Is(err, ErrNotFound)
}
