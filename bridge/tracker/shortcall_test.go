package tracker_test

import (
	"testing"
	"time"

	"kontur-ari/bridge"
	"kontur-ari/bridge/tracker"
	"kontur-ari/bridge/tracker/pbxtest"
)

// Events that happen while a snapshot is read come after it. So the snapshot may show an empty
// bridge, and two channels enter and leave it in the events behind.
func TestAConversationThatIsShorterThanASnapshotIsReported(t *testing.T) {
	tr := tracker.New(pbxtest.Office(), tracker.Policy{})
	began := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	trunk := bridge.Channel{ID: "A", Name: "PJSIP/trunk-1", State: bridge.StateUp, CallerNumber: "79997775533", Exten: "79229929292"}
	phone := bridge.Channel{ID: "B", Name: "PJSIP/101-2", State: bridge.StateUp}
	calling, called := trunk, phone
	calling.State, called.State = bridge.StateRing, bridge.StateDown
	br := func(members ...bridge.ChannelID) *bridge.Bridge { return &bridge.Bridge{ID: "br1", Channels: members} }
	var connected, disconnected time.Time
	for i, event := range []bridge.Event{
		{Type: bridge.EventChannelCreated, Channel: &calling},
		{Type: bridge.EventChannelCreated, Channel: &called},
		{Type: bridge.EventDial, Caller: &calling, Peer: &called, DialString: "101"},
		{Type: bridge.EventBridgeEntered, Channel: &phone, Bridge: br("B")},
		{Type: bridge.EventSnapshot, Snapshot: &bridge.Snapshot{Channels: []bridge.Channel{trunk, phone}}},
		{Type: bridge.EventBridgeEntered, Channel: &trunk, Bridge: br("A", "B")},
		{Type: bridge.EventBridgeLeft, Channel: &phone, Bridge: br("A")},
		{Type: bridge.EventBridgeLeft, Channel: &trunk, Bridge: br()},
		{Type: bridge.EventChannelDestroyed, Channel: &phone, Cause: 16},
		{Type: bridge.EventChannelDestroyed, Channel: &trunk, Cause: 16},
	} {
		event.Time = began.Add(time.Duration(i) * time.Second)
		for _, report := range tr.Apply(event).Reports {
			switch report.Event {
			case bridge.LegConnected:
				connected = report.Time
			case bridge.LegDisconnected:
				disconnected = report.Time
			}
		}
	}
	if want := began.Add(5 * time.Second); !connected.Equal(want) || !disconnected.After(connected) {
		t.Errorf("connected at %v, disconnected at %v; want connected at %v", connected, disconnected, want)
	}
}
