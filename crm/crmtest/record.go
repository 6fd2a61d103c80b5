package crmtest

import (
	"fmt"
	"time"
)

// Kind says what a request asks for.
type Kind string

// The kinds of request; those of call reports are the last part of their path.
const (
	KindUnknown   Kind = ""
	KindAuthorize Kind = "authorize"
	KindInstance  Kind = "instance"
	KindRedirect  Kind = "call-redirect"
	KindStarted   Kind = "call-started"
	KindEvent     Kind = "call-event"
	KindFinished  Kind = "call-finished"
	KindFailed    Kind = "call-failed"
	KindRegister  Kind = "register-call"
	KindRecording Kind = "call-recording"
	KindFile      Kind = "files"
)

// isReport reports whether requests of that kind report something of a call.
func (k Kind) isReport() bool {
	switch k {
	case KindStarted, KindEvent, KindFinished, KindFailed, KindRegister, KindRecording:
		return true
	}
	return false
}

// Request is one request that was received and what became of it. It holds no
// header, hence no access key and no secret.
type Request struct {
	// Number counts all requests from 1, in the order they were decided.
	Number int
	// Received is when its body had been read, Decided when its answer was
	// chosen (just before it is written).
	Received, Decided time.Time
	Method, Path      string
	// Query is what stands behind the "?", as received.
	Query string
	Kind  Kind
	// Call is our own externalId of the call (without the integration's name
	// in front); "" where it is not known.
	Call string
	// Raw is the body as received; nil for an upload ([CRM.Files]). Body is what was
	// understood of it: zero where the body was invalid, and for requests that report no
	// call.
	Raw  []byte
	Body Body
	// Length is how long the body is by its header; -1 where that does not say.
	Length int64
	// Status is the HTTP status of the answer; 0 when none was given.
	Status int
	// Answer is the answer's body; it is left out for an authorisation and for the
	// instance, since secrets are in it.
	Answer []byte
	// Effective: the request had its effect on the call: the CRM took it, or refused
	// it for good. Requests that are to be tried again are not effective.
	Effective bool
	// Repeat: it repeats, byte for byte, the latest effective request of its call.
	Repeat bool
}

// Call is a call as far as the CRM knows it.
type Call struct {
	// ID is our own externalId; "" for a call that was ordered and failed before
	// it began. CommunicationID is the CRM's id.
	ID, CommunicationID string
	// Direction as call-started gave it.
	Direction string
	// Requests are the effective ones, in order, repeats left out.
	Requests []Request
	// Legs are the ids of the call's legs in the order they appeared.
	Legs []string
	// Finished, Failed and Registered: call-finished, call-failed and
	// register-call arrived.
	Finished, Failed, Registered bool
}

// Over reports whether nothing more may come of this call but its recordings.
func (c Call) Over() bool { return c.Failed || c.Registered }

// Sequence is the call in short, one string for each effective request:
// "started(inbound)", "L1 appeared", "L1 finished", "CALL-FINISHED",
// "CALL-FAILED", "REGISTER", "L1 RECORDING". L1 is the leg that appeared first.
func (c Call) Sequence() []string {
	var sequence []string
	for _, request := range c.Requests {
		sequence = append(sequence, c.short(request))
	}
	return sequence
}

func (c Call) short(request Request) string {
	switch request.Kind {
	case KindStarted:
		return "started(" + request.Body.Direction + ")"
	case KindEvent:
		return c.legName(request.Body.ExternalCallItemID) + " " + request.Body.Type
	case KindFinished:
		return "CALL-FINISHED"
	case KindFailed:
		return "CALL-FAILED"
	case KindRegister:
		return "REGISTER"
	case KindRecording:
		return c.legName(request.Body.ExternalCallItemID) + " RECORDING"
	}
	return string(request.Kind)
}

func (c Call) legName(id string) string {
	for i, leg := range c.Legs {
		if leg == id {
			return fmt.Sprintf("L%d", i+1)
		}
	}
	return "L?"
}
