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
