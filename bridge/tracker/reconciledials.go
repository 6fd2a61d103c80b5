package tracker

import (
	"slices"
	"strings"

	"kontur-ari/bridge"
	"kontur-ari/bridge/directory"
)

// takeUpDials finds the callers of the channels whose Dial was missed, or whose Local
// channel's Dial was missed.
func (t *Tracker) takeUpDials(live map[bridge.ChannelID]*bridge.Channel, at timeOfEvent) {
	for _, id := range t.callIDs() {
		c := t.calls[id]
		if c == nil {
			continue
		}
		for _, peer := range slices.Clone(c.Channels) {
			seen := live[peer.ID]
			placed := peer.DialledBy != "" && !peer.AwaitsCaller || c.openLegOf(peer.ID) != nil
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

// callerIn returns the channel of a call that runs the application which has dialled peer;
// nil for none.
func (t *Tracker) callerIn(c *call, peer *channel, live map[bridge.ChannelID]*bridge.Channel) *channel {
	dials := strings.TrimPrefix(live[peer.ID].Application, "App")
	for _, ch := range c.Channels {
		if seen := live[ch.ID]; ch.ID != peer.ID && seen != nil && ch.side != directory.Plumbing && seen.Application == dials {
			return ch
		}
	}
	return nil
}

// callerByKeys returns the half of a Local channel through which an employee consults peer by
// keys; nil for none. Both have the linkedid of the call that waits.
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

// isWaitedFor reports whether a person in root's call waits: one who is in a bridge but does
// not hear root and peer.
func (t *Tracker) isWaitedFor(root, peer *channel, live map[bridge.ChannelID]*bridge.Channel) bool {
	hear := t.talkOf(root)
	return slices.ContainsFunc(root.call.Channels, func(ch *channel) bool {
		return ch != peer && ch.side != directory.Plumbing && ch.BridgeID != "" && live[ch.ID] != nil && !slices.Contains(hear, ch)
	})
}

// byKeys reports whether a channel is a half of a Local channel that no channel dialled.
// Asterisk makes one for a consultation by keys (Asterisk 22, bridge_basic).
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

// consultsByKeys reports whether a call is a consultation by keys. It is a call of its own
// here, although its channels have the linkedid of the first call.
func (t *Tracker) consultsByKeys(c *call, live map[bridge.ChannelID]*bridge.Channel) bool {
	return slices.ContainsFunc(c.Channels, func(ch *channel) bool { return t.byKeys(ch, live) })
}

// isFirstHalf reports whether a channel is the half ;1 of a Local channel, which is dialled or
// put into a bridge. The half ;2 dials.
func isFirstHalf(name string) bool { return strings.HasSuffix(name, ";1") }

// wasDialled reports whether the exchange has dialled a channel, by the channel's application
// (Asterisk 22: app_dial, app_queue).
func wasDialled(ch bridge.Channel) bool {
	return strings.HasPrefix(ch.Application, "AppDial") || strings.HasPrefix(ch.Application, "AppQueue")
}
