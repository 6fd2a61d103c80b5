package bridge

import (
	"slices"
	"strings"
)

// OpenLeg is a leg that has not ended, for those who are to end it.
type OpenLeg struct {
	ID   LegID
	Call CallID
	// CommunicationID is the CRM's id of the call where it has ordered it; else "".
	CommunicationID string
	From, To        Party
	// Own are the leg's own channels, Caller the one that called them: one of Own
	// for a call that goes out.
	Own    []ChannelID
	Caller ChannelID
}

// Channels are those by which a user takes part in the leg; none when it is not his.
// The case of the id doesn't matter.
func (l OpenLeg) Channels(userID string) []ChannelID {
	// Whose the leg's own channels are: its caller's where he calls somebody outside
	// or was called first himself, else those of who is called.
	own := l.To
	if slices.Contains(l.Own, l.Caller) {
		own = l.From
	}
	switch {
	case userID == "":
		return nil
	case strings.EqualFold(own.UserID, userID):
		return l.Own
	case strings.EqualFold(l.From.UserID, userID):
		return []ChannelID{l.Caller}
	case strings.EqualFold(l.To.UserID, userID):
		return l.Own
	}
	return nil
}

// OpenLegs returns the legs of all calls that have not ended, the oldest call's
// first.
func (t *Tracker) OpenLegs() []OpenLeg {
	var calls []*call
	for _, id := range t.callIDs() {
		calls = append(calls, t.calls[id])
	}
	slices.SortStableFunc(calls, older)
	var legs []OpenLeg
	for _, c := range calls {
		for _, l := range c.Legs {
			if l.open() {
				legs = append(legs, OpenLeg{
					ID: l.ID, Call: c.ID, CommunicationID: c.CommunicationID, From: l.From, To: l.To,
					Own: slices.Clone(l.Channels), Caller: l.Caller,
				})
			}
		}
	}
	return legs
}

// OpenOrders returns the orders of the calls in progress; pending are those of them
// of which it is not known whether the switch was told.
func (t *Tracker) OpenOrders() (open, pending []Order) {
	for _, id := range t.callIDs() {
		if o := t.calls[id].Order; o != nil {
			open = append(open, o.Order)
			if o.Pending {
				pending = append(pending, o.Order)
			}
		}
	}
	return open, pending
}
