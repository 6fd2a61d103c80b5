package tracker

import (
	"slices"
	"strconv"

	"kontur-ari/bridge"
	"kontur-ari/bridge/directory"
)

// startLeg begins a leg, unless the phone rings already on another device of the
// same endpoint: then the channel joins that leg.
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
	own.Waits, own.DialString = false, ""
	t.addForeignChannel(c, own)
	t.addForeignChannel(c, caller)
	t.legEvent(c, l, bridge.LegAppeared, at)
}

// sameEndpoint tells whether a leg is that of the same employee's phone.
func (t *Tracker) sameEndpoint(l *leg, own *channel) bool {
	for _, id := range l.Channels {
		if ch := t.channels[id]; ch != nil && ch.side == directory.Employee && directory.EndpointOf(ch.Name) == directory.EndpointOf(own.Name) {
			return true
		}
	}
	return false
}

// legID is the channel's id, with a number behind it where the channel has been a
// leg before, in this call or another.
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
