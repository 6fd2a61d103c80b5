package tracker_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"kontur-ari/bridge"
	"kontur-ari/bridge/tracker/pbxtest"
)

// whose lists the recordings by channel, each as CHANNEL CALL LEG FROM..TO FILES. Behind the
// times, "missed" marks a channel that talked to no other.
func whose(l *listener) []string {
	var lines []string
	for _, r := range l.ledger.Recorded() {
		line := fmt.Sprintf("%s %s %s %s..%s", r.Channel, r.Call, r.Leg, pbxtest.Seconds(r.From, pbxtest.Midnight), pbxtest.Seconds(r.To, pbxtest.Midnight))
		if !r.Talked() {
			line += " missed"
		}
		lines = append(lines, strings.TrimSpace(line+" "+strings.Join(r.Files, " ")))
	}
	slices.Sort(lines)
	return lines
}

func TestARecordingBelongsToTheLegThatAnsweredFirst(t *testing.T) {
	for _, test := range []struct {
		name, script string
		want         []string
	}{
		{"one leg", answered + `
			10 gone B 16
			10 gone A 16`, []string{
			"A A B 0.000..10.000",
		}},
		{"a blind transfer: the client's channel has both parts", answered + `
			10 leave B br1
			10 leave A br1
			10 new C PJSIP/102 Down
			10 dial A>C 102
			10 gone B 16
			15 enter C br2
			15 enter A br2
			20 gone A
			20 gone C`, []string{
			"A A B 0.000..20.000",
		}},
		{"a ring group: no phone that only rang", `
			0   new A PJSIP/trunk Ring caller=79997775533 exten=79229929292
			0.1 new B PJSIP/101 Down
			0.1 new C PJSIP/102 Down
			0.1 dial A>B 101
			0.1 dial A>C 102
			4   enter C br1
			4   enter A br1
			4   gone B 26
			9   gone C
			9   gone A`, []string{
			"A A C 0.000..9.000",
		}},
		{"a missed call: what was left is the last leg's", `
			0   new A PJSIP/trunk Ring caller=79997775533 exten=79229929292
			0.1 new B PJSIP/101 Down
			0.1 dial A>B 101
			4   gone B 0
			9   gone A`, []string{
			"A A B 0.000..9.000 missed",
		}},
		{"no phone rang: what was left is the call's", `
			0 new A PJSIP/trunk Ring caller=79997775533 exten=79229929292
			9 gone A`, []string{
			"A A A 0.000..9.000 missed",
		}},
		{"a consultation is another call", askedAndHandedOn, []string{"A A B 0.000..30.000", "C C D 10.000..20.000"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := newListener(pbxtest.Office(), allCalls)
			if err := l.hearAll(play(t, test.script)); err != nil {
				t.Fatal(err)
			}
			if err := l.hangUp(); err != nil {
				t.Fatal(err)
			}
			if got := whose(l); !slices.Equal(got, test.want) {
				t.Errorf("recordings:\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(test.want, "\n"))
			}
		})
	}
}

// showing makes every event of a channel show the names of its recordings. Events of other
// channels show that there are none.
func showing(events []bridge.Event, id bridge.ChannelID, names ...string) []bridge.Event {
	for _, event := range events {
		for _, seen := range []*bridge.Channel{event.Channel, event.Caller, event.Peer} {
			if seen == nil {
				continue
			}
			if seen.NamesShown = true; seen.ID == id {
				seen.Files = names
			}
		}
	}
	return events
}

const askedAndHandedOn = answered + `
	10 new C PJSIP/101 Ring caller=101 exten=102
	11 new D PJSIP/102 Down
	11 dial C>D 102
	12 enter C br2
	12 enter D br2
	20 leave C br2
	20 leave B br1
	20 enter A br2
	20 leave A br1
	20 attended B C A D
	20 gone B
	20 gone C
	30 gone A
	30 gone D`

// If Asterisk shows all names, no other file is searched. This holds even for a dialled channel,
// which may be recorded without showing it.
func TestOnlyWhatIsShownIsLookedForWhereAllNamesAre(t *testing.T) {
	for id, want := range map[bridge.ChannelID][]string{
		"A": {"A A B 0.000..30.000 a.wav"}, "C": {"C C D 10.000..20.000 a.wav"}, "D": {"D C D 11.000..30.000 a.wav"}, "X": nil,
	} {
		l := newListener(pbxtest.Office(), allCalls)
		if err := l.hearAll(showing(play(t, askedAndHandedOn), id, "a.wav")); err != nil {
			t.Fatal(err)
		}
		if err := l.hangUp(); err != nil {
			t.Fatal(err)
		}
		if got := whose(l); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", id, got, want)
		}
	}
}

// Calls between employees are not reported here, so their channels have no recordings.
func TestAConsultationThatIsNotReportedHasNoRecordings(t *testing.T) {
	policy := allCalls
	policy.ReportInternal = false
	l := newListener(pbxtest.Office(), policy)
	err := l.hearAll(play(t, `
		0 new C PJSIP/101 Ring caller=101 exten=102
		1 new D PJSIP/102 Down
		1 dial C>D 102
		2 enter C br2
		2 enter D br2
		9 gone C
		9 gone D`))
	if err != nil {
		t.Fatal(err)
	}
	if got := whose(l); len(got) != 0 {
		t.Errorf("recordings of a call that is not reported: %q", got)
	}
}

func TestNamesOfRecordingsAreRemembered(t *testing.T) {
	events := play(t, answered+`
		10 gone B 16
		10 gone A 16`)
	shown := []string{"/monitor/a.wav", "/monitor/a.wav", "/monitor/b.wav"}
	for i := range events {
		for _, seen := range []*bridge.Channel{events[i].Channel, events[i].Caller} {
			if seen != nil && seen.ID == "A" {
				seen.Files = []string{shown[i%len(shown)]}
			}
		}
	}
	l := newListener(pbxtest.Office(), allCalls)
	for _, event := range events {
		if err := l.hear(event); err != nil {
			t.Fatal(err)
		}
		if err := l.restart(); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.hangUp(); err != nil {
		t.Fatal(err)
	}
	want := []string{"A A B 0.000..10.000 /monitor/a.wav /monitor/b.wav"}
	if got := whose(l); !slices.Equal(got, want) {
		t.Errorf("recordings:\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestRecordingsThatAreNotWantedAreNotReported(t *testing.T) {
	policy := allCalls
	policy.Recordings = false
	l := newListener(pbxtest.Office(), policy)
	if err := l.hearAll(play(t, answered+`
		10 gone B 16
		10 gone A 16`)); err != nil {
		t.Fatal(err)
	}
	if got := whose(l); len(got) != 0 {
		t.Errorf("recordings: %q", got)
	}
}
