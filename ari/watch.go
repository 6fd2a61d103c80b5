package ari

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"kontur-ari/internal/retry"
)

// ping pings Asterisk until ctx ends or no answer comes. An event is as good a sign of
// life as a pong, which queues behind events.
func (c *connection) ping(ctx context.Context) error {
	timings := c.source.config.Timings
	for retry.Sleep(ctx, timings.PingEvery) == nil {
		before := c.heard.Load()
		within, cancel := context.WithTimeout(ctx, timings.PongWithin)
		err := c.socket.Ping(within)
		cancel()
		switch {
		case err == nil, c.heard.Load() != before:
		case errors.Is(err, context.DeadlineExceeded):
			return fmt.Errorf("%w: %w", errSilent, err)
		default:
			return fmt.Errorf("%w: %w", errClosed, err)
		}
	}
	return ctx.Err()
}

// verify reads the application's state from Asterisk. It returns errDeaf when the
// subscription or the event filter is incomplete.
func (c *connection) verify(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.source.config.Timings.CheckWithin)
	defer cancel()
	state, err := c.source.rest.Application(ctx, c.source.rest.application)
	if err != nil {
		return deafIfNotFound(err)
	}
	return state.check()
}

// watch verifies every CheckEvery, and returns when the connection must be given up. An
// answer that the application is deaf is final; a missing answer is not. In the known
// deadlock of Asterisk (asterisk/asterisk issue 2170) this request hangs until Asterisk
// is restarted. No websocket can be opened then, but open ones work: watch keeps a
// connection on which events arrive.
func (c *connection) watch(ctx context.Context) error {
	unanswered := 0
	for {
		if unanswered == 0 {
			if err := c.untilNextCheck(ctx); err != nil {
				return err
			}
		}
		before := c.heard.Load()
		err := c.verify(ctx)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil:
			unanswered = 0
			c.source.markHeard()
			c.source.logClock()
		case errors.Is(err, errDeaf):
			return err
		case c.heard.Load() != before:
			unanswered = 0
			c.source.markHeard()
			c.logUnverified(err)
		case unanswered > 0:
			return fmt.Errorf("%w: the subscription can't be verified: %w", errDeaf, err)
		default:
			unanswered++
		}
	}
}

// untilNextCheck waits until the next check is due. It takes the snapshots that Resync
// asks for until then.
func (c *connection) untilNextCheck(ctx context.Context) error {
	due := time.NewTimer(c.source.config.Timings.CheckEvery)
	defer due.Stop()
	for {
		select {
		case <-due.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-c.source.resync:
			c.events.hold()
			if _, err := c.snapshot(ctx); err != nil {
				return err
			}
		}
	}
}

// logUnverified logs, once per connection, that it is kept without being verified.
func (c *connection) logUnverified(err error) {
	if c.unverified {
		return
	}
	c.unverified = true
	c.source.logger.Warn("Asterisk does not answer for our application, but its events arrive: "+
		"if this goes on, ARI has hung and only a restart of Asterisk helps", zap.Error(err))
}

// deafIfNotFound returns errDeaf for a 404: when Asterisk doesn't know the application
// although its websocket is open, the websocket is deaf.
func deafIfNotFound(err error) error {
	if errors.Is(err, ErrNotFound) {
		return fmt.Errorf("%w: %w", errDeaf, err)
	}
	return err
}
