package tracker

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"kontur-ari/bridge"
	"kontur-ari/bridge/directory"
)

// reconcile makes what is known agree with the whole truth of the switch. It is
// told of after every connect, so also of everything that was missed since the
// last.
//
// The channels that are gone go first: after a restart of the switch new ones
// have their names. A call that has lost all its channels ends last, since some
// of those that are new may belong to it.
func (t *Tracker) reconcile(event bridge.Event) {
	if event.Snapshot == nil {
		return
	}
	live := make(map[bridge.ChannelID]*bridge.Channel, len(event.Snapshot.Channels))
	for i := range event.Snapshot.Channels {
		ch := &event.Snapshot.Channels[i]
		live[ch.ID] = ch
	}
	bereft, went := t.dropMissing(live), goneAt(event)
	t.evaluateAll(bereft, went)
	t.takeUp(event, live)
	t.enterBridges(event.Snapshot.Bridges)
	t.evaluateAll(t.callIDs(), event.Time)
	t.takeUpPhones(live, event.Time)
	t.takeUpDials(live, event.Time)
	for bridgeID := range t.byBridge {
		t.markBridgeDirty(bridgeID)
	}
	t.connectBridges(event.Time)
	t.evaluateAll(t.callIDs(), event.Time)
	t.endAll(bereft, went)
	t.endAll(t.callIDs(), event.Time)
	t.askAgain()
}

func (t *Tracker) endAll(ids []bridge.CallID, at timeOfEvent) {
	for _, id := range ids {
		if c := t.calls[id]; c != nil {
			t.endIfOver(c, at)
		}
	}
}

func (t *Tracker) evaluateAll(ids []bridge.CallID, at timeOfEvent) {
	for _, id := range ids {
		if c := t.calls[id]; c != nil {
			t.evaluate(c, at)
		}
	}
}

// callIDs are the calls in progress in an order that depends on nothing but them.
func (t *Tracker) callIDs() []bridge.CallID { return slices.Sorted(maps.Keys(t.calls)) }

// longestGuess is how long nobody may have listened for an end that was missed to
// be put at the end of that time.
const longestGuess = time.Minute

// goneAt is when the channels that a snapshot does not show any more are taken to
// have gone: now, which is late by the length of the gap at most; after a longer
// gap, when they were last known to be there. A call is rather told too short
// than as a conversation of a day.
func goneAt(event bridge.Event) timeOfEvent {
	since := event.Snapshot.MissedSince
	if since.IsZero() || event.Time.Sub(since) <= longestGuess {
		return event.Time
	}
	return since
}

// dropMissing forgets the channels that are gone and returns the calls they
// were in.
func (t *Tracker) dropMissing(live map[bridge.ChannelID]*bridge.Channel) []bridge.CallID {
	var bereft []bridge.CallID
	for _, id := range t.callIDs() {
		c, missing := t.calls[id], false
		for _, ch := range slices.Clone(c.Channels) {
			if live[ch.ID] == nil {
				t.phoneMissed(ch)
				t.drop(ch)
				missing = true
			}
		}
		if missing {
			bereft = append(bereft, id)
		}
	}
	return bereft
}

// takeUp makes the channels known that are not yet, each in the call of its
// linkedid.
func (t *Tracker) takeUp(event bridge.Event, live map[bridge.ChannelID]*bridge.Channel) {
	for _, seen := range inOrderOfBirth(event.Snapshot.Channels) {
		if seen.ID == "" {
			continue
		}
		if ch := t.known(&seen); ch != nil {
			t.showFiles(&seen)
			t.seen(bridge.Event{Channel: &seen})
			if !t.consultsByKeys(ch.call, live) {
				t.joinLinked(ch.call, seen)
			}
			continue
		}
		id := bridge.CallID(seen.LinkedID)
		if id == "" || isFirstHalf(seen.Name) && !wasDialled(seen) {
			id = bridge.CallID(seen.ID)
		}
		ch := t.add(seen, id)
		ch.Undialled = t.byKeys(ch, live)
		ch.Incoming = ch.Incoming || cameIn(ch, seen)
		ch.Dialled = seen.DialledNumber
		if ch.Dialled == "" && ch.side == directory.Employee {
			// What an employee dialled is not far from where the dial plan is; a
			// caller from outside may be anywhere in it by now.
			ch.Dialled = seen.Exten
		}
		if ch.Incoming && ch.side == directory.Outside && ch.call.silent() {
			t.startInbound(ch.call, ch, event.Time)
		}
	}
}

// joinLinked brings a channel whose dial was missed into the call it belongs to.
func (t *Tracker) joinLinked(c *call, seen bridge.Channel) {
	into, ch := t.calls[bridge.CallID(seen.LinkedID)], t.channels[seen.ID]
	missed := wasDialled(seen) && (ch.DialledBy == "" || ch.Waits) && !ch.Originated
	if into != nil && into != c && c.silent() && missed {
		t.merge(into, c)
	}
}

// enterBridges puts everybody where the switch says they are. Who waits in a holding
// bridge, as a parked caller does, has left those it talked to.
func (t *Tracker) enterBridges(bridges []bridge.Bridge) {
	roomOf, waits := make(map[bridge.ChannelID]string), make(map[bridge.ChannelID]bool)
	for _, br := range bridges {
		for _, id := range br.Channels {
			if br.Holding {
				waits[id] = true
			} else {
				roomOf[id] = br.ID
			}
		}
	}
	for _, id := range t.callIDs() {
		for _, ch := range t.calls[id].Channels {
			bridgeID := roomOf[ch.ID]
			if bridgeID != "" && bridgeID == ch.Parted {
				bridgeID = "" // it is about to leave
			}
			t.move(ch, bridgeID)
			if waits[ch.ID] {
				t.parked(ch)
			}
		}
	}
}

// cameIn tells whether a channel of a snapshot is a call from outside. An answered
// one shows that by the number it has dialled; one that the switch calls, or that
// was sent on from another call, has none or is not its call's first.
func cameIn(ch *channel, seen bridge.Channel) bool {
	first := seen.LinkedID == "" || seen.LinkedID == seen.ID
	return ch.side == directory.Outside && first && !wasDialled(seen) && seen.State == bridge.StateUp && seen.DialledNumber != ""
}

// inOrderOfBirth sorts channels by their unique ids, which count upwards within
// one life of the switch.
func inOrderOfBirth(channels []bridge.Channel) []bridge.Channel {
	sorted := slices.Clone(channels)
	slices.SortFunc(sorted, func(a, b bridge.Channel) int {
		return cmp.Or(cmp.Compare(serial(a.ID), serial(b.ID)), cmp.Compare(a.ID, b.ID))
	})
	return sorted
}

// serial is the count behind the last dot of a unique id; 0 where there is none.
func serial(id bridge.ChannelID) int {
	n, err := strconv.Atoi(string(id[strings.LastIndex(string(id), ".")+1:]))
	if err != nil {
		return 0
	}
	return n
}
