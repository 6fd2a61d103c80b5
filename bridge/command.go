package bridge

import (
	"context"
	"fmt"
)

// CallCommand is the CRM's system call CALL: ring the phone of a user, and when it
// is picked up dial somebody else for it (contract, "Системный вызов CALL"). The
// fields are as they came and may hold anything.
type CallCommand struct {
	// CommunicationID is the CRM's id of the call to come.
	CommunicationID string
	// FromUserID is the user whose phone is rung first.
	FromUserID string
	// ToUserID is the user to be dialled then. "" for a call to a client.
	ToUserID string
	// ClientPhone is the number to be dialled then, where ToUserID is "".
	ClientPhone string
}

// HangupCommand is the CRM's system call HANGUP: end a user's part in a call
// (contract, "Системный вызов HANGUP"). The fields are as they came.
type HangupCommand struct {
	// CommunicationID names the call where Leg is "".
	CommunicationID string
	// Leg is the realtimeCallItemId that the reports of the leg carried.
	Leg LegID
	// UserID is the user who hangs up: one who is part of the leg.
	UserID string
}

// Commander obeys the CRM. Both methods may be called concurrently and are bounded
// in time by ctx and by limits of their own. Their error is a [*Refusal] for a
// command that was not obeyed, to be told to the CRM as it is; any other error is a
// failure of ours.
type Commander interface {
	// Call returns nil when the user's phone is being called, or was called by an
	// earlier command of the same communication: never twice.
	Call(ctx context.Context, command CallCommand) error
	// Hangup returns nil when the switch was told to hang up, or had done so.
	Hangup(ctx context.Context, command HangupCommand) error
}

// RefusalStatus names why a command was not obeyed, for programs. The set is fixed,
// so that it can be counted by.
type RefusalStatus string

// The reasons not to obey. The first is the contract's own for a body that can't be
// understood.
const (
	// RefusedInvalid: a field is missing or is not what it must be.
	RefusedInvalid RefusalStatus = "invalidArgs"
	// RefusedUser: the directory has no such user, or the user has no phone.
	RefusedUser RefusalStatus = "userNotFound"
	// RefusedNumber: the number is none, or calls.allowed_numbers doesn't name it.
	RefusedNumber RefusalStatus = "numberNotAllowed"
	// RefusedRate: the user has more calls ordered than is allowed.
	RefusedRate RefusalStatus = "tooManyCalls"
	// RefusedReuse: the communication was ordered before, with other parties.
	RefusedReuse RefusalStatus = "communicationReused"
	// RefusedOffline: no telephone of the user is registered.
	RefusedOffline RefusalStatus = "userOffline"
	// RefusedSwitch: Asterisk can't be reached, or did not do it.
	RefusedSwitch RefusalStatus = "switchUnavailable"
	// RefusedLeg: no such leg or call goes on.
	RefusedLeg RefusalStatus = "callNotFound"
	// RefusedParty: the user is not part of the leg.
	RefusedParty RefusalStatus = "userNotInCall"
)

// Refusal is a command that was not obeyed. Nothing was dialled or hung up.
type Refusal struct {
	Status RefusalStatus
	// Message says what is wrong and what to do, in words fit for the CRM's user.
	// It holds nothing of the command but ids and field names.
	Message string
}

func (r *Refusal) Error() string { return fmt.Sprintf("%s: %s", r.Status, r.Message) }
