package bridge

import (
	"cmp"
	"slices"
)

// noteCountedElsewhere is a check only: nothing is concluded from it.
const noteCountedElsewhere = "the switch counts a channel to another call than its events do"

func (t *Tracker) roomEvent(event Event) {
	if event.Room == nil {
		return
	}
	switch event.Type {
	case EventRoomEntered:
		ch := t.known(event.Channel)
		switch {
		case ch == nil:
		case event.Room.Holding:
			t.move(ch, "")
			t.parked(ch)
		default:
			t.move(ch, event.Room.ID)
			t.leftUnheard(event)
			t.thereUnheard(event)
			t.checkLinked(ch, event.Channel.LinkedID)
		}
	case EventRoomLeft:
		// Another room means that it is elsewhere already.
		if ch := t.known(event.Channel); ch != nil && ch.Room == event.Room.ID {
			t.move(ch, "")
		} else if ch != nil && ch.Parted == event.Room.ID && ch.Parted != "" {
			ch.Parted = ""
			t.changed(ch.call)
		}
	case EventRoomDestroyed:
		for _, ch := range slices.Clone(t.byRoom[event.Room.ID]) {
			t.move(ch, "")
		}
	}
}

// leftUnheard takes those out of a bridge whom somebody who enters doesn't find
// there: that they left, or hung up, was not told.
func (t *Tracker) leftUnheard(event Event) {
	if !slices.Contains(event.Room.Channels, event.Channel.ID) {
		return
	}
	for _, ch := range slices.Clone(t.byRoom[event.Room.ID]) {
		if !slices.Contains(event.Room.Channels, ch.ID) {
			t.move(ch, "")
		}
	}
}

// thereUnheard puts those into a bridge whom somebody who enters finds there and whom
// nobody is known to be elsewhere: a snapshot that was read after they had left again
// shows them nowhere, and is told before this event is.
func (t *Tracker) thereUnheard(event Event) {
	for _, id := range event.Room.Channels {
		if ch := t.channels[id]; ch != nil && ch.Room == "" {
			t.move(ch, event.Room.ID)
		}
	}
}

// move notes the room that a channel is in now. A hold belongs to the room it
// was asked for in: who comes back or goes elsewhere is heard again.
func (t *Tracker) move(ch *channel, room string) {
	if ch.Room == room {
		return
	}
	t.stir(ch)
	t.leaveRoom(ch)
	ch.Held, ch.Parted = false, ""
	if room != "" {
		ch.Room = room
		ch.Roomed = ch.Roomed || ch.side == plumbing && t.policy.Recordings
		t.byRoom[room] = append(t.byRoom[room], ch)
	}
	t.changed(ch.call)
	t.stir(ch)
}

func (t *Tracker) leaveRoom(ch *channel) {
	if ch.Room == "" {
		return
	}
	t.byRoom[ch.Room] = without(t.byRoom[ch.Room], ch)
	if len(t.byRoom[ch.Room]) == 0 {
		delete(t.byRoom, ch.Room)
	}
	ch.Room = ""
}

// wentOn tells that a channel has left those it talked to for good: it is parked,
// or calls somebody else.
func (t *Tracker) wentOn(ch *channel) {
	if ch.Room != "" {
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

// parked tells that a channel waits in a holding bridge. Its own legs end by that
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

// callsOf are the calls in which a channel plays a part, its own first.
func (t *Tracker) callsOf(ch *channel) []*call {
	calls := []*call{ch.call}
	for _, id := range t.guests[ch.ID] {
		if c := t.calls[id]; c != nil {
			calls = append(calls, c)
		}
	}
	return calls
}

// talkOf are the channels that hear each other with a channel that is in a room,
// itself and the Local channels in between included; in the order of their birth.
func (t *Tracker) talkOf(start *channel) []*channel {
	if start.Room == "" {
		return []*channel{start}
	}
	reached, entered := map[*channel]bool{start: true}, make(map[string]bool)
	talk := []*channel{start}
	add := func(ch *channel) {
		if ch != nil && ch.Room != "" && !reached[ch] {
			reached[ch] = true
			talk = append(talk, ch)
		}
	}
	for i := 0; i < len(talk); i++ {
		if room := talk[i].Room; !entered[room] {
			entered[room] = true
			for _, ch := range t.byRoom[room] {
				add(ch)
			}
		}
		add(t.otherHalf(talk[i]))
	}
	slices.SortFunc(talk, byBirth)
	return talk
}

// byBirth sorts channels by their unique ids, which count upwards within one life
// of the switch.
func byBirth(a, b *channel) int {
	return cmp.Or(cmp.Compare(serial(a.ID), serial(b.ID)), cmp.Compare(a.ID, b.ID))
}

// checkLinked compares the call that a channel belongs to with the one that the
// switch counts it to, where it says that. A consultation is a call of its own for
// us, and part of the first one for the switch.
func (t *Tracker) checkLinked(ch *channel, linked ChannelID) {
	other := t.calls[CallID(linked)]
	if other == nil || other == ch.call || other.silent() || ch.call.silent() || ch.Counted {
		return
	}
	if t.consults(ch.call, other) || t.consults(other, ch.call) {
		return
	}
	ch.Counted = true
	t.note(ch.call, ch, noteCountedElsewhere)
	t.changed(ch.call)
}

// consults tells whether somebody of the other call makes this one.
func (t *Tracker) consults(c, other *call) bool {
	return slices.ContainsFunc(c.Legs, func(l *leg) bool {
		caller := t.channels[l.Caller]
		return caller != nil && caller.call == other
	})
}
