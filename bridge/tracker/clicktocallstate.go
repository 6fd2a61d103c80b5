package tracker

import (
	"time"

	"kontur-ari/bridge"
)

// clickToCall is the state of a click-to-call within its call.
type clickToCall struct {
	bridge.ClickToCall
	// Pending: the attempt to ring the phones is not over. It ended at ResultAt, on our
	// own clock.
	Pending  bool      `json:"pending,omitempty"`
	ResultAt time.Time `json:"settledAt,omitzero"`
	// Rung are the channels of the phones that ring, known when the attempt is over.
	// Heard are the channels of this click-to-call that an event has shown.
	Rung  []bridge.ChannelID `json:"rung,omitempty"`
	Heard []bridge.ChannelID `json:"heard,omitempty"`
	// Refused: the answer to the command has said that there is no call.
	Refused bool `json:"refused,omitempty"`
	// Rang: one of the phones has rung.
	Rang bool `json:"rang,omitempty"`
	// PickedUp is the phone that was picked up first.
	PickedUp bridge.ChannelID `json:"pickedUp,omitempty"`
	// Dialled: the other party was dialled.
	Dialled bool `json:"dialled,omitempty"`
	// Cause is why it failed; "" if unknown.
	Cause bridge.FailureCause `json:"cause,omitempty"`
}
