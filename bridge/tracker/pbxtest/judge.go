package pbxtest

import (
	"fmt"
	"slices"
	"strings"

	"kontur-ari/bridge"
)

// Evidence is what a verdict rests on.
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

// claim is what a line of a transcript says beside when, and of which channel: a leg
// may be known by its second device where the first was missed. Of several calls
// that have to do with each other it doesn't say which: that an employee asks
// somebody about a call, rather than calls him in it, is told by events that may
// be lost. Who talks with whom is no less wrong for that.
func (m *Traffic) claim(line string) string {
	words := strings.Fields(line)
	story := fmt.Sprint(m.stories[bridge.ChannelID(words[1])])
	switch {
	case words[2] == "REGISTER":
		return story + " REGISTER"
	case words[2] == "CALL-FINISHED":
		return story + " " + words[2]
	case words[2] == "started":
		// The number shown is the trunk's where the one that was set was not heard.
		return story + " " + strings.Join(words[2:len(words)-1], " ")
	case words[3] == "finished":
		// It belongs to the last leg that was heard of.
		return story + " finished"
	}
	return story + " " + strings.Join(words[3:], " ")
}

// Unfounded is the first report that is not the truth about its call. That
// somebody holds is not judged: where it is not heard that he takes it back, or
// has left, it is believed for longer than it lasts.
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

// Missing is the first thing that the snapshot, or what came after it, must
// have told and that was not reported: a call whose caller is there and calls
// somebody, its legs, and that they were answered.
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
			untold := leg.joined && !before(moment, leg.began) || consults
			if untold || !before(moment, leg.over) {
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

// consults tells whether somebody in a story consults another by the keys of his
// telephone in a snapshot. It does not show then that he talked before, and
// unless he was dialled or has dialled, with whom.
func (m *Traffic) consults(snapshot *bridge.Snapshot, story int) bool {
	return slices.ContainsFunc(snapshot.Bridges, func(br bridge.Bridge) bool {
		return strings.HasPrefix(br.ID, consulting) && slices.ContainsFunc(br.Channels, func(id bridge.ChannelID) bool {
			return m.stories[id] == story
		})
	})
}

// shows tells whether a snapshot has a caller and somebody who is called. That two
// employees of whom neither was called are in a bridge shows no call: one may have
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
