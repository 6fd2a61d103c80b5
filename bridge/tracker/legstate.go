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

// evaluate reports the changes of a call's open legs: connected, on hold, resumed, over.
func (t *Tracker) evaluate(c *call, at timeOfEvent) {
	for _, l := range c.Legs {
		if !l.open() {
			continue
		}
		others := t.counterparts(c, l)
		if len(others) > 0 {
			t.connect(c, l, others, at)
			continue
		}
		othersLeft := !l.StartedAt.IsZero() && len(l.Talked) == 0
		if len(l.Channels) == 0 || othersLeft {
			t.legEvent(c, l, bridge.LegDisconnected, at)
		}
	}
	t.recordTalk(c)
}

// connect reports that the leg hears others: connected for the first time, or put on hold,
// or resumed.
func (t *Tracker) connect(c *call, l *leg, others []*channel, at timeOfEvent) {
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
	t.markHeard(c, l)
	held := t.held(l, others)
	switch {
	case held && l.State == bridge.LegConnected:
		t.legEvent(c, l, bridge.LegPaused, at)
	case !held && l.State == bridge.LegPaused:
		t.legEvent(c, l, bridge.LegConnected, at)
	}
}

// held reports whether the leg is on hold: one of its own channels holds, or all channels of
// the other side do.
func (t *Tracker) held(l *leg, others []*channel) bool {
	for _, id := range l.Channels {
		if ch := t.channels[id]; ch != nil && ch.Held {
			return true
		}
	}
	return !slices.ContainsFunc(others, func(ch *channel) bool { return !ch.Held })
}

// counterparts returns the channels of the other side that the leg's own channels hear.
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

// isCounterpart reports whether a channel is of the other side of a leg. That is the caller,
// or another channel of the same call without a leg of its own. In a leg with a client
// it must be an outside channel.
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
