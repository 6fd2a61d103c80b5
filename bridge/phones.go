package bridge

import (
	"context"
	"errors"
	"time"
)

// What an error of a [Phones] means, for errors.Is. Any other error means that it is
// not known whether the switch did what it was asked.
var (
	// ErrNoChannel: there is no such channel (any more).
	ErrNoChannel = errors.New("no such channel")
	// ErrDeclined: the switch has not done it and will not, asked the same way again.
	ErrDeclined = errors.New("the switch declines")
	// ErrContacts: a telephone has registered an address that must not be dialled, or
	// there are too many telephones. The error's text is safe to print.
	ErrContacts = errors.New("contacts that are not dialled")
)

// PhoneCall is a channel to be made for a phone.
type PhoneCall struct {
	Channel ChannelID
	// Endpoint is the phone, "PJSIP/101", or one of its telephones,
	// "PJSIP/101/sip:101@192.0.2.7".
	Endpoint string
	// Extension is the user's own short number, as the dial plan is to see it.
	Extension string
	// Shows is the number that the phone shows as calling.
	Shows string
	// AutoAnswer asks the phone to pick up by itself.
	AutoAnswer bool
}

// Phones is how orders are obeyed; package ari implements it. All methods may be
// called concurrently, make one attempt and are bounded in time by themselves.
type Phones interface {
	// Create makes a channel without calling the phone: nobody notices anything yet.
	// ErrDeclined: no telephone is registered there, or the endpoint is unknown.
	Create(ctx context.Context, call PhoneCall) error
	// Contacts returns the endpoints of every telephone that is registered for an
	// endpoint, in the order in which Create takes them; none where the technology
	// can't tell. channel is any that exists. Phones choose what they register: only
	// addresses of this endpoint are returned, and [ErrContacts] instead of them all
	// where one is of another kind.
	Contacts(ctx context.Context, channel ChannelID, endpoint string) ([]string, error)
	// Ring calls the phone of a channel that Create made, for so long. It is not
	// repeated by anybody.
	Ring(ctx context.Context, channel ChannelID, timeout time.Duration) error
	// Dial has a channel that Create made dial a number in the dial plan, unless it
	// does so already, or has done so; so it may be repeated.
	Dial(ctx context.Context, channel ChannelID, number string) error
	// Record has what both sides of a channel say recorded under a name, until the channel
	// goes, by a channel of that name that listens to it. It may be repeated; what was
	// recorded under the name before is not lost.
	Record(ctx context.Context, channel ChannelID, name string) error
	// Hangup ends a channel, whatever it does, with a cause of ITU-T Q.850.
	Hangup(ctx context.Context, channel ChannelID, cause int) error
	// State returns the state that a channel is in.
	State(ctx context.Context, channel ChannelID) (ChannelState, error)
}
