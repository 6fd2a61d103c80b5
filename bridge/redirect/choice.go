package redirect

import (
	"strings"

	"kontur-ari/bridge/directory"
)

// Result is what came of asking for a caller: the value of KONTUR_RESULT, too. The set is
// fixed, so that a dial plan can branch by it and a counter count by it.
type Result string

// The results. Only with Found are KONTUR_USER and KONTUR_EXTEN set.
const (
	// Found: a responsible user's telephone is registered and not busy.
	Found Result = "FOUND"
	// Nobody: the CRM names no user for this caller, or none with a telephone in the
	// directory; or the caller is hidden or internal, and the CRM can't be asked.
	Nobody Result = "NOBODY"
	// Busy: no telephone of a responsible user is free, and one of them at least is
	// in use.
	Busy Result = "BUSY"
	// Offline: no telephone of a responsible user is registered.
	Offline Result = "OFFLINE"
	// TimedOut: the CRM or Asterisk did not answer in time.
	TimedOut Result = "TIMEOUT"
	// Failed: the CRM or Asterisk answered with an error; or the caller was found
	// waiting, or kontur-ari stopped.
	Failed Result = "ERROR"
	// CircuitOpen: the CRM was not asked, because it has failed again and again.
	CircuitOpen Result = "CIRCUIT"
	// Overload: the CRM was not asked, because too many callers wait already.
	Overload Result = "OVERLOAD"
)

// Phone is a telephone of a user of the CRM that can be called by its extension.
type Phone struct {
	// UserID is the user's id as the directory has it.
	UserID string
	// Extension is what the dial plan dials, Endpoint what Asterisk is asked about.
	Extension, Endpoint string
}

// PhoneState says whether a telephone can be called now: a closed set.
type PhoneState int

// The states.
const (
	// PhoneUnread: Asterisk could not be asked. The zero value.
	PhoneUnread PhoneState = iota
	// PhoneOffline: it is not registered, or Asterisk doesn't know it.
	PhoneOffline
	// PhoneBusy: it rings, is being called, or is in a call.
	PhoneBusy
	// PhoneFree: it is registered, and nothing goes on there.
	PhoneFree
)

// phonebook finds the telephones of users. It is immutable.
type phonebook map[string][]Phone

// newPhonebook returns the entries of the directory with both an extension and an endpoint. A user's telephones keep the directory's order.
func newPhonebook(users []directory.User) phonebook {
	book := make(phonebook, len(users))
	for _, user := range users {
		if user.ID == "" || user.Extension == "" || user.Endpoint == "" {
			continue
		}
		key := strings.ToLower(user.ID)
		book[key] = append(book[key], Phone{UserID: user.ID, Extension: user.Extension, Endpoint: user.Endpoint})
	}
	return book
}

// candidates lists the telephones of the responsible users in the order to try them, at
// most that many. Ids are compared without regard to case. A user who is named twice
// counts once.
func (b phonebook) candidates(responsible []string, most int) []Phone {
	var phones []Phone
	taken := make(map[string]bool, len(responsible))
	for _, id := range responsible {
		key := strings.ToLower(id)
		if taken[key] {
			continue
		}
		taken[key] = true
		phones = append(phones, b[key]...)
	}
	return phones[:min(len(phones), most)]
}

// choose returns the first free telephone; states are those of the candidates, in their
// order. Without a free one, a single busy telephone gives Busy, and only all offline give
// Offline.
func choose(candidates []Phone, states []PhoneState) (Result, Phone) {
	if len(candidates) == 0 {
		return Nobody, Phone{}
	}
	result := Offline
	for i, state := range states {
		switch {
		case state == PhoneFree:
			return Found, candidates[i]
		case state == PhoneBusy:
			result = Busy
		case state == PhoneUnread && result == Offline:
			result = Failed
		}
	}
	return result, Phone{}
}
