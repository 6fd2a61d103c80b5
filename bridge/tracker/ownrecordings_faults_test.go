package tracker_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"kontur-ari/bridge"
	"kontur-ari/bridge/tracker"
	"kontur-ari/bridge/tracker/pbxtest"
)

// never102 is a policy that records all conversations but those of 102.
func never102() tracker.Policy {
	policy := makesRecordings()
	policy.Make.Users = []string{"u102"}
	return policy
}

const handedTo102 = answered + `
	10 leave B br1
	10 leave A br1
	10 new C PJSIP/102 Down
	10 dial A>C 102
	10 gone B 16
	15 enter C br2
	15 enter A br2`

const over102 = `
	20 gone A
	20 gone C`

// A snoop channel must not stay on a call that must not be recorded. The request to end the
// recording may have been lost, or have overtaken the request to begin it.
func TestASnoopChannelThatMustNotListenIsHungUp(t *testing.T) {
	const stop = "stop recording kontur-ari-recording-A-1"
	for name, script := range map[string]string{
		"the stop was lost": strings.Replace(handedTo102, "10 leave B", "5 new kontur-ari-recording-A-1 Snoop/A Up\n10 leave B", 1) + `
			16 snapshot`,
		"the stop came first": handedTo102 + `
			16 new kontur-ari-recording-A-1 Snoop/A Up`,
	} {
		t.Run(name, func(t *testing.T) {
			l := newListener(pbxtest.Office(), never102())
			if err := l.hearAll(play(t, script+over102)); err != nil {
				t.Fatal(err)
			}
			deeds, whose := made(l)
			if want := []string{"record A kontur-ari-recording-A-1", stop, stop}; !slices.Equal(deeds, want) {
				t.Errorf("actions %q, want %q", deeds, want)
			}
			if len(whose) != 1 {
				t.Errorf("recorded of %q", whose)
			}
		})
	}
}

// No recording begins while an employee who must not be recorded is in the bridge.
func TestNoRecordingBeginsThatMustEndAtOnce(t *testing.T) {
	l := newListener(pbxtest.Office(), never102())
	err := l.hearAll(play(t, `
		0 new B PJSIP/101 Ring caller=101 exten=800
		0 new C PJSIP/102 Ring caller=102 exten=800
		1 enter B conf
		1 enter C conf
		2 new A PJSIP/trunk Ring caller=79997775533 exten=79229929292
		3 enter A conf
		10 gone A
		11 gone B
		11 gone C`))
	if err != nil {
		t.Fatal(err)
	}
	if deeds, _ := made(l); len(deeds) > 0 {
		t.Errorf("actions %q", deeds)
	}
}

// A recorded channel may be handed to another call, which has a recording of its own.
func TestARecordingEndsWhenItsChannelIsHandedToAnotherCall(t *testing.T) {
	l := newListener(pbxtest.Office(), makesRecordings())
	err := l.hearAll(play(t, `
		0   new A PJSIP/trunk Ring caller=79997775533 exten=79229929292
		0.2 new B PJSIP/101 Down
		0.2 dial A>B 101
		1   enter B br1
		1   enter A br1
		3   new C PJSIP/101 Ring caller=101 exten=89165550000
		3.1 new T PJSIP/trunk Down
		3.1 dial C>T 79165550000@trunk
		4   enter C br2
		4   enter T br2
		6   leave A br1
		6   leave C br2
		6   enter A br2
		6   attended B C A T
		6   gone B
		6   gone C
		20  gone T
		20  gone A`))
	if err != nil {
		t.Fatal(err)
	}
	deeds, whose := made(l)
	wantDeeds := []string{"record A kontur-ari-recording-A-1", "record T kontur-ari-recording-C-1", "stop recording kontur-ari-recording-C-1"}
	wantWhose := []string{"C C kontur-ari-recording-C-1.wav", "A B kontur-ari-recording-A-1.wav"}
	if !slices.Equal(deeds, wantDeeds) || !slices.Equal(whose, wantWhose) {
		t.Errorf("actions %q and of %q", deeds, whose)
	}
}

// The operator may have changed the configuration between two processes.
func TestWhatIsNotWantedAnyMoreIsNotBegunAgain(t *testing.T) {
	for name, change := range map[string]func(*tracker.Policy){
		"not made":        func(p *tracker.Policy) { p.Make.Wanted = false },
		"not handed over": func(p *tracker.Policy) { p.Recordings = false },
		"not this user's": func(p *tracker.Policy) { p.Make.Users = []string{"u101"} },
	} {
		t.Run(name, func(t *testing.T) {
			l := newListener(pbxtest.Office(), makesRecordings())
			for _, event := range play(t, answered+"\n9 snapshot\n20 gone A\n20 gone B") {
				if event.Type == bridge.EventSnapshot {
					change(&l.policy)
					if err := l.restart(); err != nil {
						t.Fatal(err)
					}
				}
				if err := l.hear(event); err != nil {
					t.Fatal(err)
				}
			}
			deeds, _ := made(l)
			if want := []string{"record A kontur-ari-recording-A-1", "stop recording kontur-ari-recording-A-1"}; !slices.Equal(deeds, want) {
				t.Errorf("actions %q, want %q", deeds, want)
			}
		})
	}
}

// A call out is recorded on the employee's channel.
func TestACallOutThatTheDialPlanRecordsIsNotRecordedAgain(t *testing.T) {
	l := newListener(pbxtest.Office(), makesRecordings())
	if err := l.hearAll(showing(play(t, outgoingTalk), "A", "/monitor/a.wav")); err != nil {
		t.Fatal(err)
	}
	if deeds, _ := made(l); len(deeds) > 0 {
		t.Errorf("actions %q", deeds)
	}
}

// While a caller waits for hours, thousands of phones may ring.
func TestACallerWhoWaitsForHoursTakesNoMoreRoom(t *testing.T) {
	script := "0 new A PJSIP/trunk Ring caller=79997775533 exten=79229929292\n"
	for i := range 500 {
		script += fmt.Sprintf("%[1]d new X%[1]d Local/101@q-%08[2]x;1 Down\n%[1]d new Y%[1]d Local/101@q-%08[2]x;2 Ring\n%[1]d dial A>X%[1]d 101@q\n%[1]d gone X%[1]d\n%[1]d gone Y%[1]d\n", i, i+1)
	}
	l := newListener(pbxtest.Office(), allCalls)
	most := 0
	for _, event := range play(t, script) {
		if event.Channel != nil && event.Channel.ID[0] == 'Y' {
			event.Channel.Files = []string{"/monitor/ringing.wav"}
		}
		if err := l.hear(event); err != nil {
			t.Fatal(err)
		}
		if state, open := l.tracker.State("A"); open {
			most = max(most, len(state.State))
		}
	}
	if most > 4000 {
		t.Errorf("the state of the call took %d bytes", most)
	}
	if err := l.hangUp(); err != nil {
		t.Fatal(err)
	}
	if got := whose(l); len(got) != 1 {
		t.Errorf("recordings of phones that only rang: %q", got)
	}
}

// All channels have left a bridge by the time its recording is whole.
func TestARecordingFinishedAfterAllHaveLeftIsReported(t *testing.T) {
	for name, finished := range map[string]bridge.Event{
		"of a bridge": finishedRecording("r", "", "br1"), "of a channel": finishedRecording("r", "A", ""),
	} {
		t.Run(name, func(t *testing.T) {
			l := newListener(pbxtest.Office(), allCalls)
			all := play(t, answered+"\n20 leave A br1\n20 leave B br1\n20 close br1\n20 gone B\n21 gone A")
			finished.Time = all[len(all)-1].Time
			if err := l.hearAll(append(all, finished)); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range l.ledger.Recorded() {
				if len(r.Stored) > 0 {
					got = append(got, string(r.Call)+" "+string(r.Leg))
				}
			}
			if !slices.Equal(got, []string{"A B"}) {
				t.Errorf("recorded of %q", got)
			}
		})
	}
}
