package bridge

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// ClickToCall is a call that the CRM commands (contract, system call CALL): the phones
// of one user ring, and the first one that is picked up dials the other party.
type ClickToCall struct {
	// Application is the ARI application that originates the phones' channels.
	Application string `json:"application"`
	// CommunicationID is the CRM's id of the call.
	CommunicationID string `json:"communicationId"`
	// From is the user whose phones ring. To is the user who is dialled next; it is ""
	// when a client is dialled.
	From string `json:"from"`
	To   string `json:"to,omitempty"`
	// Number is what the phone dials: the client's normalised number, or To's extension.
	Number string `json:"number"`
}

// ClickToCallMark separates the application's name from the rest in the ids of channels
// that are made for click-to-calls. No application's name contains it, so two
// applications on one exchange never mistake each other's channels for their own.
const ClickToCallMark = "~"

// Channel returns the channel id of the n-th phone; n counts from 1. The id of the first
// phone's channel is also the id of the call.
func (o ClickToCall) Channel(n int) ChannelID {
	return ChannelID(fmt.Sprintf("%s%s%s.%d", o.Application, ClickToCallMark, o.CommunicationID, n))
}

// Call returns the id of the call that the click-to-call becomes.
func (o ClickToCall) Call() CallID { return CallID(o.Channel(1)) }

// CallOfClick returns the call of the click-to-call that a channel was made for. It
// returns "" for other channels.
func CallOfClick(id ChannelID) CallID {
	dot := strings.LastIndexByte(string(id), '.')
	if dot < 0 || !strings.Contains(string(id), ClickToCallMark) {
		return ""
	}
	return CallID(id[:dot]) + ".1"
}

// ClickToCallResult is the result of the attempt to ring the phones.
type ClickToCallResult string

// The results.
const (
	// ClickPlaced: the exchange was asked to ring. Its events show what comes of that.
	ClickPlaced ClickToCallResult = "placed"
	// ClickRefused: no phone rings, and the answer to the command said so.
	ClickRefused ClickToCallResult = "refused"
	// ClickFailed: no phone rings, and the CRM must still learn it from a report.
	ClickFailed ClickToCallResult = "failed"
)

// ClickDecision is what the Tracker decides about a command to make a click-to-call.
type ClickDecision string

// The decisions.
const (
	// ClickAccepted: its call is in progress now.
	ClickAccepted ClickDecision = "accepted"
	// ClickRepeated: its communication had a click-to-call before, maybe a different one.
	// The stored one says what to answer ([ClickToCalls]).
	ClickRepeated ClickDecision = "repeated"
	// ClickTooMany: its user has as many click-to-calls in progress as the operator allows.
	ClickTooMany ClickDecision = "too many"
)

// ClickToCallNews is the part of an event that is about a click-to-call.
type ClickToCallNews struct {
	ClickToCall ClickToCall `json:"order"`
	// AtOnce is how many click-to-calls of the user may be in progress, for
	// EventClickToCall; 0 means any number. The event carries it, so that a replay decides
	// as the daemon did.
	AtOnce int `json:"atOnce,omitempty"`
	// Result is filled for EventClickResult. Rung are the channels of the phones that
	// ring (ClickPlaced); Status and Message say why none rings (the other results).
	Result  ClickToCallResult `json:"settlement,omitempty"`
	Rung    []ChannelID       `json:"rung,omitempty"`
	Status  RefusalStatus     `json:"status,omitempty"`
	Message string            `json:"message,omitempty"`
}

// NewClickToCallEvent makes the event that the CRM commanded a click-to-call, where its
// user may have atOnce of them in progress (0: any number).
func NewClickToCallEvent(click ClickToCall, atOnce int, at time.Time) Event {
	return clickToCallEvent(EventClickToCall, at, ClickToCallNews{ClickToCall: click, AtOnce: atOnce})
}

// NewClickPlacedEvent makes the event that the exchange was asked to ring these phones,
// and no others.
func NewClickPlacedEvent(click ClickToCall, rung []ChannelID, at time.Time) Event {
	return clickToCallEvent(EventClickResult, at, ClickToCallNews{ClickToCall: click, Result: ClickPlaced, Rung: rung})
}

// NewClickRefusedEvent makes the event that no phone rings. answered is true when the
// answer to the command has said so to the CRM.
func NewClickRefusedEvent(click ClickToCall, refusal *Refusal, answered bool, at time.Time) Event {
	news := ClickToCallNews{ClickToCall: click, Result: ClickFailed, Status: refusal.Status, Message: refusal.Message}
	if answered {
		news.Result = ClickRefused
	}
	return clickToCallEvent(EventClickResult, at, news)
}

func clickToCallEvent(eventType EventType, at time.Time, news ClickToCallNews) Event {
	event := Event{Type: eventType, Time: at.UTC().Truncate(time.Millisecond), ClickToCall: &news}
	event.Raw = written(struct {
		Type      EventType `json:"type"`
		Timestamp time.Time `json:"timestamp"`
		ClickToCallNews
	}{event.Type, event.Time, news})
	return event
}

// HangupNews is the leg that the CRM hangs up, its call, and the user who does so.
type HangupNews struct {
	Call CallID `json:"call"`
	Leg  LegID  `json:"leg"`
	User string `json:"user"`
}

// NewHangupEvent makes the event that a user of the CRM hangs up.
func NewHangupEvent(news HangupNews, at time.Time) Event {
	event := Event{Type: EventHangup, Time: at.UTC().Truncate(time.Millisecond), Hangup: &news}
	event.Raw = written(struct {
		Type      EventType  `json:"type"`
		Timestamp time.Time  `json:"timestamp"`
		Hangup    HangupNews `json:"hangup"`
	}{event.Type, event.Time, news})
	return event
}

// written returns an event that we make ourselves as the journal keeps it.
func written(event any) []byte {
	raw, err := json.Marshal(event)
	if err != nil {
		// Strings, and a time of four-digit years.
		panic(fmt.Sprintf("%+v can't be written as JSON: %v", event, err))
	}
	return raw
}

// Action is a request to the exchange that a call needs in order to go on. An action may
// be repeated: a second time has no effect.
type Action struct {
	Kind    ActionKind
	Call    CallID
	Channel ChannelID
	// Number is what to dial, for ActionDial: digits.
	Number string
	// Recording is the name of the recording, for ActionRecord.
	Recording string
}

// ActionKind says what is to be done.
type ActionKind string

// The actions.
const (
	// ActionDial: the user has picked up this phone, so the channel dials Number.
	ActionDial ActionKind = "dial"
	// ActionHangup: the phone's channel must go, for example because the user has picked
	// up another phone.
	ActionHangup ActionKind = "hang up"
	// ActionRecord: both sides of the channel are recorded as Recording.
	// ActionStopRecording: the snoop channel of a recording is hung up.
	ActionRecord        ActionKind = "record"
	ActionStopRecording ActionKind = "stop recording"
)

// Failure is a click-to-call that ended before the other party was dialled.
type Failure struct {
	Call            CallID
	CommunicationID string
	Cause           FailureCause
}

// FailureCause says why; the set is fixed.
type FailureCause string

// The causes, as far as the exchange distinguishes them.
const (
	// FailedBusy: the phone said that it is busy; FailedDeclined: its user did not
	// want the call; FailedNoAnswer: it rang for calls.originate_timeout.
	FailedBusy     FailureCause = "busy"
	FailedDeclined FailureCause = "declined"
	FailedNoAnswer FailureCause = "no answer"
	// FailedOffline: no phone of the user could be reached.
	FailedOffline FailureCause = "offline"
	// FailedHungUp: the CRM hung up while the phone rang.
	FailedHungUp FailureCause = "hung up"
	// FailedDialplan: the phone was picked up, but no channel was dialled: the user hung
	// up first, or calls.originate_context dials nothing for that number.
	FailedDialplan FailureCause = "nobody dialled"
	// FailedSwitch: the exchange did not ring the phone, or the connection to it is lost.
	FailedSwitch FailureCause = "switch away"
)
