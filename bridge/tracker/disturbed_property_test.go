package tracker_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"kontur-ari/bridge"
	"kontur-ari/bridge/tracker/pbxtest"
)

// disturbance is what happens to a stream of events on its way. Its numbers are per thousand
// events: so many are lost, come twice, come late, or have a snapshot before them.
type disturbance struct {
	lost, twice, late, snapshots int
	distance                     int
}

func anyDisturbance(t *rapid.T) disturbance {
	rate := rapid.SampledFrom([]int{0, 0, 10, 100, 400})
	return disturbance{
		lost: rate.Draw(t, "lost"), twice: rate.Draw(t, "twice"), late: rate.Draw(t, "late"),
		snapshots: rapid.SampledFrom([]int{0, 0, 10, 100}).Draw(t, "snapshots"),
		distance:  rapid.SampledFrom([]int{1, 3, 50}).Draw(t, "distance"),
	}
}

// of disturbs the events of some traffic.
func (d disturbance) of(t *rapid.T, m *traffic) []bridge.Event {
	chance := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
	happens := func(rate int) bool { return chance.IntN(1000) < rate }
	var events []bridge.Event
	for i, event := range m.Events() {
		if happens(d.snapshots) {
			events = append(events, m.Snapshot(i))
		}
		if happens(d.lost) {
			continue
		}
		events = append(events, event)
		if happens(d.twice) {
			events = append(events, event)
		}
	}
	for i := range events {
		if j := i + chance.IntN(d.distance) + 1; happens(d.late) && j < len(events) {
			late := events[i]
			events = slices.Insert(slices.Delete(events, i, i+1), j, late)
		}
	}
	return events
}

func TestDisturbedTrafficIsReportedInOrder(t *testing.T) {
	directory := pbxtest.Office()
	rapid.Check(t, func(t *rapid.T) {
		m := anyTraffic(t, anyPolicy.Draw(t, "policy"), 5)
		events := anyDisturbance(t).of(t, m)
		orderly(t, directory, m.policy, events, rapid.IntRange(0, len(events)).Draw(t, "restart"))
	})
}

func TestLossIsReportedLessNeverWrongly(t *testing.T) {
	directory := pbxtest.Office()
	rapid.Check(t, func(t *rapid.T) {
		m := anyTraffic(t, anyPolicy.Draw(t, "policy"), 4)
		d := anyDisturbance(t)
		d.late = 0
		l := newListener(directory, m.policy)
		events := d.of(t, m)
		if err := l.hearAll(events); err != nil {
			t.Fatal(err)
		}
		if err := m.Unfounded(l.reports); err != nil {
			t.Fatalf("%v%s", err, m.Evidence(events, l.reports))
		}
		if err := l.hangUp(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestNothingIsMissingAfterAGap(t *testing.T) {
	directory := pbxtest.Office()
	rapid.Check(t, func(t *rapid.T) {
		m := anyTraffic(t, anyPolicy.Draw(t, "policy"), 4)
		from := rapid.IntRange(0, len(m.Events())).Draw(t, "gap from")
		to := rapid.IntRange(from, len(m.Events())).Draw(t, "gap to")
		// Events that were buffered while the snapshot was read are older than it.
		buffered := rapid.IntRange(max(from, to-4), to).Draw(t, "buffered from")
		snapshot := m.Snapshot(to)
		events := slices.Concat(m.Events()[:from], []bridge.Event{snapshot}, m.Events()[buffered:])

		l := newListener(directory, m.policy)
		if err := l.hearAll(events); err != nil {
			t.Fatal(err)
		}
		if err := m.Unfounded(l.reports); err != nil {
			t.Fatalf("%v%s", err, m.Evidence(events, l.reports))
		}
		if n := l.tracker.Remembered(); n != 0 {
			t.Fatalf("%d things are remembered although every end was heard", n)
		}
		if err := m.Missing(l.reports, snapshot); err != nil {
			t.Fatalf("%v%s", err, m.Evidence(events, l.reports))
		}
	})
}
