package crm

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.uber.org/zap"

	"kontur-ari/internal/secret"
)

const (
	// keyLifetime is how long the CRM takes an access key, less what a request
	// needs to get there; renewAfter is the age from which a new one is asked for.
	keyLifetime = 20*time.Minute - 15*time.Second
	renewAfter  = 15 * time.Minute
	// The pause after a failed authorisation, in which no request tries again:
	// doubled every time, from the first to the longest.
	firstAuthPause   = time.Second
	longestAuthPause = 30 * time.Second
)

// refusal is an authorisation that failed. It is no reason to give a report up:
// it waits until the configuration is repaired.
type refusal struct {
	// reason is stable for one cause and holds no secret.
	reason string
	// pause is the least pause that the CRM asked for, or what is left of ours.
	pause time.Duration
}

func (r *refusal) Error() string { return r.reason }

// State is how things stand between the client and the CRM.
type State struct {
	// Authorised: the latest authorisation succeeded, and no key from it was
	// refused. That its key has expired in a quiet hour changes nothing.
	Authorised bool
	// Reason says why not; "" when authorised or never tried.
	Reason string
	// Workspace and Instance are what the CRM said last; zero until then.
	Workspace string
	Instance  Instance
}

// access keeps the access key: in memory only, renewed when a request needs it
// and it is no longer fresh, by one authorisation at a time. All methods may be
// called concurrently.
type access struct {
	log *zap.Logger
	// authorise makes one authorisation; it is bounded in time by itself.
	authorise func(context.Context) (grant, error)
	// life ends every authorisation under way; flights are those.
	life    context.Context
	end     context.CancelFunc
	flights sync.WaitGroup

	mu     sync.Mutex
	key    secret.String
	asked  time.Time     // when the key was asked for
	flight chan struct{} // closed when the authorisation under way is over; nil: none is
	failed *refusal      // of the latest authorisation; nil if it succeeded
	until  time.Time     // no authorisation is tried before
	pause  time.Duration // the last of our pauses; 0 after a success
	state  State
	// doubted: a new key was refused, so that until the CRM takes one, being
	// given another is no success. granted is what was given last.
	doubted bool
	granted grant
}

func newAccess(log *zap.Logger, authorise func(context.Context) (grant, error)) *access {
	a := &access{log: log, authorise: authorise}
	a.life, a.end = context.WithCancel(context.Background())
	return a
}

// close ends the authorisation under way and returns when it has ended.
func (a *access) close() {
	a.mu.Lock()
	a.end()
	a.mu.Unlock()
	a.flights.Wait()
}

// get returns a key that is good as far as is known. A key that the CRM has just
// refused is given as rejected, and never returned again. Callers in need wait
// for one common authorisation; while the old key still is good, they use that.
// The error is a *refusal or ctx's.
func (a *access) get(ctx context.Context, rejected secret.String) (secret.String, error) {
	for waited := false; ; waited = true {
		key, flight, err := a.current(rejected, waited)
		if flight == nil {
			return key, err
		}
		select {
		case <-flight:
		case <-ctx.Done():
			return secret.String{}, ctx.Err()
		}
	}
}

// current returns a key, or an error, or the authorisation to wait for. Who has
// waited for one takes its outcome, and does not start the next.
func (a *access) current(rejected secret.String, waited bool) (secret.String, <-chan struct{}, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.key == rejected {
		a.key = secret.String{}
	}
	age := time.Since(a.asked)
	if !a.key.IsZero() && age >= keyLifetime {
		a.key = secret.String{}
	}
	if !a.key.IsZero() && age < renewAfter {
		return a.key, nil, nil
	}
	left := time.Until(a.until)
	if a.flight == nil && left <= 0 && !(waited && a.failed != nil) {
		a.start()
	}
	switch {
	case !a.key.IsZero():
		return a.key, nil, nil
	case a.flight != nil:
		return secret.String{}, a.flight, nil
	}
	return secret.String{}, nil, &refusal{reason: a.failed.reason, pause: max(left, 0)}
}

// start begins an authorisation. It belongs to no single request, so that one
// caller who gives up does not spoil it for the others.
func (a *access) start() {
	flight := make(chan struct{})
	a.flight = flight
	a.flights.Go(func() {
		asked := time.Now()
		granted, err := a.authorise(a.life)
		a.mu.Lock()
		defer a.mu.Unlock()
		defer close(flight)
		a.flight = nil
		if err != nil {
			a.fail(err)
			return
		}
		a.key, a.asked, a.granted, a.failed = granted.key, asked, granted, nil
		if !a.doubted {
			a.authorised()
		}
	})
}

// refuse notes that the CRM did not take a key although it was new. Without the
// pause that this begins, every report would ask for a new key in vain.
func (a *access) refuse(key secret.String) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.key != key {
		return
	}
	a.key, a.doubted = secret.String{}, true
	a.fail(&refusal{reason: "the CRM refuses the access key that it has just given"})
}

// trust notes that the CRM has taken a key.
func (a *access) trust() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.doubted {
		a.doubted = false
		a.authorised()
	}
}

// fail remembers why there is no key and when to ask again. The caller holds the lock.
func (a *access) fail(err error) {
	failed, ok := errors.AsType[*refusal](err)
	if !ok {
		failed = &refusal{reason: "authorisation: " + transportReason(err)}
	}
	a.pause = min(max(2*a.pause, firstAuthPause), longestAuthPause)
	a.until = time.Now().Add(max(a.pause, failed.pause))
	a.failed = failed
	if a.state.Authorised || a.state.Reason != failed.reason {
		a.log.Warn("authorisation failing", zap.String("reason", failed.reason))
	}
	a.state.Authorised, a.state.Reason = false, failed.reason
}

// authorised notes a success. The caller holds the lock.
func (a *access) authorised() {
	a.pause = 0
	workspace, instance := a.granted.workspace, a.granted.instance
	if !a.state.Authorised || a.state.Instance != instance {
		a.log.Info("authorised", zap.String("workspace", workspace),
			zap.String("instance", instance.ID), zap.String("status", instance.Status))
	}
	a.state = State{Authorised: true, Workspace: workspace, Instance: instance}
}

func (a *access) snapshot() State {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.state
}
