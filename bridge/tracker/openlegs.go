package tracker

import (
	"slices"

	"kontur-ari/bridge"
)

// OpenLegs returns all legs that have not ended, those of the oldest call first. The caller
// may keep them.
func (t *Tracker) OpenLegs() []bridge.OpenLeg {
	var calls []*call
	for _, id := range t.callIDs() {
		calls = append(calls, t.calls[id])
	}
	slices.SortStableFunc(calls, older)
	var legs []bridge.OpenLeg
	for _, c := range calls {
		for _, l := range c.Legs {
			if l.open() {
				legs = append(legs, bridge.OpenLeg{
					ID: l.ID, Call: c.ID, CommunicationID: c.CommunicationID, From: l.From, To: l.To,
					Own: slices.Clone(l.Channels), Caller: l.Caller,
				})
			}
		}
	}
	return legs
}

// PendingClickToCalls returns the click-to-calls in progress whose result
// ([bridge.EventClickResult]) has not come yet.
func (t *Tracker) PendingClickToCalls() (pending []bridge.ClickToCall) {
	for _, id := range t.callIDs() {
		if o := t.calls[id].ClickToCall; o != nil && o.Pending {
			pending = append(pending, o.ClickToCall)
		}
	}
	return pending
}
