package bridge

import (
	"context"
	"errors"
	"time"
)

// The errors of [Phones], for errors.Is. After any other error it is unknown whether the
// exchange has done what it was asked.
var (
	// ErrNoChannel: there is no such channel (any more).
	ErrNoChannel = errors.New("no such channel")
	// ErrDeclined: the exchange has not done it, and would not do it if asked again.
	ErrDeclined = errors.New("the switch declines")
	// ErrContacts: a telephone has registered an address that must not be dialled, or
	// there are too many telephones. The error's text is safe to print.
	ErrContacts = errors.New("contacts that are not dialled")
)

// PhoneCall describes the channel that is created for a phone.
type PhoneCall struct {
	Channel ChannelID
	// Endpoint is the phone, "PJSIP/101", or one of its telephones,
	// "PJSIP/101/sip:101@192.0.2.7".
	Endpoint string
	// Extension is the user's own short number, which the dial plan sees as the caller.
	Extension string
	// Shows is the number that the phone shows as calling.
	Shows string
	// AutoAnswer asks the phone to answer by itself.
	AutoAnswer bool
}

// Phones executes click-to-calls on the exchange; package ari implements it. All methods
// may be called concurrently, make one attempt and are bounded in time by themselves.
type Phones interface {
	// Create makes a channel without calling the phone, which does not ring yet.
	// ErrDeclined: no telephone is registered there, or the endpoint is unknown.
	Create(ctx context.Context, call PhoneCall) error
	// Contacts returns the endpoints of every telephone that is registered for an
	// endpoint, in the order in which Create takes them, and none for a technology
	// without registrations. channel is any channel that exists. Phones choose what they
	// register: the endpoints are all of this endpoint, or the error is [ErrContacts].
	Contacts(ctx context.Context, channel ChannelID, endpoint string) ([]string, error)
	// Ring calls the phone of a channel that Create made, and gives up after timeout. It
	// must not be repeated.
	Ring(ctx context.Context, channel ChannelID, timeout time.Duration) error
	// Dial makes a channel that Create made dial a number in the dial plan. It does
	// nothing when the channel dials or has dialled, so it may be repeated.
	Dial(ctx context.Context, channel ChannelID, number string) error
	// Record records both sides of a channel under a name until the channel goes. A snoop
	// channel with that id listens to it. It may be repeated; an earlier recording of
	// the name is kept.
	Record(ctx context.Context, channel ChannelID, name string) error
	// Hangup ends a channel in any state, with a cause of ITU-T Q.850.
	Hangup(ctx context.Context, channel ChannelID, cause int) error
	// State returns the state that a channel is in.
	State(ctx context.Context, channel ChannelID) (ChannelState, error)
}
