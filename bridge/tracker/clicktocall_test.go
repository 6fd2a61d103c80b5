package tracker_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"kontur-ari/bridge/tracker/pbxtest"
)

// orderedScenario is a scenario of a call that the CRM has ordered. In its script
// and its reports O.1 stands for kontur-ari~O.1.
type orderedScenario struct {
	scenario
	// deeds are the actions and failures.
	deeds []string
}

func playClicks(t *testing.T, scenarios []orderedScenario) {
	t.Helper()
	for _, s := range scenarios {
		s.script = strings.ReplaceAll(s.script, "O.", "kontur-ari~O.")
		s.want = strings.ReplaceAll(s.want, "O.", "kontur-ari~O.")
		playScenarios(t, []scenario{s.scenario})
		t.Run(s.name+": deeds", func(t *testing.T) {
			l := newListener(pbxtest.Office(), s.policy)
			if err := l.hearAll(play(t, s.script)); err != nil {
				t.Fatal(err)
			}
			if got := l.deeds(); !slices.Equal(got, s.deeds) {
				t.Errorf("deeds:\n  %s\nwant:\n  %s", strings.Join(got, "\n  "), strings.Join(s.deeds, "\n  "))
			}
		})
	}
}

func (l *listener) deeds() []string {
	var deeds []string
	for _, a := range l.actions {
		deeds = append(deeds, strings.TrimSpace(fmt.Sprintf("%s %s %s", a.Kind, strings.TrimPrefix(string(a.Channel), "kontur-ari~"), a.Number)))
	}
	for _, f := range l.failures {
		deeds = append(deeds, fmt.Sprintf("failed %s: %s", f.CommunicationID, f.Cause))
	}
	return deeds
}

// phoneRinging is the phone of 101 that rings as ordered.
const phoneRinging = `
	0     order O u101 79997775533
	0.010 new O.1 PJSIP/101 Down caller=101 exten=s
	0.011 app O.1 Stasis
	0.020 dial >O.1 101
	0.020 app O.1 Stasis
	0.025 settled O placed 1
	0.030 state O.1 Ringing
`

const phoneRingingReports = `
	0.020 O.1 started outbound 79997775533 -
	0.020 O.1 O.1 appeared user:u101>client
`

// clientAnswers is what follows when the phone is picked up.
const clientAnswers = `
	2     state O.1 Up
	2     dialstatus >O.1 ANSWER
	2.010 app O.1 Dial
	2.010 callerid O.1 79229929292
	2.010 new B PJSIP/trunk Down
	2.011 dial O.1>B 79997775533@trunk
	2.012 callerid B 79997775533
	3     dialstatus O.1>B RINGING
	5     dialstatus O.1>B ANSWER
	5     state B Up
	5.001 enter B br1
	5.002 enter O.1 br1
`

const clientAnswersReports = phoneRingingReports + `
	5.002 O.1 O.1 connected user:u101>client
	8.000 O.1 O.1 disconnected user:u101>client
	8.000 O.1 O.1 finished user:u101>client
	8.000 O.1 CALL-FINISHED
	8.000 O.1 REGISTER O.1 user:u101>client 5.002..8.000
`

func failedAt(at string) string {
	return phoneRingingReports + strings.ReplaceAll(`
		@ O.1 O.1 disconnected user:u101>client
		@ O.1 O.1 finished user:u101>client
		@ O.1 CALL-FAILED O
	`, "@", at)
}

// Rows 22 and 25: the phone rings, then the client is dialled.
func TestAnOrderedCall(t *testing.T) {
	dial := []string{"dial O.1 79997775533"}
	playClicks(t, []orderedScenario{
		{scenario{"the user hangs up", outsideCalls, phoneRinging + clientAnswers + "8 gone O.1 16\n8 gone B 16", clientAnswersReports}, dial},
		{scenario{"the client hangs up", outsideCalls, phoneRinging + clientAnswers + "8 gone B 16\n8 gone O.1 16", clientAnswersReports}, dial},
		{scenario{"it is ordered a second time", outsideCalls, phoneRinging + "1 order O u101 79997775533\n" + clientAnswers + "8 gone O.1 16\n8 gone B 16\n9 order O u101 79997775533", clientAnswersReports}, dial},
		{scenario{"the client is busy", outsideCalls, phoneRinging + `
			2     state O.1 Up
			2.010 app O.1 Dial
			2.010 new B PJSIP/trunk Down
			2.011 dial O.1>B 79997775533@trunk
			3     dialstatus O.1>B BUSY
			3     gone B 17
			3.010 gone O.1 17`, phoneRingingReports + `
			3.010 O.1 O.1 disconnected user:u101>client
			3.010 O.1 O.1 finished user:u101>client
			3.010 O.1 CALL-FINISHED
			3.010 O.1 REGISTER O.1 user:u101>client never..3.010`}, dial},
		{scenario{"that the phone was picked up is seen later only", outsideCalls, phoneRinging + "~2 state O.1 Up\n" + clientAnswers[strings.Index(clientAnswers, "2.010"):] + "8 gone O.1 16\n8 gone B 16", clientAnswersReports}, dial},
		{scenario{"it is settled after the end", outsideCalls, strings.Replace(phoneRinging, "0.025 settled O placed 1", "", 1) + "4 gone O.1 17\n4.100 settled O placed 1", strings.Replace(failedAt("4.100"), "4.100", "4.000", 1)}, []string{"failed O: busy"}},
	})
}

// Rows 23 and 24.
func TestAnOrderedCallFails(t *testing.T) {
	playClicks(t, []orderedScenario{
		{scenario{"busy", outsideCalls, phoneRinging + "4 gone O.1 17", failedAt("4.000")}, []string{"failed O: busy"}},
		{scenario{"declined", outsideCalls, phoneRinging + "4 gone O.1 21", failedAt("4.000")}, []string{"failed O: declined"}},
		{scenario{"no answer", outsideCalls, phoneRinging + "4 gone O.1 19", failedAt("4.000")}, []string{"failed O: no answer"}},
		{scenario{"the phone doesn't react", outsideCalls, strings.Replace(phoneRinging, "0.030 state O.1 Ringing", "", 1) + "4 gone O.1 19", failedAt("4.000")}, []string{"failed O: offline"}},
		{scenario{"the CRM hangs up while it rings", outsideCalls, phoneRinging + "4 gone O.1 16", failedAt("4.000")}, []string{"failed O: hung up"}},
		{scenario{"the dialplan dials no number", outsideCalls, phoneRinging + "3 state O.1 Up\n4 gone O.1 16", failedAt("4.000")}, []string{"dial O.1 79997775533", "failed O: nobody dialled"}},
		{scenario{"the phone can't even be called", outsideCalls, "0 order O u101 79997775533\n0.010 new O.1 PJSIP/101 Down\n0.020 gone O.1 20\n0.030 settled O placed 1", "0.030 O.1 CALL-FAILED O"}, []string{"failed O: offline"}},
		{scenario{"it was refused", outsideCalls, "0 order O u101 79997775533\n0.030 settled O refused userOffline\n1 new O.1 PJSIP/101 Down\n2 gone O.1 16", ""}, []string{"hang up O.1"}},
		{scenario{"it was refused, and what came of it nevertheless is found in a snapshot", outsideCalls, "0 order O u101 79997775533\n0.030 settled O refused switchUnavailable\n~1 new O.1 PJSIP/101 Down\n2 snapshot\n3 gone O.1 16", ""}, []string{"hang up O.1"}},
		{scenario{"it was refused, and two phones come of it nevertheless", outsideCalls, "0 order O u101 79997775533\n0.030 settled O refused switchUnavailable\n1 new O.1 PJSIP/101 Down\n1 new O.2 PJSIP/107 Down\n2 gone O.1 16\n2 gone O.2 16", ""}, []string{"hang up O.1", "hang up O.2"}},
		{scenario{"two phones of an unknown order ring", outsideCalls, "~0 new O.1 PJSIP/101 Ringing\n~0 new O.2 PJSIP/107 Ringing\n1 snapshot\n2 gone O.1 16\n2 gone O.2 16", ""}, nil},
		{scenario{"it was refused although it rings", outsideCalls, strings.Replace(phoneRinging, "placed 1", "refused switchUnavailable", 1) + "4 gone O.1 16", failedAt("4.000")}, []string{"hang up O.1", "failed O: hung up"}},
		{scenario{"it was refused, and is picked up nevertheless", outsideCalls, strings.Replace(phoneRinging, "placed 1", "refused switchUnavailable", 1) + "2 state O.1 Up\n4 gone O.1 16", failedAt("4.000")}, []string{"hang up O.1", "hang up O.1", "failed O: hung up"}},
		{scenario{"it was refused, and its channel stays", outsideCalls, "0 order O u101 79997775533\n0.010 new O.1 PJSIP/101 Down\n0.030 settled O refused switchUnavailable\n1 snapshot\n2 gone O.1 16", ""}, []string{"hang up O.1", "hang up O.1"}},
		{scenario{"another phone comes after the last one was placed", outsideCalls, phoneRinging + "1 new O.2 PJSIP/107 Down\n1.1 gone O.2 16\n4 gone O.1 19", failedAt("4.000")}, []string{"hang up O.2", "failed O: no answer"}},
		{scenario{"another application's phone is none of ours", outsideCalls, "1 new kontur-ari-test~P.1 PJSIP/101 Down\n2 snapshot\n3 gone kontur-ari-test~P.1 16", ""}, nil},
		{scenario{"a phone of an unknown order was picked up", outsideCalls, "~0 new O.1 PJSIP/101 Up\n~0 app O.1 Stasis\n1 snapshot\n2 gone O.1 16", ""}, []string{"hang up O.1"}},
		{scenario{"the event of the phone's channel is lost", outsideCalls, "0 order O u101 79997775533\n0.010 settled O placed 1\n!1 gone O.1 16", "1.000 O.1 CALL-FAILED O"}, []string{"failed O: switch away"}},
		{scenario{"it failed later", outsideCalls, "0 order O u101 79997775533\n5 settled O failed switchUnavailable", "5.000 O.1 CALL-FAILED O"}, []string{"failed O: switch away"}},
		{scenario{"the switch dies", outsideCalls, phoneRinging + "3 kill\n4 snapshot", failedAt("4.000")}, []string{"failed O: switch away"}},
	})
}

// All phones of a user ring; only one dials.
func TestTheFirstPhoneThatIsPickedUpDials(t *testing.T) {
	const second = `
		0.021 new O.2 PJSIP/107 Down caller=101
		0.022 dial >O.2 101
		0.023 app O.2 Stasis
		0.030 state O.2 Ringing
	`
	answered := strings.ReplaceAll(clientAnswers, "O.1", "O.2") + "8 gone O.2 16\n8 gone B 16"
	playClicks(t, []orderedScenario{
		{scenario{"the second", outsideCalls, strings.Replace(phoneRinging, "placed 1", "placed 2", 1) + second + answered[:strings.Index(answered, "2.010")] + "2.005 gone O.1 26\n" + answered[strings.Index(answered, "2.010"):], clientAnswersReports},
			[]string{"dial O.2 79997775533", "hang up O.1"}},
		{scenario{"both at once", outsideCalls, strings.Replace(phoneRinging, "placed 1", "placed 2", 1) + second + "2 state O.2 Up\n2 state O.1 Up\n2.005 gone O.1 26\n" + answered[strings.Index(answered, "2.010"):], clientAnswersReports},
			[]string{"dial O.2 79997775533", "hang up O.1", "hang up O.1"}},
		{scenario{"one is busy, the other declines", outsideCalls, strings.Replace(phoneRinging, "placed 1", "placed 2", 1) + second + "3 gone O.1 17\n4 gone O.2 21", failedAt("4.000")}, []string{"failed O: declined"}},
	})
}

// The snapshot shows what happened while the connection was down.
func TestAnOrderedCallIsTakenUpAgain(t *testing.T) {
	end := clientAnswers[strings.Index(clientAnswers, "2.010"):] + "8 gone O.1 16\n8 gone B 16"
	late := func(from, to string) string { return strings.ReplaceAll(clientAnswersReports, from, to) }
	playClicks(t, []orderedScenario{
		{scenario{"picked up in a gap", outsideCalls, phoneRinging + "~1 state O.1 Up\n1.5 snapshot\n" + end, clientAnswersReports}, []string{"dial O.1 79997775533"}},
		{scenario{"picked up, and still there after a gap", outsideCalls, phoneRinging + "1 state O.1 Up\n1.5 snapshot\n" + end, clientAnswersReports}, []string{"dial O.1 79997775533", "dial O.1 79997775533"}},
		{scenario{"the client answers in a gap", outsideCalls, phoneRinging + "2 state O.1 Up\n" + pbxtest.Unheard(clientAnswers[strings.Index(clientAnswers, "2.010"):]) + "~5 app B AppDial\n6 snapshot\n8 gone O.1 16\n8 gone B 16", late("5.002", "6.000")}, []string{"dial O.1 79997775533"}},
		{scenario{"the Dial of the phone is lost", outsideCalls, "0 order O u101 79997775533\n0.010 new O.1 PJSIP/101 Down caller=101\n0.025 settled O placed 1\n" + strings.Replace(clientAnswers, "2     dialstatus >O.1 ANSWER", "", 1) + "8 gone O.1 16\n8 gone B 16", late("0.020", "2.000")}, []string{"dial O.1 79997775533"}},
		{scenario{"an application has it after the client", outsideCalls, phoneRinging + clientAnswers + "8 leave O.1 br1\n8 gone B 16\n8.1 app O.1 Stasis other\n9 snapshot\n10 gone O.1 16", strings.NewReplacer("8.000 O.1 O.1 finished", "10.000 O.1 O.1 finished", "8.000 O.1 CALL", "10.000 O.1 CALL", "8.000 O.1 REG", "10.000 O.1 REG").Replace(clientAnswersReports)}, []string{"dial O.1 79997775533"}},
		{scenario{"it began to ring in a gap", outsideCalls, "0 order O u101 79997775533\n" + pbxtest.Unheard(phoneRinging[strings.Index(phoneRinging, "0.010"):strings.Index(phoneRinging, "0.025")]) + "~0.03 state O.1 Ringing\n0.030 settled O placed 1\n0.5 snapshot\n" + clientAnswers + "8 gone O.1 16\n8 gone B 16", late("0.020", "0.500")}, []string{"dial O.1 79997775533"}},
		{scenario{"it rings and is busy in a gap", outsideCalls, "0 order O u101 79997775533\n0.030 settled O placed 1\n0.5 snapshot", "0.500 O.1 CALL-FAILED O"}, []string{"failed O: switch away"}},
		{scenario{"it is placed after the snapshot was read", outsideCalls, "0 order O u101 79997775533\n0.030 settled O placed 1\n0.030 snapshot\n" + strings.Replace(phoneRinging[strings.Index(phoneRinging, "0.010"):], "0.025 settled O placed 1", "", 1) + clientAnswers + "8 gone O.1 16\n8 gone B 16", clientAnswersReports}, []string{"dial O.1 79997775533"}},
		{scenario{"all of it happens in a gap", outsideCalls, phoneRinging + pbxtest.Unheard(clientAnswers) + "6 snapshot\n8 gone O.1 16\n8 gone B 16", late("5.002", "6.000")}, []string{"dial O.1 79997775533"}},
		{scenario{"a colleague answers in a gap", outsideCalls, strings.ReplaceAll(phoneRinging, "u101 79997775533", "u101 102 u102") + pbxtest.Unheard(`
			2     state O.1 Up
			2.010 app O.1 Dial
			2.010 new B PJSIP/102 Down
			2.011 dial O.1>B 102
			5.001 enter B br1
			5.002 enter O.1 br1`) + `
			6     snapshot
			8     gone B 16
			8     gone O.1 16`, `
			0.020 O.1 started internal - -
			0.020 O.1 O.1 appeared user:u101>user:u102
			6.000 O.1 O.1 connected user:u101>user:u102
			8.000 O.1 O.1 disconnected user:u101>user:u102
			8.000 O.1 O.1 finished user:u101>user:u102
			8.000 O.1 CALL-FINISHED
			8.000 O.1 REGISTER O.1 user:u101>user:u102 6.000..8.000`}, []string{"dial O.1 102"}},
		{scenario{"picked up, and gone in a gap", outsideCalls, phoneRinging + "2 state O.1 Up\n~3 gone O.1 16\n4 snapshot", phoneRingingReports + `
			4.000 O.1 O.1 disconnected user:u101>client
			4.000 O.1 O.1 finished user:u101>client
			4.000 O.1 CALL-FINISHED
			4.000 O.1 REGISTER O.1 user:u101>client never..4.000`}, []string{"dial O.1 79997775533"}},
		{scenario{"it is gone after a gap", outsideCalls, phoneRinging + "~3 gone O.1 17\n4 snapshot", failedAt("4.000")}, []string{"failed O: switch away"}},
	})
}

// Row 26: a colleague is dialled. The call is reported even where internal calls are not,
// since the CRM waits for its result.
func TestAnOrderedInternalCall(t *testing.T) {
	phoneRinging := strings.ReplaceAll(phoneRinging, "u101 79997775533", "u101 102 u102")
	playClicks(t, []orderedScenario{
		{scenario{"answered", outsideCalls, phoneRinging + `
			2     state O.1 Up
			2.010 app O.1 Dial
			2.010 new B PJSIP/102 Down
			2.011 dial O.1>B 102
			5.001 enter B br1
			5.002 enter O.1 br1
			8     gone B 16
			8     gone O.1 16`, `
			0.020 O.1 started internal - -
			0.020 O.1 O.1 appeared user:u101>user:u102
			5.002 O.1 O.1 connected user:u101>user:u102
			8.000 O.1 O.1 disconnected user:u101>user:u102
			8.000 O.1 O.1 finished user:u101>user:u102
			8.000 O.1 CALL-FINISHED
			8.000 O.1 REGISTER O.1 user:u101>user:u102 5.002..8.000`}, []string{"dial O.1 102"}},
		{scenario{"the colleague is sent on", outsideCalls, phoneRinging + `
			2     state O.1 Up
			2.010 app O.1 Dial
			2.010 new B PJSIP/102 Down
			2.011 dial O.1>B 102
			5.001 enter B br1
			5.002 enter O.1 br1
			6     blind B>O.1 103
			6     leave O.1 br1
			6     gone B 16
			6.010 new C PJSIP/103 Down
			6.011 dial O.1>C 103
			7.001 enter C br2
			7.002 enter O.1 br2
			8     gone C 16
			8     gone O.1 16`, `
			0.020 O.1 started internal - -
			0.020 O.1 O.1 appeared user:u101>user:u102
			5.002 O.1 O.1 connected user:u101>user:u102
			6.000 O.1 O.1 disconnected user:u101>user:u102
			6.011 O.1 C appeared user:u101>user:u103
			7.002 O.1 C connected user:u101>user:u103
			8.000 O.1 C disconnected user:u101>user:u103
			8.000 O.1 C finished user:u101>user:u103
			8.000 O.1 CALL-FINISHED
			8.000 O.1 REGISTER O.1 user:u101>user:u102 5.002..6.000, C user:u101>user:u103 7.002..8.000`}, []string{"dial O.1 102"}},
	})
}

// An ordered call is one like any other once it is connected.
func TestAnOrderedCallIsTransferred(t *testing.T) {
	playClicks(t, []orderedScenario{{scenario{"to 102", outsideCalls, phoneRinging + clientAnswers + `
		6     blind O.1>B 102
		6     leave B br1
		6     gone O.1 16
		6.010 new C PJSIP/102 Down
		6.011 dial B>C 102
		7.001 enter C br2
		7.002 enter B br2
		8     gone C 16
		8     gone B 16`, phoneRingingReports + `
		5.002 O.1 O.1 connected user:u101>client
		6.000 O.1 O.1 disconnected user:u101>client
		6.011 O.1 C appeared client>user:u102
		7.002 O.1 C connected client>user:u102
		8.000 O.1 C disconnected client>user:u102
		8.000 O.1 C finished client>user:u102
		8.000 O.1 CALL-FINISHED
		8.000 O.1 REGISTER O.1 user:u101>client 5.002..6.000, C client>user:u102 7.002..8.000`}, []string{"dial O.1 79997775533"}}})
}
