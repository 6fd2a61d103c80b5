package ari

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/CyCoreSystems/ari/v6"
	next "github.com/go-json-experiment/json"
	nextrules "github.com/go-json-experiment/json/v1"

	"kontur-ari/bridge"
)

// interpreted lists the event types that Decode understands and that the event
// filter therefore lets through.
var interpreted = []bridge.EventType{
	bridge.EventChannelCreated,
	bridge.EventChannelStateChange,
	bridge.EventChannelCallerID,
	bridge.EventChannelHold,
	bridge.EventChannelUnhold,
	bridge.EventChannelDestroyed,
	bridge.EventDial,
	bridge.EventBridgeEntered,
	bridge.EventBridgeLeft,
	bridge.EventBridgeDestroyed,
	bridge.EventBlindTransfer,
	bridge.EventAttendedTransfer,
	bridge.EventRecordingFinished,
}

// UnknownTypeError is what Decode returns for a well-formed event of a type that
// the bridge doesn't interpret.
type UnknownTypeError struct {
	// Type is the event's own name of its type; never "".
	Type string
}

func (e *UnknownTypeError) Error() string {
	return fmt.Sprintf("event type %q is not interpreted", e.Type)
}

// Decode reads one event as Asterisk sent it, or one snapshot as [Source]
// assembled it. It is pure, so a journal of raw events always decodes to the
// same events, and safe for concurrent use.
//
// It is as tolerant as can be without inventing anything: a field of the wrong
// JSON type or a time that can't be read is left at its zero value, a cause sent
// as a string is read as a number, a channel or bridge without an id is absent.
// Times are UTC. The Event keeps raw as its Raw: the caller must not change it
// afterwards.
//
// Errors: *[UnknownTypeError] for a type that is not interpreted; any other error
// means that raw isn't a JSON object with a type.
func Decode(raw []byte) (bridge.Event, error) {
	var wire wireEvent
	if err := unmarshalTolerant(raw, &wire); err != nil {
		return bridge.Event{}, fmt.Errorf("decode event: %w", err)
	}
	if wire.Type == "" {
		return bridge.Event{}, errors.New("decode event: it has no type")
	}
	event := bridge.Event{
		Type: bridge.EventType(wire.Type),
		Time: parseTime(wire.Timestamp),
		Raw:  raw,
	}
	if !wire.fill(&event) {
		return bridge.Event{}, &UnknownTypeError{Type: wire.Type}
	}
	return event, nil
}

// fill copies what belongs to the event's type and reports whether the type is
// one that is interpreted.
func (wire *wireEvent) fill(event *bridge.Event) bool {
	switch event.Type {
	case bridge.EventChannelCreated, bridge.EventChannelStateChange, bridge.EventChannelCallerID,
		bridge.EventChannelHold, bridge.EventChannelUnhold:
		event.Channel = wire.Channel.channel()
	case bridge.EventChannelDestroyed:
		event.Channel = wire.Channel.channel()
		event.Cause = parseCause(wire.Cause)
	case bridge.EventDial:
		event.Caller = wire.Caller.channel()
		event.Peer = wire.Peer.channel()
		event.DialStatus = wire.DialStatus
		event.DialString = wire.DialString
	case bridge.EventBridgeEntered, bridge.EventBridgeLeft:
		event.Channel = wire.Channel.channel()
		event.Bridge = wire.Bridge.room()
	case bridge.EventBridgeDestroyed:
		event.Bridge = wire.Bridge.room()
	case bridge.EventBlindTransfer:
		event.Channel = wire.Channel.channel()
		event.Transfer = wire.blindTransfer()
	case bridge.EventAttendedTransfer:
		event.Transfer = wire.attendedTransfer()
	case bridge.EventRecordingFinished:
		event.Recording = wire.Recording.finished()
	case bridge.EventSnapshot:
		event.Snapshot = wire.snapshot()
	case bridge.EventClickToCall, bridge.EventClickResult:
		event.ClickToCall = &wire.ClickToCallNews
	case bridge.EventHangup:
		event.Hangup = wire.Hangup
	default:
		return false
	}
	return true
}

// unmarshalTolerant is json.Unmarshal into a zero value that forgives fields of the
// wrong type: encoding/json skips those, goes on, and only then returns the complaint.
// Where there is nothing to forgive, the next encoding/json reads the same three times
// as fast, by the rules of this one.
func unmarshalTolerant[T any](raw []byte, into *T) error {
	if next.Unmarshal(raw, into, rules) == nil {
		return nil
	}
	var zero T
	*into = zero
	err := json.Unmarshal(raw, into)
	if wrongType, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && wrongType.Field != "" {
		return nil
	}
	return err
}

// rules are those of encoding/json: names in any case, the last of two that are equal. But
// for one: that all of it is JSON is not looked at beforehand. Where it isn't, what was
// read by then is thrown away.
var rules = next.JoinOptions(nextrules.DefaultOptionsV1(), nextrules.ReportErrorsWithLegacySemantics(false))

// parseTime reads the way Asterisk writes times (no colon in the zone, so it is
// not RFC 3339), and RFC 3339 as well; zero for anything else, and for years that
// can't be written in four digits.
func parseTime(text string) time.Time {
	for _, layout := range [...]string{ari.DateFormat, time.RFC3339Nano} {
		if at, err := time.Parse(layout, text); err == nil {
			if at = at.UTC(); at.Year() >= 1 && at.Year() <= 9999 {
				return at
			}
		}
	}
	return time.Time{}
}

// parseCause reads a hang-up cause given as a number or as a string; 0, which is
// Q.850's "unknown", for anything else.
func parseCause(raw json.RawMessage) int {
	cause, err := strconv.Atoi(string(bytes.Trim(raw, `"`)))
	if err != nil {
		return 0
	}
	return cause
}

// succeeded reads the result of a transfer: "Success", "Fail", "Invalid" or
// "Not Permitted".
func succeeded(result string) bool { return strings.EqualFold(result, "Success") }
