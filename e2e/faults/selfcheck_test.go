package faults_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"kontur-ari/ari"
	"kontur-ari/bridge"
	"kontur-ari/bridge/tracker"
	"kontur-ari/e2e/lab"
)

// performed is a copy of a tape as if all of it had been played.
func performed(t *testing.T, c *copies, tape *tape) *performance {
	t.Helper()
	now := time.Now()
	p := c.of(tape, now)
	for i, frame := range tape.frames {
		now = now.Add(time.Millisecond)
		raw := p.raw(frame.sent, now)
		event, err := ari.Decode(raw)
		if err != nil {
			t.Fatal(err)
		}
		p.played = append(p.played, &played{of: p, raw: raw, event: event, at: now, stored: int64(i + 1)})
	}
	return p
}

// What is played is the captured call, with other ids.
func TestACopyIsToldAsItsCaptureIs(t *testing.T) {
	t.Parallel()
	var c copies
	for _, tape := range suite.tapes {
		tr := tracker.New(suite.people, policy)
		var captured []bridge.Report
		for _, frame := range tape.frames {
			event, err := ari.Decode([]byte(frame.sent))
			if err != nil {
				t.Fatal(err)
			}
			for _, report := range tr.Apply(event).Reports {
				captured = append(captured, untimed(report))
			}
		}
		p := performed(t, &c, tape)
		var pairs []string
		for i := len(tape.channels) - 1; i >= 0; i-- { // "1.10" before "1.1"
			pairs = append(pairs, tape.channels[i], p.channels[i])
		}
		renamed := strings.NewReplacer(pairs...)
		wanted := byCall(captured)
		got := make(map[bridge.CallID][]bridge.Report)
		for _, report := range p.truth(suite.people) {
			got[report.Call] = append(got[report.Call], untimed(report))
		}
		if len(got) != len(wanted) {
			t.Errorf("%s: %d calls and not %d", tape.name, len(got), len(wanted))
		}
		for call, reports := range wanted {
			copied := got[bridge.CallID(renamed.Replace(string(call)))]
			if a, b := strings.Join(lines(copied), "\n"), renamed.Replace(strings.Join(lines(reports), "\n")); a != b {
				t.Errorf("%s is told as\n%s\nand not as\n%s", tape.name, a, b)
			}
		}
	}
}

func TestNoTwoCopiesShareAnything(t *testing.T) {
	t.Parallel()
	var c copies
	seen := make(map[string]bool)
	for _, tape := range append(suite.tapes, suite.tapes...) {
		for _, id := range c.of(tape, time.Now()).channels {
			if seen[id] {
				t.Fatalf("%s is a channel of two calls", id)
			}
			seen[id] = true
		}
	}
}

// tapeOf is the tape of that name.
func tapeOf(t *testing.T, name string) *tape {
	t.Helper()
	i := slices.IndexFunc(suite.tapes, func(tape *tape) bool { return tape.name == name })
	if i < 0 {
		t.Fatalf("there is no capture %s", name)
	}
	return suite.tapes[i]
}

// The comparison finds what is told wrongly, or not; and finds nothing in the truth.
func TestTheComparisonFindsWhatIsWrong(t *testing.T) {
	t.Parallel()
	user := func(id string) *bridge.Party { return &bridge.Party{Type: bridge.PartyUser, UserID: id} }
	tests := []struct {
		name  string
		spoil func([]bridge.Report) []bridge.Report
		// It is found in calls of which every event was heard, that a snapshot told of as
		// well, and of which something was cut out.
		exact, resumed, cut bool
	}{
		{"nothing", func(r []bridge.Report) []bridge.Report { return r }, false, false, false},
		{"another user", func(r []bridge.Report) []bridge.Report { r[1].To = user("nobody"); return r }, true, true, true},
		{"another number", func(r []bridge.Report) []bridge.Report { r[0].ClientPhone = "70000000000"; return r }, true, true, true},
		{"another leg", func(r []bridge.Report) []bridge.Report { r[1].Leg = "1.1"; return r }, true, true, true},
		{"a leg that was not told", func(r []bridge.Report) []bridge.Report { r[len(r)-1].Items = nil; return r }, true, true, true},
		{"answered and told as missed", func(r []bridge.Report) []bridge.Report {
			r[len(r)-1].Items[0].StartedAt = time.Time{}
			return r
		}, true, true, true},
		{"a moment later", func(r []bridge.Report) []bridge.Report { r[0].Time = r[0].Time.Add(time.Millisecond); return r }, true, false, false},
		{"another order", func(r []bridge.Report) []bridge.Report { r[0], r[1] = r[1], r[0]; return r }, true, false, false},
		{"the trunk's number", func(r []bridge.Report) []bridge.Report {
			for i := range r {
				if r[i].VatsPhone != "" {
					r[i].VatsPhone = lab.OutsideNumber
				}
			}
			return r
		}, true, false, false},
	}
	var c copies
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := performed(t, &c, tapeOf(t, "inbound_caller_hangs_up"))
			told := byCall(p.truth(suite.people))
			for call, reports := range told {
				told[call] = test.spoil(reports)
			}
			truth := byCall(p.truth(suite.people))
			var exact, resumed, cut findings
			p.compareWhole(told, truth, lines, &exact)
			p.compareWhole(told, truth, tale, &resumed)
			p.compareCut(told, truth, &cut)
			less := p.toldLess(told, truth)
			if (len(exact) > 0) != test.exact || (len(resumed) > 0 && !less) != test.resumed || (len(cut) > 0) != test.cut {
				t.Errorf("of an exact call: %v\nof a resumed one (less: %t): %v\nof a cut one: %v", exact, less, resumed, cut)
			}
		})
	}
}

// A hold just before the end, or that it was taken back there, is all that may be missing of
// a call that was listed.
func TestAListDoesNotShowAHoldJustBeforeTheEnd(t *testing.T) {
	t.Parallel()
	var c copies
	p := performed(t, &c, tapeOf(t, "hold_both"))
	truth := byCall(p.truth(suite.people))
	tell := func(left bridge.LegEvent, which int, from map[bridge.CallID][]bridge.Report) map[bridge.CallID][]bridge.Report {
		told := make(map[bridge.CallID][]bridge.Report)
		for call, reports := range from {
			seen := 0
			told[call] = slices.DeleteFunc(slices.Clone(reports), func(r bridge.Report) bool {
				if r.Event == left {
					seen++
				}
				return r.Event == left && seen == which
			})
			if len(told[call]) != len(reports)-1 {
				t.Fatalf("%s was not told %d times", left, which)
			}
		}
		return told
	}
	notTakenBack := tell(bridge.LegConnected, 2, truth)
	if !p.toldLess(notTakenBack, truth) {
		t.Error("a hold that is not taken back at the end is held to be wrong")
	}
	if !p.toldLess(tell(bridge.LegPaused, 1, notTakenBack), notTakenBack) || !p.toldLess(tell(bridge.LegPaused, 1, notTakenBack), truth) {
		t.Error("a hold at the end that is not told is held to be wrong")
	}
	if p.toldLess(tell(bridge.LegConnected, 1, truth), truth) {
		t.Error("a talk that never began is held to be right")
	}
	if p.toldLess(tell(bridge.LegPaused, 1, truth), truth) {
		t.Error("a hold that is not told is held to be right")
	}
}
