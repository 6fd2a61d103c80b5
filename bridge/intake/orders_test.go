package intake_test

import (
	"context"
	"errors"
	"slices"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"kontur-ari/bridge"
	"kontur-ari/bridge/intake"
	"kontur-ari/bridge/tracker"
)

var ordered = bridge.ClickToCall{Application: "kontur-ari", CommunicationID: "c1", From: "u101", Number: "79997775533"}

// phone gives an event about the first phone of the order.
func phone(kind bridge.EventType, state bridge.ChannelState) bridge.Event {
	return bridge.Event{Type: kind, Time: time.Now(), Channel: &bridge.Channel{ID: ordered.Channel(1), Name: "PJSIP/101-00000001", State: state}, Raw: []byte("{}")}
}

// running is an Intake that runs until the test is over.
func running(t *testing.T, d *disk, log *zap.Logger, act func([]bridge.Action)) *intake.Intake {
	t.Helper()
	i := intake.New(newTracker(t), d, func([]bridge.Pending) {}, log, intake.WithActions(act))
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- i.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return i
}

// The Intake passes an action on once the event that causes it is on disk, and not before.
func TestActionsWaitForTheDisk(t *testing.T) {
	d := newDisk(t)
	acted := make(chan []bridge.Action, 10)
	i := running(t, d, zap.NewNop(), func(actions []bridge.Action) { acted <- actions })
	if err := i.Give(t.Context(), bridge.NewClickToCallEvent(ordered, 0, time.Now())); err != nil {
		t.Fatal(err)
	}
	if _, _, found, err := d.ClickToCallFor(t.Context(), "c1"); !found || err != nil {
		t.Errorf("a given order is found on disk: %v, %v", found, err)
	}
	var pending []bridge.ClickToCall
	i.Look(func(t *tracker.Tracker) { pending = t.PendingClickToCalls() })
	if !slices.Equal(pending, []bridge.ClickToCall{ordered}) {
		t.Errorf("pending are %v", pending)
	}
	d.fail(syscall.ENOSPC)
	i.Put(phone(bridge.EventChannelCreated, bridge.StateDown))
	i.Put(phone(bridge.EventChannelStateChange, bridge.StateUp))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := i.Give(ctx, phone(bridge.EventChannelStateChange, bridge.StateUp)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("an event that can't be stored: %v", err)
	}
	select {
	case actions := <-acted:
		t.Errorf("acted before anything was stored: %v", actions)
	default:
	}
	d.fail(nil)
	want := []bridge.Action{{Kind: bridge.ActionDial, Call: ordered.Call(), Channel: ordered.Channel(1), Number: "79997775533"}}
	if got := <-acted; !slices.Equal(got, want) {
		t.Errorf("acted %v, want %v", got, want)
	}
}

func TestFailedOrdersAreCountedAndLogged(t *testing.T) {
	core, logs := observer.New(zap.InfoLevel)
	i := running(t, newDisk(t), zap.New(core), nil)
	i.Put(bridge.NewClickToCallEvent(ordered, 0, time.Now()))
	i.Put(phone(bridge.EventChannelCreated, bridge.StateDown))
	i.Put(bridge.NewClickPlacedEvent(ordered, []bridge.ChannelID{ordered.Channel(1)}, time.Now()))
	gone := phone(bridge.EventChannelDestroyed, bridge.StateDown)
	gone.Cause = 17
	if err := i.Give(t.Context(), gone); err != nil {
		t.Fatal(err)
	}
	if got := i.Stats().Failed[bridge.FailedBusy]; got != 1 {
		t.Errorf("counted %d", got)
	}
	found := logs.FilterMessage("an ordered call has failed").All()
	if len(found) != 1 || found[0].ContextMap()["cause"] != "busy" || found[0].ContextMap()["communication"] != "c1" {
		t.Errorf("logged %v", found)
	}
}
