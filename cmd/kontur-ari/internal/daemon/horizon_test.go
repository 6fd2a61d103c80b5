package daemon

import (
	"testing"
	"time"
)

func TestAClockThatJumpsAheadDoesNotMakeEverythingOld(t *testing.T) {
	started := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	const keep = 7 * 24 * time.Hour
	type look struct {
		since time.Duration
		jump  time.Duration // by which the clock is ahead of what time has passed
		want  time.Duration // what is believed, likewise
	}
	for _, test := range []struct {
		name  string
		heard time.Time
		looks []look
	}{
		{"a clock that is right", started.Add(-time.Minute), []look{{0, 0, 0}, {time.Hour, 0, 0}, {9000 * time.Hour, 0, 0}}},
		{"no process before", time.Time{}, []look{{0, 0, 0}, {time.Hour, 0, 0}}},
		{"a clock that is corrected by seconds", started, []look{{time.Hour, 3 * time.Second, 3 * time.Second}, {2 * time.Hour, 50 * time.Second, 50 * time.Second}, {3 * time.Hour, 80 * time.Second, 80 * time.Second}}},
		{"years ahead for an hour", started, []look{{time.Hour, 9000 * time.Hour, 0}, {2 * time.Hour, 9000 * time.Hour, 0}, {3 * time.Hour, 0, 0}, {26 * time.Hour, 9000 * time.Hour, 0}}},
		{"years ahead for good", started, []look{{time.Hour, 9000 * time.Hour, 0}, {26 * time.Hour, 9000 * time.Hour, 9000 * time.Hour}, {27 * time.Hour, 9000 * time.Hour, 9000 * time.Hour}}},
		{"years ahead at the start", started.Add(-9000 * time.Hour), []look{{0, 0, -9000 * time.Hour}, {time.Hour, 0, -9000 * time.Hour}, {25 * time.Hour, 0, 0}}},
		{"set back", started, []look{{time.Hour, -9000 * time.Hour, -9000 * time.Hour}, {2 * time.Hour, 0, 0}}},
		{"off for less than is kept", started.Add(-keep), []look{{0, 0, 0}}},
	} {
		h := newHorizon(started, test.heard, keep)
		for _, look := range test.looks {
			got, want := h.now(started.Add(look.since+look.jump), look.since), started.Add(look.since+look.want)
			if !got.Equal(want) {
				t.Errorf("%s, after %v: believed is %v, want %v", test.name, look.since, got, want)
			}
		}
	}
}
