package tracker_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"pgregory.net/rapid"

	"kontur-ari/bridge"
	"kontur-ari/bridge/directory"
	"kontur-ari/bridge/tracker"
	"kontur-ari/bridge/tracker/pbxtest"
)

var (
	allCalls     = tracker.Policy{ReportInternal: true, Application: "kontur-ari", Recordings: true}
	outsideCalls = tracker.Policy{Application: "kontur-ari"}
)

// listener is a Tracker with a ledger of its reports and the states that a store would hold.
type listener struct {
	tracker   *tracker.Tracker
	directory *directory.Directory
	policy    tracker.Policy
	ledger    *pbxtest.Ledger
	reports   []bridge.Report
	notes     []tracker.Note
	actions   []bridge.Action
	failures  []bridge.Failure
	// stored and ended are what a store would hold so far.
	stored map[bridge.CallID]bridge.CallState
	ended  []bridge.CallID
}

func newListener(people *directory.Directory, policy tracker.Policy) *listener {
	return &listener{
		tracker: tracker.New(people, policy), directory: people, policy: policy,
		ledger: pbxtest.NewLedger(), stored: make(map[bridge.CallID]bridge.CallState),
	}
}

// hear applies an event, enters its reports, and stores what was touched.
func (l *listener) hear(event bridge.Event) error {
	outcome := l.tracker.Apply(event)
	for _, r := range outcome.Reports {
		if err := l.ledger.Enter(r); err != nil {
			return fmt.Errorf("call %s: %w", r.Call, err)
		}
	}
	for _, r := range outcome.Recorded {
		if err := l.ledger.Record(r); err != nil {
			return err
		}
	}
	l.reports = append(l.reports, outcome.Reports...)
	l.notes = append(l.notes, outcome.Notes...)
	l.actions = append(l.actions, outcome.Actions...)
	l.failures = append(l.failures, outcome.Failures...)
	l.ended = append(l.ended, outcome.Ended...)
	for _, id := range outcome.Touched {
		if state, open := l.tracker.State(id); open {
			l.stored[id] = state
		} else {
			delete(l.stored, id)
		}
	}
	return l.untouched()
}

// untouched returns an error if a call's state differs from the one stored last. It compares
// every call, so only tests with few calls use it after every event.
func (l *listener) untouched() error {
	if calls, _ := l.tracker.Open(); calls != len(l.stored) {
		return fmt.Errorf("%d calls are open but %d are stored", calls, len(l.stored))
	}
	if len(l.stored) > 4 {
		return nil
	}
	for id, stored := range l.stored {
		if state, open := l.tracker.State(id); !open || !bytes.Equal(state.State, stored.State) {
			return fmt.Errorf("call %s has changed and was not touched:\n%s\nwas stored as\n%s", id, state.State, stored.State)
		}
	}
	return nil
}

func (l *listener) hearAll(events []bridge.Event) error {
	for i, event := range events {
		if err := l.hear(event); err != nil {
			return fmt.Errorf("event %d, %s: %w", i, event.Type, err)
		}
	}
	return nil
}

// restart replaces the Tracker by a new one that knows only what a store holds.
func (l *listener) restart() error {
	l.tracker = tracker.New(l.directory, l.policy)
	open := make([]bridge.CallState, 0, len(l.stored))
	for _, state := range l.stored {
		open = append(open, state)
	}
	ended := l.ended
	if len(ended) > bridge.EndedMemory {
		ended = ended[len(ended)-bridge.EndedMemory:]
	}
	return l.tracker.Restore(open, ended)
}

// hangUp ends all calls by a snapshot without channels.
func (l *listener) hangUp() error {
	last := pbxtest.Midnight
	for _, r := range l.reports {
		if r.Time.After(last) {
			last = r.Time
		}
	}
	// A snapshot may have been read before an order was placed, unless it is later.
	last = last.Add(time.Hour)
	pending := l.tracker.PendingClickToCalls()
	for _, order := range pending {
		if err := l.hear(bridge.NewClickRefusedEvent(order, &bridge.Refusal{Status: bridge.RefusedSwitch}, false, last)); err != nil {
			return fmt.Errorf("at the end of an order: %w", err)
		}
	}
	if err := l.hear(bridge.Event{Type: bridge.EventSnapshot, Time: last.Add(time.Hour), Snapshot: &bridge.Snapshot{}}); err != nil {
		return fmt.Errorf("at the last snapshot: %w", err)
	}
	if n := l.tracker.Remembered(); n != 0 {
		return fmt.Errorf("%d things are remembered of a switch without channels", n)
	}
	return l.ledger.Settled()
}

func asJSON(t rapid.TB, reports []bridge.Report) string {
	t.Helper()
	text, err := json.Marshal(reports)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
