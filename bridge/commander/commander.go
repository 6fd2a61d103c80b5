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

// Config is what the operator decides. Every field but Now is required.
type Config struct {
	// Application is the ARI application that rings the phones.
	Application string
	Directory   *directory.Directory
	Numbers     *directory.Numbers
	// Allowed tells which normalised numbers may be dialled for the CRM.
	Allowed func(number string) bool
	// PerMinute is how many calls one user may order in a minute; AtOnce how many of
	// them may go on at a time.
	PerMinute, AtOnce int
	// RingTimeout is how long a user's phones ring.
	RingTimeout time.Duration
	// AutoAnswer asks them to pick up by themselves.
	AutoAnswer bool
	// Now is the time on the switch's clock, which orders carry as its events do. nil:
	// it is our own.
	Now func() time.Time
}

// Tracking is the event line, as far as orders go through it; package intake
// implements it.
type Tracking interface {
	// Give returns when an event is durable. [bridge.ErrNoRoom] means that it was not
	// taken and never will be stored.
	Give(ctx context.Context, event bridge.Event) error
	// Put takes an event without waiting.
	Put(event bridge.Event)
	// Look lets look see the Tracker between two events.
	Look(look func(*tracker.Tracker))
}

// Commander implements [bridge.Commander]. All methods may be called concurrently,
// until Close is called.
type Commander struct {
	config   Config
	tracking Tracking
	orders   bridge.ClickToCalls
	phones   bridge.Phones
	log      *zap.Logger

	// unfinished are the orders of which the last process has left no end.
	unfinished []bridge.ClickToCall
	turns      *turns
	limits     *limits

	// ended are the recordings that were to be ended.
	ended ended

	repeated, untold atomic.Int64

	// life ends what is done in the background; nothing begins after that, which mu
	// sees to.
	mu         sync.Mutex
	life       context.Context
	end        context.CancelFunc
	background sync.WaitGroup
}

var _ bridge.Commander = (*Commander)(nil)

// New makes a Commander. The Tracker must have been restored, and no event applied
// since. It must be closed.
func New(config Config, tracking Tracking, orders bridge.ClickToCalls, phones bridge.Phones, log *zap.Logger) *Commander {
	if config.Now == nil {
		config.Now = time.Now
	}
	c := &Commander{
		config: config, tracking: tracking, orders: orders, phones: phones, log: log,
		turns: newTurns(), limits: newLimits(config.PerMinute, config.AtOnce),
	}
	tracking.Look(func(t *tracker.Tracker) { _, c.unfinished = t.OpenClickToCalls() })
	c.life, c.end = context.WithCancel(context.Background())
	return c
}

// Close ends what is done in the background and returns when it has ended. What was
// not done, the next start finds (see [Commander.Recover]).
func (c *Commander) Close() {
	c.mu.Lock()
	c.end()
	c.mu.Unlock()
	c.background.Wait()
}

// Call implements [bridge.Commander].
func (c *Commander) Call(ctx context.Context, command bridge.CallCommand) error {
	// One communication's commands are obeyed one after the other.
	leave, err := c.turns.take(ctx, strings.ToLower(command.CommunicationID))
	if err != nil {
		return fmt.Errorf("waiting for an earlier command of communication %s: %w", command.CommunicationID, err)
	}
	defer leave()
	click, phones, refusal := c.read(command)
	if refusal != nil {
		return refusal
	}
	if known, err := c.orderedBefore(ctx, click); known || err != nil {
		return err
	}
	release, refusal := c.admit(click)
	if refusal != nil {
		return refusal
	}
	defer release()
	if err := c.remember(ctx, click); err != nil {
		return err
	}
	// Where ctx ends meanwhile, the phones that are rung by then are those of the
	// order; the Tracker has the others hung up.
	rung, refusal := c.ring(ctx, click, phones)
	if refusal != nil {
		return c.refuse(ctx, click, refusal, nil)
	}
	c.tracking.Put(bridge.NewClickPlacedEvent(click, rung, c.config.Now()))
	c.log.Debug("a call is ordered", zap.String("call", string(click.Call())), zap.String("communication", click.CommunicationID),
		zap.String("user", click.From), zap.Int("phones", len(rung)))
	return nil
}

// remember makes an order durable. After an error no phone may be rung for it.
func (c *Commander) remember(ctx context.Context, click bridge.ClickToCall) error {
	if err := c.tracking.Give(ctx, bridge.NewClickToCallEvent(click, c.config.Now())); errors.Is(err, bridge.ErrNoRoom) {
		return fmt.Errorf("storing the order of communication %s: %w", click.CommunicationID, err)
	} else if err != nil {
		// It may be stored later, and is then to be known as one that came to nothing.
		refusal := &bridge.Refusal{Status: bridge.RefusedSwitch, Message: "The order could not be stored."}
		c.tracking.Put(bridge.NewClickRefusedEvent(click, refusal, true, c.config.Now()))
		return fmt.Errorf("storing the order of communication %s: %w", click.CommunicationID, err)
	}
	// It may have been one of which an earlier command said that it can't be stored.
	if _, refusal, _, err := c.orders.ClickToCallFor(ctx, click.CommunicationID); refusal != nil || err != nil {
		return c.refuse(ctx, click, refusal, err)
	}
	return nil
}

// refuse settles an order for which no phone rings, and gives what its command is
// answered: err, where that is why, else the refusal. Who doesn't wait for the answer
// any more is told in another way. The next command of the communication finds the
// refusal stored.
func (c *Commander) refuse(ctx context.Context, click bridge.ClickToCall, refusal *bridge.Refusal, err error) error {
	if refusal == nil {
		refusal = &bridge.Refusal{Status: bridge.RefusedSwitch, Message: "The order could not be looked up."}
	}
	// Where ctx has ended it is stored later.
	_ = c.tracking.Give(ctx, bridge.NewClickRefusedEvent(click, refusal, ctx.Err() == nil, c.config.Now()))
	if err != nil {
		return err
	}
	return refusal
}

// orderedBefore tells whether the communication was ordered already: then nothing is
// done, and what it came to is answered again.
func (c *Commander) orderedBefore(ctx context.Context, click bridge.ClickToCall) (bool, error) {
	given, refusal, found, err := c.orders.ClickToCallFor(ctx, click.CommunicationID)
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

// Act does what the Tracker asks for, in the background. What the switch can't be
// told now is tried again for a while; after that, the snapshot of the next
// connection asks for it anew.
func (c *Commander) Act(actions []bridge.Action) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.life.Err() != nil {
		return
	}
	for _, action := range actions {
		if action.Kind == bridge.ActionStopRecording {
			c.ended.add(string(action.Channel))
		}
		c.background.Go(func() { c.act(action) })
	}
}

// The pauses between tries to tell the switch, and how many there are: more than a
// minute in all.
const (
	firstActPause   = 50 * time.Millisecond
	longestActPause = 5 * time.Second
	actAttempts     = 20
)

func (c *Commander) act(action bridge.Action) {
	fields := []zap.Field{zap.String("call", string(action.Call)), zap.String("channel", string(action.Channel)), zap.String("action", string(action.Kind))}
	for attempt, pause := 1, firstActPause; ; attempt, pause = attempt+1, min(2*pause, longestActPause) {
		err := c.tell(action)
		switch {
		case err == nil, errors.Is(err, bridge.ErrNoChannel):
			c.log.Debug("done", append(fields, zap.Int("attempt", attempt), zap.Error(err))...)
			return
		case attempt == actAttempts, errors.Is(err, bridge.ErrDeclined):
			c.untold.Add(1)
			c.log.Error("the switch could not be told", append(fields, zap.Int("attempt", attempt), zap.Error(err))...)
			return
		case attempt == 1:
			c.log.Warn("the switch can't be told", append(fields, zap.Int("attempt", attempt), zap.Error(err))...)
		}
		select {
		case <-time.After(pause):
		case <-c.life.Done():
			return
		}
	}
}

func (c *Commander) tell(action bridge.Action) error {
	switch action.Kind {
	case bridge.ActionDial:
		return c.phones.Dial(c.life, action.Channel, action.Number)
	case bridge.ActionRecord:
		return c.record(action)
	case bridge.ActionStopRecording:
		return c.phones.Hangup(c.life, action.Channel, normalClearing)
	}
	return c.phones.Hangup(c.life, action.Channel, answeredElsewhere)
}

// Causes of ITU-T Q.850.
const (
	normalClearing    = 16
	answeredElsewhere = 26
)
