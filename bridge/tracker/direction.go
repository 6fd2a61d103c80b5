package tracker

import (
	"kontur-ari/bridge"
	"kontur-ari/bridge/directory"
)

// dialled is a dial whose caller is known. consults: root asks the peer about a conversation
// that it is in.
type dialled struct {
	root, peer *channel
	dialString string
	consults   bool
}

// reportDial starts the call, if this is its first dial, and the leg. Here is decided whether a
// call is inbound, outbound or internal: by who dials whom, the first time that this is known.
// A click-to-call has its direction from the command (phoneCalled).
//
//   - A channel from outside dials: inbound.
//   - An employee dials outside: outbound. A short number that leads to a
//     colleague's mobile is internal.
//   - An employee dials an employee: internal.
func (t *Tracker) reportDial(c *call, d dialled, at timeOfEvent) {
	outbound := d.peer.side == directory.Outside && (c.silent() || c.Direction == bridge.Outbound)
	switch {
	case t.dialsForClick(d.root):
		t.clickDials(d.root, d.peer)
	case d.root.side == directory.Outside:
		t.clientDials(c, d.root, d.peer, d.dialString, at)
	case outbound && (d.consults || !t.standsForColleague(d.root, d.peer, d.dialString)):
		t.employeeDialsOut(c, d.root, d.peer, d.dialString, at)
	default:
		t.employeeDials(c, d.root, d.peer, d.dialString, at)
	}
}

// standsForColleague reports whether an employee has dialled a colleague's short number and
// reaches the colleague's mobile phone. Such a call has no client.
func (t *Tracker) standsForColleague(root, peer *channel, dialString string) bool {
	return t.directory.Numbers().IsInternal(root.Dialled) && t.outsideParty(dialString, peer).Type == bridge.PartyUser
}

// startInbound starts an inbound call. The number that was dialled is the trunk channel's, else
// that of the trunk.
func (t *Tracker) startInbound(c *call, trunk *channel, at timeOfEvent) bool {
	dialled := t.directory.Numbers().Normalise(trunk.Dialled)
	if dialled == "" {
		dialled = t.directory.TrunkNumber(trunk.Name)
	}
	return t.start(c, bridge.Inbound, t.directory.Numbers().Client(trunk.Caller), dialled, at)
}

// clientDials starts the leg of a phone that rings for a client, or of a number outside that
// the call is forwarded to.
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

// employeeDialsOut starts the leg of an outbound call, once for all trunks that are tried.
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

// employeeDials starts the leg of a phone that an employee dials, or of a colleague's mobile
// phone.
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
