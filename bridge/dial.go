package bridge

import (
	"slices"
	"strconv"
	"strings"
)

// The reasons for which a dial is left unreported.
const (
	noteCallsMeet    = "two calls that are both reported were joined by a dial"
	noteNobodyDialed = "a phone was called by a channel behind which nobody is"
	noteNotIncoming  = "somebody outside who had not called in was connected to a phone"
)

func (t *Tracker) dialEvent(event Event) {
	if event.DialStatus != "" {
		return
	}
	c, peer := t.known(event.Peer)
	if peer == nil || peer.DialledBy != "" {
		return
	}
	t.showsNumber(c, peer, event.Peer.CallerNumber)
	if event.Caller == nil {
		peer.Originated = true
		t.changed(c)
		return
	}
	into, caller := t.known(event.Caller)
	if caller == nil {
		return
	}
	t.showsNumber(into, caller, event.Caller.CallerNumber)
	t.dialled(into, caller, peer, event.DialString, event.Time)
}

// showsNumber keeps the number that a channel shows; none is no news in a Dial.
func (t *Tracker) showsNumber(c *call, ch *channel, number string) {
	if number != "" && number != ch.Caller {
		ch.Caller = number
		t.changed(c)
	}
}

// dialled is told once for every channel that a channel has begun to call.
func (t *Tracker) dialled(c *call, caller, peer *channel, dialString string, at timeOfEvent) {
	if from := t.byChannel[peer.ID]; from != c {
		if !from.silent() {
			t.note(c, peer, noteCallsMeet)
			return
		}
		t.merge(c, from)
	}
	peer.DialledBy = caller.ID
	t.changed(c)
	if peer.side == plumbing {
		t.placeWaiting(c, at)
		return
	}
	t.place(c, peer, dialString, at)
}

// place makes a channel that is called part of a leg. Where nobody is found to
// call it, it waits for the dial that reaches its Local channel.
func (t *Tracker) place(c *call, peer *channel, dialString string, at timeOfEvent) {
	root := t.rootOf(c, c.channel(peer.DialledBy))
	peer.Waits, peer.DialString = root == nil, ""
	switch {
	case root == nil:
		peer.DialString = dialString
	case root.side == outside:
		t.clientDials(c, root, peer, dialString, at)
	case peer.side == outside && (c.silent() || c.Direction == Outbound):
		t.employeeDialsOut(c, root, peer, dialString, at)
	default:
		t.employeeDials(c, root, peer, dialString, at)
	}
	t.evaluate(c, at)
}

// placeWaiting places the channels that a Local channel called before it was
// known who had called that.
func (t *Tracker) placeWaiting(c *call, at timeOfEvent) {
	for _, ch := range c.Channels {
		if ch.Waits && t.rootOf(c, c.channel(ch.DialledBy)) != nil {
			t.place(c, ch, ch.DialString, at)
		}
	}
}

// rootOf finds who is really calling: it goes from a Local channel's dialling
// half to the half that was dialled, and on to who dialled that. Nil when nobody
// is at the end.
func (t *Tracker) rootOf(c *call, ch *channel) *channel {
	for range len(c.Channels) {
		if ch == nil || ch.side != plumbing {
			return ch
		}
		dialledBy := ch.DialledBy
		if other := t.otherHalf(c, ch); dialledBy == "" && other != nil {
			dialledBy = other.DialledBy
		}
		ch = c.channel(dialledBy)
	}
	return nil
}

// otherHalf is the other half of a Local channel; nil for none.
func (t *Tracker) otherHalf(c *call, ch *channel) *channel {
	pair := ch.pairName()
	if pair == "" {
		return nil
	}
	for _, id := range t.byPair[pair] {
		if id != ch.ID {
			return c.channel(id)
		}
	}
	return nil
}

func (t *Tracker) startInbound(c *call, trunk *channel, at timeOfEvent) bool {
	dialled := t.directory.numbers.Normalise(trunk.Dialled)
	if dialled == "" {
		dialled = t.directory.trunkNumber(trunk.Name)
	}
	return t.start(c, Inbound, t.directory.numbers.Client(trunk.Caller), dialled, at)
}

// clientDials: somebody outside is connected through to a phone or, forwarded,
// to a number outside.
func (t *Tracker) clientDials(c *call, client, peer *channel, dialString string, at timeOfEvent) {
	if c.silent() && !client.Incoming {
		t.note(c, client, noteNotIncoming)
		return
	}
	if c.silent() && !t.startInbound(c, client, at) {
		return
	}
	from := Party{Type: PartyClient}
	if peer.side == employee {
		t.appear(c, client, peer, from, t.directory.party(peer.Name), at)
		return
	}
	t.appear(c, client, peer, from, t.outsideParty(dialString, peer), at)
}

// employeeDialsOut: one leg, the employee's own, through all attempts.
func (t *Tracker) employeeDialsOut(c *call, own, trunk *channel, dialString string, at timeOfEvent) {
	if c.silent() {
		client := t.directory.numbers.Client(t.numberCalled(dialString, trunk, own))
		if !t.start(c, Outbound, client, t.numberShown(own, trunk), at) {
			return
		}
	}
	if c.openLegOf(own.ID) == nil {
		t.appear(c, own, own, t.directory.party(own.Name), Party{Type: PartyClient}, at)
	}
}

// employeeDials: a phone of the house calls another, or a mobile phone that
// stands for one.
func (t *Tracker) employeeDials(c *call, own, peer *channel, dialString string, at timeOfEvent) {
	if c.silent() && (!t.policy.ReportInternal || !t.start(c, Internal, "", "", at)) {
		return
	}
	to := t.directory.party(peer.Name)
	if peer.side == outside {
		to = t.outsideParty(dialString, peer)
	}
	t.appear(c, own, peer, t.directory.party(own.Name), to, at)
}

// outsideParty is the user whose mobile phone was called, else a client.
func (t *Tracker) outsideParty(dialString string, peer *channel) Party {
	number := t.directory.numbers.Normalise(t.numberCalled(dialString, peer, nil))
	if user, ok := t.directory.userByMobile(number); ok {
		return Party{Type: PartyUser, UserID: user.ID}
	}
	return Party{Type: PartyClient}
}

// appear begins a leg, unless the phone rings already on another device of the
// same endpoint: then the channel joins that leg.
func (t *Tracker) appear(c *call, caller, own *channel, from, to Party, at timeOfEvent) {
	for _, l := range c.Legs {
		if l.State == LegAppeared && l.Caller == caller.ID && caller.ID != own.ID && t.sameEndpoint(c, l, own) {
			l.Channels = append(l.Channels, own.ID)
			return
		}
	}
	l := &leg{ID: t.legID(c, own.ID), Channels: []ChannelID{own.ID}, Caller: caller.ID, From: from, To: to}
	c.Legs = append(c.Legs, l)
	t.legEvent(c, l, LegAppeared, at)
}

func (t *Tracker) sameEndpoint(c *call, l *leg, own *channel) bool {
	for _, id := range l.Channels {
		if ch := c.channel(id); ch != nil && ch.side == employee && endpointOf(ch.Name) == endpointOf(own.Name) {
			return true
		}
	}
	return false
}

// legID is the channel's id, made different where the call has such a leg
// already.
func (t *Tracker) legID(c *call, own ChannelID) LegID {
	id := LegID(own)
	for n := 2; slices.ContainsFunc(c.Legs, func(l *leg) bool { return l.ID == id }); n++ {
		id = LegID(own) + LegID("-"+strconv.Itoa(n))
	}
	return id
}

// numberCalled is the number of somebody outside who is called: from the dial
// string, else what the channel shows, else what the employee dialled.
func (t *Tracker) numberCalled(dialString string, peer, own *channel) string {
	candidates := []string{numberIn(dialString), peer.Caller}
	if own != nil {
		candidates = append(candidates, own.Dialled)
	}
	for _, number := range candidates {
		if t.directory.numbers.Normalise(number) != "" {
			return number
		}
	}
	return ""
}

// numberShown is the number that the called party sees: the caller id that the
// dial plan has set, unless it is still an internal one; then the trunk's.
func (t *Tracker) numberShown(own, trunk *channel) string {
	number := t.directory.numbers.Normalise(own.Caller)
	if number == "" || t.directory.numbers.IsInternal(number) {
		return t.directory.trunkNumber(trunk.Name)
	}
	return number
}

// numberIn finds the number in a dial string: "79997775533@trunk",
// "trunk/79997775533", "trunk/sip:79997775533@host".
func numberIn(dialString string) string {
	if i := strings.LastIndex(dialString, "/"); i >= 0 {
		dialString = dialString[i+1:]
	}
	number, _, _ := strings.Cut(dialString, "@")
	return number
}
