package tracker

import (
	"cmp"
	"slices"
	"strings"

	"kontur-ari/bridge"
	"kontur-ari/bridge/directory"
)

// The reasons for which a dial is left unreported.
const (
	noteCallsMeet      = "two calls that are both reported were joined by a dial"
	noteNobodyDialed   = "a phone was called by a channel behind which nobody is"
	noteClientConsults = "somebody outside consulted a phone by the keys of a telephone"
	noteNotIncoming    = "somebody outside who had not called in was connected to a phone"
)

// finalStatuses end an attempt to call somebody (Asterisk 22, app_dial, app_queue):
// they come before the next one begins, and the end of the channel may come after.
var finalStatuses = map[string]bool{
	"NOANSWER": true, "BUSY": true, "CANCEL": true, "CHANUNAVAIL": true, "CONGESTION": true,
}

// dialEvent takes the start of a dial, or any other news of one whose start was
// not told: a picked-up call is answered by somebody who was never dialled.
func (t *Tracker) dialEvent(event bridge.Event) {
	peer := t.known(event.Peer)
	if peer == nil {
		return
	}
	if finalStatuses[event.DialStatus] {
		t.refused(peer)
		return
	}
	if peer.DialledBy != "" {
		return
	}
	t.showsNumber(peer, event.Peer.CallerNumber)
	if event.Caller == nil {
		// Asterisk 22: an originate begins with a start; of the Local channel of a
		// consultation by keys only what becomes of it is told.
		peer.Originated = peer.Originated || event.DialStatus == ""
		peer.Undialled = !peer.Originated
		t.changed(peer.call)
		t.phoneCalled(peer, event.Time)
		if event.DialStatus == "ANSWER" {
			t.pickedUpPhone(peer)
		}
		return
	}
	caller := t.known(event.Caller)
	if caller == nil || caller == peer {
		return
	}
	t.showsNumber(caller, event.Caller.CallerNumber)
	if event.DialStatus == "ANSWER" && peer.Incoming {
		// Asterisk 22, pickup: the dial is answered by a channel that has called in.
		if root, _ := t.rootOf(caller); root != nil {
			t.pickedUp(root, event.Time)
		}
	}
	if event.DialStatus == "" && caller.side != directory.Plumbing && caller.BridgeID != peer.BridgeID {
		// Who dials is in no bridge, whether or not that was told yet.
		t.move(caller, "")
	}
	t.dialled(caller, peer, event.DialString, event.Time)
}

// pickedUp: somebody who was not dialled has answered in place of those who were,
// so that nobody rings for the caller any more.
func (t *Tracker) pickedUp(caller *channel, at timeOfEvent) {
	rang := false
	for _, ch := range caller.call.Channels {
		if ch.DialledBy == "" || ch.side == directory.Plumbing {
			continue
		}
		if root, consults := t.rootOf(t.channels[ch.DialledBy]); root == caller && !consults {
			rang = t.refused(ch) || rang
		}
	}
	if rang {
		t.evaluate(caller.call, at)
	}
}

// refused takes a channel out of the legs in which it only rang, and tells whether
// there were any.
func (t *Tracker) refused(peer *channel) (rang bool) {
	for _, c := range t.callsOf(peer) {
		for _, l := range c.Legs {
			if l.State == bridge.LegAppeared && l.Caller != peer.ID && slices.Contains(l.Channels, peer.ID) {
				l.lose(peer.ID)
				t.changed(c)
				rang = true
			}
		}
	}
	return rang
}

// showsNumber keeps the number that a channel shows; none is no news in a Dial.
func (t *Tracker) showsNumber(ch *channel, number string) {
	if number != "" && number != ch.Caller {
		ch.Caller = number
		t.changed(ch.call)
	}
}

// dialled is told once for every channel that a channel has begun to call.
func (t *Tracker) dialled(caller, peer *channel, dialString string, at timeOfEvent) {
	if from := peer.call; from != caller.call {
		if !from.silent() {
			t.note(caller.call, peer, noteCallsMeet)
			return
		}
		t.merge(caller.call, from)
	}
	peer.DialledBy = caller.ID
	t.changed(caller.call)
	if peer.side == directory.Plumbing {
		t.attachWaiting(caller.call, at)
		return
	}
	t.attachToLeg(peer, dialString, at)
}

// place makes a channel that is called part of a leg. Where nobody is found to
// call it, it waits for the dial that reaches its Local channel.
func (t *Tracker) attachToLeg(peer *channel, dialString string, at timeOfEvent) {
	c := peer.call
	root, consults := t.rootOf(t.channels[peer.DialledBy])
	peer.Waits, peer.DialString = root == nil, ""
	t.changed(c)
	if root == nil {
		peer.DialString = dialString
		return
	}
	if peer.side == directory.Outside {
		peer.Dialled = t.numberCalled(dialString, peer, nil)
	}
	switch {
	case consults && root.side == directory.Outside:
		t.note(c, peer, noteClientConsults)
		return
	case consults && c.silent() && !t.hasTalked(root) && !t.nobodyDialled(t.channels[peer.DialledBy]):
		// The dial of the Local channel was not told.
		t.merge(root.call, c)
		c = root.call
	case !consults:
		t.wentOn(root)
		t.evaluate(c, at)
	}
	// That it was called may not have been told.
	t.phoneCalled(root, at)
	switch {
	case t.dialsForClick(root):
		t.clickDials(root, peer)
	case root.side == directory.Outside:
		t.clientDials(c, root, peer, dialString, at)
	case peer.side == directory.Outside && (c.silent() || c.Direction == bridge.Outbound) && (consults || !t.standsForColleague(root, peer, dialString)):
		t.employeeDialsOut(c, root, peer, dialString, at)
	default:
		t.employeeDials(c, root, peer, dialString, at)
	}
	t.addForeignChannel(c, root)
}

// standsForColleague tells whether an employee who dialled a colleague's short
// number is connected to that one's mobile phone: he doesn't call a client.
func (t *Tracker) standsForColleague(root, peer *channel, dialString string) bool {
	return t.directory.Numbers().IsInternal(root.Dialled) && t.outsideParty(dialString, peer).Type == bridge.PartyUser
}

// nobodyDialled tells of a half of a Local channel that it is known that no channel
// has dialled the other.
func (t *Tracker) nobodyDialled(half *channel) bool {
	other := t.otherHalf(half)
	return other != nil && other.Undialled
}

// hasTalked tells whether somebody is in a conversation that he can consult a
// third about. Of a call that is not reported no more is known than that he has
// met somebody.
func (t *Tracker) hasTalked(ch *channel) bool {
	if ch.call.silent() && ch.Met {
		return true
	}
	for _, c := range t.callsOf(ch) {
		for _, l := range c.Legs {
			if l.open() && !l.StartedAt.IsZero() && (l.Caller == ch.ID || slices.Contains(l.Channels, ch.ID)) {
				return true
			}
		}
	}
	return false
}

// attachWaiting places the channels that a Local channel called before it was
// known who had called that.
func (t *Tracker) attachWaiting(c *call, at timeOfEvent) {
	for _, ch := range slices.Clone(c.Channels) {
		if !ch.Waits {
			continue
		}
		if root, _ := t.rootOf(t.channels[ch.DialledBy]); root != nil {
			t.attachToLeg(ch, ch.DialString, at)
		}
	}
}

// rootOf finds who is really calling: it goes from a Local channel's dialling
// half to the half that was dialled, and on to who dialled that. Where nobody did,
// it is the employee in a room with that half, ;1: an employee who consults somebody
// by the keys of the telephone is put in a room with a Local channel (Asterisk 22,
// bridge_basic). Nil when nobody is at the end.
func (t *Tracker) rootOf(ch *channel) (root *channel, consults bool) {
	passed := make(map[*channel]bool)
	for ch != nil && !passed[ch] {
		if ch.side != directory.Plumbing {
			return ch, false
		}
		passed[ch] = true
		other := t.otherHalf(ch)
		switch {
		case ch.DialledBy != "":
			ch = t.channels[ch.DialledBy]
		case other == nil:
			return nil, false
		case other.DialledBy != "":
			ch = t.channels[other.DialledBy]
		case ch.half() == "2" && !other.Originated:
			return t.inBridgeWith(other), true
		default:
			return nil, false
		}
	}
	return nil, false
}

// inBridgeWith is the person in the room of a Local channel's half: an employee
// rather than somebody outside. Nil where there is nobody.
func (t *Tracker) inBridgeWith(half *channel) *channel {
	var employees, others []*channel
	for _, ch := range t.byBridge[half.BridgeID] {
		switch ch.side {
		case directory.Employee:
			employees = append(employees, ch)
		case directory.Outside:
			others = append(others, ch)
		}
	}
	return cmp.Or(firstBorn(employees), firstBorn(others))
}

func (t *Tracker) startInbound(c *call, trunk *channel, at timeOfEvent) bool {
	dialled := t.directory.Numbers().Normalise(trunk.Dialled)
	if dialled == "" {
		dialled = t.directory.TrunkNumber(trunk.Name)
	}
	return t.start(c, bridge.Inbound, t.directory.Numbers().Client(trunk.Caller), dialled, at)
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
	from := bridge.Party{Type: bridge.PartyClient}
	if peer.side == directory.Employee {
		t.startLeg(c, client, peer, from, t.directory.Party(peer.Name), at)
		return
	}
	t.startLeg(c, client, peer, from, t.outsideParty(dialString, peer), at)
}

// employeeDialsOut: one leg, the employee's own, through all attempts.
func (t *Tracker) employeeDialsOut(c *call, own, trunk *channel, dialString string, at timeOfEvent) {
	if c.silent() {
		client := t.directory.Numbers().Client(t.numberCalled(dialString, trunk, own))
		if !t.start(c, bridge.Outbound, client, t.numberShown(own, trunk), at) {
			return
		}
	}
	if c.openLegOf(own.ID) == nil {
		t.startLeg(c, own, own, t.directory.Party(own.Name), bridge.Party{Type: bridge.PartyClient}, at)
	}
}

// employeeDials: a phone of the house calls another, or a mobile phone that
// stands for one.
func (t *Tracker) employeeDials(c *call, own, peer *channel, dialString string, at timeOfEvent) {
	if c.silent() && (!t.policy.ReportInternal || !t.start(c, bridge.Internal, "", "", at)) {
		return
	}
	to := t.directory.Party(peer.Name)
	if peer.side == directory.Outside {
		to = t.outsideParty(dialString, peer)
	}
	t.startLeg(c, own, peer, t.directory.Party(own.Name), to, at)
}

// outsideParty is the user whose mobile phone was called, else a client.
func (t *Tracker) outsideParty(dialString string, peer *channel) bridge.Party {
	number := t.directory.Numbers().Normalise(t.numberCalled(dialString, peer, nil))
	if user, ok := t.directory.UserByMobile(number); ok {
		return bridge.Party{Type: bridge.PartyUser, UserID: user.ID}
	}
	return bridge.Party{Type: bridge.PartyClient}
}

// numberCalled is the number of somebody outside who is called: from the dial
// string, else what the channel shows, else what the employee dialled.
func (t *Tracker) numberCalled(dialString string, peer, own *channel) string {
	candidates := []string{numberIn(dialString), peer.Caller, peer.Dialled}
	if own != nil && !t.directory.Numbers().IsInternal(own.Dialled) {
		candidates = append(candidates, own.Dialled)
	}
	for _, number := range candidates {
		if t.directory.Numbers().Normalise(number) != "" {
			return number
		}
	}
	return ""
}

// numberShown is the number that the called party sees: the caller id that the
// dial plan has set, unless it is still an internal one; then the trunk's.
func (t *Tracker) numberShown(own, trunk *channel) string {
	number := t.directory.Numbers().Normalise(own.Caller)
	if number == "" || t.directory.Numbers().IsInternal(number) {
		return t.directory.TrunkNumber(trunk.Name)
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
