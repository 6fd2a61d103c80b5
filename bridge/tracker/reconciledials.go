package tracker

import (
	"slices"
	"strings"

	"kontur-ari/bridge"
	"kontur-ari/bridge/directory"
)

// takeUpDials finds out who dialled the channels whose Dial event was missed, or
// that of the Local channel before them.
func (t *Tracker) takeUpDials(live map[bridge.ChannelID]*bridge.Channel, at timeOfEvent) {
	for _, id := range t.callIDs() {
		c := t.calls[id]
		if c == nil {
			continue
		}
		for _, peer := range slices.Clone(c.Channels) {
			seen := live[peer.ID]
			placed := peer.DialledBy != "" && !peer.Waits || c.openLegOf(peer.ID) != nil
			if seen == nil || placed || peer.Originated || !wasDialled(*seen) {
				continue
			}
			caller := t.callerByKeys(peer, live)
			if caller != nil {
				t.moveToCall(caller.call, peer)
			} else if caller = t.callerIn(c, peer, live); caller == nil {
				continue
			}
			t.dialled(caller, peer, peer.DialString, at)
		}
	}
}

// callerIn is the channel of a call that dials its others: the one that runs what
// they were dialled by. Nil when none does.
func (t *Tracker) callerIn(c *call, peer *channel, live map[bridge.ChannelID]*bridge.Channel) *channel {
	dials := strings.TrimPrefix(live[peer.ID].Application, "App")
	for _, ch := range c.Channels {
		if seen := live[ch.ID]; ch.ID != peer.ID && seen != nil && ch.side != directory.Plumbing && seen.Application == dials {
			return ch
		}
	}
	return nil
}

// callerByKeys is the half of a Local channel by which an employee consults a
// channel: both are counted by the switch to the call of those who wait. Nil when
// nobody consults it.
func (t *Tracker) callerByKeys(peer *channel, live map[bridge.ChannelID]*bridge.Channel) *channel {
	linked := live[peer.ID].LinkedID
	for _, id := range t.callIDs() {
		for _, half := range t.calls[id].Channels {
			if half.BridgeID != peer.BridgeID || !t.byKeys(half, live) || isFirstHalf(half.Name) || live[half.ID].LinkedID != linked {
				continue
			}
			if root, _ := t.rootOf(half); root != nil && root.side == directory.Employee && t.isWaitedFor(root, peer, live) {
				return half
			}
		}
	}
	return nil
}

// isWaitedFor tells whether somebody is in the call of one who consults another
// and does not hear the two.
func (t *Tracker) isWaitedFor(root, peer *channel, live map[bridge.ChannelID]*bridge.Channel) bool {
	hear := t.talkOf(root)
	return slices.ContainsFunc(root.call.Channels, func(ch *channel) bool {
		return ch != peer && ch.side != directory.Plumbing && ch.BridgeID != "" && live[ch.ID] != nil && !slices.Contains(hear, ch)
	})
}

// byKeys tells whether a channel is a half of a Local channel that nobody dialled:
// an employee who consults somebody by the keys of the telephone has it made
// (Asterisk 22, bridge_basic).
func (t *Tracker) byKeys(ch *channel, live map[bridge.ChannelID]*bridge.Channel) bool {
	first := ch
	if !isFirstHalf(ch.Name) {
		first = t.otherHalf(ch)
	}
	if ch.pairName() == "" || first == nil || first.DialledBy != "" || first.Originated || live[first.ID] == nil || live[ch.ID] == nil {
		return false
	}
	return !wasDialled(*live[first.ID])
}

// consultsByKeys tells whether a call is one that an employee makes by such a Local
// channel. It is a call of its own, whichever the switch counts it to.
func (t *Tracker) consultsByKeys(c *call, live map[bridge.ChannelID]*bridge.Channel) bool {
	return slices.ContainsFunc(c.Channels, func(ch *channel) bool { return t.byKeys(ch, live) })
}

// isFirstHalf tells the half of a Local channel that is dialled, or put in a room
// with somebody, from the one that dials.
func isFirstHalf(name string) bool { return strings.HasSuffix(name, ";1") }

// wasDialled tells a channel that the switch called from one that called the
// switch, by the application it shows (Asterisk 22: app_dial, app_queue).
func wasDialled(ch bridge.Channel) bool {
	return strings.HasPrefix(ch.Application, "AppDial") || strings.HasPrefix(ch.Application, "AppQueue")
}
