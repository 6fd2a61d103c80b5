package faults_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"kontur-ari/ari"
	"kontur-ari/bridge"
	"kontur-ari/bridge/store"
	"kontur-ari/bridge/tracker"
	"kontur-ari/crm/crmtest"
)

// judge compares what the CRM of an office holds with the truth.
//
// The truth of a call is what a Tracker of its own makes of the events that were
// played. Where a fault has cut events out, it is told what could still be known: so
// first the daemon's journal is compared with what was played (only events that were
// on their way at the cut may be missing), then what the CRM holds with what a Tracker
// makes of the journal, field by field; and what the CRM holds of a call that was cut
// must be founded in its truth.
type judge struct {
	office  *office
	tracker *tracker.Tracker
	// journal is how far the journal was read, requests and violations how many of the
	// CRM's were looked at.
	journal              int64
	requests, violations int
	known                map[bridge.CallID]bool
	// latest is what a call was told last that it was not told before.
	latest map[string]crmtest.Request
	// cut says when listeners were cut off.
	cut map[int]time.Time
	// past is what was played in earlier rounds.
	past []*performance
}

// allowance is what a fault may do.
type allowance struct {
	// cuts: events that were on their way may be lost.
	cuts bool
	// crashes: of each call the request whose answer was not recorded may be repeated.
	crashes bool
	// lostAnswers: so many answers were lost, and as many repeats must come.
	lostAnswers *int
}

// standstill is how long the disk of a busy machine may stand still: so old may an event
// be that was not stored when it was cut out, or an answer of the CRM that was not
// recorded. Mostly it is some milliseconds; the longest stands below the table.
const standstill = 10 * time.Second

func newJudge(o *office) *judge {
	return &judge{
		office: o, tracker: tracker.New(suite.people, policy),
		known: make(map[bridge.CallID]bool), latest: make(map[string]crmtest.Request), cut: make(map[int]time.Time),
	}
}

// begin begins a round.
func (j *judge) begin() { clear(j.cut) }

// cuts notes that everybody who listens now is cut off.
func (j *judge) cuts() {
	for n := j.office.server.Connected(); n > 0 && j.cut[n].IsZero(); n-- {
		j.cut[n] = time.Now()
	}
}

// everything is what was played, for a person who studies a failure.
func (j *judge) everything() []byte {
	var events []*played
	for _, p := range append(j.past, j.office.traffic.performances...) {
		events = append(events, p.played...)
	}
	slices.SortStableFunc(events, func(a, b *played) int { return a.at.Compare(b.at) })
	var text bytes.Buffer
	for _, e := range events {
		text.Write(e.raw)
		text.WriteByte('\n')
	}
	return text.Bytes()
}

// findings are what was found wrong.
type findings []string

func (f *findings) add(format string, args ...any) { *f = append(*f, fmt.Sprintf(format, args...)) }

func (f findings) err() error {
	if len(f) == 0 {
		return nil
	}
	return errors.New(strings.Join(f, "\n"))
}

// compare compares what happened since begin. All that was played must have been read.
func (j *judge) compare(ctx context.Context, f fault, allowed allowance) error {
	performances := j.office.traffic.take()
	j.past = append(j.past, performances...)
	entries, err := j.readJournal(ctx, performances)
	if err != nil {
		return err
	}
	var found findings
	lost := j.compareJournal(performances, entries, allowed, &found)
	expected := j.tell(entries)
	if err := j.awaitTold(ctx, expected); err != nil {
		found.add("%v", err)
	}
	healed := time.Since(j.office.healing)
	told := j.compareTold(expected, f.collapses, &found)
	outcome := j.compareTruth(performances, entries, expected, &found)
	repeats := j.compareRepeats(allowed, &found)
	j.newViolations(&found)
	if err := found.err(); err != nil {
		return err
	}
	suite.table.add(f.name, result{requests: told, repeats: repeats, outcome: outcome, events: lost, healed: healed})
	return nil
}

// readJournal reads what was stored since it was read last, up to the last event that
// was played.
func (j *judge) readJournal(ctx context.Context, performances []*performance) ([]store.Event, error) {
	var last *played
	for _, p := range performances {
		for _, e := range p.played {
			if last == nil || !e.at.Before(last.at) {
				last = e
			}
		}
	}
	history, err := store.OpenHistory(ctx, j.office.daemon.Storage())
	if err != nil {
		return nil, err
	}
	defer func() { _ = history.Close() }() // nothing was written
	var entries []store.Event
	for {
		all, err := history.Journal(ctx)
		if err != nil {
			return nil, err
		}
		complete := false
		err = history.Events(ctx, store.Range{First: j.journal + 1, Last: all.Last}, func(e store.Event) error {
			entries, j.journal = append(entries, e), e.ID
			complete = complete || bytes.Equal(e.Raw, last.raw)
			return nil
		})
		if err != nil || complete {
			return entries, err
		}
		if err := j.office.pause(ctx, 10*time.Millisecond); err != nil {
			return nil, fmt.Errorf("the last event is not stored: %w: %s", err, last.raw)
		}
	}
}

// compareJournal finds what was stored that was never played, or twice, or in another
// order; and what was not stored although nothing has cut it out. It returns how many
// events were on their way when they were cut out.
func (j *judge) compareJournal(performances []*performance, entries []store.Event, allowed allowance, found *findings) (lost int) {
	// In one millisecond a channel may say the same twice.
	byRaw := make(map[string][]*played)
	perListener := make(map[int][]*played)
	for _, p := range performances {
		for _, e := range p.played {
			byRaw[string(e.raw)] = append(byRaw[string(e.raw)], e)
			perListener[e.listener] = append(perListener[e.listener], e)
		}
	}
	var before *played
	for _, entry := range entries {
		if entry.Type == bridge.EventSnapshot {
			continue
		}
		same := byRaw[string(entry.Raw)]
		if len(same) == 0 {
			found.add("what was stored as event %d was not played, or not so often: %s", entry.ID, entry.Raw)
			continue
		}
		e := same[0]
		byRaw[string(entry.Raw)] = same[1:]
		if before != nil && before.at.After(e.at) {
			found.add("an event was stored before one that was played earlier, as %d: %s", before.stored, entry.Raw)
		}
		e.stored = entry.ID
		before = e
	}
	for listener, events := range perListener {
		lost += j.missing(listener, events, allowed, found)
	}
	return lost
}

// missing looks for events that one listener was sent and that were not stored.
func (j *judge) missing(listener int, events []*played, allowed allowance, found *findings) (lost int) {
	slices.SortStableFunc(events, func(a, b *played) int { return a.at.Compare(b.at) })
	cut := j.cut[listener]
	for _, e := range events {
		age := cut.Sub(e.at)
		switch {
		case e.stored == 0 && (!allowed.cuts || cut.IsZero()):
			found.add("an event of %s was lost: %s", e.of.tape.name, e.raw)
		case e.stored == 0 && age > standstill:
			found.add("an event of %s was lost that was %s old when it was cut out: %s", e.of.tape.name, age, e.raw)
		case e.stored == 0:
			lost++
			suite.table.measure(func(m *measured) { m.event = max(m.event, age) })
		case lost > 0:
			found.add("an event of %s was stored although one before it was lost: %s", e.of.tape.name, e.raw)
		}
	}
	return lost
}

// tell is what the CRM is to be told of the entries of a journal.
func (j *judge) tell(entries []store.Event) map[bridge.CallID][]bridge.Report {
	expected := make(map[bridge.CallID][]bridge.Report)
	for _, entry := range entries {
		event, err := ari.Decode(entry.Raw)
		if err != nil {
			continue // what was not played has been found
		}
		if event.Time.IsZero() {
			event.Time = entry.Received
		}
		for _, report := range j.tracker.Apply(event).Reports {
			expected[report.Call] = append(expected[report.Call], report)
		}
	}
	return expected
}

// awaitTold waits until the CRM knows the ends of all calls.
func (j *judge) awaitTold(ctx context.Context, expected map[bridge.CallID][]bridge.Report) error {
	for call := range expected {
		for {
			told, _ := j.office.crm.Call(string(call))
			if told.Over() {
				break
			}
			if err := j.office.pause(ctx, 5*time.Millisecond); err != nil {
				return fmt.Errorf("call %s is not told to its end: %w; so far: %s", call, err, strings.Join(told.Sequence(), ", "))
			}
		}
	}
	return nil
}

// compareTold compares what the CRM was told with what it is to be told, and returns
// how many requests that were.
func (j *judge) compareTold(expected map[bridge.CallID][]bridge.Report, collapses bool, found *findings) (requests int) {
	for call, reports := range expected {
		j.known[call] = true
		told, _ := j.office.crm.Call(string(call))
		requests += len(told.Requests)
		wanted := lines(reports)
		got := make([]string, len(told.Requests))
		for i, request := range told.Requests {
			got[i] = requestLine(request)
		}
		collapsed := collapses && len(got) == 1 && got[0] == wanted[len(wanted)-1]
		if !collapsed && !slices.Equal(got, wanted) {
			found.add("call %s was told as\n  %s\nand not as\n  %s", call, strings.Join(got, "\n  "), strings.Join(wanted, "\n  "))
		}
	}
	for _, call := range j.office.crm.Calls() {
		if !j.known[bridge.CallID(call.ID)] {
			j.known[bridge.CallID(call.ID)] = true
			found.add("call %s was told and is none: %s", call.ID, strings.Join(call.Sequence(), ", "))
		}
	}
	return requests
}

// newViolations finds the rules of the contract that were broken.
func (j *judge) newViolations(found *findings) {
	violations := j.office.crm.Violations()[j.violations:]
	j.violations += len(violations)
	for _, violation := range violations {
		found.add("%s", violation)
	}
}

// compareRepeats finds requests that were repeated without need, and returns how many
// were repeated.
func (j *judge) compareRepeats(allowed allowance, found *findings) (repeats int) {
	requests := j.office.crm.Requests()[j.requests:]
	j.requests += len(requests)
	repeated := make(map[string]bool)
	for _, request := range requests {
		if !request.Repeat {
			if request.Effective {
				j.latest[request.Call] = request
			}
			continue
		}
		repeats++
		first := j.latest[request.Call]
		if allowed.lostAnswers == nil && (!allowed.crashes || repeated[request.Call] || !j.crashedBetween(first.Decided, request.Received)) {
			found.add("%s of call %s, which was answered at %s, was repeated without need at %s",
				request.Kind, request.Call, clock(first.Decided), clock(request.Received))
		}
		repeated[request.Call] = true
	}
	if allowed.lostAnswers != nil && repeats != *allowed.lostAnswers {
		found.add("%d requests were repeated although %d answers were lost", repeats, *allowed.lostAnswers)
	}
	return repeats
}

// crashedBetween tells whether the daemon died between the answer to a request and its
// repetition, so soon that the answer may not have been recorded.
func (j *judge) crashedBetween(answered, repeated time.Time) bool {
	for _, at := range j.cut {
		if age := at.Sub(answered); age < standstill && at.Before(repeated) {
			suite.table.measure(func(m *measured) { m.answer = max(m.answer, age) })
			return true
		}
	}
	return false
}
