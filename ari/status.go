package ari

import (
	"errors"
	"net"
	"time"

	"github.com/coder/websocket"
)

// State is where the connection to Asterisk stands: a closed set.
type State string

// The states. Only in Flowing do events arrive at the sink.
const (
	// Disconnected: there is no connection; another attempt follows after a pause.
	// Also the state before Run and after it. Status.Cause says why.
	Disconnected State = "disconnected"
	// Connecting: the websocket is being opened.
	Connecting State = "connecting"
	// Subscribing: event filter and subscription are being set and verified.
	Subscribing State = "subscribing"
	// Snapshotting: channels and bridges are being read; events are kept back.
	Snapshotting State = "snapshotting"
	// Flowing: the snapshot was handed over and events follow as they happen.
	Flowing State = "flowing"
	// StoodDown: another listener registered our application's name and receives the
	// events. We don't fight over it. The state ends when the name is free one second
	// later, because then a late handshake of our own took it. It ends too when the name
	// is free in three checks in a row (StoodDownCheck apart: 30 s with the default,
	// longer than a reconnecting listener needs), and with a restart.
	StoodDown State = "stood_down"
)

// Cause is why the connection isn't there: a closed set, fit for a metric's label.
type Cause string

// The causes.
const (
	// CauseNone: nothing is wrong.
	CauseNone Cause = ""
	// CauseUnreachable: no server answers at asterisk.url.
	CauseUnreachable Cause = "unreachable"
	// CauseUnauthorized: asterisk.username or asterisk.password is wrong, or the
	// user is read-only.
	CauseUnauthorized Cause = "unauthorized"
	// CauseNoARI: a web server answers at asterisk.url, but not with ARI.
	CauseNoARI Cause = "no_ari"
	// CauseClosed: an open connection ended.
	CauseClosed Cause = "closed"
	// CauseSilent: an open connection neither answered pings nor brought events.
	CauseSilent Cause = "silent"
	// CauseDeaf: the connection is open, but Asterisk doesn't know (all of) our
	// subscription or filter any more.
	CauseDeaf Cause = "deaf"
	// CauseFailed: Asterisk answered a request of ours with an error, or not in time.
	CauseFailed Cause = "failed"
	// CauseReplaced: another listener took our application's name.
	CauseReplaced Cause = "replaced"
	// CauseStopped: Run's context ended.
	CauseStopped Cause = "stopped"
)

// Status is the Source's state at one moment.
type Status struct {
	State State
	// Cause is why there is no connection, for Disconnected and StoodDown. During a new
	// attempt it is still why the last one failed.
	Cause Cause
	// Reason explains the Cause to an administrator and names what to check. It is ""
	// for CauseNone, and contains no secret.
	Reason string
	// Since is when State was entered.
	Since time.Time
}

// Ends of a connection that are no errors of a library.
var (
	errReplaced  = errors.New("another listener registered the application")
	errSilent    = errors.New("no pong and no event in time")
	errDeaf      = errors.New("deaf")
	errClosed    = errors.New("connection closed")
	errHandshake = errors.New("no websocket")
)

// causeOf classifies the end of a connection. No other code does.
func causeOf(err error) Cause {
	switch {
	case err == nil:
		return CauseNone
	case errors.Is(err, errReplaced):
		return CauseReplaced
	case errors.Is(err, errSilent):
		return CauseSilent
	case errors.Is(err, errDeaf):
		return CauseDeaf
	case errors.Is(err, ErrUnauthorized):
		return CauseUnauthorized
	case errors.Is(err, ErrNotFound):
		return CauseNoARI
	case errors.Is(err, errClosed), websocket.CloseStatus(err) != -1:
		return CauseClosed
	case isDialError(err), errors.Is(err, errHandshake):
		return CauseUnreachable
	default:
		return CauseFailed
	}
}

func isDialError(err error) bool {
	network, ok := errors.AsType[*net.OpError](err)
	return ok && network.Op == "dial"
}

// advice is what an administrator should check, per cause.
var advice = map[Cause]string{
	CauseUnreachable: "Asterisk's web server does not answer at asterisk.url: " +
		"is Asterisk running, and is enabled=yes in http.conf with this bindaddr and bindport?",
	CauseUnauthorized: "Asterisk refuses asterisk.username and asterisk.password: " +
		"they must be a user of ari.conf, with read_only=no",
	CauseNoARI: "a web server answers at asterisk.url, but it has no ARI: " +
		"is enabled=yes in ari.conf, is res_ari loaded, and does the URL have http.conf's prefix and end in /ari?",
	CauseClosed: "Asterisk closed the event connection",
	CauseSilent: "the event connection is open, but nothing comes through it",
	CauseDeaf:   "Asterisk does not send us events any more: the application's subscription or filter is gone",
	CauseFailed: "Asterisk did not serve a request that is needed before events can flow",
	CauseReplaced: "another program registered under asterisk.application and gets the events now: " +
		"give every program that connects to this Asterisk an application name of its own, then restart this one",
}
