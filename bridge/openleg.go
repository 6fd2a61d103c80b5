package bridge

import (
	"slices"
	"strings"
)

// OpenLeg is a leg that has not ended, with what is needed to hang it up.
type OpenLeg struct {
	ID   LegID
	Call CallID
	// CommunicationID is the CRM's id of a click-to-call; "" for other calls.
	CommunicationID string
	From, To        Party
	// Own are the channels of the employee's phones. Caller is the channel that dialled
	// them; for an outbound call it is one of Own.
	Own    []ChannelID
	Caller ChannelID
}

// Channels returns the channels of a user in the leg, none for a user who is no party of
// it. The case of the id doesn't matter.
func (l OpenLeg) Channels(userID string) []ChannelID {
	// The leg's own channels belong to the caller in an outbound call and in a
	// click-to-call, else to the party that is called.
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
