package casebook

import (
	"errors"
	"fmt"
	"io"
	"time"

	"kontur-ari/ari"
	"kontur-ari/bridge"
)

// Passage is a place of a capture or a journal that should hold one event.
type Passage struct {
	// Where names the place in messages: "line 12", "event 17".
	Where string
	// Raw is the event as Asterisk sent it; empty where Err is set.
	Raw []byte
	// Received is when the daemon received the event; zero in a capture.
	Received time.Time
	// Call is the call that the daemon assigned the event to; "" for none.
	Call bridge.CallID
	// Err is why the place holds no event.
	Err error
}

// loggedEvent is a decoded event with what the journal says about it.
type loggedEvent struct {
	received time.Time
	call     bridge.CallID
	event    bridge.Event
}

// decodeEvent is [ari.Decode], but an event whose time can't be read gets the time
// of its arrival, as in the daemon.
func decodeEvent(raw []byte, received time.Time) (bridge.Event, error) {
	event, err := ari.Decode(raw)
	if err == nil && event.Time.IsZero() {
		event.Time = received
	}
	return event, err
}

// decodable returns the events of the passages that the Tracker can interpret.
func decodable(passages []Passage) (events []loggedEvent) {
	for _, p := range passages {
		if event, err := decodeEvent(p.Raw, p.Received); err == nil {
			events = append(events, loggedEvent{received: p.Received, call: p.Call, event: event})
		}
	}
	return events
}

// mostComplaints is how many unreadable places are named one by one.
const mostComplaints = 20

// decoder decodes passages in order, counts the types that are not interpreted,
// and names the places that can't be read.
type decoder struct {
	// file is the name of the source in messages.
	file       string
	complaints io.Writer

	events, unreadable int
	firstUnreadable    string
	// unknown counts events that are not interpreted, by their type.
	unknown map[string]int
	// last is the time of the last decoded event.
	last time.Time
}

func newDecoder(file string, complaints io.Writer) *decoder {
	return &decoder{file: file, complaints: complaints, unknown: make(map[string]int)}
}

// decode decodes a passage; false where it holds no event for the Tracker. An event
// without a readable time gets the time of its arrival. In a capture, which knows
// no arrivals, it gets the time of the event before.
func (d *decoder) decode(p Passage) (loggedEvent, bool) {
	event, err := bridge.Event{}, p.Err
	if err == nil {
		received := p.Received
		if received.IsZero() {
			received = d.last
		}
		event, err = decodeEvent(p.Raw, received)
	}
	if unknown, ok := errors.AsType[*ari.UnknownTypeError](err); ok {
		d.unknown[unknown.Type]++
		return loggedEvent{}, false
	}
	if err != nil {
		d.complain(p.Where, err)
		return loggedEvent{}, false
	}
	d.events++
	d.last = event.Time
	return loggedEvent{received: p.Received, call: p.Call, event: event}, true
}

func (d *decoder) complain(where string, err error) {
	d.unreadable++
	switch {
	case d.unreadable == 1:
		d.firstUnreadable = where
	case d.unreadable > mostComplaints:
		return
	}
	fmt.Fprintf(d.complaints, "%s, %s: %v\n", d.file, where, err)
}

// err says what was left out; nil for nothing.
func (d *decoder) err() error {
	if d.unreadable == 0 {
		return nil
	}
	return fmt.Errorf("%s: %d places can't be read, the first is %s, and were left out: correct them, or put # before what is no event", d.file, d.unreadable, d.firstUnreadable)
}
