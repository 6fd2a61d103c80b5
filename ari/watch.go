package ari

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"kontur-ari/internal/retry"
)

// ping finds out whether anybody is at the other end, until ctx or the peer ends.
// An event is as good a sign of life as a pong, which queues behind events.
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

// verify asks Asterisk whether the application hears everything that it should.
// errDeaf when the answer is no.
func (c *connection) verify(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.source.config.Timings.CheckWithin)
	defer cancel()
	state, err := c.source.rest.Application(ctx, c.source.rest.application)
	if err != nil {
		return deafIfNotFound(err)
	}
	return state.complete()
}

// watch verifies again and again, and returns when the connection must be given
// up. An answer that the application is deaf is final. No answer is not: in the
// known deadlock of Asterisk (issue 2170) this request hangs until Asterisk is
// restarted and no websocket can be opened any more, while open ones go on; so a
// connection on which events arrive is kept.
func (c *connection) watch(ctx context.Context) error {
	unanswered := 0
	for {
		if unanswered == 0 {
			if err := c.idle(ctx); err != nil {
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
			c.source.hears()
			c.source.tellClock()
		case errors.Is(err, errDeaf):
			return err
		case c.heard.Load() != before:
			unanswered = 0
			c.source.hears()
			c.doubt(err)
		case unanswered > 0:
			return fmt.Errorf("%w: the subscription can't be verified: %w", errDeaf, err)
		default:
			unanswered++
		}
	}
}

// idle waits until the next check is due, and meanwhile takes the snapshots that are
// asked for.
func (c *connection) idle(ctx context.Context) error {
	due := time.NewTimer(c.source.config.Timings.CheckEvery)
	defer due.Stop()
	for {
		select {
		case <-due.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-c.source.resync:
			c.gate.shut()
			if _, err := c.snapshot(ctx); err != nil {
				return err
			}
		}
	}
}

// doubt logs, once per connection, that it is kept without being verified.
func (c *connection) doubt(err error) {
	if c.doubted {
		return
	}
	c.doubted = true
	c.source.logger.Warn("Asterisk does not answer for our application, but its events arrive: "+
		"if this goes on, ARI has hung and only a restart of Asterisk helps", zap.Error(err))
}

// deafIfNotFound: an application that Asterisk doesn't know although its
// websocket is open is the mark of a deaf socket.
func deafIfNotFound(err error) error {
	if errors.Is(err, ErrNotFound) {
		return fmt.Errorf("%w: %w", errDeaf, err)
	}
	return err
}
