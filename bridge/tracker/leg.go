package tracker

import (
	"slices"
	"strconv"

	"kontur-ari/bridge"
	"kontur-ari/bridge/directory"
)

// startLeg starts a leg and reports it. If another device of the same endpoint rings
// already, the channel joins that leg instead.
func (t *Tracker) startLeg(c *call, caller, own *channel, from, to bridge.Party, at timeOfEvent) {
	for _, l := range c.Legs {
		if l.State == bridge.LegAppeared && l.Caller == caller.ID && caller.ID != own.ID && t.sameEndpoint(l, own) {
			l.Channels = append(l.Channels, own.ID)
			t.addForeignChannel(c, own)
			t.changed(c)
			return
		}
	}
	l := &leg{ID: t.legID(c, own), Channels: []bridge.ChannelID{own.ID}, Caller: caller.ID, From: from, To: to}
	c.Legs = append(c.Legs, l)
	own.AwaitsCaller, own.DialString = false, ""
	t.addForeignChannel(c, own)
	t.addForeignChannel(c, caller)
	t.legEvent(c, l, bridge.LegAppeared, at)
}

// sameEndpoint reports whether a leg has a channel of the same employee's endpoint.
func (t *Tracker) sameEndpoint(l *leg, own *channel) bool {
	for _, id := range l.Channels {
		if ch := t.channels[id]; ch != nil && ch.side == directory.Employee && directory.EndpointOf(ch.Name) == directory.EndpointOf(own.Name) {
			return true
		}
	}
	return false
}

// legID returns the channel's id, with a number appended if the channel has given its id to
// a leg before, in this call or another.
func (t *Tracker) legID(c *call, own *channel) bridge.LegID {
	for {
		own.Served++
		id := bridge.LegID(own.ID)
		if own.Served > 1 {
			id += bridge.LegID("-" + strconv.Itoa(own.Served))
		}
		if !slices.ContainsFunc(c.Legs, func(l *leg) bool { return l.ID == id }) {
			t.changed(own.call)
			return id
		}
	}
}
