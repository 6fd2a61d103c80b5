package casebook

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kontur-ari/bridge"
)

func TestAStoryHoldsEverythingThatConcernsTheCall(t *testing.T) {
	channel := func(id bridge.ChannelID) *bridge.Channel {
		return &bridge.Channel{ID: id, Name: fmt.Sprint("PJSIP/", id)}
	}
	half := func(id bridge.ChannelID, name string) bridge.Event {
		return bridge.Event{Type: bridge.EventChannelCreated, Channel: &bridge.Channel{ID: id, Name: name}}
	}
	created := func(id bridge.ChannelID) bridge.Event {
		return bridge.Event{Type: bridge.EventChannelCreated, Channel: channel(id)}
	}
	destroyed := func(id bridge.ChannelID) bridge.Event {
		return bridge.Event{Type: bridge.EventChannelDestroyed, Channel: channel(id)}
	}
	entered := func(id bridge.ChannelID, br bridge.Bridge) bridge.Event {
		return bridge.Event{Type: bridge.EventBridgeEntered, Channel: channel(id), Bridge: &br}
	}
	shown := func(ids ...bridge.ChannelID) bridge.Event {
		snapshot := new(bridge.Snapshot)
		for _, id := range ids {
			snapshot.Channels = append(snapshot.Channels, *channel(id))
		}
		return bridge.Event{Type: bridge.EventSnapshot, Snapshot: snapshot}
	}
	for _, test := range []struct {
		name   string
		events []bridge.Event
		// chosen are the indexes of the events of call A.
		chosen []int
	}{
		{"a call that was dialled", []bridge.Event{created("A"), created("B"), created("C"), {Type: bridge.EventDial, Caller: channel("A"), Peer: channel("B")}, destroyed("B"), destroyed("C")}, []int{0, 1, 3, 4}},
		{"two that listen to one music on hold", []bridge.Event{
			entered("A", bridge.Bridge{ID: "r", Holding: true, Channels: []bridge.ChannelID{"A"}}),
			entered("B", bridge.Bridge{ID: "r", Holding: true, Channels: []bridge.ChannelID{"A", "B"}}),
		}, []int{0}},
		{"two that talk, and the end of their bridge", []bridge.Event{
			created("B"), entered("A", bridge.Bridge{ID: "r"}), entered("B", bridge.Bridge{ID: "r"}), {Type: bridge.EventBridgeDestroyed, Bridge: &bridge.Bridge{ID: "r"}},
		}, []int{0, 1, 2, 3}},
		{"the halves of a Local channel", []bridge.Event{half("A", "Local/1@x-1;1"), half("B", "Local/1@x-1;2"), half("C", "Local/1@x-2;1")}, []int{0, 1}},
		{"a transfer", []bridge.Event{created("A"), created("B"), {Type: bridge.EventAttendedTransfer, Transfer: &bridge.Transfer{Transferer: "A", Target: "B"}}}, []int{0, 1, 2}},
		{"the snapshots that begin and end it", []bridge.Event{shown("B"), shown("A", "B"), shown("A"), shown("B"), shown()}, []int{1, 2, 3}},
		{"a snapshot in between, and none after its end", []bridge.Event{created("A"), shown(), destroyed("A"), shown()}, []int{0, 1, 2}},
		{"another call", []bridge.Event{created("B"), shown("B")}, nil},
		{"nothing", nil, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			var events []loggedEvent
			for i, event := range test.events {
				event.Cause = i
				events = append(events, loggedEvent{event: event})
			}
			story, _ := storyOf(slices.Clone(events), "A")
			var chosen []int
			for _, e := range story {
				chosen = append(chosen, e.event.Cause)
			}
			if diff := cmp.Diff(test.chosen, chosen); diff != "" {
				t.Errorf("chosen (-want +got):\n%s", diff)
			}
		})
	}
}
