package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"kontur-ari/ari"
	"kontur-ari/bridge"
	"kontur-ari/bridge/tracker"
)

// passage is a place of a file that holds an event, as it was found.
type passage struct {
	// where names the place: "line 12", "event 17".
	where string
	raw   []byte
	// received is when the event arrived, zero where nobody knows.
	received time.Time
	// call is what the daemon found that the event belongs to; "" for nothing.
	call bridge.CallID
	// err is why there is no event.
	err error
}

// recorded is an event that can be given to the Tracker.
type recorded struct {
	received time.Time
	call     bridge.CallID
	event    bridge.Event
}

// mostComplaints is how many places that can't be read are named one by one.
const mostComplaints = 20

// transcriber decodes passages, counts what is not interpreted, and names what
// can't be read.
type transcriber struct {
	file       string
	complaints io.Writer

	events, unreadable int
	first              string
	unknown            map[string]int
	last               time.Time
}

// take decodes a passage; false where it holds no event for the Tracker. An event
// without a readable time gets that of its arrival or, where nobody knows that,
// the time of the event before.
func (t *transcriber) take(p passage) (recorded, bool) {
	event, err := bridge.Event{}, p.err
	if err == nil {
		received := p.received
		if received.IsZero() {
			received = t.last
		}
		event, err = decode(p.raw, received)
	}
	if unknown, ok := errors.AsType[*ari.UnknownTypeError](err); ok {
		t.unknown[unknown.Type]++
		return recorded{}, false
	}
	if err != nil {
		t.complain(p.where, err)
		return recorded{}, false
	}
	t.events++
	t.last = event.Time
	return recorded{received: p.received, call: p.call, event: event}, true
}

func (t *transcriber) complain(where string, err error) {
	t.unreadable++
	switch {
	case t.unreadable == 1:
		t.first = where
	case t.unreadable > mostComplaints:
		return
	}
	fmt.Fprintf(t.complaints, "%s, %s: %v\n", t.file, where, err)
}

// err says what was left out; nil for nothing.
func (t *transcriber) err() error {
	if t.unreadable == 0 {
		return nil
	}
	return fmt.Errorf("%s: %d places can't be read, the first is %s, and were left out: correct them, or put # before what is no event", t.file, t.unreadable, t.first)
}

// teller gives events to a Tracker and tells what comes of them.
type teller struct {
	tracker *tracker.Tracker
	// call is the only one whose reports are told; "" for all.
	call bridge.CallID
	// asJSON: reports go to out, one a line, and all else aside.
	asJSON     bool
	out, aside io.Writer
	there      *presence

	reports  int
	touched  map[bridge.CallID]bool
	reported map[bridge.CallID]bool
	// headless are calls that the daemon knew at an event and the Tracker did not.
	headless map[bridge.CallID]bool
}

func newTeller(tr *tracker.Tracker, there *presence, o replayOptions) *teller {
	t := &teller{
		tracker: tr, call: o.call, asJSON: o.asJSON, out: o.out, aside: o.out, there: there,
		touched: make(map[bridge.CallID]bool), reported: make(map[bridge.CallID]bool), headless: make(map[bridge.CallID]bool),
	}
	if o.asJSON {
		t.aside = o.stderr
	}
	return t
}

// tell gives an event to the Tracker and tells it and what comes of it.
func (t *teller) tell(e recorded) error {
	outcome := t.tracker.Apply(e.event)
	if !t.asJSON {
		t.say(e.event.Time, heardText(e.event))
		if gone := t.there.follow(e.event); gone != "" {
			t.say(e.event.Time, "  gone     "+gone)
		}
	}
	if e.call != "" && outcome.Call == "" {
		t.headless[e.call] = true
	}
	for _, id := range outcome.Touched {
		t.touched[id] = true
	}
	for _, action := range outcome.Actions {
		if !t.asJSON && !t.leftOut(action.Call) {
			t.say(e.event.Time, "  switch   "+actionText(action))
		}
	}
	for _, report := range outcome.Reports {
		t.reported[report.Call] = true
		if t.leftOut(report.Call) {
			continue
		}
		t.reports++
		if !t.asJSON {
			t.say(report.Time, fmt.Sprintf("  report   %s %s", report.Call, reportText(report)))
			continue
		}
		if err := json.NewEncoder(t.out).Encode(report); err != nil {
			return fmt.Errorf("writing a report: %w", err)
		}
	}
	for _, failure := range outcome.Failures {
		if !t.leftOut(failure.Call) {
			t.say(e.event.Time, fmt.Sprintf("  failed   %s nobody was dialled: %s", failure.Call, failure.Cause))
		}
	}
	for _, note := range outcome.Notes {
		if !t.leftOut(note.Call) {
			t.say(e.event.Time, fmt.Sprintf("  note     %s not fully understood, so reported less: %s (channel %s)", note.Call, note.Reason, note.Channel))
		}
	}
	return nil
}

func (t *teller) leftOut(call bridge.CallID) bool { return t.call != "" && call != t.call }

// say writes a rung, as the ladder does.
func (t *teller) say(at time.Time, text string) {
	fmt.Fprintf(t.aside, "%s  %s\n", at.Local().Format(rungTime), text)
}

// sum says what was read, what was not, and what goes on behind the end.
func (t *teller) sum(read *transcriber) {
	fmt.Fprintf(t.aside, "%d events, %d reports\n", read.events, t.reports)
	if len(read.unknown) > 0 {
		var types []string
		for _, name := range slices.Sorted(maps.Keys(read.unknown)) {
			types = append(types, fmt.Sprintf("%s %d", name, read.unknown[name]))
		}
		fmt.Fprintf(t.aside, "not interpreted: %s\n", strings.Join(types, ", "))
	}
	for _, id := range slices.Sorted(maps.Keys(t.touched)) {
		if _, open := t.tracker.State(id); !open || t.leftOut(id) {
			continue
		}
		told := "nothing was reported of it"
		if t.reported[id] {
			told = "its end is not in the file"
		}
		fmt.Fprintf(t.aside, "still in progress: call %s, %s\n", id, told)
	}
}
