package tracker_test

import (
	"slices"
	"strings"
	"testing"

	"kontur-ari/bridge"
	"kontur-ari/bridge/tracker"
	"kontur-ari/bridge/tracker/pbxtest"
)

// made lists the actions about recordings, and the finished recordings as CALL LEG FILE.
func made(l *listener) (deeds, whose []string) {
	for _, action := range l.actions {
		if action.Kind == bridge.ActionRecord || action.Kind == bridge.ActionStopRecording {
			deeds = append(deeds, strings.TrimSpace(string(action.Kind)+" "+string(action.Channel)+" "+action.Recording))
		}
	}
	for _, r := range l.ledger.Recorded() {
		if r.Own {
			whose = append(whose, string(r.Call)+" "+string(r.Leg)+" "+r.Stored[0].Name+"."+r.Stored[0].Format)
		}
	}
	return deeds, whose
}

// makesRecordings is a policy that records conversations.
func makesRecordings() tracker.Policy {
	policy := allCalls
	policy.Make.Wanted = true
	return policy
}

const handedOn = answered + `
	10 leave B br1
	10 leave A br1
	10 new C PJSIP/102 Down
	10 dial A>C 102
	10 gone B 16
	15 enter C br2
	15 enter A br2
	20 gone A
	20 gone C`

const outgoingTalk = `
	0 new A PJSIP/101 Ring caller=101 exten=79997775533
	1 new B PJSIP/trunk Down
	1 dial A>B 79997775533@trunk
	5 enter B br1
	5 enter A br1
	9 gone A
	9 gone B`

const internalTalk = `
	0 new A PJSIP/101 Ring caller=101 exten=102
	1 new B PJSIP/102 Down
	1 dial A>B 102
	5 enter B br1
	5 enter A br1
	9 gone A
	9 gone B`

func TestConversationsAreRecordedWhereThatIsWanted(t *testing.T) {
	first := "record A kontur-ari-recording-A-1"
	for _, test := range []struct {
		name, script string
		change       func(*tracker.Policy)
		deeds, whose []string
	}{
		{"inbound: the client's channel is listened to", answeredToTheEnd, nil, []string{first}, []string{"A B kontur-ari-recording-A-1.wav"}},
		{"outbound", outgoingTalk, nil, []string{"record B kontur-ari-recording-A-1"}, []string{"A A kontur-ari-recording-A-1.wav"}},
		{"a call that is handed on is one recording, of the first leg", handedOn, nil, []string{first}, []string{"A B kontur-ari-recording-A-1.wav"}},
		{"the first is one of whom nothing is recorded", handedOn, func(p *tracker.Policy) { p.Make.Users = []string{"U101"} }, []string{first}, []string{"A C kontur-ari-recording-A-1.wav"}},
		{
			"the second is one of whom nothing is recorded", handedOn, func(p *tracker.Policy) { p.Make.Users = []string{"u102"} },
			[]string{first, "stop recording kontur-ari-recording-A-1"}, []string{"A B kontur-ari-recording-A-1.wav"},
		},
		{"a number at which nothing is recorded", answeredToTheEnd, func(p *tracker.Policy) { p.Make.Numbers = []string{"79229929292"} }, nil, nil},
		{"between employees, not asked for", internalTalk, nil, nil, nil},
		{"between employees", internalTalk, func(p *tracker.Policy) { p.Make.Internal = true }, []string{first}, []string{"A B kontur-ari-recording-A-1.wav"}},
		{"no phone answers", ringing + "\n9 gone B 0\n9 gone A", nil, nil, nil},
		{"recordings are not handed over", answeredToTheEnd, func(p *tracker.Policy) { p.Recordings = false }, nil, nil},
		{"nothing is to be made", answeredToTheEnd, func(p *tracker.Policy) { p.Make = tracker.OwnRecordingPolicy{} }, nil, nil},
		{
			"the snoop channel goes before the call is over", answered + `
			5  new kontur-ari-recording-A-1 Snoop/A Up
			9  gone kontur-ari-recording-A-1
			10 hold B
			11 unhold B
			20 gone A
			20 gone B`, nil,
			[]string{first, "record A kontur-ari-recording-A-2"}, []string{"A B kontur-ari-recording-A-1.wav", "A B kontur-ari-recording-A-2.wav"},
		},
		{
			"the snoop channel is missing after a gap", answered + `
			9  snapshot
			20 gone A
			20 gone B`, nil, []string{first, first}, []string{"A B kontur-ari-recording-A-1.wav"},
		},
		{
			"the snoop channel is there after a gap", answered + `
			5  new kontur-ari-recording-A-1 Snoop/A Up
			9  snapshot
			20 gone A
			20 gone kontur-ari-recording-A-1
			20 gone B`, nil, []string{first}, []string{"A B kontur-ari-recording-A-1.wav"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			policy := makesRecordings()
			if test.change != nil {
				test.change(&policy)
			}
			l := newListener(pbxtest.Office(), policy)
			for _, event := range play(t, test.script) {
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
			deeds, whose := made(l)
			if !slices.Equal(deeds, test.deeds) || !slices.Equal(whose, test.whose) {
				t.Errorf("actions\n%s\nand recordings\n%s\nwant\n%s\nand\n%s", strings.Join(deeds, "\n"), strings.Join(whose, "\n"),
					strings.Join(test.deeds, "\n"), strings.Join(test.whose, "\n"))
			}
		})
	}
}

// A call that the dial plan records is not recorded a second time.
func TestWhatTheDialPlanRecordsIsNotRecordedAgain(t *testing.T) {
	l := newListener(pbxtest.Office(), makesRecordings())
	events := play(t, answeredToTheEnd)
	for _, event := range events {
		for _, seen := range []*bridge.Channel{event.Channel, event.Caller} {
			if seen != nil && seen.ID == "A" {
				seen.Files = []string{"/monitor/a.wav"}
			}
		}
	}
	if err := l.hearAll(events); err != nil {
		t.Fatal(err)
	}
	if deeds, _ := made(l); len(deeds) > 0 {
		t.Errorf("actions %q", deeds)
	}
}

// finishedRecording returns the end of a recording that another application made over ARI.
func finishedRecording(name string, channel bridge.ChannelID, bridgeID string) bridge.Event {
	return bridge.Event{Type: bridge.EventRecordingFinished, Recording: &bridge.FinishedRecording{
		StoredFile: bridge.StoredFile{Name: name, Format: "wav"}, Channel: channel, Bridge: bridgeID,
	}}
}

func TestARecordingOfAnotherApplicationBelongsToWhomItHeard(t *testing.T) {
	for _, test := range []struct {
		name, before, after string
		finished            bridge.Event
		want                string
	}{
		{"a channel", answered, "\n20 gone A\n20 gone B", finishedRecording("r", "A", ""), "A B"},
		{"a bridge", answered, "\n20 gone A\n20 gone B", finishedRecording("r", "", "br1"), "A B"},
		{"a snoop channel", answered + "\n5 new S Snoop/A Up", "\n20 gone A\n20 gone S\n20 gone B", finishedRecording("r", "S", ""), "A B"},
		{
			"a snoop channel that outlives the call", answered + "\n5 new S Snoop/A Up\n20 gone A\n20 gone B", "\n21 gone S", finishedRecording("r", "S", ""), "A B",
		},
		{
			"a snoop channel from before the answer", strings.Replace(answered, "4     state B Up", "3 new S Snoop/A Up\n4 state B Up", 1),
			"\n20 gone A\n20 gone S\n20 gone B", finishedRecording("r", "S", ""), "A B",
		},
		{"a message: no phone answered", ringing, "\n9 gone B 0\n9 gone A", finishedRecording("r", "A", ""), "A B"},
		{"an unknown channel", answered, "\n20 gone A\n20 gone B", finishedRecording("r", "X", ""), ""},
		{"an empty bridge", answered, "\n20 gone A\n20 gone B", finishedRecording("r", "", "br9"), ""},
		{"one of ours, which ends with its channel", answered, "\n20 gone A\n20 gone B", finishedRecording("kontur-ari-recording-A-1", "A", ""), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := newListener(pbxtest.Office(), allCalls)
			all, before := play(t, test.before+test.after), len(play(t, test.before))
			test.finished.Time = all[before-1].Time
			for i, event := range slices.Insert(slices.Clone(all), before, test.finished) {
				if err := l.hear(event); err != nil {
					t.Fatalf("event %d: %v", i, err)
				}
				if err := l.restart(); err != nil {
					t.Fatal(err)
				}
			}
			if err := l.hangUp(); err != nil {
				t.Fatal(err)
			}
			got := ""
			for _, r := range l.ledger.Recorded() {
				if len(r.Stored) > 0 {
					got += string(r.Call) + " " + string(r.Leg)
				}
			}
			if got != test.want {
				t.Errorf("the recording is of %q, want %q", got, test.want)
			}
		})
	}
}
