package redirect

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sony/gobreaker/v2"
	"go.uber.org/zap"
)

const (
	// tripAfter is how many failures in a row make us stop asking the CRM.
	tripAfter = 5
	// openFor is how long the CRM isn't asked then. After that, the question of one caller
	// decides whether it works again.
	openFor = 10 * time.Second
)

// responsible asks the CRM, and pauses after failures in a row: with a dead CRM, not every
// caller should wait for the timeout. Safe for concurrent use.
type responsible struct {
	crm     CRM
	breaker *gobreaker.CircuitBreaker[[]string]
}

func newResponsible(crm CRM, log *zap.Logger) *responsible {
	return &responsible{crm: crm, breaker: gobreaker.NewCircuitBreaker[[]string](gobreaker.Settings{
		Name:        "call-redirect",
		MaxRequests: 1,
		Timeout:     openFor,
		ReadyToTrip: func(counts gobreaker.Counts) bool { return counts.ConsecutiveFailures >= tripAfter },
		// A question that a stop has cancelled says nothing about the CRM.
		IsExcluded: func(err error) bool { return errors.Is(err, context.Canceled) },
		OnStateChange: func(_ string, from, to gobreaker.State) {
			fields := []zap.Field{zap.Stringer("from", from), zap.Stringer("state", to)}
			switch to {
			case gobreaker.StateOpen:
				log.Warn("the CRM is not asked for responsible users: it has failed again and again", fields...)
			case gobreaker.StateHalfOpen:
				log.Debug("the CRM is asked once for a responsible user", fields...)
			case gobreaker.StateClosed:
				log.Info("the CRM is asked for responsible users again", fields...)
			}
		},
	})}
}

// ask returns the users that the CRM names, which may be none; a result other than "" says
// why it couldn't be asked.
func (r *responsible) ask(ctx context.Context, query Query) ([]string, Result, error) {
	users, err := r.breaker.Execute(func() ([]string, error) {
		users, err := r.crm.Responsible(ctx, query)
		if err != nil && errors.Is(ctx.Err(), context.Canceled) {
			err = fmt.Errorf("%w: %w", context.Canceled, err)
		}
		return users, err
	})
	if err != nil {
		return nil, classify(ctx, err), err
	}
	return users, "", nil
}

// state is the circuit's state for people: "closed", "half-open" or "open".
func (r *responsible) state() string { return r.breaker.State().String() }

// classify is the one place that says what an error means for the caller; ctx is the
// one that bounded what failed.
func classify(ctx context.Context, err error) Result {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, gobreaker.ErrOpenState), errors.Is(err, gobreaker.ErrTooManyRequests):
		return CircuitOpen
	case errors.Is(err, context.DeadlineExceeded), errors.Is(ctx.Err(), context.DeadlineExceeded):
		return TimedOut
	default:
		return Failed
	}
}
