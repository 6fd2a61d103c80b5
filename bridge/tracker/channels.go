package tracker

import (
	"slices"

	"kontur-ari/bridge"
	"kontur-ari/bridge/directory"
)

func (t *Tracker) created(event bridge.Event) {
	if event.Channel == nil || event.Channel.ID == "" {
		return
	}
	if t.channels[event.Channel.ID] != nil {
		t.seen(event)
		return
	}
	ch := t.add(*event.Channel, bridge.CallID(event.Channel.ID))
	// Only in this event is the dial plan extension the dialled number; it changes as the
	// dial plan runs.
	ch.Dialled = event.Channel.Exten
	t.hangUpStray(ch, event.Channel)
	if ch.Incoming && ch.side == directory.Outside && ch.call.silent() {
		t.startInbound(ch.call, ch, event.Time)
	}
}

// add makes a channel known, in the call with that id. A half of a Local channel joins the
// call of its other half, and a phone of a click-to-call joins that call.
func (t *Tracker) add(seen bridge.Channel, id bridge.CallID) *channel {
	ch := &channel{
		ID: seen.ID, Name: seen.Name, Caller: seen.CallerNumber,
		Incoming: seen.State == bridge.StateRing,
		side:     t.directory.SideOf(seen.Name),
	}
	if t.policy.Recordings {
		ch.Born = t.now
	}
	if other := t.otherHalf(ch); other != nil {
		id = other.call.ID
	}
	if clicked := t.calls[bridge.CallOfClick(ch.ID)]; clicked != nil && clicked.ClickToCall != nil {
		id, ch.Originated = clicked.ID, true
		if !slices.Contains(clicked.ClickToCall.Heard, ch.ID) {
			clicked.ClickToCall.Heard = append(clicked.ClickToCall.Heard, ch.ID)
		}
	}
	c := t.calls[id]
	if c == nil {
		c = &call{ID: id}
		t.calls[id] = c
	}
	c.Channels = append(c.Channels, ch)
	t.index(c, ch)
	t.changed(c)
	t.snoop(ch)
	t.stopStray(ch)
	t.showFiles(&seen)
	return ch
}

func (t *Tracker) index(c *call, ch *channel) {
	ch.call = c
	t.channels[ch.ID] = ch
	if pair := ch.pairName(); pair != "" {
		t.byPair[pair] = append(t.byPair[pair], ch)
	}
	if ch.BridgeID != "" {
		t.byBridge[ch.BridgeID] = append(t.byBridge[ch.BridgeID], ch)
	}
}

// known returns the known channel with the id of an event's; nil for none.
func (t *Tracker) known(seen *bridge.Channel) *channel {
	if seen == nil {
		return nil
	}
	return t.channels[seen.ID]
}

// seen updates a channel from the caller number and state that an event shows.
func (t *Tracker) seen(event bridge.Event) {
	ch := t.known(event.Channel)
	if ch == nil {
		return
	}
	if number := event.Channel.CallerNumber; number != ch.Caller {
		ch.Caller = number
		t.changed(ch.call)
	}
	switch event.Channel.State {
	case bridge.StateRinging:
		t.phoneCalled(ch, event.Time)
		t.phoneRings(ch)
	case bridge.StateUp:
		t.phoneCalled(ch, event.Time)
		t.pickedUpPhone(ch)
	}
}

// otherHalf returns the other half of a Local channel; nil for none.
func (t *Tracker) otherHalf(ch *channel) *channel {
	pair := ch.pairName()
	if pair == "" {
		return nil
	}
	return firstBorn(without(slices.Clone(t.byPair[pair]), ch))
}

// firstBorn returns the oldest of the channels; nil for none.
func firstBorn(channels []*channel) *channel {
	if len(channels) == 0 {
		return nil
	}
	return slices.MinFunc(channels, byBirth)
}

// merge moves all channels of a silent call into another call and forgets the silent one.
func (t *Tracker) merge(into, from *call) {
	if into == from {
		return
	}
	for _, ch := range slices.Clone(from.Channels) {
		t.moveToCall(into, ch)
	}
	into.Unheard = append(into.Unheard, from.Unheard...)
	delete(t.calls, from.ID)
}

// moveToCall moves a channel into another call. Its former call keeps it only as the caller
// of a leg.
func (t *Tracker) moveToCall(into *call, ch *channel) {
	from := ch.call
	if from == into {
		return
	}
	if from.OwnRecording != nil && from.OwnRecording.Of == ch.ID {
		t.stopOwnRecording(from)
	}
	from.remove(ch.ID)
	into.Channels = append(into.Channels, ch)
	ch.call = into
	for _, l := range from.Legs {
		l.lose(ch.ID)
		if l.Caller == ch.ID {
			t.addForeignChannel(from, ch)
		}
	}
	t.changed(from)
	t.changed(into)
	t.markDirty(ch)
}

// addForeignChannel notes that a channel of another call plays a part in this one.
func (t *Tracker) addForeignChannel(c *call, ch *channel) {
	if ch.call != c && !slices.Contains(t.foreignCalls[ch.ID], c.ID) {
		t.foreignCalls[ch.ID] = append(t.foreignCalls[ch.ID], c.ID)
		slices.Sort(t.foreignCalls[ch.ID])
	}
}

func (t *Tracker) destroyed(event bridge.Event) {
	ch := t.known(event.Channel)
	switch {
	case ch != nil:
		ch.unrecorded = event.Channel.NamesShown && len(ch.Files)+len(ch.Messages) == 0
		t.phoneGone(ch, event.Cause)
		t.drop(ch)
	case event.Channel != nil:
		t.endUnseen(event.Channel.ID)
	}
}

// drop forgets a channel that is gone.
func (t *Tracker) drop(ch *channel) {
	if ch.AwaitsCaller {
		t.note(ch.call, ch, noteNoCaller)
	}
	t.leaveRecordings(ch)
	t.markDirty(ch)
	t.leaveBridge(ch)
	for _, c := range t.callsOf(ch) {
		for _, l := range c.Legs {
			t.markCounterpartsDirty(l, ch)
			l.lose(ch.ID)
		}
		t.changed(c)
	}
	delete(t.foreignCalls, ch.ID)
	ch.call.remove(ch.ID)
	delete(t.channels, ch.ID)
	if pair := ch.pairName(); pair != "" {
		t.byPair[pair] = without(t.byPair[pair], ch)
		if len(t.byPair[pair]) == 0 {
			delete(t.byPair, pair)
		}
	}
	t.changed(ch.call)
}

// markCounterpartsDirty marks the bridges of the channels that a leg was connected to, when
// the leg loses its own channel: another telephone of the employee may be in them.
func (t *Tracker) markCounterpartsDirty(l *leg, ch *channel) {
	if !l.open() || !slices.Contains(l.Channels, ch.ID) {
		return
	}
	for _, id := range l.Talked {
		if other := t.channels[id]; other != nil {
			t.markBridgeDirty(other.BridgeID)
		}
	}
}

func without(channels []*channel, gone *channel) []*channel {
	return slices.DeleteFunc(channels, func(ch *channel) bool { return ch == gone })
}

// endIfOver reports the end of a call without people, and forgets the call.
func (t *Tracker) endIfOver(c *call, at timeOfEvent) {
	if !t.over(c) {
		return
	}
	if !c.silent() || c.ClickToCall != nil {
		t.reportEnd(c, at)
		t.stopOwnRecording(c)
		t.ended.add(c.ID)
		t.outcome.Ended = append(t.outcome.Ended, c.ID)
	}
	for id, calls := range t.foreignCalls {
		if calls = slices.DeleteFunc(calls, func(other bridge.CallID) bool { return other == c.ID }); len(calls) == 0 {
			delete(t.foreignCalls, id)
		} else {
			t.foreignCalls[id] = calls
		}
	}
	delete(t.calls, c.ID)
	t.changed(c)
	t.leaveBehind(c)
}

// leaveBehind keeps the remaining plumbing of a call that is over in a silent call: other
// channels may hear each other through it until it goes.
func (t *Tracker) leaveBehind(c *call) {
	if len(c.Channels) == 0 {
		return
	}
	id := bridge.CallID(c.Channels[0].ID)
	rest := t.calls[id]
	if rest == nil {
		rest = &call{ID: id}
		t.calls[id] = rest
	}
	for _, ch := range slices.Clone(c.Channels) {
		t.moveToCall(rest, ch)
	}
}

// over reports whether a call has no people any more. Either every channel is gone, or only
// plumbing without a caller is left, which Asterisk removes by itself.
func (t *Tracker) over(c *call) bool {
	if c.ClickToCall != nil && (c.ClickToCall.Pending || c.ClickToCall.awaited()) {
		return false
	}
	for _, ch := range c.Channels {
		if c.silent() || ch.side != directory.Plumbing {
			return false
		}
		if root, _ := t.rootOf(ch); root != nil {
			return false
		}
	}
	return true
}
