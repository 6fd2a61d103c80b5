package bridge

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// ClickToCall is a call that the CRM has ordered by its system call CALL: the phones of
// one user ring, and for the first that is picked up somebody else is dialled.
type ClickToCall struct {
	// Application is the ARI application that has the phones rung.
	Application string `json:"application"`
	// CommunicationID is the CRM's id of the call.
	CommunicationID string `json:"communicationId"`
	// From is the user whose phones ring, To the user that is dialled then: "" for
	// a client.
	From string `json:"from"`
	To   string `json:"to,omitempty"`
	// Number is what is dialled: the client's normalised number, or To's extension.
	Number string `json:"number"`
}

// orderMark stands in the ids of the channels that are made for orders, behind the
// name of the application that they are made in: no name of one has it, so that two
// of them on one switch never take each other's for their own.
const ClickToCallMark = "~"

// Channel is the id that the order's n-th phone gets as a channel; n counts from 1.
// That of the first is the id of the call.
func (o ClickToCall) Channel(n int) ChannelID {
	return ChannelID(fmt.Sprintf("%s%s%s.%d", o.Application, ClickToCallMark, o.CommunicationID, n))
}

// Call is the id of the call that the order becomes.
func (o ClickToCall) Call() CallID { return CallID(o.Channel(1)) }

// orderedCall is the call that a channel of that id was made for, by an order; ""
// for other channels.
func CallOfClick(id ChannelID) CallID {
	dot := strings.LastIndexByte(string(id), '.')
	if dot < 0 || !strings.Contains(string(id), ClickToCallMark) {
		return ""
	}
	return CallID(id[:dot]) + ".1"
}

// ClickToCallResult is what became of the attempt to ring the phones of an order.
type ClickToCallResult string

// The settlements.
const (
	// ClickPlaced: the switch has been told to ring. What becomes of that, its
	// events tell.
	ClickPlaced ClickToCallResult = "placed"
	// ClickRefused: it did not come to that, and the CRM was told so at once.
	ClickRefused ClickToCallResult = "refused"
	// ClickFailed: it did not come to that, and the CRM is still to be told.
	ClickFailed ClickToCallResult = "failed"
)

// ClickToCallNews is the part of an event that is about an order.
type ClickToCallNews struct {
	ClickToCall ClickToCall `json:"order"`
	// ClickToCallResult is filled for EventClickResult: with the phones that are rung for
	// ClickPlaced, and why not for the others.
	Result  ClickToCallResult `json:"settlement,omitempty"`
	Rung    []ChannelID       `json:"rung,omitempty"`
	Status  RefusalStatus     `json:"status,omitempty"`
	Message string            `json:"message,omitempty"`
}

// NewClickToCallEvent makes the event that an order was given at that moment.
func NewClickToCallEvent(click ClickToCall, at time.Time) Event {
	return clickToCallEvent(EventClickToCall, at, ClickToCallNews{ClickToCall: click})
}

// NewClickPlacedEvent makes the event that the switch was told to ring these phones for an
// order, and no others.
func NewClickPlacedEvent(click ClickToCall, rung []ChannelID, at time.Time) Event {
	return clickToCallEvent(EventClickResult, at, ClickToCallNews{ClickToCall: click, Result: ClickPlaced, Rung: rung})
}

// NewClickRefusedEvent makes the event that no phone is rung for an order: told says
// whether the CRM knows that already.
func NewClickRefusedEvent(click ClickToCall, refusal *Refusal, told bool, at time.Time) Event {
	news := ClickToCallNews{ClickToCall: click, Result: ClickFailed, Status: refusal.Status, Message: refusal.Message}
	if told {
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

// HangupNews is what the CRM wants hung up.
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

// written is an event of ours as the journal keeps it.
func written(event any) []byte {
	raw, err := json.Marshal(event)
	if err != nil {
		// Strings, and a time of four-digit years.
		panic(fmt.Sprintf("%+v can't be written as JSON: %v", event, err))
	}
	return raw
}

// Action is what the switch must be told, since a call has come to a point where
// it doesn't go on by itself. To do it twice is to do it once.
type Action struct {
	Kind    ActionKind
	Call    CallID
	Channel ChannelID
	// Number is what to dial, for ActionDial: digits.
	Number string
	// Recording is the name of what is to be recorded, for ActionRecord.
	Recording string
}

// ActionKind says what is to be done.
type ActionKind string

// The actions.
const (
	// ActionDial: the user has picked up this phone, so the channel dials Number.
	ActionDial ActionKind = "dial"
	// ActionHangup: another phone of the user was faster, so this one stops ringing.
	ActionHangup ActionKind = "hang up"
	// ActionRecord: what is said on the channel, by both sides, is recorded as Recording.
	// ActionStopRecording: the channel that listens for a recording is hung up.
	ActionRecord        ActionKind = "record"
	ActionStopRecording ActionKind = "stop recording"
)

// Failure is an ordered call in which nobody was dialled.
type Failure struct {
	Call            CallID
	CommunicationID string
	Cause           FailureCause
}

// FailureCause says why, one of a fixed set of words.
type FailureCause string

// The causes, as far as the switch tells them apart.
const (
	// FailedBusy: the phone said that it is busy; FailedDeclined: its user did not
	// want the call; FailedNoAnswer: it rang for calls.originate_timeout.
	FailedBusy     FailureCause = "busy"
	FailedDeclined FailureCause = "declined"
	FailedNoAnswer FailureCause = "no answer"
	// FailedOffline: no phone of the user could be reached.
	FailedOffline FailureCause = "offline"
	// FailedHungUp: the CRM had the phone stop ringing.
	FailedHungUp FailureCause = "hung up"
	// FailedDialplan: the phone was picked up, and hung up before anybody was dialled,
	// or calls.originate_context dialled nobody for that number.
	FailedDialplan FailureCause = "nobody dialled"
	// FailedSwitch: the switch did not ring, or is gone.
	FailedSwitch FailureCause = "switch away"
)
