package tracker_test

import (
	"testing"
	"time"

	"kontur-ari/bridge"
	"kontur-ari/bridge/tracker"
	"kontur-ari/bridge/tracker/pbxtest"
)

// A command is decided by the calls in progress and by those that ended not long ago.
func TestTheTrackerDecidesAboutClickToCalls(t *testing.T) {
	at := time.Unix(1795436993, 0)
	tr := tracker.New(pbxtest.Office(), tracker.Policy{Application: "kontur-ari"})
	click := func(communication, user string) bridge.ClickToCall {
		return bridge.ClickToCall{Application: "kontur-ari", CommunicationID: communication, From: user, Number: "79997775533"}
	}
	give := func(given bridge.ClickToCall, atOnce int, want bridge.ClickDecision) {
		t.Helper()
		if got := tr.DecideClick(given, atOnce); got != want {
			t.Errorf("%s of %s would be %s, want %s", given.CommunicationID, given.From, got, want)
		}
		if got := tr.Apply(bridge.NewClickToCallEvent(given, atOnce, at)).Click; got != want {
			t.Errorf("%s of %s is %s, want %s", given.CommunicationID, given.From, got, want)
		}
	}
	other := click("first", "u101")
	other.Number = "79990000000"
	give(click("first", "u101"), 1, bridge.ClickAccepted)
	give(click("first", "u101"), 1, bridge.ClickRepeated)
	give(other, 0, bridge.ClickRepeated)
	give(click("second", "u101"), 1, bridge.ClickTooMany)
	give(click("second", "u101"), 2, bridge.ClickAccepted)
	give(click("third", "u102"), 1, bridge.ClickAccepted)
	give(click("fourth", "u101"), 0, bridge.ClickAccepted)

	refusal := &bridge.Refusal{Status: bridge.RefusedOffline}
	for _, ended := range []string{"first", "second", "fourth"} {
		tr.Apply(bridge.NewClickRefusedEvent(click(ended, "u101"), refusal, true, at))
	}
	give(click("fifth", "u101"), 1, bridge.ClickAccepted)
	if got := tr.Apply(bridge.Event{Type: bridge.EventChannelStateChange, Time: at}).Click; got != "" {
		t.Errorf("an event that is no command is %s", got)
	}
}
