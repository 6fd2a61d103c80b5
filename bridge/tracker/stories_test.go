package tracker_test

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"kontur-ari/bridge"
	"kontur-ari/bridge/directory"
	"kontur-ari/bridge/tracker"
	"kontur-ari/bridge/tracker/pbxtest"
)

const storiesPage = "../../docs/call-stories.md"

// TestTheCallStoriesAreOfToday draws the page of call stories from captures of real calls.
// The page must show what the Tracker makes of them today.
func TestTheCallStoriesAreOfToday(t *testing.T) {
	people := pbxtest.Office()
	var page strings.Builder
	page.WriteString(storiesIntroduction)
	for _, chapter := range storyChapters {
		fmt.Fprintf(&page, "\n## %s\n\n%s\n", chapter.heading, chapter.text)
		for _, name := range chapter.captures {
			path := filepath.Join("../../e2e/testdata/captures", name+".jsonl")
			fmt.Fprintf(&page, "\n### %s\n\n```\n%s```\n", titleOf(t, path), drawStory(people, captured(t, path)))
		}
	}
	if *update {
		if err := os.WriteFile(storiesPage, []byte(page.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(storiesPage)
	if err != nil {
		t.Fatal(err)
	}
	if page.String() != string(want) {
		t.Errorf("%s is not of today: go test ./bridge/tracker -run Stories -update, and read the difference", storiesPage)
	}
}

// titleOf returns the first comment of a capture as a sentence.
func titleOf(t *testing.T, path string) string {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(raw), "\n")
	title := strings.TrimSpace(strings.TrimPrefix(first, "#"))
	return strings.ToUpper(title[:1]) + title[1:]
}

// stage draws a story. It has a column for each person with a telephone, and a line for each
// change of what one of them does. The last column is what the CRM receives then.
type stage struct {
	tracker  *tracker.Tracker
	people   []string
	channels map[bridge.ChannelID]*actor
	calls    []bridge.CallID
	legs     []string
	lines    [][]string
}

// actor is a channel: one of a person's telephone, or half of a Local channel, which has no
// person.
type actor struct {
	person, pair, state, bridgeID string
	holds                         bool
}

func drawStory(people *directory.Directory, events []bridge.Event) string {
	s := &stage{tracker: tracker.New(people, allCalls), channels: make(map[bridge.ChannelID]*actor)}
	s.lines = append(s.lines, nil)
	var before []string
	start := firstTime(events)
	for _, event := range events {
		s.follow(event)
		reports := s.tracker.Apply(event).Reports
		now := s.states()
		before = append(before, make([]string, len(now)-len(before))...)
		if slices.Equal(now, before) && len(reports) == 0 {
			continue
		}
		before = now
		toCRM := []string{""}
		if len(reports) > 0 {
			toCRM = toCRM[:0]
		}
		for _, report := range reports {
			toCRM = append(toCRM, s.say(report))
		}
		for i, line := range toCRM {
			row := append([]string{"", ""}, make([]string, len(now))...)
			if i == 0 {
				row = append([]string{pbxtest.Seconds(event.Time, start), strings.TrimSpace(string(event.Type) + " " + event.DialStatus)}, now...)
			}
			s.lines = append(s.lines, append(row, line))
		}
	}
	return s.table()
}

// follow notes what an event changes.
func (s *stage) follow(event bridge.Event) {
	if event.Type == bridge.EventChannelCreated && event.Channel != nil {
		s.enter(*event.Channel)
	}
	if event.Peer != nil {
		if peer := s.channels[event.Peer.ID]; peer != nil {
			switch event.DialStatus {
			case "":
				peer.state = "rings"
			case "NOANSWER", "BUSY", "CANCEL", "CHANUNAVAIL", "CONGESTION":
				peer.state = ""
			}
		}
	}
	if event.Channel == nil {
		return
	}
	a := s.channels[event.Channel.ID]
	if a == nil {
		return
	}
	switch event.Type {
	case bridge.EventBridgeEntered:
		a.bridgeID, a.state, a.holds = event.Bridge.ID, "waits", false
		if event.Bridge.Holding {
			a.bridgeID, a.state = "", "parked"
		}
	case bridge.EventBridgeLeft:
		if a.bridgeID == event.Bridge.ID || a.state == "parked" {
			a.bridgeID, a.state, a.holds = "", "waits", false
		}
	case bridge.EventChannelHold:
		a.holds = true
	case bridge.EventChannelUnhold:
		a.holds = false
	case bridge.EventChannelDestroyed:
		delete(s.channels, event.Channel.ID)
	}
}

func (s *stage) enter(ch bridge.Channel) {
	if pair, _, local := strings.Cut(ch.Name, ";"); local {
		s.channels[ch.ID] = &actor{pair: pair}
		return
	}
	endpoint, _, _ := strings.Cut(strings.TrimPrefix(ch.Name, "PJSIP/"), "-")
	a := &actor{person: endpoint}
	if strings.HasPrefix(endpoint, "trunk") {
		a.person = "outside"
	}
	if ch.State == bridge.StateRing {
		a.state = "calls"
	}
	if !slices.Contains(s.people, a.person) {
		s.people = append(s.people, a.person)
	}
	s.channels[ch.ID] = a
}

// states returns what each person does, in the order of the columns.
func (s *stage) states() []string {
	states := make([]string, len(s.people))
	ids := make([]bridge.ChannelID, 0, len(s.channels))
	for id := range s.channels {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b bridge.ChannelID) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) })
	for _, id := range ids {
		a := s.channels[id]
		if a.person == "" {
			continue
		}
		state := a.state
		if s.hearsAnother(a) {
			state = "talks"
		}
		if a.holds {
			state = "holds"
		}
		i := slices.Index(s.people, a.person)
		if states[i] != "" && state != "" {
			states[i] += "+"
		}
		states[i] += state
	}
	return states
}

// hearsAnother reports whether another person is in a channel's bridge, or behind the
// Local channels there.
func (s *stage) hearsAnother(a *actor) bool {
	if a.bridgeID == "" {
		return false
	}
	bridges := []string{a.bridgeID}
	for i := 0; i < len(bridges); i++ {
		for _, there := range s.channels {
			if there.bridgeID != bridges[i] || there == a {
				continue
			}
			if there.person != "" {
				return true
			}
			for _, other := range s.channels {
				if other.pair == there.pair && other.bridgeID != "" && !slices.Contains(bridges, other.bridgeID) {
					bridges = append(bridges, other.bridgeID)
				}
			}
		}
	}
	return false
}

// say returns a report in words. Calls and legs are numbered as they appear.
func (s *stage) say(r bridge.Report) string {
	if !slices.Contains(s.calls, r.Call) {
		s.calls = append(s.calls, r.Call)
	}
	which := ""
	if n := slices.Index(s.calls, r.Call); n > 0 {
		which = fmt.Sprintf("call %d: ", n+1)
	}
	switch r.Kind {
	case bridge.ReportStarted:
		return which + "call-started " + string(r.Direction)
	case bridge.ReportEvent:
		line := s.leg(r.Call, r.Leg) + " " + string(r.Event)
		if r.Event == bridge.LegAppeared {
			line += " (" + inWords(*r.From) + " > " + inWords(*r.To) + ")"
		}
		return which + line
	case bridge.ReportRegister:
		items := make([]string, 0, len(r.Items))
		for _, item := range r.Items {
			outcome := "missed"
			if !item.StartedAt.IsZero() {
				outcome = "answered"
			}
			name := "the call itself"
			if item.ID != bridge.LegID(r.Call) || slices.Contains(s.legs, string(r.Call)+" "+string(item.ID)) {
				name = s.leg(r.Call, item.ID)
			}
			items = append(items, name+" "+outcome)
		}
		return which + "register-call: " + strings.Join(items, ", ")
	}
	return which + string(r.Kind)
}

func (s *stage) leg(call bridge.CallID, id bridge.LegID) string {
	key := string(call) + " " + string(id)
	if !slices.Contains(s.legs, key) {
		s.legs = append(s.legs, key)
	}
	return fmt.Sprintf("L%d", slices.Index(s.legs, key)+1)
}

func inWords(p bridge.Party) string {
	if p.UserID == "" {
		return string(p.Type)
	}
	return strings.TrimPrefix(p.UserID, "u")
}

// table sets the lines in columns.
func (s *stage) table() string {
	s.lines[0] = slices.Concat([]string{"", "Asterisk says"}, s.people, []string{"the CRM receives"})
	widths := make([]int, len(s.lines[0]))
	for i, line := range s.lines {
		if missing := len(s.lines[0]) - len(line); missing > 0 {
			// A person who joins later has an empty column until then.
			toCRM := line[len(line)-1]
			line = append(append(line[:len(line)-1], make([]string, missing)...), toCRM)
			s.lines[i] = line
		}
		for n, cell := range line {
			widths[n] = max(widths[n], utf8.RuneCountInString(cell))
		}
	}
	var table strings.Builder
	for _, line := range s.lines {
		var row strings.Builder
		for n, cell := range line {
			fmt.Fprintf(&row, "%-*s  ", widths[n], cell)
		}
		table.WriteString(strings.TrimRight(row.String(), " ") + "\n")
	}
	return table.String()
}
