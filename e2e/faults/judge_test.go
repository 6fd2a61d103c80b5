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
// played. A fault may cut events out, so the comparison has three steps:
//
//  1. The daemon's journal against the played events. Only events that were on their
//     way at the cut may be missing.
//  2. What the CRM received against what a Tracker makes of the journal, field by field.
//  3. What the CRM received of each call against the truth of this call. A report about
//     a cut call may say less than the truth, and nothing untrue.
type judge struct {
	office  *office
	tracker *tracker.Tracker
	// journal is the last entry of the journal that was read. requests and violations
	// count those of the CRM that were checked.
	journal              int64
	requests, violations int
	known                map[bridge.CallID]bool
	// latest is, by call, the last request that was not a repeat.
	latest map[string]crmtest.Request
	// cut says when listeners were cut off.
	cut map[int]time.Time
	// past is what was played in earlier rounds.
	past []*performance
}

// allowance is what a fault may do.
type allowance struct {
	// cuts allows the loss of events that were on their way.
	cuts bool
	// crashes allows one repeat for each call: the request whose answer was not recorded.
	crashes bool
	// lostAnswers is how many answers were lost. The CRM must receive as many repeats.
	lostAnswers *int
}

// standstill is how long the disk of a busy machine may stand still. A lost event or an
// unrecorded answer of the CRM may be as old as this. Mostly they are some milliseconds
// old; the oldest stands below the table.
const standstill = 10 * time.Second

func newJudge(o *office) *judge {
	return &judge{
		office: o, tracker: tracker.New(suite.people, policy),
		known: make(map[bridge.CallID]bool), latest: make(map[string]crmtest.Request), cut: make(map[int]time.Time),
	}
}

// begin begins a round.
func (j *judge) begin() { clear(j.cut) }

// cuts notes that all current listeners are cut off.
func (j *judge) cuts() {
	for n := j.office.server.Connected(); n > 0 && j.cut[n].IsZero(); n-- {
		j.cut[n] = time.Now()
	}
}

// everything returns all played events in order, for a person who studies a failure.
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

// findings are the differences that were found.
type findings []string

func (f *findings) add(format string, args ...any) { *f = append(*f, fmt.Sprintf(format, args...)) }

func (f findings) err() error {
	if len(f) == 0 {
		return nil
	}
	return errors.New(strings.Join(f, "\n"))
}

// compare checks all that happened since begin. The daemon must have read every played
// event before.
func (j *judge) compare(ctx context.Context, f fault, allowed allowance) error {
	performances := j.office.traffic.take()
	j.past = append(j.past, performances...)
	entries, err := j.readJournal(ctx, performances)
	if err != nil {
		return err
	}
	var found findings
	lost := j.compareJournal(performances, entries, allowed, &found)
	expected := j.expect(entries)
	if err := j.awaitEnds(ctx, expected); err != nil {
		found.add("%v", err)
	}
	healed := time.Since(j.office.healing)
	requests := j.compareRequests(expected, f.collapses, &found)
	outcome := j.compareTruth(performances, entries, expected, &found)
	repeats := j.compareRepeats(allowed, &found)
	j.newViolations(&found)
	if err := found.err(); err != nil {
		return err
	}
	suite.table.add(f.name, result{requests: requests, repeats: repeats, outcome: outcome, events: lost, healed: healed})
	return nil
}

// readJournal returns the journal's new entries, up to the last event that was played.
// It waits until the daemon has stored this event.
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

// compareJournal compares the journal with the played events. It finds entries that were
// never played, entries that were stored twice, and entries in another order. It also
// finds events that are missing although no fault cut them out. It returns how many events
// a fault cut out on their way.
func (j *judge) compareJournal(performances []*performance, entries []store.Event, allowed allowance, found *findings) (lost int) {
	// A channel may send the same event twice in one millisecond.
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

// missing finds events that Asterisk sent to one listener and the daemon did not store.
// It returns how many of them the allowance covers.
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

// expect returns what the CRM should receive for the entries of a journal, by call.
func (j *judge) expect(entries []store.Event) map[bridge.CallID][]bridge.Report {
	expected := make(map[bridge.CallID][]bridge.Report)
	for _, entry := range entries {
		event, err := ari.Decode(entry.Raw)
		if err != nil {
			continue // compareJournal finds entries that were not played
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

// awaitEnds waits until the CRM has received the end of each expected call.
func (j *judge) awaitEnds(ctx context.Context, expected map[bridge.CallID][]bridge.Report) error {
	for call := range expected {
		for {
			received, _ := j.office.crm.Call(string(call))
			if received.Over() {
				break
			}
			if err := j.office.pause(ctx, 5*time.Millisecond); err != nil {
				return fmt.Errorf("the CRM did not receive the end of call %s: %w; so far: %s", call, err, strings.Join(received.Sequence(), ", "))
			}
		}
	}
	return nil
}

// compareRequests compares the requests that the CRM received with the expected reports.
// It returns how many requests it compared.
func (j *judge) compareRequests(expected map[bridge.CallID][]bridge.Report, collapses bool, found *findings) (requests int) {
	for call, reports := range expected {
		j.known[call] = true
		received, _ := j.office.crm.Call(string(call))
		requests += len(received.Requests)
		wanted := lines(reports)
		got := make([]string, len(received.Requests))
		for i, request := range received.Requests {
			got[i] = requestLine(request)
		}
		collapsed := collapses && len(got) == 1 && got[0] == wanted[len(wanted)-1]
		if !collapsed && !slices.Equal(got, wanted) {
			found.add("of call %s the CRM received\n  %s\nand not\n  %s", call, strings.Join(got, "\n  "), strings.Join(wanted, "\n  "))
		}
	}
	for _, call := range j.office.crm.Calls() {
		if !j.known[bridge.CallID(call.ID)] {
			j.known[bridge.CallID(call.ID)] = true
			found.add("the CRM received call %s, which was not expected: %s", call.ID, strings.Join(call.Sequence(), ", "))
		}
	}
	return requests
}

// newViolations adds the violations of the contract that the CRM found since the last round.
func (j *judge) newViolations(found *findings) {
	violations := j.office.crm.Violations()[j.violations:]
	j.violations += len(violations)
	for _, violation := range violations {
		found.add("%s", violation)
	}
}

// compareRepeats finds requests that the daemon repeated without need. It returns how
// many requests the daemon repeated.
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

// crashedBetween reports whether the daemon died after the answer to a request and before
// its repeat. The death counts only within standstill of the answer: later the answer must
// have been recorded.
func (j *judge) crashedBetween(answered, repeated time.Time) bool {
	for _, at := range j.cut {
		if age := at.Sub(answered); age < standstill && at.Before(repeated) {
			suite.table.measure(func(m *measured) { m.answer = max(m.answer, age) })
			return true
		}
	}
	return false
}
