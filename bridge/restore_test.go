package bridge_test

import (
	"errors"
	"slices"
	"testing"

	"kontur-ari/bridge"
)

func TestAStateThatIsNotWholeIsNamedAndLeftOut(t *testing.T) {
	whole := bridge.NewTracker(office(t), allCalls)
	for _, event := range play(t, answered) {
		whole.Apply(event)
	}
	good, open := whole.State("A")
	if !open {
		t.Fatal("call A is not in progress")
	}
	broken := map[bridge.CallID]string{
		"text":    `not JSON`,
		"other":   `{"id":"another","channels":[]}`,
		"channel": `{"id":"channel","channels":[null]}`,
		"leg":     `{"id":"leg","channels":[],"legs":[null]}`,
		"lost":    `{"id":"lost","channels":[],"legs":[{"id":"1","channels":["1"],"state":"appeared"}]}`,
	}
	states := []bridge.CallState{good}
	for id, state := range broken {
		states = append(states, bridge.CallState{Call: id, State: []byte(state)})
	}
	tracker := bridge.NewTracker(office(t), allCalls)
	unreadable, ok := errors.AsType[*bridge.UnreadableCallsError](tracker.Restore(states, nil))
	if !ok || len(unreadable.Calls) != len(broken) || slices.Contains(unreadable.Calls, "A") {
		t.Fatalf("unreadable: %+v", unreadable)
	}
	if calls, channels := tracker.Open(); calls != 1 || channels != 2 {
		t.Errorf("restored %d calls with %d channels, want the good one", calls, channels)
	}
	for _, event := range play(t, answered+`
		9 gone B
		9 gone A
		10 snapshot`) {
		tracker.Apply(event)
	}
	if calls, channels := tracker.Open(); calls != 0 || channels != 0 {
		t.Errorf("%d calls, %d channels are left", calls, channels)
	}
}
