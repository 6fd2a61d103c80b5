package tracker

import (
	"slices"

	"kontur-ari/bridge"
	"kontur-ari/bridge/directory"
)

// connectUndialled starts legs that no dial explains. A person who hears a client, and whom
// none of those present has dialled, gets a leg in the client's call. This covers pickup,
// a parked call that is taken up, an attended transfer, and a conference.
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

// clientsAmong returns the clients of reported calls, one of each call, the oldest call's
// first.
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

// takeOver moves the phones that ring through a Local channel into the call of the client who
// hears that Local channel now: the caller has transferred the client while they rang.
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

// joinClients gives every employee a leg with every client.
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

// playsIn reports whether a channel has a leg in the call of one of the clients.
func (t *Tracker) playsIn(own *channel, clients []*channel) bool {
	return slices.ContainsFunc(clients, func(client *channel) bool { return client.call.openLegOf(own.ID) != nil })
}

// talksAlready reports whether an employee is in the call by another channel, as during an
// attended transfer.
func (t *Tracker) talksAlready(c *call, own *channel) bool {
	return slices.ContainsFunc(c.Legs, func(l *leg) bool {
		return l.open() && !l.StartedAt.IsZero() && t.sameEndpoint(l, own)
	})
}

// joinOutside handles an attended transfer between two outside channels: the one of the
// younger call becomes a leg of the older call.
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

// joinColleagues handles a conversation without clients: an employee whose own call does not
// go on among those present joins the oldest call.
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

// isWith reports whether a channel's own call goes on among those people.
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

// moveLocalToCall moves a channel into the call, together with the Local channels of its
// former call that carry the conversation.
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
