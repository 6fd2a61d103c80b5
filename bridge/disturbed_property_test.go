package bridge_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"kontur-ari/bridge"
)

// disturbance is what happens to a stream of events on its way: per thousand
// events so many are lost, come twice, come late, or have a snapshot before them.
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
	for i, event := range m.x.events {
		if happens(d.snapshots) {
			events = append(events, m.moments[i])
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
	directory := office(t)
	rapid.Check(t, func(t *rapid.T) {
		m := anyTraffic(t, anyPolicy.Draw(t, "policy"), 5)
		events := anyDisturbance(t).of(t, m)
		orderly(t, directory, m.policy, events, rapid.IntRange(0, len(events)).Draw(t, "restart"))
	})
}

// claim is what a line of a transcript says beside when, and of which channel: a leg
// may be known by its second device where the first was missed. Of several calls
// that have to do with each other it doesn't say which: that an employee asks
// somebody about a call, rather than calls him in it, is told by events that may
// be lost. Who talks with whom is no less wrong for that.
func (m *traffic) claim(line string) string {
	words := strings.Fields(line)
	story := fmt.Sprint(m.stories[bridge.ChannelID(words[1])])
	switch {
	case words[2] == "REGISTER":
		return story + " REGISTER"
	case words[2] == "CALL-FINISHED" || words[2] == "started":
		return story + " " + strings.Join(words[2:], " ")
	case words[3] == "finished":
		// It belongs to the last leg that was heard of.
		return story + " finished"
	}
	return story + " " + strings.Join(words[3:], " ")
}

// unfounded is the first report that is not the truth about its call. That
// somebody holds is not judged: where it is not heard that he takes it back, or
// has left, it is believed for longer than it lasts.
func (m *traffic) unfounded(reports []bridge.Report) error {
	said := make(map[string]bool)
	for _, lines := range m.byCall() {
		for _, line := range lines {
			said[m.claim(line)] = true
		}
	}
	for story, all := range m.alike {
		for _, parties := range all {
			said[fmt.Sprintf("%d appeared %s", story, parties)] = true
			said[fmt.Sprintf("%d connected %s", story, parties)] = true
			said[fmt.Sprintf("%d disconnected %s", story, parties)] = true
		}
	}
	for _, r := range reports {
		if line := transcribe(r, midnight); r.Event != bridge.LegPaused && !said[m.claim(line)] {
			return fmt.Errorf("it is not true that %s", line)
		}
	}
	return nil
}

func TestLossIsReportedLessNeverWrongly(t *testing.T) {
	directory := office(t)
	rapid.Check(t, func(t *rapid.T) {
		m := anyTraffic(t, anyPolicy.Draw(t, "policy"), 4)
		d := anyDisturbance(t)
		d.late = 0
		l := newListener(directory, m.policy)
		events := d.of(t, m)
		if err := l.hearAll(events); err != nil {
			t.Fatal(err)
		}
		if err := m.unfounded(l.reports); err != nil {
			t.Fatalf("%v, when this was heard:%s\nand this was true:\n%s\nand reported:\n%s", err, narrate(events), m, strings.Join(transcript(l.reports, midnight), "\n"))
		}
		if err := l.hangUp(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestNothingIsMissingAfterAGap(t *testing.T) {
	directory := office(t)
	rapid.Check(t, func(t *rapid.T) {
		m := anyTraffic(t, anyPolicy.Draw(t, "policy"), 4)
		from := rapid.IntRange(0, len(m.x.events)).Draw(t, "gap from")
		to := rapid.IntRange(from, len(m.x.events)).Draw(t, "gap to")
		// What was buffered while the snapshot was read is older than it.
		buffered := rapid.IntRange(max(from, to-4), to).Draw(t, "buffered from")
		snapshot := m.moments[to]
		events := slices.Concat(m.x.events[:from], []bridge.Event{snapshot}, m.x.events[buffered:])

		l := newListener(directory, m.policy)
		if err := l.hearAll(events); err != nil {
			t.Fatal(err)
		}
		if err := m.unfounded(l.reports); err != nil {
			t.Fatalf("%v, when this was heard:%s\nand this was true:\n%s\nand reported:\n%s", err, narrate(events), m, strings.Join(transcript(l.reports, midnight), "\n"))
		}
		if n := l.tracker.Remembered(); n != 0 {
			t.Fatalf("%d things are remembered although every end was heard", n)
		}
		if err := m.missing(l.reports, snapshot); err != nil {
			t.Fatalf("%v, when this was heard:%s\nand this was true:\n%s\nand reported:\n%s", err, narrate(events), m, strings.Join(transcript(l.reports, midnight), "\n"))
		}
	})
}

// missing is the first thing that the snapshot, or what came after it, must
// have told and that was not reported: a call whose caller is there and calls
// somebody, its legs, and that they were answered.
func (m *traffic) missing(reports []bridge.Report, snapshot bridge.Event) error {
	said := make(map[string]bool)
	for _, r := range reports {
		said[m.claim(transcribe(r, midnight))] = true
	}
	moment := clock(snapshot.Time, midnight)
	for _, c := range m.truths {
		if !c.started || !shows(snapshot.Snapshot, c.call) {
			continue
		}
		if first := m.claim(c.lines[0]); !said[first] {
			return fmt.Errorf("at %s it was missed that %s", moment, first)
		}
		for _, leg := range c.legs {
			untold := leg.joined && !before(moment, leg.began) || consults(snapshot.Snapshot, leg.own)
			if untold || !before(moment, leg.over) {
				continue
			}
			story := fmt.Sprint(m.stories[c.call])
			appeared, connected := story+" appeared "+leg.parties, story+" connected "+leg.parties
			if !said[appeared] || leg.began != "never" && !said[connected] {
				return fmt.Errorf("at %s it was missed that %s or was answered at %s", moment, appeared, leg.began)
			}
		}
	}
	return nil
}

// consults tells whether an employee consults somebody by the keys of his telephone
// in a snapshot. It does not show then that he talked with somebody before, or,
// unless he was dialled, whom he has to do with.
func consults(snapshot *bridge.Snapshot, own bridge.ChannelID) bool {
	return slices.ContainsFunc(snapshot.Rooms, func(room bridge.Room) bool {
		return strings.HasPrefix(room.ID, consulting) && slices.Contains(room.Channels, own)
	})
}

// shows tells whether a snapshot has a caller and somebody who is called. That two
// employees of whom neither was called are in a room shows no call: one may have
// been parked, or both are in a conference.
func shows(snapshot *bridge.Snapshot, call bridge.ChannelID) bool {
	caller, outside, joined, called := false, false, false, false
	for _, ch := range snapshot.Channels {
		switch {
		case ch.ID == call:
			caller, outside = true, !strings.HasPrefix(ch.Name, "PJSIP/1")
		case ch.LinkedID == call && !strings.HasPrefix(ch.Name, "Local/"):
			joined = true
			called = called || strings.HasPrefix(ch.Application, "App")
		}
	}
	return caller && (called || joined && outside)
}

// before compares two times of a transcript.
func before(a, b string) bool {
	return len(a) < len(b) || len(a) == len(b) && a < b
}
