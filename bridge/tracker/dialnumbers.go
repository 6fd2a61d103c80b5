package tracker

import (
	"strings"

	"kontur-ari/bridge"
)

// outsideParty returns the user whose mobile phone was called, else a client.
func (t *Tracker) outsideParty(dialString string, peer *channel) bridge.Party {
	number := t.directory.Numbers().Normalise(t.numberCalled(dialString, peer, nil))
	if user, ok := t.directory.UserByMobile(number); ok {
		return bridge.Party{Type: bridge.PartyUser, UserID: user.ID}
	}
	return bridge.Party{Type: bridge.PartyClient}
}

// numberCalled returns the number outside that is called: from the dial string, else from the
// channel, else what the employee has dialled.
func (t *Tracker) numberCalled(dialString string, peer, own *channel) string {
	candidates := []string{numberIn(dialString), peer.Caller, peer.Dialled}
	if own != nil && !t.directory.Numbers().IsInternal(own.Dialled) {
		candidates = append(candidates, own.Dialled)
	}
	for _, number := range candidates {
		if t.directory.Numbers().Normalise(number) != "" {
			return number
		}
	}
	return ""
}

// numberShown returns the number that the called party sees: the caller id that the dial plan
// has set, or the trunk's number if that is empty or internal.
func (t *Tracker) numberShown(own, trunk *channel) string {
	number := t.directory.Numbers().Normalise(own.Caller)
	if number == "" || t.directory.Numbers().IsInternal(number) {
		return t.directory.TrunkNumber(trunk.Name)
	}
	return number
}

// numberIn returns the number in a dial string: "79997775533@trunk",
// "trunk/79997775533", "trunk/sip:79997775533@host".
func numberIn(dialString string) string {
	if i := strings.LastIndex(dialString, "/"); i >= 0 {
		dialString = dialString[i+1:]
	}
	number, _, _ := strings.Cut(dialString, "@")
	return number
}
