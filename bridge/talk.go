package bridge

import "slices"

func (t *Tracker) roomEvent(event Event) {
	if event.Room == nil {
		return
	}
	switch event.Type {
	case EventRoomEntered, EventRoomLeft:
		c, ch := t.known(event.Channel)
		if ch == nil {
			return
		}
		room := ""
		if event.Type == EventRoomEntered && !event.Room.Holding {
			room = event.Room.ID
		}
		if event.Type == EventRoomLeft && ch.Room != event.Room.ID {
			return // it is elsewhere already
		}
		t.move(c, ch, room)
		t.evaluate(c, event.Time)
	case EventRoomMerged:
		if event.MergedInto != nil {
			t.moveAll(event.Room.ID, event.MergedInto.ID, event)
		}
	case EventRoomDestroyed:
		t.moveAll(event.Room.ID, "", event)
	}
}

// moveAll moves everybody in one room to another, or out.
func (t *Tracker) moveAll(from, to string, event Event) {
	if from == "" {
		return
	}
	var there []CallID
	for id, c := range t.calls {
		if slices.ContainsFunc(c.Channels, func(ch *channel) bool { return ch.Room == from }) {
			there = append(there, id)
		}
	}
	slices.Sort(there)
	for _, id := range there {
		c := t.calls[id]
		for _, ch := range c.Channels {
			if ch.Room == from {
				t.move(c, ch, to)
			}
		}
		t.evaluate(c, event.Time)
	}
}

// callIDs are the calls in progress in an order that depends on nothing but them.
func (t *Tracker) callIDs() []CallID {
	ids := make([]CallID, 0, len(t.calls))
	for id := range t.calls {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// move notes the room that a channel is in now. A hold belongs to the room it
// was asked for in: who comes back or goes elsewhere is heard again.
func (t *Tracker) move(c *call, ch *channel, room string) {
	if ch.Room == room {
		return
	}
	ch.Room = room
	ch.Held = false
	t.changed(c)
}

func (t *Tracker) holdEvent(event Event) {
	c, ch := t.known(event.Channel)
	if ch == nil || ch.Held == (event.Type == EventChannelHold) {
		return
	}
	ch.Held = event.Type == EventChannelHold
	t.changed(c)
	t.evaluate(c, event.Time)
}

// evaluate reports what the legs of a call have become: connected, on hold,
// talking again, over.
func (t *Tracker) evaluate(c *call, at timeOfEvent) {
	for _, l := range c.Legs {
		if !l.open() {
			continue
		}
		others := t.talkingTo(c, l)
		if len(others) > 0 {
			t.talks(c, l, others, at)
			continue
		}
		talkedOut := !l.StartedAt.IsZero() && len(l.Talked) == 0
		if len(l.Channels) == 0 || talkedOut {
			t.legEvent(c, l, LegDisconnected, at)
		}
	}
}

// talks: the leg is in a room with others.
func (t *Tracker) talks(c *call, l *leg, others []*channel, at timeOfEvent) {
	held := false
	for _, ch := range others {
		held = held || ch.Held
		if !slices.Contains(l.Talked, ch.ID) {
			l.Talked = append(l.Talked, ch.ID)
			t.changed(c)
		}
	}
	for _, id := range l.Channels {
		held = held || c.channel(id).Held
	}
	if l.State == LegAppeared {
		t.legEvent(c, l, LegConnected, at)
	}
	switch {
	case held && l.State == LegConnected:
		t.legEvent(c, l, LegPaused, at)
	case !held && l.State == LegPaused:
		t.legEvent(c, l, LegConnected, at)
	}
}

// talkingTo finds the channels with somebody behind them that a leg's channels
// are connected to, through the halves of Local channels where need be.
func (t *Tracker) talkingTo(c *call, l *leg) []*channel {
	var found []*channel
	reached := make(map[ChannelID]bool)
	queue := make([]*channel, 0, 2)
	for _, id := range l.Channels {
		if ch := c.channel(id); ch != nil && ch.Room != "" {
			reached[id] = true
			queue = append(queue, ch)
		}
	}
	for len(queue) > 0 {
		from := queue[0]
		queue = queue[1:]
		for _, ch := range c.Channels {
			if reached[ch.ID] || ch.Room == "" || ch.Room != from.Room {
				continue
			}
			reached[ch.ID] = true
			if ch.side != plumbing {
				found = append(found, ch)
			} else if other := t.otherHalf(c, ch); other != nil && !reached[other.ID] && other.Room != "" {
				reached[other.ID] = true
				queue = append(queue, other)
			}
		}
	}
	return found
}
