package tracker

import (
	"cmp"
	"slices"

	"kontur-ari/bridge"
	"kontur-ari/bridge/directory"
)

// noteCountedElsewhere is for diagnosis: it changes no report.
const noteCountedElsewhere = "the switch counts a channel to another call than its events do"

func (t *Tracker) bridgeEvent(event bridge.Event) {
	if event.Bridge == nil {
		return
	}
	switch event.Type {
	case bridge.EventBridgeEntered:
		ch := t.known(event.Channel)
		switch {
		case ch == nil:
		case event.Bridge.Holding:
			t.move(ch, "")
			t.parked(ch)
		default:
			t.move(ch, event.Bridge.ID)
			t.removeAbsent(event)
			t.addPresent(event)
			t.checkLinked(ch, event.Channel.LinkedID)
		}
	case bridge.EventBridgeLeft:
		// In another bridge, the channel has moved on before this event.
		if ch := t.known(event.Channel); ch != nil && ch.BridgeID == event.Bridge.ID {
			t.move(ch, "")
		} else if ch != nil && ch.Parted == event.Bridge.ID && ch.Parted != "" {
			ch.Parted = ""
			t.changed(ch.call)
		}
	case bridge.EventBridgeDestroyed:
		for _, ch := range slices.Clone(t.byBridge[event.Bridge.ID]) {
			t.move(ch, "")
		}
	}
}

// removeAbsent removes the members that the event of an entering channel does not list:
// their ChannelLeftBridge was lost.
func (t *Tracker) removeAbsent(event bridge.Event) {
	if !slices.Contains(event.Bridge.Channels, event.Channel.ID) {
		return
	}
	for _, ch := range slices.Clone(t.byBridge[event.Bridge.ID]) {
		if !slices.Contains(event.Bridge.Channels, ch.ID) {
			t.move(ch, "")
		}
	}
}

// addPresent adds the members that the event of an entering channel lists and that are in
// no bridge. A snapshot comes before the events that were buffered while it was read, so
// it may show a channel in no bridge although it is still in one here.
func (t *Tracker) addPresent(event bridge.Event) {
	for _, id := range event.Bridge.Channels {
		if ch := t.channels[id]; ch != nil && ch.BridgeID == "" {
			t.move(ch, event.Bridge.ID)
		}
	}
}

// move puts a channel into another bridge, or into none. A hold ends with that: it belongs
// to the bridge in which it was pressed.
func (t *Tracker) move(ch *channel, bridgeID string) {
	if ch.BridgeID == bridgeID {
		return
	}
	t.markDirty(ch)
	t.leaveBridge(ch)
	ch.Held, ch.Parted = false, ""
	if bridgeID != "" {
		ch.BridgeID = bridgeID
		ch.Bridged = ch.Bridged || ch.side == directory.Plumbing && t.policy.Recordings
		t.byBridge[bridgeID] = append(t.byBridge[bridgeID], ch)
	}
	t.changed(ch.call)
	t.markDirty(ch)
}

func (t *Tracker) leaveBridge(ch *channel) {
	if ch.BridgeID == "" {
		return
	}
	t.byBridge[ch.BridgeID] = without(t.byBridge[ch.BridgeID], ch)
	if len(t.byBridge[ch.BridgeID]) == 0 {
		delete(t.byBridge, ch.BridgeID)
	}
	ch.BridgeID = ""
}

// wentOn ends a channel's connections: it is parked or dials again, so it will not return to
// the conversation. It does nothing while the channel is in a bridge.
func (t *Tracker) wentOn(ch *channel) {
	if ch.BridgeID != "" {
		return
	}
	if ch.Joined {
		ch.Joined = false
		t.changed(ch.call)
	}
	for _, c := range t.callsOf(ch) {
		for _, l := range c.Legs {
			if i := slices.Index(l.Talked, ch.ID); i >= 0 {
				l.Talked = slices.Delete(l.Talked, i, i+1)
				t.changed(c)
			}
		}
	}
}

// parked ends the connections of a channel that waits in a holding bridge, and its own legs
// too: an employee may be parked by the colleague who has called him.
func (t *Tracker) parked(ch *channel) {
	t.wentOn(ch)
	for _, c := range t.callsOf(ch) {
		for _, l := range c.Legs {
			if len(l.Talked) > 0 && slices.Contains(l.Channels, ch.ID) {
				l.Talked = nil
				t.changed(c)
			}
		}
	}
}

// callsOf returns the calls in which a channel plays a part, its own first.
func (t *Tracker) callsOf(ch *channel) []*call {
	calls := []*call{ch.call}
	for _, id := range t.foreignCalls[ch.ID] {
		if c := t.calls[id]; c != nil {
			calls = append(calls, c)
		}
	}
	return calls
}

// talkOf returns the channels that hear each other with a channel, through bridges and Local
// channels. The channel itself and the Local channels are included. They are sorted by
// birth.
func (t *Tracker) talkOf(start *channel) []*channel {
	if start.BridgeID == "" {
		return []*channel{start}
	}
	reached, entered := map[*channel]bool{start: true}, make(map[string]bool)
	talk := []*channel{start}
	add := func(ch *channel) {
		if ch != nil && ch.BridgeID != "" && !reached[ch] {
			reached[ch] = true
			talk = append(talk, ch)
		}
	}
	for i := 0; i < len(talk); i++ {
		if bridgeID := talk[i].BridgeID; !entered[bridgeID] {
			entered[bridgeID] = true
			for _, ch := range t.byBridge[bridgeID] {
				add(ch)
			}
		}
		add(t.otherHalf(talk[i]))
	}
	slices.SortFunc(talk, byBirth)
	return talk
}

// byBirth compares channels by their unique ids, which count upwards until the exchange
// restarts.
func byBirth(a, b *channel) int {
	return cmp.Or(cmp.Compare(serial(a.ID), serial(b.ID)), cmp.Compare(a.ID, b.ID))
}

// checkLinked compares a channel's call with its linkedid, if there is one, and notes a
// difference once. A consultation is an exception: it is a call of its own here, but has
// the linkedid of the first call.
func (t *Tracker) checkLinked(ch *channel, linked bridge.ChannelID) {
	other := t.calls[bridge.CallID(linked)]
	if other == nil || other == ch.call || other.silent() || ch.call.silent() || ch.Noted {
		return
	}
	if t.consults(ch.call, other) || t.consults(other, ch.call) {
		return
	}
	ch.Noted = true
	t.note(ch.call, ch, noteCountedElsewhere)
	t.changed(ch.call)
}

// consults reports whether a channel of the other call is a caller in this one.
func (t *Tracker) consults(c, other *call) bool {
	return slices.ContainsFunc(c.Legs, func(l *leg) bool {
		caller := t.channels[l.Caller]
		return caller != nil && caller.call == other
	})
}
