package redirect

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	"kontur-ari/internal/breaker"
)

const (
	// openAfter is how many failures in a row make us stop asking the CRM.
	openAfter = 5
	// openFor is how long the CRM isn't asked then. After that, the question of one caller
	// decides whether it works again.
	openFor = 10 * time.Second
)

// errOpen means that the CRM was not asked, because it has failed again and again.
var errOpen = errors.New("the CRM is not asked: it has failed again and again")

// responsible asks the CRM, and pauses after failures in a row: with a dead CRM, not every
// caller should wait for the timeout. A question asked before the pause may still succeed:
// that ends the pause, as the success of a later one does. Safe for concurrent use.
type responsible struct {
	crm CRM
	log *zap.Logger

	mu      sync.Mutex
	breaker *breaker.Breaker
}

func newResponsible(crm CRM, log *zap.Logger) *responsible {
	return &responsible{crm: crm, log: log, breaker: breaker.New(breaker.Settings{
		MaxInFlight: mostCallers, OpenAfter: openAfter, ReopenAfter: 1, CloseAfter: 1,
		Pause: func(int) time.Duration { return openFor },
	})}
}

// ask returns the users that the CRM names, which may be none; a result other than "" says
// why it couldn't be asked.
func (r *responsible) ask(ctx context.Context, query Query) ([]string, Result, error) {
	if !r.begin() {
		return nil, classify(ctx, errOpen), errOpen
	}
	users, err := r.crm.Responsible(ctx, query)
	if err != nil && errors.Is(ctx.Err(), context.Canceled) {
		err = fmt.Errorf("%w: %w", context.Canceled, err)
	}
	r.end(err)
	if err != nil {
		return nil, classify(ctx, err), err
	}
	return users, "", nil
}

// begin counts a question that the breaker lets through.
func (r *responsible) begin() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.breaker.Allows(time.Now()) {
		return false
	}
	if r.breaker.State() == breaker.Open {
		r.log.Debug("the CRM is asked once for a responsible user",
			zap.String("from", string(breaker.Open)), zap.String("state", string(breaker.HalfOpen)))
	}
	r.breaker.Begin()
	return true
}

// end counts how a question ended.
func (r *responsible) end(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	before := r.stateLocked()
	switch {
	case err == nil:
		r.breaker.Succeeded(time.Now())
	case errors.Is(err, context.Canceled):
		// A question that a stop has cancelled says nothing about the CRM.
		r.breaker.Abandoned()
	default:
		r.breaker.Failed(time.Now(), breaker.Failure{})
	}
	r.logChange(before, r.stateLocked())
}

func (r *responsible) logChange(from, to breaker.State) {
	fields := []zap.Field{zap.String("from", string(from)), zap.String("state", string(to))}
	switch {
	case from == to:
	case to == breaker.Open:
		r.log.Warn("the CRM is not asked for responsible users: it has failed again and again", fields...)
	case to == breaker.Closed:
		r.log.Info("the CRM is asked for responsible users again", fields...)
	}
}

// state is the circuit's state for people: "closed", "half-open" or "open".
func (r *responsible) state() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return string(r.stateLocked())
}

// stateLocked returns half-open where one question may find out whether the CRM works
// again, or is doing so. The caller holds the lock.
func (r *responsible) stateLocked() breaker.State {
	if state := r.breaker.State(); state != breaker.Open || time.Now().Before(r.breaker.ProbeAt()) {
		return state
	}
	return breaker.HalfOpen
}

// classify is the one place that says what an error means for the caller; ctx is the
// one that bounded what failed.
func classify(ctx context.Context, err error) Result {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, errOpen):
		return CircuitOpen
	case errors.Is(err, context.DeadlineExceeded), errors.Is(ctx.Err(), context.DeadlineExceeded):
		return TimedOut
	default:
		return Failed
	}
}
