package bridge

import (
	"context"
	"fmt"
)

// CallCommand is the CRM's system call CALL: ring the phone of a user, and dial the other
// party once it is picked up (contract, "Системный вызов CALL"). The fields are as
// received, not checked.
type CallCommand struct {
	// CommunicationID is the CRM's id of the call to come.
	CommunicationID string
	// FromUserID is the user whose phone is rung first.
	FromUserID string
	// ToUserID is the user who is dialled next; "" for a call to a client.
	ToUserID string
	// ClientPhone is the number that is dialled next when ToUserID is "".
	ClientPhone string
}

// HangupCommand is the CRM's system call HANGUP: end a user's part in a call
// (contract, "Системный вызов HANGUP"). The fields are as received, not checked.
type HangupCommand struct {
	// CommunicationID names the call where Leg is "".
	CommunicationID string
	// Leg is the realtimeCallItemId that the reports of the leg carried.
	Leg LegID
	// UserID is the user who hangs up. The user must be a party of the leg.
	UserID string
}

// Commander executes the CRM's commands. Both methods may be called concurrently and are
// bounded in time by ctx and by limits of their own. A [*Refusal] is an answer for the
// CRM; any other error is a failure of ours.
type Commander interface {
	// Call returns nil when the user's phone rings, or when an earlier command of the
	// same communication has rung it. A communication rings a phone once.
	Call(ctx context.Context, command CallCommand) error
	// Hangup returns nil when the exchange was asked to hang up, or had done so before.
	Hangup(ctx context.Context, command HangupCommand) error
}

// RefusalStatus names why a command was refused. The set is fixed, so metrics may use it
// as a label.
type RefusalStatus string

// The reasons. The contract itself defines the first one, for a body that can't be
// understood.
const (
	// RefusedInvalid: a field is missing or is not what it must be.
	RefusedInvalid RefusalStatus = "invalidArgs"
	// RefusedUser: the directory has no such user, or the user has no phone.
	RefusedUser RefusalStatus = "userNotFound"
	// RefusedNumber: the number is none, or calls.allowed_numbers doesn't name it.
	RefusedNumber RefusalStatus = "numberNotAllowed"
	// RefusedRate: the user has commanded more calls than is allowed.
	RefusedRate RefusalStatus = "tooManyCalls"
	// RefusedReuse: an earlier command had the same communication and other parties.
	RefusedReuse RefusalStatus = "communicationReused"
	// RefusedOffline: no telephone of the user is registered.
	RefusedOffline RefusalStatus = "userOffline"
	// RefusedSwitch: Asterisk can't be reached, or did not do it.
	RefusedSwitch RefusalStatus = "switchUnavailable"
	// RefusedLeg: there is no such leg or call in progress.
	RefusedLeg RefusalStatus = "callNotFound"
	// RefusedParty: the user is not part of the leg.
	RefusedParty RefusalStatus = "userNotInCall"
)

// Refusal is a command that was refused. Nothing was dialled or hung up.
type Refusal struct {
	Status RefusalStatus
	// Message says what is wrong and what to do, in words fit for the CRM's user.
	// It holds nothing of the command but ids and field names.
	Message string
}

func (r *Refusal) Error() string { return fmt.Sprintf("%s: %s", r.Status, r.Message) }
