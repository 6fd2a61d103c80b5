package tracker

import (
	"slices"

	"kontur-ari/bridge"
	"kontur-ari/bridge/directory"
)

// join draws the conclusions from who hears whom: somebody who was not called by
// anybody there, and talks with a client now, has a leg in the client's call. That
// is how a call is picked up, taken out of parking, handed over after a
// consultation, or becomes a conference.
func (t *Tracker) connectUndialled(talk []*channel, at timeOfEvent) {
	var people []*channel
	for _, ch := range talk {
		if ch.side != directory.Plumbing {
			people = append(people, ch)
		}
	}
	for _, ch := range people {
		if len(people) > 1 && !ch.Met {
			ch.Met = true
			t.changed(ch.call)
		}
	}
	clients := clientsAmong(people)
	if len(clients) > 0 {
		t.takeOver(clients[0], talk, at)
	}
	switch {
	case len(people) < 2:
	case len(clients) == 0:
		t.joinColleagues(talk, people, at)
	case slices.ContainsFunc(people, func(ch *channel) bool { return ch.side == directory.Employee }):
		t.joinClients(talk, people, clients, at)
	default:
		t.joinOutside(talk, people, clients[0], at)
	}
}

// clientsAmong are the clients of reported calls, the oldest call's first, one of
// each call.
func clientsAmong(people []*channel) []*channel {
	var clients []*channel
	for _, ch := range people {
		c := ch.call
		mayBe := ch.side == directory.Outside && !c.silent() && c.Direction != bridge.Internal && c.openLegOf(ch.ID) == nil
		if mayBe && !slices.ContainsFunc(clients, func(other *channel) bool { return other.call == c }) {
			clients = append(clients, ch)
		}
	}
	slices.SortStableFunc(clients, func(a, b *channel) int { return older(a.call, b.call) })
	return clients
}

// takeOver: who is called over a Local channel that a client hears now is called
// for that client, as a phone is that rings still when its caller hands over.
func (t *Tracker) takeOver(client *channel, talk []*channel, at timeOfEvent) {
	for _, half := range talk {
		from := half.call
		if half.side != directory.Plumbing || from == client.call {
			continue
		}
		var called []*channel
		for _, ch := range slices.Clone(from.Channels) {
			dialling := ch
			switch {
			case ch.side != directory.Plumbing:
				dialling = t.channels[ch.DialledBy]
			case ch.half() == "1":
				dialling = t.otherHalf(ch)
			}
			if root, _ := t.rootOf(dialling); root == client {
				t.moveToCall(client.call, ch)
				called = append(called, ch)
			}
		}
		for _, ch := range called {
			switch ch.side {
			case directory.Employee:
				t.startLeg(client.call, client, ch, bridge.Party{Type: bridge.PartyClient}, t.directory.Party(ch.Name), at)
			case directory.Outside:
				t.startLeg(client.call, client, ch, bridge.Party{Type: bridge.PartyClient}, t.outsideParty("", ch), at)
			}
		}
	}
}

// joinClients: every employee has a leg with every client.
func (t *Tracker) joinClients(talk, people, clients []*channel, at timeOfEvent) {
	for _, own := range people {
		if own.side != directory.Employee {
			continue
		}
		for _, client := range clients {
			c := client.call
			if c.openLegOf(own.ID) != nil || t.talksAlready(c, own) {
				continue
			}
			if free := own.call.silent() || own.call.Direction == bridge.Internal; free && !t.playsIn(own, clients) {
				t.moveLocalToCall(c, own, talk)
			}
			if own.Incoming && own.DialledBy == "" {
				t.pickedUp(client, at)
			}
			t.startLeg(c, client, own, bridge.Party{Type: bridge.PartyClient}, t.directory.Party(own.Name), at)
		}
	}
}

// playsIn tells whether a channel has a leg in the call of one of the clients.
func (t *Tracker) playsIn(own *channel, clients []*channel) bool {
	return slices.ContainsFunc(clients, func(client *channel) bool { return client.call.openLegOf(own.ID) != nil })
}

// talksAlready tells whether an employee is in the call by another channel, as
// somebody is who brings the two he talks to together.
func (t *Tracker) talksAlready(c *call, own *channel) bool {
	return slices.ContainsFunc(c.Legs, func(l *leg) bool {
		return l.open() && !l.StartedAt.IsZero() && t.sameEndpoint(l, own)
	})
}

// joinOutside: those whom an employee has brought together and left are all
// outside. Who was called later is a leg of the older call.
func (t *Tracker) joinOutside(talk, people []*channel, client *channel, at timeOfEvent) {
	if !slices.ContainsFunc(talk, func(ch *channel) bool { return ch.Joined }) {
		return
	}
	for _, own := range people {
		if own.call != client.call {
			t.moveLocalToCall(client.call, own, talk)
			t.startLeg(client.call, client, own, bridge.Party{Type: bridge.PartyClient}, t.outsideParty("", own), at)
		}
	}
}

// joinColleagues: nobody outside is there. Who was not called by somebody who is
// still with them joins the oldest call.
func (t *Tracker) joinColleagues(talk, people []*channel, at timeOfEvent) {
	var oldest *channel
	for _, ch := range people {
		if !ch.call.silent() && ch.side == directory.Employee && (oldest == nil || older(ch.call, oldest.call) < 0) {
			oldest = ch
		}
	}
	if oldest == nil || oldest.call.Direction != bridge.Internal {
		return
	}
	c := oldest.call
	for _, own := range people {
		if own.call == c || own.side != directory.Employee || t.isWith(own, people) || t.talksAlready(c, own) {
			continue
		}
		t.moveLocalToCall(c, own, talk)
		t.startLeg(c, oldest, own, t.directory.Party(oldest.Name), t.directory.Party(own.Name), at)
	}
}

// isWith tells whether a channel's own call goes on among those people.
func (t *Tracker) isWith(own *channel, people []*channel) bool {
	for _, c := range t.callsOf(own) {
		for _, l := range c.Legs {
			concerns := l.open() && (l.Caller == own.ID || slices.Contains(l.Channels, own.ID))
			if concerns && slices.ContainsFunc(people, func(ch *channel) bool {
				return ch != own && (slices.Contains(l.Channels, ch.ID) || t.isCounterpart(c, l, ch))
			}) {
				return true
			}
		}
	}
	return own.call.Direction != bridge.Internal && !own.call.silent()
}

// moveLocalToCall moves a channel into the call, and with it the Local channels that
// those who talk hear each other through.
func (t *Tracker) moveLocalToCall(c *call, own *channel, talk []*channel) {
	from := own.call
	t.moveToCall(c, own)
	for _, ch := range talk {
		if ch.side == directory.Plumbing && ch.call == from {
			t.moveToCall(c, ch)
		}
	}
	if len(from.Channels) == 0 && from.silent() {
		delete(t.calls, from.ID)
	}
}
