package commander

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"kontur-ari/bridge"
	"kontur-ari/bridge/directory"
	"kontur-ari/bridge/tracker"
)

// Config is what the operator decides. All fields but Now are required.
type Config struct {
	// Application is the ARI application that rings the phones.
	Application string
	Directory   *directory.Directory
	Numbers     *directory.Numbers
	// Allowed reports whether a normalised number may be dialled for the CRM.
	Allowed func(number string) bool
	// PerMinute is how many click-to-calls one user may begin in a minute; AtOnce how many
	// of them may be in progress.
	PerMinute, AtOnce int
	// RingTimeout is how long a user's telephones ring.
	RingTimeout time.Duration
	// AutoAnswer asks the telephones to answer by themselves.
	AutoAnswer bool
	// Now returns the time of the switch's clock, for events; nil means [time.Now].
	Now func() time.Time
}

// Tracking is the intake of events, as far as this package uses it; package intake
// implements it.
type Tracking interface {
	// Give returns when an event is durable. [bridge.ErrNoRoom] means that it was refused
	// and never will be stored.
	Give(ctx context.Context, event bridge.Event) error
	// GiveClick is Give for a [bridge.EventClickToCall], and returns the Tracker's decision.
	GiveClick(ctx context.Context, event bridge.Event) (bridge.ClickDecision, error)
	// Put takes an event without waiting.
	Put(event bridge.Event)
	// Look calls look with the Tracker, between two events.
	Look(look func(*tracker.Tracker))
}

// Commander implements [bridge.Commander]. All methods may be called concurrently,
// until Close is called.
type Commander struct {
	config   Config
	tracking Tracking
	clicks   bridge.ClickToCalls
	phones   bridge.Phones
	log      *zap.Logger

	// unfinished are the click-to-calls that the last process has left without a result.
	unfinished []bridge.ClickToCall
	turns      *turns
	minutes    *minutes

	// ended are the recordings that are to end.
	ended ended

	repeated, failedActions atomic.Int64

	// life ends the work in the background. mu makes sure that none begins after that.
	mu         sync.Mutex
	life       context.Context
	end        context.CancelFunc
	background sync.WaitGroup
}

var _ bridge.Commander = (*Commander)(nil)

// New returns a Commander, which must be closed. The Tracker must have been restored, and no
// event applied since.
func New(config Config, tracking Tracking, clicks bridge.ClickToCalls, phones bridge.Phones, log *zap.Logger) *Commander {
	if config.Now == nil {
		config.Now = time.Now
	}
	c := &Commander{
		config: config, tracking: tracking, clicks: clicks, phones: phones, log: log,
		turns: newTurns(), minutes: newMinutes(config.PerMinute),
	}
	tracking.Look(func(t *tracker.Tracker) { c.unfinished = t.PendingClickToCalls() })
	c.life, c.end = context.WithCancel(context.Background())
	return c
}

// Close cancels the work in the background and returns when it has ended. The next process
// recovers what was interrupted (see [Commander.Recover]).
func (c *Commander) Close() {
	c.mu.Lock()
	c.end()
	c.mu.Unlock()
	c.background.Wait()
}

// Call implements [bridge.Commander].
func (c *Commander) Call(ctx context.Context, command bridge.CallCommand) error {
	// Commands of one communication run one after the other.
	leave, err := c.turns.take(ctx, strings.ToLower(command.CommunicationID))
	if err != nil {
		return fmt.Errorf("waiting for an earlier command of communication %s: %w", command.CommunicationID, err)
	}
	defer leave()
	click, phones, refusal := c.read(command)
	if refusal != nil {
		return refusal
	}
	if known, err := c.knownBefore(ctx, click); known || err != nil {
		return err
	}
	if refusal := c.admit(click); refusal != nil {
		return refusal
	}
	if accepted, err := c.store(ctx, click); !accepted || err != nil {
		return err
	}
	// Where ctx ends, the telephones that ring by then stay, and the Tracker has the other
	// channels hung up.
	rung, refusal := c.ring(ctx, click, phones)
	if refusal != nil {
		return c.refuse(ctx, click, refusal)
	}
	c.tracking.Put(bridge.NewClickPlacedEvent(click, rung, c.config.Now()))
	c.log.Debug("a call is ordered", zap.String("call", string(click.Call())), zap.String("communication", click.CommunicationID),
		zap.String("user", click.From), zap.Int("phones", len(rung)))
	return nil
}

// store gives a click-to-call to the Tracker, which accepts it or does not, and makes it
// durable. Only for one that was accepted may a telephone ring. Without an error, one that
// was not accepted was commanded before.
func (c *Commander) store(ctx context.Context, click bridge.ClickToCall) (accepted bool, err error) {
	decision, err := c.tracking.GiveClick(ctx, bridge.NewClickToCallEvent(click, c.config.AtOnce, c.config.Now()))
	switch {
	case errors.Is(err, bridge.ErrNoRoom):
		return false, fmt.Errorf("storing the order of communication %s: %w", click.CommunicationID, err)
	case err != nil:
		// It may still be stored later, and must then have failed.
		refusal := &bridge.Refusal{Status: bridge.RefusedSwitch, Message: "The order could not be stored."}
		c.tracking.Put(bridge.NewClickRefusedEvent(click, refusal, true, c.config.Now()))
		return false, fmt.Errorf("storing the order of communication %s: %w", click.CommunicationID, err)
	case decision == bridge.ClickTooMany:
		return false, tooMany()
	case decision != bridge.ClickAccepted:
		// An earlier command stored it late, after it had answered with a failure.
		_, err := c.knownBefore(ctx, click)
		return false, err
	}
	return true, nil
}

// refuse stores the refusal of a click-to-call and returns it as the answer to its command.
// Where the caller no longer waits for the answer, a report carries it. A repetition of the
// command finds the refusal stored.
func (c *Commander) refuse(ctx context.Context, click bridge.ClickToCall, refusal *bridge.Refusal) error {
	// Where ctx has ended, the intake stores it later.
	_ = c.tracking.Give(ctx, bridge.NewClickRefusedEvent(click, refusal, ctx.Err() == nil, c.config.Now()))
	return refusal
}

// knownBefore reports whether the communication has a click-to-call already. The command then
// does nothing and gets the same answer as before.
func (c *Commander) knownBefore(ctx context.Context, click bridge.ClickToCall) (bool, error) {
	given, refusal, found, err := c.clicks.ClickToCallFor(ctx, click.CommunicationID)
	switch {
	case err != nil:
		return true, err
	case !found:
		return false, nil
	case given != click:
		return true, &bridge.Refusal{Status: bridge.RefusedReuse, Message: "communicationId: this communication was ordered before, with other parties; a new call needs a new one."}
	case refusal != nil:
		return true, refusal
	}
	c.repeated.Add(1)
	return true, nil
}
