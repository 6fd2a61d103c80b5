package tracker_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"kontur-ari/bridge"
	"kontur-ari/bridge/tracker"
	"kontur-ari/bridge/tracker/pbxtest"
)

func TestAStateThatIsNotWholeIsNamedAndLeftOut(t *testing.T) {
	whole := tracker.New(pbxtest.Office(), allCalls)
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
	}
	states := []bridge.CallState{good}
	for id, state := range broken {
		states = append(states, bridge.CallState{Call: id, State: []byte(state)})
	}
	tr := tracker.New(pbxtest.Office(), allCalls)
	unreadable, ok := errors.AsType[*tracker.UnreadableCallsError](tr.Restore(states, nil))
	if !ok || len(unreadable.Calls) != len(broken) || slices.Contains(unreadable.Calls, "A") {
		t.Fatalf("unreadable: %+v", unreadable)
	}
	if calls, channels := tr.Open(); calls != 1 || channels != 2 {
		t.Errorf("restored %d calls with %d channels, want the good one", calls, channels)
	}
	for _, event := range play(t, answered+`
		9 gone B
		9 gone A
		10 snapshot`) {
		tr.Apply(event)
	}
	if calls, channels := tr.Open(); calls != 0 || channels != 0 {
		t.Errorf("%d calls, %d channels are left", calls, channels)
	}
}

func TestALegWhoseChannelNoCallHasEndsWithTheNextSnapshot(t *testing.T) {
	const lost = `{"id":"A","direction":"inbound","createdAt":"2026-03-02T00:00:00Z","channels":[],
		"legs":[{"id":"B","channels":["B"],"caller":"A","state":"appeared",
			"from":{"type":"client"},"to":{"type":"user","userId":"u101"}}]}`
	tr := tracker.New(pbxtest.Office(), allCalls)
	if err := tr.Restore([]bridge.CallState{{Call: "A", State: []byte(lost)}}, nil); err != nil {
		t.Fatal(err)
	}
	var reports []bridge.Report
	for _, event := range play(t, "5 snapshot") {
		reports = append(reports, tr.Apply(event).Reports...)
	}
	want := []string{
		"5.000 A B disconnected client>user:u101",
		"5.000 A B finished client>user:u101",
		"5.000 A CALL-FINISHED",
		"5.000 A REGISTER B client>user:u101 never..5.000",
	}
	if got := pbxtest.Transcript(reports, pbxtest.Midnight); !slices.Equal(got, want) {
		t.Errorf("reports: %q", got)
	}
	if n := tr.Remembered(); n != 0 {
		t.Errorf("%d things are remembered", n)
	}
}

func TestWhatATrackerSavesIsWhatItRestores(t *testing.T) {
	directory := pbxtest.Office()
	rapid.Check(t, func(t *rapid.T) {
		ended := make([]bridge.CallID, rapid.SampledFrom([]int{0, 1, bridge.EndedMemory - 1, bridge.EndedMemory, bridge.EndedMemory + 1, 2*bridge.EndedMemory + 7}).Draw(t, "ended"))
		for n := range ended {
			ended[n] = bridge.CallID(fmt.Sprint(n))
		}
		first := tracker.New(directory, allCalls)
		if err := first.Restore(nil, ended); err != nil {
			t.Fatal(err)
		}
		open, saved := first.Saved()
		if want := ended[max(0, len(ended)-bridge.EndedMemory):]; len(open) != 0 || !slices.Equal(saved, want) {
			t.Fatalf("saved %d calls and %d ended ones, want the last %d in order", len(open), len(saved), len(want))
		}
	})
}
