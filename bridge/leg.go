package bridge

import (
	"slices"
	"strconv"
)

// appear begins a leg, unless the phone rings already on another device of the
// same endpoint: then the channel joins that leg.
func (t *Tracker) appear(c *call, caller, own *channel, from, to Party, at timeOfEvent) {
	for _, l := range c.Legs {
		if l.State == LegAppeared && l.Caller == caller.ID && caller.ID != own.ID && t.sameEndpoint(l, own) {
			l.Channels = append(l.Channels, own.ID)
			t.invite(c, own)
			t.changed(c)
			return
		}
	}
	l := &leg{ID: t.legID(c, own), Channels: []ChannelID{own.ID}, Caller: caller.ID, From: from, To: to}
	c.Legs = append(c.Legs, l)
	own.Waits, own.DialString = false, ""
	t.invite(c, own)
	t.invite(c, caller)
	t.legEvent(c, l, LegAppeared, at)
}

// sameEndpoint tells whether a leg is that of the same employee's phone.
func (t *Tracker) sameEndpoint(l *leg, own *channel) bool {
	for _, id := range l.Channels {
		if ch := t.channels[id]; ch != nil && ch.side == employee && endpointOf(ch.Name) == endpointOf(own.Name) {
			return true
		}
	}
	return false
}

// legID is the channel's id, with a number behind it where the channel has been a
// leg before, in this call or another.
func (t *Tracker) legID(c *call, own *channel) LegID {
	for {
		own.Served++
		id := LegID(own.ID)
		if own.Served > 1 {
			id += LegID("-" + strconv.Itoa(own.Served))
		}
		if !slices.ContainsFunc(c.Legs, func(l *leg) bool { return l.ID == id }) {
			t.changed(own.call)
			return id
		}
	}
}
