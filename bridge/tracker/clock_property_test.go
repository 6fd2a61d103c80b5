package tracker_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kontur-ari/bridge"
	"kontur-ari/bridge/tracker/pbxtest"
	"kontur-ari/internal/longtest"
)

// restamped returns events with the times of a switch whose clock differs by a constant. The
// clock is also set at some moments, by up to an hour in either direction.
func restamped(t *rapid.T, events []bridge.Event) []bridge.Event {
	ahead := time.Duration(rapid.IntRange(-86400, 86400).Draw(t, "the clock is ahead")) * time.Second
	steps := make(map[int]time.Duration)
	for range rapid.IntRange(0, 4).Draw(t, "steps") {
		at := rapid.IntRange(0, len(events)).Draw(t, "step at event")
		steps[at] = rapid.SampledFrom([]time.Duration{-time.Hour, -time.Minute, -time.Second, time.Second, time.Minute, time.Hour}).Draw(t, "step")
	}
	set := make([]bridge.Event, len(events))
	for i, event := range events {
		ahead += steps[i]
		event.Time = event.Time.Add(ahead)
		set[i] = event
	}
	return set
}

// withoutTimes returns the reports without their times.
func withoutTimes(reports []bridge.Report) string {
	var text strings.Builder
	for _, r := range reports {
		fmt.Fprintf(&text, "%s %s %s %s %s %s", r.Kind, r.Call, r.Direction, r.ClientPhone, r.Leg, r.Event)
		for _, item := range r.Items {
			fmt.Fprintf(&text, " %s answered=%t", item.ID, !item.StartedAt.IsZero())
		}
		text.WriteString("\n")
	}
	return text.String()
}

// latest returns the latest time in a report.
func latest(r bridge.Report) time.Time {
	last := r.Time
	if r.CreatedAt.After(last) {
		last = r.CreatedAt
	}
	for _, item := range r.Items {
		for _, at := range []time.Time{item.StartedAt, item.FinishedAt} {
			if at.After(last) {
				last = at
			}
		}
	}
	return last
}

// Whatever the exchange's clock does, the reports and their order are the same. Times don't go
// back within a call, which the listener's ledger checks. No time is later than the switch's
// events so far.
func TestAClockThatIsSetChangesNothingButTimes(t *testing.T) {
	directory := pbxtest.Office()
	rapid.Check(t, func(t *rapid.T) {
		m := anyTraffic(t, anyPolicy.Draw(t, "policy"), 5)
		steady, set := newListener(directory, m.policy), newListener(directory, m.policy)
		events := restamped(t, m.Events())
		var most time.Time
		for i := range events {
			if events[i].Time.After(most) {
				most = events[i].Time
			}
			before := len(set.reports)
			if err := set.hear(events[i]); err != nil {
				t.Fatalf("%v%s", err, m.Evidence(events, set.reports))
			}
			for _, r := range set.reports[before:] {
				if at := latest(r); at.After(most) {
					t.Fatalf("%s of call %s is of %v, and the switch has said nothing later than %v", r.Kind, r.Call, at, most)
				}
			}
		}
		if err := steady.hearAll(m.Events()); err != nil {
			t.Fatal(err)
		}
		if want, got := withoutTimes(steady.reports), withoutTimes(set.reports); want != got {
			t.Fatalf("with a clock that is set gives\n%s\nwithout\n%s%s", got, want, m.Evidence(events, set.reports))
		}
	})
}

// A clock that differs by a constant moves every time by that constant, so durations stay.
func TestAClockThatDiffersMovesEveryTime(t *testing.T) {
	directory := pbxtest.Office()
	rapid.Check(t, func(t *rapid.T) {
		m := anyTraffic(t, anyPolicy.Draw(t, "policy"), 5)
		ahead := time.Duration(rapid.IntRange(-86400_000, 86400_000).Draw(t, "ms ahead")) * time.Millisecond
		d := anyDisturbance(t)
		events := d.of(t, m)
		here, there := newListener(directory, m.policy), newListener(directory, m.policy)
		if err := here.hearAll(events); err != nil {
			t.Fatal(err)
		}
		for i := range events {
			events[i].Time = events[i].Time.Add(ahead)
		}
		if err := there.hearAll(events); err != nil {
			t.Fatal(err)
		}
		want := strings.Join(pbxtest.Transcript(here.reports, pbxtest.Midnight), "\n")
		if got := strings.Join(pbxtest.Transcript(there.reports, pbxtest.Midnight.Add(ahead)), "\n"); got != want {
			t.Fatalf("with a clock that is %v ahead gives\n%s\nwithout\n%s", ahead, got, want)
		}
	})
}

// The reports of real calls of every kind are the same at whatever moment the clock is set.
func TestAClockThatIsSetInARealCallChangesNothingButTimes(t *testing.T) {
	directory := pbxtest.Office()
	paths, err := filepath.Glob("../../e2e/testdata/captures/*.jsonl")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no captures: %v", err)
	}
	for _, path := range paths {
		events := captured(t, path)
		steady := newListener(directory, allCalls)
		if err := steady.hearAll(events); err != nil {
			t.Fatal(err)
		}
		want := withoutTimes(steady.reports)
		for _, step := range []time.Duration{-time.Hour, time.Hour} {
			for at := 1; at < len(events); at += max(1, len(events)/longtest.Count(2, 10)) {
				set := newListener(directory, allCalls)
				for i, event := range events {
					if i >= at {
						event.Time = event.Time.Add(step)
					}
					if err := set.hear(event); err != nil {
						t.Fatalf("%s, %v at event %d: %v", path, step, at, err)
					}
				}
				if got := withoutTimes(set.reports); got != want {
					t.Errorf("%s: with %v at event %d gives\n%s\nwithout\n%s", path, step, at, got, want)
				}
			}
		}
	}
}
