package bridge

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// reconcile makes what is known agree with the whole truth of the switch: room
// by room, then the channels that are gone, then those that are new. It is told
// of after every connect, so also of everything that was missed since the last.
func (t *Tracker) reconcile(event Event) {
	if event.Snapshot == nil {
		return
	}
	live := make(map[ChannelID]*Channel, len(event.Snapshot.Channels))
	for i := range event.Snapshot.Channels {
		ch := &event.Snapshot.Channels[i]
		live[ch.ID] = ch
	}
	t.takeUp(event, live)
	t.enterRooms(event.Snapshot.Rooms)
	t.takeUpDials(live, event.Time)
	for _, id := range t.callIDs() {
		t.evaluate(t.calls[id], event.Time)
	}
	t.dropMissing(live, event.Time)
}

// takeUp makes the channels known that are not yet, each in the call of its
// linkedid.
func (t *Tracker) takeUp(event Event, live map[ChannelID]*Channel) {
	for _, seen := range inOrderOfBirth(event.Snapshot.Channels) {
		if c, ch := t.known(&seen); ch != nil {
			t.seen(Event{Channel: &seen})
			t.joinLinked(c, seen)
			continue
		}
		id := CallID(seen.LinkedID)
		if id == "" {
			id = CallID(seen.ID)
		}
		c, ch := t.add(seen, id)
		ch.Incoming = ch.Incoming || ch.side == outside && !wasDialled(seen)
		ch.Dialled = seen.DialledNumber
		if ch.Dialled == "" {
			ch.Dialled = seen.Exten
		}
		if ch.Incoming && ch.side == outside && c.silent() {
			t.startInbound(c, ch, event.Time)
		}
	}
}

// joinLinked brings a channel whose dial was missed into the call it belongs to.
func (t *Tracker) joinLinked(c *call, seen Channel) {
	into := t.calls[CallID(seen.LinkedID)]
	if into != nil && into != c && c.silent() {
		t.merge(into, c)
	}
}

// takeUpDials finds out who dialled the channels whose Dial event was missed:
// the channel of the same call that was not dialled itself.
func (t *Tracker) takeUpDials(live map[ChannelID]*Channel, at timeOfEvent) {
	for _, id := range t.callIDs() {
		c := t.calls[id]
		for _, peer := range slices.Clone(c.Channels) {
			seen := live[peer.ID]
			if seen == nil || peer.DialledBy != "" || peer.Originated || !wasDialled(*seen) {
				continue
			}
			if caller := t.callerIn(c, peer, live); caller != nil {
				t.dialled(c, caller, peer, "", at)
			}
		}
	}
}

// callerIn is the channel of a call that dials its others; nil when none does.
func (t *Tracker) callerIn(c *call, peer *channel, live map[ChannelID]*Channel) *channel {
	for _, ch := range c.Channels {
		if seen := live[ch.ID]; ch.ID != peer.ID && seen != nil && ch.side != plumbing && !wasDialled(*seen) {
			return ch
		}
	}
	return nil
}

func (t *Tracker) enterRooms(rooms []Room) {
	roomOf := make(map[ChannelID]string)
	for _, room := range rooms {
		if room.Holding {
			continue
		}
		for _, id := range room.Channels {
			roomOf[id] = room.ID
		}
	}
	for _, id := range t.callIDs() {
		for _, ch := range t.calls[id].Channels {
			t.move(t.calls[id], ch, roomOf[ch.ID])
		}
	}
}

func (t *Tracker) dropMissing(live map[ChannelID]*Channel, at timeOfEvent) {
	for _, id := range t.callIDs() {
		c, missing := t.calls[id], false
		for _, ch := range slices.Clone(c.Channels) {
			if live[ch.ID] == nil {
				t.drop(c, ch)
				missing = true
			}
		}
		if missing {
			t.evaluate(c, at)
			t.endIfOver(c, at)
		}
	}
}

// wasDialled tells a channel that the switch called from one that called the
// switch, by the application it shows (Asterisk 22: app_dial, app_queue).
func wasDialled(ch Channel) bool {
	return strings.HasPrefix(ch.Application, "AppDial") || strings.HasPrefix(ch.Application, "AppQueue")
}

// inOrderOfBirth sorts channels by their unique ids, which count upwards within
// one life of the switch.
func inOrderOfBirth(channels []Channel) []Channel {
	sorted := slices.Clone(channels)
	slices.SortFunc(sorted, func(a, b Channel) int {
		return cmp.Or(cmp.Compare(serial(a.ID), serial(b.ID)), cmp.Compare(a.ID, b.ID))
	})
	return sorted
}

// serial is the count behind the last dot of a unique id; 0 where there is none.
func serial(id ChannelID) int {
	n, err := strconv.Atoi(string(id[strings.LastIndex(string(id), ".")+1:]))
	if err != nil {
		return 0
	}
	return n
}
