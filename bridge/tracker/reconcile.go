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

// reconcile makes the state agree with a snapshot of the exchange. A snapshot comes after
// every connect and makes up for the events that were missed.
//
// Missing channels are dropped first, because new channels may have their names after a
// restart of the exchange. A call that has lost all its channels ends last, because new
// channels may belong to it.
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

// callIDs returns the ids of the calls in progress, sorted.
func (t *Tracker) callIDs() []bridge.CallID { return slices.Sorted(maps.Keys(t.calls)) }

// longestGuess: after a gap of at most that length, a missed hang-up gets the time of the
// gap's end.
const longestGuess = time.Minute

// goneAt returns the time at which channels that are missing from a snapshot count as gone:
// the snapshot's, which is late by the length of the gap at most. After a gap of more
// than longestGuess it is the start of the gap: a call that is reported too short is
// better than one of a day.
func goneAt(event bridge.Event) timeOfEvent {
	since := event.Snapshot.MissedSince
	if since.IsZero() || event.Time.Sub(since) <= longestGuess {
		return event.Time
	}
	return since
}

// dropMissing drops the channels that are gone and returns the calls that they were in.
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

// takeUp makes unknown channels known, each in the call of its linkedid.
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
			// An employee's channel is still near the extension that was dialled. An
			// outside caller may be anywhere in the dial plan by now.
			ch.Dialled = seen.Exten
		}
		if ch.Incoming && ch.side == directory.Outside && ch.call.silent() {
			t.startInbound(ch.call, ch, event.Time)
		}
	}
}

// joinLinked merges the silent call of a channel whose Dial was missed into the call of its
// linkedid.
func (t *Tracker) joinLinked(c *call, seen bridge.Channel) {
	into, ch := t.calls[bridge.CallID(seen.LinkedID)], t.channels[seen.ID]
	missed := wasDialled(seen) && (ch.DialledBy == "" || ch.AwaitsCaller) && !ch.Originated
	if into != nil && into != c && c.silent() && missed {
		t.merge(into, c)
	}
}

// enterBridges moves every channel to the bridge that the snapshot shows. A channel in a
// holding bridge, such as a parked caller, has left its conversation.
func (t *Tracker) enterBridges(bridges []bridge.Bridge) {
	bridgeOf, waits := make(map[bridge.ChannelID]string), make(map[bridge.ChannelID]bool)
	for _, br := range bridges {
		for _, id := range br.Channels {
			if br.Holding {
				waits[id] = true
			} else {
				bridgeOf[id] = br.ID
			}
		}
	}
	for _, id := range t.callIDs() {
		for _, ch := range t.calls[id].Channels {
			bridgeID := bridgeOf[ch.ID]
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

// cameIn reports whether an answered channel of a snapshot has called from outside. Such a
// channel has a dialled number and is the first of its call. A channel that the exchange
// has called, or that was transferred from another call, lacks one of the two.
func cameIn(ch *channel, seen bridge.Channel) bool {
	first := seen.LinkedID == "" || seen.LinkedID == seen.ID
	return ch.side == directory.Outside && first && !wasDialled(seen) && seen.State == bridge.StateUp && seen.DialledNumber != ""
}

// inOrderOfBirth returns channels sorted by their unique ids, which count upwards until the
// exchange restarts.
func inOrderOfBirth(channels []bridge.Channel) []bridge.Channel {
	sorted := slices.Clone(channels)
	slices.SortFunc(sorted, func(a, b bridge.Channel) int {
		return cmp.Or(cmp.Compare(serial(a.ID), serial(b.ID)), cmp.Compare(a.ID, b.ID))
	})
	return sorted
}

// serial returns the number after the last dot of a unique id; 0 if there is none.
func serial(id bridge.ChannelID) int {
	n, err := strconv.Atoi(string(id[strings.LastIndex(string(id), ".")+1:]))
	if err != nil {
		return 0
	}
	return n
}
