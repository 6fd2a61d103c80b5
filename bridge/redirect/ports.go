package redirect

import (
	"context"
	"errors"

	"kontur-ari/bridge"
)

// Caller is a channel that waits in Stasis until it may continue in the dial plan.
type Caller struct {
	Channel bridge.ChannelID
	// Call is the call that the channel belongs to, as reports name it.
	Call bridge.CallID
	// Number is the caller's number as Asterisk shows it; "" or a word where it is
	// withheld.
	Number string
	// Arguments are what the dial plan passed: [Argument], and behind it, if the dial plan
	// wants to go on there, the context of the responsible users' extensions.
	Arguments []string
	// Found is set for a channel that has waited for an unknown time already.
	Found bool
}

// Argument is what the dial plan asks with: Stasis(kontur-ari,redirect,CONTEXT).
const Argument = "redirect"

// Query says about whom the CRM is asked: by PhoneNumber where that is not "", else
// by the call's id.
type Query struct {
	// PhoneNumber is normalised as in reports.
	PhoneNumber string
	Call        bridge.CallID
}

// CRM knows who is responsible for a client.
type CRM interface {
	// Responsible returns the ids of the users responsible, the first to be called
	// first; none and no error where the CRM names none. It is called concurrently, returns
	// when ctx ends at the latest, and does not retry. Its error is logged and shows neither secrets nor telephone numbers.
	Responsible(ctx context.Context, query Query) ([]string, error)
}

// Identities knows the ids of calls in the CRM.
type Identities interface {
	// Identity returns what the CRM has answered to the call's call-started; false before
	// that.
	Identity(ctx context.Context, call bridge.CallID) (bridge.Identity, bool, error)
}

// ErrGone is what a [Switch] returns for a channel that is not in Stasis any more:
// the caller has hung up, or the channel continued already.
var ErrGone = errors.New("the channel is not in Stasis")

// Switch commands the channels that wait. All methods may be called concurrently,
// are bounded by ctx, and do not retry.
type Switch interface {
	// PhoneState returns whether a telephone can be called.
	PhoneState(ctx context.Context, endpoint string) (PhoneState, error)
	// SetVariable sets a variable of a waiting channel. [ErrGone].
	SetVariable(ctx context.Context, channel bridge.ChannelID, name, value string) error
	// Continue lets a waiting channel go on in the dial plan, where it was left: behind
	// Stasis. [ErrGone].
	Continue(ctx context.Context, channel bridge.ChannelID) error
	// ContinueAt lets it go on at an extension's first priority in a context. [ErrGone].
	ContinueAt(ctx context.Context, channel bridge.ChannelID, context, extension string) error
	// Waiting returns the channels that wait for us, each as Found. It is called once
	// the event connection is closed, and may wait a moment until Asterisk knows that.
	Waiting(ctx context.Context) ([]Caller, error)
}
