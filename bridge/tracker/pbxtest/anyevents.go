package pbxtest

import (
	"math/rand/v2"
	"time"

	"pgregory.net/rapid"

	"kontur-ari/bridge"
)

// EventWidth is the number of bytes that AnyEvents reads for one event: its type, two
// channels, the bridge, the form, and the time since the last event.
const EventWidth = 6

var (
	// The first four are the most frequent in calls, so they are here more than once.
	anyKind = []bridge.EventType{
		bridge.EventChannelCreated, bridge.EventDial, bridge.EventBridgeEntered, bridge.EventChannelDestroyed,
		bridge.EventChannelCreated, bridge.EventDial, bridge.EventBridgeEntered, bridge.EventChannelDestroyed,
		bridge.EventChannelCreated, bridge.EventDial, bridge.EventBridgeEntered, bridge.EventChannelCreated,
		bridge.EventDial, bridge.EventBridgeEntered, bridge.EventChannelHold, bridge.EventChannelUnhold,
		bridge.EventBridgeLeft, bridge.EventChannelHold, bridge.EventChannelUnhold, bridge.EventChannelStateChange,
		bridge.EventChannelCallerID, bridge.EventSnapshot, bridge.EventAttendedTransfer, bridge.EventBridgeDestroyed,
		bridge.EventBlindTransfer, bridge.EventAttendedTransfer, "NeverHeardOf", "",
		bridge.EventClickToCall, bridge.EventClickResult, bridge.EventHangup,
	}

	// ChannelIDs are the ids of all channels in the events of AnyEvents, "" included.
	ChannelIDs = []bridge.ChannelID{"1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "1.7", "", "kontur-ari~O.1", "kontur-ari~O.2"}
	anyName    = []string{"PJSIP/trunk-00000001", "PJSIP/101-00000002", "PJSIP/102-00000003", "Local/x@y-00000001;1", "Local/x@y-00000001;2", "PJSIP/spare-00000004", "PJSIP/101-00000005", "", "PJSIP/103;1", "Snoop/1", "PJSIP/104-1", "-"}
	anyState   = []bridge.ChannelState{bridge.StateDown, bridge.StateRing, bridge.StateUp, ""}
	anyNumber  = []string{"79997775533", "", "101", "anonymous", "+7 922 111-22-33", "s"}
	anyApp     = []string{"", "Dial", "AppDial", "AppQueue", "AppDial2", "Queue"}
	anyStatus  = []string{"", "", "RINGING", "ANSWER", "NOANSWER", "CANCEL"}
	anyString  = []string{"79997775533@trunk", "", "101", "trunk/sip:+79221112233@host", "///@@"}
	anyBridge  = []string{"br1", "br2", "br3", ""}
)

// AnyStream draws 1 to most events from uniform bytes. The events need not make sense.
func AnyStream(t *rapid.T, most int) []bridge.Event {
	length := rapid.IntRange(1, most).Draw(t, "length")
	chance := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
	code := make([]byte, length*EventWidth)
	for i := range code {
		code[i] = byte(chance.Uint32())
	}
	return AnyEvents(code)
}

func pick[T any](from []T, b byte) T { return from[int(b)%len(from)] }

// AnyEvents decodes events from any bytes, EventWidth for one. Bytes that are left over are
// ignored. The events use [ChannelIDs] only.
func AnyEvents(code []byte) []bridge.Event {
	var events []bridge.Event
	now := Midnight
	for ; len(code) >= EventWidth; code = code[EventWidth:] {
		later := time.Duration(int8(code[5])) * 10 * time.Millisecond
		now = now.Add(later)
		events = append(events, anyEvent(code[:EventWidth], now))
	}
	return events
}

func anyEvent(code []byte, at time.Time) bridge.Event {
	kind, first, second, place, form := code[0], code[1], code[2], code[3], code[4]
	event := bridge.Event{Type: pick(anyKind, kind), Time: at}
	switch event.Type {
	case bridge.EventDial:
		event.Caller, event.Peer = anyChannel(first, form), anyChannel(second, form)
		event.DialStatus, event.DialString = pick(anyStatus, place), pick(anyString, form)
	case bridge.EventClickToCall:
		return bridge.NewClickToCallEvent(anyClick(first), 0, at)
	case bridge.EventClickResult:
		if form%2 == 0 {
			click := anyClick(first)
			var rung []bridge.ChannelID
			for n := range int(second % 4) {
				rung = append(rung, click.Channel(n+1))
			}
			return bridge.NewClickPlacedEvent(click, rung, at)
		}
		return bridge.NewClickRefusedEvent(anyClick(first), &bridge.Refusal{Status: bridge.RefusedSwitch}, form%3 == 0, at)
	case bridge.EventHangup:
		return bridge.NewHangupEvent(bridge.HangupNews{Call: bridge.CallID(pick(ChannelIDs, first)), Leg: "1.1", User: "u101"}, at)
	case bridge.EventSnapshot:
		event.Snapshot = anySnapshot(first, second, place, form)
	case bridge.EventBridgeDestroyed:
		event.Bridge = anyPlace(place)
	case bridge.EventBlindTransfer, bridge.EventAttendedTransfer:
		event.Transfer = &bridge.Transfer{
			Transferer: pick(ChannelIDs, first), SecondLeg: pick(ChannelIDs, form),
			Transferee: pick(ChannelIDs, second), Target: pick(ChannelIDs, place), Succeeded: form%4 != 0,
		}
	default:
		event.Channel, event.Bridge = anyChannel(first, form), anyPlace(place)
	}
	return event
}

// anyChannel returns one of a few channels, nearly always with a name of its own.
func anyChannel(which, form byte) *bridge.Channel {
	if which >= 250 {
		return nil
	}
	n := which % byte(len(ChannelIDs))
	name := pick(anyName, n)
	if which >= 200 {
		name = pick(anyName, form)
	}
	state := pick(anyState, form)
	if n == 0 {
		state = bridge.StateRing
	}
	return &bridge.Channel{
		ID: ChannelIDs[n], Name: name, State: state, CallerNumber: pick(anyNumber, form/4),
		Exten: pick(anyNumber, form/8), Application: pick(anyApp, form), LinkedID: pick(ChannelIDs, form/16),
	}
}

func anyPlace(which byte) *bridge.Bridge {
	if which >= 250 {
		return nil
	}
	return &bridge.Bridge{ID: pick(anyBridge, which), Holding: which >= 230}
}

// anySnapshot returns a snapshot with a channel for every bit of present. The bits of inside
// choose the bridges.
func anySnapshot(present, inside, place, form byte) *bridge.Snapshot {
	if form == 255 {
		return nil
	}
	snapshot := &bridge.Snapshot{Bridges: []bridge.Bridge{{ID: pick(anyBridge, place)}, {ID: pick(anyBridge, place/4), Holding: place >= 230}}}
	for n := range ChannelIDs {
		if present>>n&1 == 0 {
			continue
		}
		snapshot.Channels = append(snapshot.Channels, *anyChannel(byte(n), form+byte(n)*byte(place)))
		br := &snapshot.Bridges[inside>>n&1]
		br.Channels = append(br.Channels, ChannelIDs[n])
	}
	return snapshot
}

func anyClick(code byte) bridge.ClickToCall {
	click := bridge.ClickToCall{Application: "kontur-ari", CommunicationID: pick([]string{"O", "O", "P", ""}, code), From: "u101", Number: "79997775533"}
	if code%5 == 0 {
		click.To, click.Number = "u102", "102"
	}
	return click
}
