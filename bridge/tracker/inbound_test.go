package tracker_test

import (
	"strings"
	"testing"
	"time"

	"kontur-ari/bridge/tracker/pbxtest"
)

// ringing is a client whose call rings at 101 (B).
const ringing = `
	0     new A PJSIP/trunk Ring caller=+7(999)777-55-33 exten=+79229929292
	0.001 state A Ring
	0.500 new B PJSIP/101 Down
	0.501 dial A>B 101
	0.620 dialstatus A>B RINGING
	0.620 state B Ringing
`

// answered is the same call after 101 has picked up.
const answered = ringing + `
	4     state B Up
	4     dialstatus A>B ANSWER
	4.001 state A Up
	4.002 enter B br1
	4.003 enter A br1
`

const answeredReports = `
	0.000 A started inbound 79997775533 79229929292
	0.501 A B appeared client>user:u101
	4.003 A B connected client>user:u101
`

func TestInboundCallOfOnePhone(t *testing.T) {
	playScenarios(t, []scenario{
		{"the client hangs up", allCalls, answered + `
			30    leave A br1
			30    leave B br1
			30    close br1
			30    gone B 16
			30.002 gone A 16`, answeredReports + `
			30.000 A B disconnected client>user:u101
			30.002 A B finished client>user:u101
			30.002 A CALL-FINISHED
			30.002 A REGISTER B client>user:u101 4.003..30.000`},
		{"the employee hangs up, and the client's channel goes first", outsideCalls, answered + `
			30    leave B br1
			30.001 leave A br1
			30.003 gone A 16
			30.004 gone B 16
			30.004 close br1`, answeredReports + `
			30.003 A B disconnected client>user:u101
			30.004 A B finished client>user:u101
			30.004 A CALL-FINISHED
			30.004 A REGISTER B client>user:u101 4.003..30.003`},
		{"the client enters the bridge first, and RINGING comes late and often", allCalls, `
			0     new A PJSIP/trunk Ring caller=89997775533 exten=79229929292
			0.500 new B PJSIP/101 Down
			0.500 dial A>B 101
			0.600 state B Ringing
			0.610 dialstatus A>B RINGING
			0.700 dialstatus A>B RINGING
			0.800 dialstatus A>B PROGRESS
			4     enter A br1
			4     dialstatus A>B ANSWER
			4.004 enter B br1
			4.004 dialstatus A>B ANSWER
			9     gone A
			9     gone B`, `
			0.000 A started inbound 79997775533 79229929292
			0.500 A B appeared client>user:u101
			4.004 A B connected client>user:u101
			9.000 A B disconnected client>user:u101
			9.000 A B finished client>user:u101
			9.000 A CALL-FINISHED
			9.000 A REGISTER B client>user:u101 4.004..9.000`},
		{"the client gives up", allCalls, ringing + `
			7     dialstatus A>B CANCEL
			7.001 gone B 127
			7.002 gone A 127`, missed("7.000", "7.002")},
		{"the client gives up, and its channel goes first", allCalls, ringing + `
			7.001 gone A 127
			7.002 dialstatus A>B CANCEL
			7.003 gone B 127`, missed("7.002", "7.003")},
		{"no phone answers", allCalls, ringing + `
			25    dialstatus A>B NOANSWER
			25.001 gone B 0
			25.002 gone A 16`, missed("25.000", "25.002")},
		{"busy", allCalls, ringing + `
			0.700 dialstatus A>B BUSY
			0.701 gone B 17
			0.702 gone A 17`, missed("0.700", "0.702")},
		{"declined", allCalls, ringing + `
			2     dialstatus A>B NOANSWER
			2     gone B 21
			2     gone A 21`, missed("2.000", "2.000")},
		{"the caller's clock is not ours: time goes back", allCalls, ringing + `
			0.400 enter A br1
			0.400 enter B br1
			0.300 gone A 16
			0.200 gone B 16`, `
			0.000 A started inbound 79997775533 79229929292
			0.501 A B appeared client>user:u101
			0.501 A B connected client>user:u101
			0.501 A B disconnected client>user:u101
			0.501 A B finished client>user:u101
			0.501 A CALL-FINISHED
			0.501 A REGISTER B client>user:u101 0.501..0.501`},
	})
}

// missed returns the reports of the ringing call when no phone answers it.
func missed(leg, call string) string {
	return `
		0.000 A started inbound 79997775533 79229929292
		0.501 A B appeared client>user:u101
		` + leg + ` A B disconnected client>user:u101
		` + call + ` A B finished client>user:u101
		` + call + ` A CALL-FINISHED
		` + call + ` A REGISTER B client>user:u101 never..` + leg
}

func TestInboundCallBeforeAnyPhoneRings(t *testing.T) {
	playScenarios(t, []scenario{
		{"the client hangs up in the menu", allCalls, `
			0 new A PJSIP/trunk Ring caller=79997775533 exten=79229929292
			0.1 state A Up
			12.345 gone A 16`, `
			0.000 A started inbound 79997775533 79229929292
			12.345 A CALL-FINISHED
			12.345 A REGISTER A client>user never..12.345`},
		{"music on hold and parking are no conversation", allCalls, ringing + `
			3 enter A br0 holding
			3 enter B br0 holding
			4 leave A br0
			5 gone B
			5 gone A`, missed("5.000", "5.000")},
		{"a hold in the menu is nothing", allCalls, `
			0 new A PJSIP/trunk Ring caller=79997775533 exten=79229929292
			1 hold A
			2 unhold A
			3 gone A`, `
			0.000 A started inbound 79997775533 79229929292
			3.000 A CALL-FINISHED
			3.000 A REGISTER A client>user never..3.000`},
	})
}

func TestInboundCallNumbers(t *testing.T) {
	for _, test := range []struct{ endpoint, caller, exten, want string }{
		{"PJSIP/trunk", "anonymous", "79229929292", "anonymous 79229929292"},
		{"PJSIP/trunk", "", "79229929292", "anonymous 79229929292"},
		{"PJSIP/trunk", "sip.user", "79229929292", "anonymous 79229929292"},
		{"PJSIP/trunk", "112", "79229929292", "112 79229929292"},
		{"PJSIP/trunk", "+442079460958", "+78005553535", "442079460958 78005553535"},
		{"PJSIP/trunk", "442079460958", "88005553535", "442079460958 78005553535"},
		{"PJSIP/trunk", "9997775533", "s", "79997775533 79229929292"},
		{"PJSIP/trunk", "9997775533", "", "79997775533 79229929292"},
		{"PJSIP/spare", "9997775533", "s", "79997775533 78005553535"},
		{"DAHDI/i1/9997775533", "9997775533", "s", "79997775533 73432000000"},
		// A trunk that is not listed.
		{"PJSIP/provider", "9997775533", "s", "79997775533 -"},
		{"PJSIP/provider", "9997775533", "73432000001", "79997775533 73432000001"},
	} {
		playScenarios(t, []scenario{{test.endpoint + " " + test.caller + ">" + test.exten, allCalls, `
			0 new A ` + test.endpoint + ` Ring caller=` + test.caller + ` exten=` + test.exten + `
			1 callerid A 70000000000
			2 gone A`, `
			0.000 A started inbound ` + test.want + `
			2.000 A CALL-FINISHED
			2.000 A REGISTER A client>user never..2.000`}})
	}
}

func TestHold(t *testing.T) {
	ending := `
			30 gone A
			30 gone B`
	ended := `
			30.000 A B disconnected client>user:u101
			30.000 A B finished client>user:u101
			30.000 A CALL-FINISHED
			30.000 A REGISTER B client>user:u101 4.003..30.000`
	playScenarios(t, []scenario{
		{"by the employee", allCalls, answered + `
			10 hold B
			15 unhold B` + ending, answeredReports + `
			10.000 A B paused client>user:u101
			15.000 A B connected client>user:u101` + ended},
		{"by the client", allCalls, answered + `
			10 hold A
			15 unhold A` + ending, answeredReports + `
			10.000 A B paused client>user:u101
			15.000 A B connected client>user:u101` + ended},
		{"by both: talking again when both have resumed", allCalls, answered + `
			10 hold A
			11 hold B
			12 unhold A
			13 unhold B` + ending, answeredReports + `
			10.000 A B paused client>user:u101
			13.000 A B connected client>user:u101` + ended},
		{"resumed without a hold", allCalls, answered + `
			10 unhold B
			11 unhold A` + ending, answeredReports + ended},
		{"hung up on hold", allCalls, answered + `
			10 hold B
			30 gone B
			30 gone A`, answeredReports + `
			10.000 A B paused client>user:u101` + ended},
		{"while it rings", allCalls, ringing + `
			2 hold A
			4 enter B br1
			4.003 enter A br1` + ending, answeredReports + ended},
	})
}

func TestCallIsNotReportedBeforeItsTimeIsKnown(t *testing.T) {
	events := play(t, ringing+"7 gone B 0\n7 gone A 16")
	events[0].Time, events[len(events)-1].Time = time.Time{}, time.Time{}
	l := newListener(pbxtest.Office(), allCalls)
	if err := l.hearAll(events); err != nil {
		t.Fatal(err)
	}
	want := wanted(strings.Replace(missed("7.000", "7.000"), "0.000 A started", "0.501 A started", 1))
	if got := pbxtest.Transcript(l.reports, pbxtest.Midnight); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("reports:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
