package tracker_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kontur-ari/bridge"
	"kontur-ari/bridge/directory"
	"kontur-ari/bridge/tracker"
	"kontur-ari/bridge/tracker/pbxtest"
)

// orderly applies a stream of events and checks what must hold of any. Nothing panics, and the
// ledger accepts every report. A restart does not change a byte of the reports. In the end
// nothing is remembered.
func orderly(t rapid.TB, people *directory.Directory, policy tracker.Policy, events []bridge.Event, restartAt int) {
	t.Helper()
	steady, restarted := newListener(people, policy), newListener(people, policy)
	if err := steady.hearAll(events); err != nil {
		t.Fatal(err)
	}
	for i, event := range events {
		if i == restartAt {
			if err := restarted.restart(); err != nil {
				t.Fatal(err)
			}
		}
		if err := restarted.hear(event); err != nil {
			t.Fatalf("event %d: %v", i, err)
		}
	}
	if err := steady.hangUp(); err != nil {
		t.Fatal(err)
	}
	if err := restarted.hangUp(); err != nil {
		t.Fatal(err)
	}
	if got, want := asJSON(t, restarted.reports), asJSON(t, steady.reports); got != want {
		t.Fatalf("with a restart before event %d:\n%s\nwithout:\n%s", restartAt, got, want)
	}
}

func TestAnyEventsAreReportedInOrder(t *testing.T) {
	people := pbxtest.Office()
	rapid.Check(t, func(t *rapid.T) {
		events := pbxtest.AnyStream(t, 200)
		policy := rapid.SampledFrom([]tracker.Policy{allCalls, outsideCalls, makesRecordings()}).Draw(t, "policy")
		orderly(t, people, policy, events, rapid.IntRange(0, len(events)).Draw(t, "restart"))
	})
}

func TestEveryChannelGoneIsEveryCallGone(t *testing.T) {
	people := pbxtest.Office()
	rapid.Check(t, func(t *rapid.T) {
		l := newListener(people, allCalls)
		// An order waits for its phones, also where no channel is there.
		events := slices.DeleteFunc(pbxtest.AnyStream(t, 200), func(e bridge.Event) bool { return e.ClickToCall != nil })
		if err := l.hearAll(events); err != nil {
			t.Fatal(err)
		}
		for _, id := range rapid.Permutation(pbxtest.ChannelIDs).Draw(t, "order of the ends") {
			gone := bridge.Event{Type: bridge.EventChannelDestroyed, Time: pbxtest.Midnight, Channel: &bridge.Channel{ID: id}}
			if err := l.hear(gone); err != nil {
				t.Fatal(err)
			}
		}
		if n := l.tracker.Remembered(); n != 0 {
			t.Fatalf("%d things are remembered although every channel is gone", n)
		}
		if err := l.ledger.Settled(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestEventsWithoutATimeAreReportedInOrder(t *testing.T) {
	people := pbxtest.Office()
	rapid.Check(t, func(t *rapid.T) {
		l := newListener(people, allCalls)
		events := pbxtest.AnyStream(t, 200)
		for i := range events {
			if i > 0 && rapid.Bool().Draw(t, "no time") {
				events[i].Time = time.Time{}
			}
		}
		if err := l.hearAll(events); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzApply(f *testing.F) {
	const created, dial, entered, destroyed, hold, snapshot = 0, 1, 2, 3, 14, 21
	// A client calls, 101 is called, answers and holds, the client is gone; a
	// snapshot shows 101 alone.
	f.Add(slices.Concat(
		[]byte{created, 0, 0, 0, 0, 1}, []byte{created, 1, 0, 0, 0, 1}, []byte{dial, 0, 1, 0, 0, 1},
		[]byte{entered, 0, 0, 0, 0, 9}, []byte{entered, 1, 0, 0, 0, 0}, []byte{hold, 1, 0, 0, 0, 9},
		[]byte{destroyed, 0, 0, 0, 0, 9}, []byte{snapshot, 2, 0, 0, 1, 9},
	), uint8(3))
	// 101 calls out over a Local channel; a snapshot shows all of it.
	f.Add(slices.Concat(
		[]byte{created, 1, 0, 0, 1, 0}, []byte{created, 3, 0, 0, 0, 1}, []byte{created, 4, 0, 0, 1, 1},
		[]byte{dial, 1, 3, 0, 0, 0}, []byte{created, 5, 0, 0, 0, 0}, []byte{dial, 4, 5, 0, 0, 1},
		[]byte{snapshot, 63, 0, 0, 2, 9},
	), uint8(5))
	people := pbxtest.Office()
	f.Fuzz(func(t *testing.T, code []byte, restartAt uint8) {
		if len(code) > 200*pbxtest.EventWidth {
			return
		}
		orderly(t, people, allCalls, pbxtest.AnyEvents(code), int(restartAt))
	})
}
