package tracker

import (
	"cmp"
	"slices"

	"kontur-ari/bridge"
	"kontur-ari/bridge/directory"
)

// The reasons why a dial is not reported.
const (
	noteCallsMeet      = "two calls that are both reported were joined by a dial"
	noteNoCaller       = "a phone was called by a channel behind which nobody is"
	noteClientConsults = "somebody outside consulted a phone by the keys of a telephone"
	noteNotIncoming    = "somebody outside who had not called in was connected to a phone"
)

// finalStatuses end an attempt to dial a channel (Asterisk 22, app_dial, app_queue):
// they come before the next one begins, and the end of the channel may come after.
var finalStatuses = map[string]bool{
	"NOANSWER": true, "BUSY": true, "CANCEL": true, "CHANUNAVAIL": true, "CONGESTION": true,
}

// dialEvent takes the start of a dial, or a later event of a dial whose start did not come.
// A pickup is such a dial: the channel that answers was never dialled.
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
		// Asterisk 22: an originate sends a Dial without status first. For the Local
		// channel of a consultation by keys only Dials with a status come.
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
		// A channel that dials is in no bridge, even if the event of its leaving is late.
		t.move(caller, "")
	}
	t.dialled(caller, peer, event.DialString, event.Time)
}

// pickedUp ends the ringing of all phones that a caller has dialled: a channel that was not
// dialled has answered in their place.
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

// refused removes a channel from the legs in which it only rang. It returns whether there
// were any.
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

// showsNumber stores a channel's caller number from a Dial, which may lack it.
func (t *Tracker) showsNumber(ch *channel, number string) {
	if number != "" && number != ch.Caller {
		ch.Caller = number
		t.changed(ch.call)
	}
}

// dialled notes the caller of a channel, once for each channel that is dialled.
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

// attachToLeg makes a dialled channel part of a leg. If its caller is unknown, it waits for
// the dial of the Local channel that dialled it.
func (t *Tracker) attachToLeg(peer *channel, dialString string, at timeOfEvent) {
	c := peer.call
	root, consults := t.rootOf(t.channels[peer.DialledBy])
	peer.AwaitsCaller, peer.DialString = root == nil, ""
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
	case consults && c.silent() && !t.hasTalked(root) && !t.isUndialled(t.channels[peer.DialledBy]):
		// The Dial of the Local channel was lost.
		t.merge(root.call, c)
		c = root.call
	case !consults:
		t.wentOn(root)
		t.evaluate(c, at)
	}
	// The event that showed the click-to-call's phone ringing may be lost.
	t.phoneCalled(root, at)
	t.reportDial(c, dialled{root, peer, dialString, consults}, at)
	t.addForeignChannel(c, root)
}

// isUndialled reports whether the other half of a Local channel is known to be undialled.
func (t *Tracker) isUndialled(half *channel) bool {
	other := t.otherHalf(half)
	return other != nil && other.Undialled
}

// hasTalked reports whether a channel is in a conversation, so that it can consult a third
// party about it. In a silent call it is enough that it was connected once.
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

// attachWaiting attaches the channels of a call that wait for their caller, where the caller
// is known now.
func (t *Tracker) attachWaiting(c *call, at timeOfEvent) {
	for _, ch := range slices.Clone(c.Channels) {
		if !ch.AwaitsCaller {
			continue
		}
		if root, _ := t.rootOf(t.channels[ch.DialledBy]); root != nil {
			t.attachToLeg(ch, ch.DialString, at)
		}
	}
}

// rootOf returns the person who calls through Local channels: it goes from the half that
// dials to the half that was dialled, and on to its caller. For a consultation by keys
// it returns the employee in the bridge of the undialled half ;1, and consults is true:
// Asterisk puts the employee into a bridge with a Local channel (Asterisk 22,
// bridge_basic). It returns nil if there is no person at the end.
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

// inBridgeWith returns the person in the bridge of a Local channel's half, an employee before
// an outside channel; nil for none.
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
