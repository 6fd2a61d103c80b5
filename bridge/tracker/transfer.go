package tracker

import (
	"slices"

	"kontur-ari/bridge"
)

// blindTransfer ends the transferer's part, before the transferee's new dial begins
// (Asterisk 22: the event comes before the transferee runs the dial plan).
func (t *Tracker) blindTransfer(event bridge.Event) {
	transfer := event.Transfer
	if transfer == nil || !transfer.Succeeded {
		return
	}
	transferer := t.channels[transfer.Transferer]
	if transferer == nil {
		return
	}
	transferee, bridgeID := t.channels[transfer.Transferee], transferer.BridgeID
	t.move(transferer, "")
	if bridgeID != "" {
		transferer.Parted = bridgeID
	}
	if transferee != nil && transferee.Joined {
		transferee.Joined = false
		t.changed(transferee.call)
	}
	t.part(transferer, transferee, event.Time)
}

// attendedTransfer connects the transferee and the target, and ends the transferer's parts in
// both calls. Asterisk moves the channels before this event or after it.
func (t *Tracker) attendedTransfer(event bridge.Event) {
	transfer := event.Transfer
	if transfer == nil || !transfer.Succeeded {
		return
	}
	transferee := t.channels[transfer.Transferee]
	if transferee == nil {
		return
	}
	transferee.Joined = true
	t.changed(transferee.call)
	talk := t.talkOf(transferee)
	t.connectUndialled(talk, event.Time)
	t.evaluate(transferee.call, event.Time)
	first, second := t.channels[transfer.Transferer], t.channels[transfer.SecondLeg]
	if first != nil && !slices.Contains(talk, first) {
		t.part(first, transferee, event.Time)
	}
	if second != nil && second != first && !slices.Contains(talk, second) {
		t.part(second, t.channels[transfer.Target], event.Time)
	}
}

// part ends the legs between two channels. If b is nil, it ends all connected legs of a.
func (t *Tracker) part(a, b *channel, at timeOfEvent) {
	for _, c := range t.callsOf(a) {
		for _, l := range c.Legs {
			if !l.open() || l.StartedAt.IsZero() || b == nil && !slices.Contains(l.Channels, a.ID) {
				continue
			}
			if b == nil || between(l, a.ID, b.ID) || between(l, b.ID, a.ID) {
				t.legEvent(c, l, bridge.LegDisconnected, at)
			}
		}
	}
}

// between reports whether a leg belongs to one channel and was connected to the other.
func between(l *leg, own, other bridge.ChannelID) bool {
	return slices.Contains(l.Channels, own) && slices.Contains(l.Talked, other)
}
