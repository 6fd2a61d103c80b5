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

// performed returns a copy of a tape as if all its events had been played and stored.
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

// A copy differs from the captured call only in its ids and times.
func TestACopyIsReportedAsItsCaptureIs(t *testing.T) {
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
				t.Errorf("%s is reported as\n%s\nand not as\n%s", tape.name, a, b)
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

// tapeOf returns the tape with this name.
func tapeOf(t *testing.T, name string) *tape {
	t.Helper()
	i := slices.IndexFunc(suite.tapes, func(tape *tape) bool { return tape.name == name })
	if i < 0 {
		t.Fatalf("there is no capture %s", name)
	}
	return suite.tapes[i]
}

// The comparison finds wrong and missing reports, and it finds nothing in the truth.
func TestTheComparisonFindsWhatIsWrong(t *testing.T) {
	t.Parallel()
	user := func(id string) *bridge.Party { return &bridge.Party{Type: bridge.PartyUser, UserID: id} }
	tests := []struct {
		name  string
		spoil func([]bridge.Report) []bridge.Report
		// exact, resumed and cut say in which calls the comparison must find it: those
		// whose events all arrived, those in a snapshot, and those with lost events.
		exact, resumed, cut bool
	}{
		{"nothing", func(r []bridge.Report) []bridge.Report { return r }, false, false, false},
		{"another user", func(r []bridge.Report) []bridge.Report { r[1].To = user("another"); return r }, true, true, true},
		{"another number", func(r []bridge.Report) []bridge.Report { r[0].ClientPhone = "70000000000"; return r }, true, true, true},
		{"another leg", func(r []bridge.Report) []bridge.Report { r[1].Leg = "1.1"; return r }, true, true, true},
		{"a leg that was not reported", func(r []bridge.Report) []bridge.Report { r[len(r)-1].Items = nil; return r }, true, true, true},
		{"answered and reported as missed", func(r []bridge.Report) []bridge.Report {
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
			reported := byCall(p.truth(suite.people))
			for call, reports := range reported {
				reported[call] = test.spoil(reports)
			}
			truth := byCall(p.truth(suite.people))
			var exact, resumed, cut findings
			p.compareWhole(reported, truth, lines, &exact)
			p.compareWhole(reported, truth, legLines, &resumed)
			p.compareCut(reported, truth, &cut)
			less := p.reportedLess(reported, truth)
			if (len(exact) > 0) != test.exact || (len(resumed) > 0 && !less) != test.resumed || (len(cut) > 0) != test.cut {
				t.Errorf("of an exact call: %v\nof a resumed one (less: %t): %v\nof a cut one: %v", exact, less, resumed, cut)
			}
		})
	}
}

// The reports of a call in a list may lack a hold just before the end of the talk, or the
// end of this hold. They may lack no other event.
func TestAListDoesNotShowAHoldJustBeforeTheEnd(t *testing.T) {
	t.Parallel()
	var c copies
	p := performed(t, &c, tapeOf(t, "hold_both"))
	truth := byCall(p.truth(suite.people))
	without := func(left bridge.LegEvent, which int, from map[bridge.CallID][]bridge.Report) map[bridge.CallID][]bridge.Report {
		reported := make(map[bridge.CallID][]bridge.Report)
		for call, reports := range from {
			seen := 0
			reported[call] = slices.DeleteFunc(slices.Clone(reports), func(r bridge.Report) bool {
				if r.Event == left {
					seen++
				}
				return r.Event == left && seen == which
			})
			if len(reported[call]) != len(reports)-1 {
				t.Fatalf("%s was not reported %d times", left, which)
			}
		}
		return reported
	}
	heldToTheEnd := without(bridge.LegConnected, 2, truth)
	if !p.reportedLess(heldToTheEnd, truth) {
		t.Error("a hold without its end just before the talk ends is found wrong")
	}
	if !p.reportedLess(without(bridge.LegPaused, 1, heldToTheEnd), heldToTheEnd) || !p.reportedLess(without(bridge.LegPaused, 1, heldToTheEnd), truth) {
		t.Error("a missing hold just before the talk ends is found wrong")
	}
	if p.reportedLess(without(bridge.LegConnected, 1, truth), truth) {
		t.Error("a talk that never began is not found wrong")
	}
	if p.reportedLess(without(bridge.LegPaused, 1, truth), truth) {
		t.Error("a missing hold in the middle of the talk is not found wrong")
	}
}
