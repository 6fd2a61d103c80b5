package tracker

import (
	"slices"

	"kontur-ari/bridge"
	"kontur-ari/bridge/directory"
)

func (t *Tracker) holdEvent(event bridge.Event) {
	ch := t.known(event.Channel)
	if ch == nil || ch.Held == (event.Type == bridge.EventChannelHold) {
		return
	}
	ch.Held = event.Type == bridge.EventChannelHold
	t.changed(ch.call)
	t.markDirty(ch)
}

// evaluate reports what the legs of a call have become: connected, on hold,
// talking again, over.
func (t *Tracker) evaluate(c *call, at timeOfEvent) {
	for _, l := range c.Legs {
		if !l.open() {
			continue
		}
		others := t.counterparts(c, l)
		if len(others) > 0 {
			t.talks(c, l, others, at)
			continue
		}
		talkedOut := !l.StartedAt.IsZero() && len(l.Talked) == 0
		if len(l.Channels) == 0 || talkedOut {
			t.legEvent(c, l, bridge.LegDisconnected, at)
		}
	}
	t.recordTalk(c)
}

// talks: the leg is in a room with others.
func (t *Tracker) talks(c *call, l *leg, others []*channel, at timeOfEvent) {
	for _, ch := range others {
		if !slices.Contains(l.Talked, ch.ID) {
			l.Talked = append(l.Talked, ch.ID)
			t.addForeignChannel(c, ch)
			t.changed(c)
		}
	}
	if l.State == bridge.LegAppeared {
		t.legEvent(c, l, bridge.LegConnected, at)
	}
	t.hear(c, l)
	held := t.held(l, others)
	switch {
	case held && l.State == bridge.LegConnected:
		t.legEvent(c, l, bridge.LegPaused, at)
	case !held && l.State == bridge.LegPaused:
		t.legEvent(c, l, bridge.LegConnected, at)
	}
}

// held tells whether nobody hears anybody: the leg's own side has pressed hold, or
// everybody on the other side has.
func (t *Tracker) held(l *leg, others []*channel) bool {
	for _, id := range l.Channels {
		if ch := t.channels[id]; ch != nil && ch.Held {
			return true
		}
	}
	return !slices.ContainsFunc(others, func(ch *channel) bool { return !ch.Held })
}

// counterparts are the channels that a leg's own are connected to, as far as they
// are the other side of the leg.
func (t *Tracker) counterparts(c *call, l *leg) []*channel {
	var found []*channel
	for _, id := range l.Channels {
		own := t.channels[id]
		if own == nil || own.BridgeID == "" {
			continue
		}
		for _, ch := range t.talkOf(own) {
			if t.isCounterpart(c, l, ch) && !slices.Contains(found, ch) {
				found = append(found, ch)
			}
		}
	}
	return found
}

// isCounterpart tells whether a channel is of the other side of a leg: who called,
// or another of the same call that has no leg of its own; for a leg with a client,
// somebody outside.
func (t *Tracker) isCounterpart(c *call, l *leg, ch *channel) bool {
	switch {
	case ch.side == directory.Plumbing || slices.Contains(l.Channels, ch.ID):
		return false
	case ch.ID == l.Caller:
		return true
	case ch.call != c || l.withClient() && ch.side != directory.Outside:
		return false
	}
	return c.openLegOf(ch.ID) == nil
}
