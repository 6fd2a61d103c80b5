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
// It is as tolerant as possible without inventing anything. A field of the wrong JSON
// type or an unreadable time keeps its zero value. A cause sent as a string is read as a
// number. A channel or bridge without an id is absent. Times are UTC. The Event keeps raw
// as its Raw: the caller must not change it afterwards.
//
// Errors: *[UnknownTypeError] for a type that is not interpreted. Any other error means
// that raw isn't a JSON object with a type.
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

// fill copies the fields of the event's type. It reports whether the type is interpreted.
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
		event.Bridge = wire.Bridge.bridge()
	case bridge.EventBridgeDestroyed:
		event.Bridge = wire.Bridge.bridge()
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

// unmarshalTolerant is json.Unmarshal into a zero value that ignores fields of the wrong
// type: encoding/json skips such a field, continues, and returns the error at the end.
// JSON without wrong types is read by the next encoding/json, under the rules of this
// one, three times as fast.
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

// rules are those of encoding/json: names match in any case, and the last of two equal
// names counts. There is one exception: the whole text is not checked to be JSON first.
// When it turns out not to be, unmarshalTolerant resets what was read.
var rules = next.JoinOptions(nextrules.DefaultOptionsV1(), nextrules.ReportErrorsWithLegacySemantics(false))

// parseTime reads times as Asterisk writes them (no colon in the zone, so they are not
// RFC 3339), and RFC 3339. It returns zero for anything else, and for years that don't
// have four digits.
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
