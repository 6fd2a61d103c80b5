package tracker

import (
	"slices"

	"kontur-ari/bridge"
)

// OpenLegs returns the legs of all calls that have not ended, the oldest call's
// first.
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

// OpenClickToCalls returns the orders of the calls in progress; pending are those of them
// of which it is not known whether the switch was told.
func (t *Tracker) OpenClickToCalls() (open, pending []bridge.ClickToCall) {
	for _, id := range t.callIDs() {
		if o := t.calls[id].ClickToCall; o != nil {
			open = append(open, o.ClickToCall)
			if o.Pending {
				pending = append(pending, o.ClickToCall)
			}
		}
	}
	return open, pending
}
