package pbxtest

import (
	"fmt"
	"slices"
	"strings"

	"kontur-ari/bridge"
)

// Evidence returns what a verdict rests on, for the message of a failed test: the events as a
// script, what was true, and what was reported.
func (m *Traffic) Evidence(heard []bridge.Event, reports []bridge.Report) string {
	var truth []string
	for _, c := range m.truths {
		if c.started {
			truth = append(truth, c.lines...)
		}
	}
	return fmt.Sprintf("; what was heard:%s\n\nwhat was true:\n%s\n\nwhat was reported:\n%s",
		ScriptOf(heard), strings.Join(truth, "\n"), strings.Join(Transcript(reports, Midnight), "\n"))
}

// claim returns what a line of a transcript says, without its time and channel: a leg may have
// the id of its second device if the event of the first was lost. For related calls it
// names their story instead of the call: the events that show which of the calls a
// consultation belongs to may be lost.
func (m *Traffic) claim(line string) string {
	words := strings.Fields(line)
	story := fmt.Sprint(m.stories[bridge.ChannelID(words[1])])
	switch {
	case words[2] == "REGISTER":
		return story + " REGISTER"
	case words[2] == "CALL-FINISHED":
		return story + " " + words[2]
	case words[2] == "started":
		// The number shown is the trunk's if the event that set another was lost.
		return story + " " + strings.Join(words[2:len(words)-1], " ")
	case words[3] == "finished":
		// It belongs to the last leg that an event has shown.
		return story + " finished"
	}
	return story + " " + strings.Join(words[3:], " ")
}

// Unfounded returns an error for the first report that is not true. It does not judge holds: if
// the event of their end is lost, they rightly seem to last longer.
func (m *Traffic) Unfounded(reports []bridge.Report) error {
	said := make(map[string]bool)
	for _, lines := range m.Want() {
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
		if line := Line(r, Midnight); r.Event != bridge.LegPaused && !said[m.claim(line)] {
			return fmt.Errorf("it is not true that %s", line)
		}
	}
	return nil
}

// Missing returns an error for the first thing that is not reported although the snapshot, or
// an event after it, shows it: a call, its legs, and their answers.
func (m *Traffic) Missing(reports []bridge.Report, snapshot bridge.Event) error {
	said := make(map[string]bool)
	for _, r := range reports {
		said[m.claim(Line(r, Midnight))] = true
	}
	moment := Seconds(snapshot.Time, Midnight)
	for _, c := range m.truths {
		story := m.stories[c.call]
		if !c.started || !before(moment, c.over) || !shows(snapshot.Snapshot, c.call) {
			continue
		}
		consults := m.consults(snapshot.Snapshot, story)
		if consults && strings.Contains(c.lines[0], "started internal") {
			continue
		}
		if first := m.claim(c.lines[0]); !said[first] {
			return fmt.Errorf("at %s it was missed that %s", moment, first)
		}
		for _, leg := range c.legs {
			notShown := leg.joined && !before(moment, leg.began) || consults
			if notShown || !before(moment, leg.over) {
				continue
			}
			appeared, connected := fmt.Sprint(story, " appeared ", leg.parties), fmt.Sprint(story, " connected ", leg.parties)
			if !said[appeared] || leg.began != "never" && !said[connected] {
				return fmt.Errorf("at %s it was missed that %s or was answered at %s", moment, appeared, leg.began)
			}
		}
	}
	return nil
}

// consults reports whether a snapshot shows a consultation by keys in a story. Such a snapshot
// does not show the conversation before it.
func (m *Traffic) consults(snapshot *bridge.Snapshot, story int) bool {
	return slices.ContainsFunc(snapshot.Bridges, func(br bridge.Bridge) bool {
		return strings.HasPrefix(br.ID, consulting) && slices.ContainsFunc(br.Channels, func(id bridge.ChannelID) bool {
			return m.stories[id] == story
		})
	})
}

// shows reports whether a snapshot has the caller of a call and a channel that is called. Two
// employees in a bridge are no call if neither was dialled: one may have been parked, or
// both are in a conference.
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
