package redirect

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"kontur-ari/bridge"
	"kontur-ari/bridge/directory"
	"kontur-ari/internal/oncelog"
)

const (
	// mostCallers is how many callers are asked about at the same time.
	mostCallers = 100
	// mostPhones bounds the telephones that are looked at for one caller, and
	// phoneReaders how many of them at a time.
	mostPhones, phoneReaders = 20, 4
	// mostReserved is the part of a caller's time that is kept for handing over the
	// result, unless a third of it is less.
	mostReserved = 300 * time.Millisecond
)

// Config is what a [Redirector] works with. All fields are required.
type Config struct {
	CRM        CRM
	Switch     Switch
	Identities Identities
	// Numbers normalises callers' numbers as reports do.
	Numbers *directory.Numbers
	// Users are those of the directory.
	Users []directory.User
	// Timeout is how long a caller may wait, from [Redirector.Enter] until the channel
	// continues. Where Asterisk doesn't answer it may be some seconds longer.
	Timeout time.Duration
}

// Redirector serves the callers that wait. Its methods may be called concurrently.
type Redirector struct {
	config      Config
	log         *zap.Logger
	book        phonebook
	responsible *responsible
	trouble     *oncelog.Trouble
	counters    counters
	slots       chan struct{}

	// life ends the requests for all callers; channels still continue after that.
	life    context.Context
	end     context.CancelFunc
	serving sync.WaitGroup

	mu       sync.Mutex
	stopped  bool
	underway map[bridge.ChannelID]bool
	// variablesOnce is the log line about dial plans that read variables.
	variablesOnce sync.Once
	// foreign are the last logged arguments that mean nothing here.
	foreign []string
}

// New returns a Redirector, which must be stopped.
func New(config Config, log *zap.Logger) *Redirector {
	r := &Redirector{
		config:      config,
		log:         log,
		book:        newPhonebook(config.Users),
		responsible: newResponsible(config.CRM, log),
		trouble:     oncelog.New(log, zap.WarnLevel, "trouble with redirecting callers", "callers are redirected again"),
		counters:    counters{results: make(map[Result]uint64)},
		slots:       make(chan struct{}, mostCallers),
		underway:    make(map[bridge.ChannelID]bool),
	}
	r.life, r.end = context.WithCancel(context.Background())
	return r
}

// Enter begins to serve a caller and returns at once. It ignores a caller who is being
// served already, and every caller after [Redirector.Stop].
func (r *Redirector) Enter(caller Caller) {
	entered := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped || r.underway[caller.Channel] {
		return
	}
	r.underway[caller.Channel] = true
	r.serving.Go(func() { r.serve(caller, entered) })
}

// Stop lets every caller continue, including those whose events were missed. It returns
// when that is done or ctx ends. Call it when no more events come: it may miss a caller
// who enters Stasis later. The error means that known callers still wait.
func (r *Redirector) Stop(ctx context.Context) error {
	r.mu.Lock()
	r.stopped = true
	r.mu.Unlock()
	r.end()
	served := make(chan struct{})
	go func() { r.serving.Wait(); close(served) }()
	select {
	case <-served:
	case <-ctx.Done():
		return fmt.Errorf("callers still wait in Stasis: %w", ctx.Err())
	}
	r.releaseWaiting(ctx)
	return nil
}

// decision is what was found out for a caller.
type decision struct {
	result Result
	phone  Phone
	// err is what went wrong, for the log; nil where nothing did.
	err error
}

// serve takes one caller from entering to going on.
func (r *Redirector) serve(caller Caller, entered time.Time) {
	into, ours := answerContext(caller.Arguments)
	if !ours {
		r.dismiss(caller)
		return
	}
	deadline := entered.Add(r.config.Timeout)
	asking, cancel := context.WithDeadline(r.life, deadline.Add(-reserved(r.config.Timeout)))
	decided := r.admit(asking, caller)
	cancel()
	handed := r.handOver(caller, into, decided, deadline)
	r.noteOutcome(caller, decided, handed, entered)
}

// reserved is the part of a caller's time that is kept for handing over the result.
func reserved(whole time.Duration) time.Duration { return min(mostReserved, whole/3) }

// admit decides about a caller, if there is room.
func (r *Redirector) admit(ctx context.Context, caller Caller) decision {
	if caller.Found {
		// The caller has waited for an unknown time.
		return decision{result: Failed}
	}
	select {
	case r.slots <- struct{}{}:
		defer func() { <-r.slots }()
		return r.decide(ctx, caller)
	default:
		return decision{result: Overload, err: errOverload}
	}
}

var errOverload = fmt.Errorf("more than %d callers wait", mostCallers)

// decide asks the CRM and the switch.
func (r *Redirector) decide(ctx context.Context, caller Caller) decision {
	query, known, err := r.query(ctx, caller)
	switch {
	case err != nil:
		return decision{result: classify(ctx, err), err: err}
	case !known:
		return decision{result: Nobody}
	}
	users, failed, err := r.responsible.ask(ctx, query)
	if failed != "" {
		return decision{result: failed, err: fmt.Errorf("asking the CRM who is responsible: %w", err)}
	}
	candidates := r.book.candidates(users, mostPhones)
	states, err := r.phoneStates(ctx, candidates)
	result, phone := choose(candidates, states)
	if result == Failed && ctx.Err() != nil {
		result = classify(ctx, ctx.Err())
	}
	return decision{result: result, phone: phone, err: err}
}

// query returns how to ask the CRM about a caller; false where it can't be asked.
func (r *Redirector) query(ctx context.Context, caller Caller) (Query, bool, error) {
	number := r.config.Numbers.Normalise(caller.Number)
	if number != "" {
		return Query{PhoneNumber: number}, !r.config.Numbers.IsInternal(number), nil
	}
	// The CRM doesn't know the call before it has answered its call-started.
	_, known, err := r.config.Identities.Identity(ctx, caller.Call)
	if err != nil {
		return Query{}, false, fmt.Errorf("finding the CRM's id of the call: %w", err)
	}
	return Query{Call: caller.Call}, known, nil
}

// phoneStates asks the switch about each telephone. The state is [PhoneUnread] where that
// fails; the error is the first failure.
func (r *Redirector) phoneStates(ctx context.Context, phones []Phone) ([]PhoneState, error) {
	states := make([]PhoneState, len(phones))
	var readers errgroup.Group
	readers.SetLimit(phoneReaders)
	for i, phone := range phones {
		readers.Go(func() (err error) {
			if states[i], err = r.config.Switch.PhoneState(ctx, phone.Endpoint); err != nil {
				states[i] = PhoneUnread
				return fmt.Errorf("looking at the telephone %s: %w", phone.Endpoint, err)
			}
			return nil
		})
	}
	return states, readers.Wait()
}
