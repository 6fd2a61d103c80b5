package commander_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap/zaptest"

	"kontur-ari/bridge"
	"kontur-ari/bridge/commander"
	"kontur-ari/bridge/intake"
)

// A refusal is reported even if its caller no longer waits for it.
func TestARefusalThatComesTooLateIsReported(t *testing.T) {
	x := newRig(t)
	ctx, cancel := context.WithCancel(t.Context())
	x.sw.onCreate = cancel
	x.sw.fail("ring", fault{err: errNoAnswer, times: 1})
	if got := refusedWith(x.Call(ctx, toClient("c1", "u101"))); got != bridge.RefusedSwitch {
		t.Errorf("refused with %q", got)
	}
	x.wantReports("c1", "call-failed")
}

// The next command finds the refusal, however soon it comes.
func TestARefusalIsRepeatedAtOnce(t *testing.T) {
	x := newRig(t)
	for range 2 {
		if got := refusedWith(x.Call(t.Context(), toClient("c1", "u105"))); got != bridge.RefusedOffline {
			t.Fatalf("an absent phone: %q, want %q", got, bridge.RefusedOffline)
		}
	}
}

// stuckIntake is an intake whose store takes no writes for a while, so that callers give up.
type stuckIntake struct {
	commander.Tracking
	giveUp context.CancelFunc
	mu     sync.Mutex
	held   []bridge.Event
}

func (s *stuckIntake) Put(event bridge.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = append(s.held, event)
}

func (s *stuckIntake) GiveClick(ctx context.Context, event bridge.Event) (bridge.ClickDecision, error) {
	s.Put(event)
	s.giveUp()
	<-ctx.Done()
	return "", ctx.Err()
}

// A click-to-call that could not be stored in time has failed. Its repetition rings no
// telephone either.
func TestAClickToCallThatWasStoredTooLate(t *testing.T) {
	x := newRig(t)
	ctx, cancel := context.WithCancel(t.Context())
	stuck := &stuckIntake{Tracking: x.intake, giveUp: cancel}
	first := commander.New(x.config, stuck, x.db, x.sw, zaptest.NewLogger(t))
	defer first.Close()
	if err := first.Call(ctx, toClient("c1", "u101")); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	// The second command finds nothing stored, and is stored behind the first.
	x.sw.onCreate = func() { t.Error("a phone is rung") }
	second := commander.New(x.config, behind{x.intake, stuck}, x.db, x.sw, zaptest.NewLogger(t))
	defer second.Close()
	if got := refusedWith(second.Call(t.Context(), toClient("c1", "u101"))); got != bridge.RefusedSwitch {
		t.Errorf("refused with %q", got)
	}
	x.wantReports("c1")
}

// behind stores the events that were held up before it gives another one.
type behind struct {
	*intake.Intake
	held *stuckIntake
}

func (b behind) GiveClick(ctx context.Context, event bridge.Event) (bridge.ClickDecision, error) {
	for _, event := range b.held.held {
		b.Put(event)
	}
	b.held.held = nil
	return b.Intake.GiveClick(ctx, event)
}

// deadSwitch answers nothing. The first request closes asked.
type deadSwitch struct {
	*fakeSwitch
	asked chan struct{}
}

func (s deadSwitch) Create(ctx context.Context, _ bridge.PhoneCall) error {
	close(s.asked)
	<-ctx.Done()
	return ctx.Err()
}

func (deadSwitch) State(ctx context.Context, _ bridge.ChannelID) (bridge.ChannelState, error) {
	<-ctx.Done()
	return "", ctx.Err()
}

// However many phones a user has, a command ends with its context: a stop waits for it.
func TestACommandEndsWithItsContext(t *testing.T) {
	x := newRig(t)
	sw := deadSwitch{x.sw, make(chan struct{})}
	c := commander.New(x.config, x.intake, x.db, sw, zaptest.NewLogger(t))
	defer c.Close()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- c.Call(ctx, toClient("c1", "u107")) }()
	<-sw.asked
	cancel()
	select {
	case err := <-ended:
		if refusedWith(err) != bridge.RefusedSwitch {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Fatal("it goes on")
	}
	x.wantReports("c1", "call-failed")
}

// fullMemory takes nothing.
type fullMemory struct {
	commander.Tracking
	put []bridge.Event
}

func (m *fullMemory) Put(event bridge.Event) { m.put = append(m.put, event) }

func (*fullMemory) GiveClick(context.Context, bridge.Event) (bridge.ClickDecision, error) {
	return "", bridge.ErrNoRoom
}

// A click-to-call without room for it leaves nothing behind, and its repetition is obeyed.
func TestAClickToCallThatFindsNoRoomCanBeRepeated(t *testing.T) {
	x := newRig(t)
	full := &fullMemory{Tracking: x.intake}
	c := commander.New(x.config, full, x.db, x.sw, zaptest.NewLogger(t))
	defer c.Close()
	if err := c.Call(t.Context(), toClient("c1", "u101")); !errors.Is(err, bridge.ErrNoRoom) {
		t.Errorf("ended with %v", err)
	}
	if len(full.put) > 0 {
		t.Errorf("%d events were put where there is no room", len(full.put))
	}
	x.wantRequests()
	x.must(x.Call(t.Context(), toClient("c1", "u101")))
	x.wantRequests("create c1.1", "ring c1.1")
}

// A click-to-call carries the time of the switch's clock, as the switch's own events do.
func TestClickToCallsCarryTheTimeOfTheSwitch(t *testing.T) {
	behind := func() time.Time { return time.Now().Add(-time.Hour) }
	x := newRig(t, func(config *commander.Config) { config.Now = behind })
	heard := make(chan bridge.Event, 10)
	c := commander.New(x.config, overheard{x.intake, heard}, x.db, x.sw, zaptest.NewLogger(t))
	defer c.Close()
	x.must(c.Call(t.Context(), toClient("c1", "u101")))
	x.flush()
	for range 2 {
		event := <-heard
		if off := behind().Sub(event.Time); event.ClickToCall == nil || off < 0 || off > time.Minute {
			t.Errorf("%s is of %v, it was %v at the switch's", event.Type, event.Time, behind())
		}
	}
}

// overheard passes a copy of each event to a channel.
type overheard struct {
	*intake.Intake
	heard chan bridge.Event
}

func (o overheard) Put(event bridge.Event) {
	o.heard <- event
	o.Intake.Put(event)
}

func (o overheard) GiveClick(ctx context.Context, event bridge.Event) (bridge.ClickDecision, error) {
	o.heard <- event
	return o.Intake.GiveClick(ctx, event)
}
