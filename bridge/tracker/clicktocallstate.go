package tracker

import (
	"time"

	"kontur-ari/bridge"
)

// order is what a call keeps of its order.
type clickToCall struct {
	bridge.ClickToCall
	// Pending: the attempt to ring the phones is not over. It was at SettledAt, on our
	// own clock.
	Pending   bool      `json:"pending,omitempty"`
	SettledAt time.Time `json:"settledAt,omitzero"`
	// Rung are the phones that are rung, known once the order is settled; Heard those
	// channels that were made for it and heard of.
	Rung  []bridge.ChannelID `json:"rung,omitempty"`
	Heard []bridge.ChannelID `json:"heard,omitempty"`
	// Refused: the CRM knows already that there is no call.
	Refused bool `json:"refused,omitempty"`
	// Rang: one of the phones has rung.
	Rang bool `json:"rang,omitempty"`
	// PickedUp is the phone that was picked up first.
	PickedUp bridge.ChannelID `json:"pickedUp,omitempty"`
	// Dialled: somebody was dialled for it.
	Dialled bool `json:"dialled,omitempty"`
	// Cause is why it failed, as far as is known.
	Cause bridge.FailureCause `json:"cause,omitempty"`
}
