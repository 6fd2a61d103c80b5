package tracker_test

import (
	"testing"

	"kontur-ari/bridge/tracker/pbxtest"
)

func TestSnapshotTakesUpCallsInProgress(t *testing.T) {
	playScenarios(t, []scenario{
		{"inbound, in the menu", allCalls, `
			~0   new A PJSIP/trunk Ring caller=79997775533 exten=79229929292
			~0.1 state A Up
			5    snapshot
			9    gone A 16`, `
			5.000 A started inbound 79997775533 79229929292
			9.000 A CALL-FINISHED
			9.000 A REGISTER A client>user never..9.000`},
		{"inbound, ringing", allCalls, pbxtest.Unheard(ringing) + `
			2 snapshot
			4.002 enter B br1
			4.003 enter A br1
			9 gone B
			9 gone A`, `
			2.000 A started inbound 79997775533 79229929292
			2.000 A B appeared client>user:u101
			4.003 A B connected client>user:u101
			9.000 A B disconnected client>user:u101
			9.000 A B finished client>user:u101
			9.000 A CALL-FINISHED
			9.000 A REGISTER B client>user:u101 4.003..9.000`},
		{"inbound, answered", allCalls, pbxtest.Unheard(answered) + `
			6 snapshot
			9 gone B
			9 gone A`, `
			6.000 A started inbound 79997775533 79229929292
			6.000 A B appeared client>user:u101
			6.000 A B connected client>user:u101
			9.000 A B disconnected client>user:u101
			9.000 A B finished client>user:u101
			9.000 A CALL-FINISHED
			9.000 A REGISTER B client>user:u101 6.000..9.000`},
		{"outbound, ringing", allCalls, pbxtest.Unheard(dialling) + `
			2 snapshot
			5 enter A br1
			5 enter B br1
			9 gone B
			9 gone A`, `
			2.000 A started outbound 79997775533 79229929292
			2.000 A A appeared user:u101>client
			5.000 A A connected user:u101>client
			9.000 A A disconnected user:u101>client
			9.000 A A finished user:u101>client
			9.000 A CALL-FINISHED
			9.000 A REGISTER A user:u101>client 5.000..9.000`},
		{"outbound, answered", allCalls, pbxtest.Unheard(dialling) + `
			~5 enter A br1
			~5 enter B br1
			6 snapshot
			9 gone B
			9 gone A`, `
			6.000 A started outbound 79997775533 79229929292
			6.000 A A appeared user:u101>client
			6.000 A A connected user:u101>client
			9.000 A A disconnected user:u101>client
			9.000 A A finished user:u101>client
			9.000 A CALL-FINISHED
			9.000 A REGISTER A user:u101>client 6.000..9.000`},
		{"internal, answered", allCalls, `
			~0 new A PJSIP/101 Ring caller=101 exten=102
			~0 new B PJSIP/102 Down
			~0 dial A>B 102
			~1 enter A br1
			~1 enter B br1
			2 snapshot
			9 gone B
			9 gone A`, `
			2.000 A started internal - -
			2.000 A B appeared user:u101>user:u102
			2.000 A B connected user:u101>user:u102
			9.000 A B disconnected user:u101>user:u102
			9.000 A B finished user:u101>user:u102
			9.000 A CALL-FINISHED
			9.000 A REGISTER B user:u101>user:u102 2.000..9.000`},
		{"over Local channels, ringing", allCalls, pbxtest.Unheard(followMe) + `
			2 snapshot
			3 gone A
			3 gone B
			3 gone C`, `
			2.000 A started inbound 79997775533 79229929292
			2.000 A B appeared client>user:u101
			2.000 A C appeared client>user:u101
			3.000 A B disconnected client>user:u101
			3.000 A C disconnected client>user:u101
			3.000 A C finished client>user:u101
			3.000 A CALL-FINISHED
			3.000 A REGISTER B client>user:u101 never..3.000, C client>user:u101 never..3.000`},
		{"what is no call, and a phone that a machine calls", allCalls, `
			~0 new A PJSIP/101 Ring caller=101 exten=*43
			~0 new B PJSIP/102 Down
			~0 dial >B 102
			2 snapshot
			3 gone A
			3 gone B`, ``},
	})
}

func TestSnapshotClosesTheGap(t *testing.T) {
	playScenarios(t, []scenario{
		{"nothing happened", allCalls, answered + `
			6 snapshot
			7 snapshot
			30 gone B
			30 gone A`, answeredReports + `
			30.000 A B disconnected client>user:u101
			30.000 A B finished client>user:u101
			30.000 A CALL-FINISHED
			30.000 A REGISTER B client>user:u101 4.003..30.000`},
		{"a phone began to ring and was picked up", allCalls, `
			0    new A PJSIP/trunk Ring caller=79997775533 exten=79229929292
			~0.5 new B PJSIP/101 Down
			~0.5 dial A>B 101
			~4   enter A br1
			~4   enter B br1
			6    snapshot
			9    gone A
			9    gone B`, `
			0.000 A started inbound 79997775533 79229929292
			6.000 A B appeared client>user:u101
			6.000 A B connected client>user:u101
			9.000 A B disconnected client>user:u101
			9.000 A B finished client>user:u101
			9.000 A CALL-FINISHED
			9.000 A REGISTER B client>user:u101 6.000..9.000`},
		{"both were put into a holding bridge", allCalls, ringing + `
			~3 enter A park holding
			~3 enter B park holding
			4  snapshot
			9  gone B 0
			9  gone A 16`, missed("9.000", "9.000")},
		{"only the dial was missed", allCalls, `
			0    new A PJSIP/trunk Ring caller=79997775533 exten=79229929292
			0.5  new B PJSIP/101 Down
			~0.5 dial A>B 101
			1    snapshot
			9    gone A
			9    gone B`, `
			0.000 A started inbound 79997775533 79229929292
			1.000 A B appeared client>user:u101
			9.000 A B disconnected client>user:u101
			9.000 A B finished client>user:u101
			9.000 A CALL-FINISHED
			9.000 A REGISTER B client>user:u101 never..9.000`},
		{"the ringing phone was picked up", allCalls, ringing + `
			~4 enter A br1
			~4 enter B br1
			6  snapshot
			9  gone A
			9  gone B`, `
			0.000 A started inbound 79997775533 79229929292
			0.501 A B appeared client>user:u101
			6.000 A B connected client>user:u101
			9.000 A B disconnected client>user:u101
			9.000 A B finished client>user:u101
			9.000 A CALL-FINISHED
			9.000 A REGISTER B client>user:u101 6.000..9.000`},
		{"the call ended", allCalls, answered + `
			~8 gone A
			~8 gone B
			20 snapshot`, answeredReports + `
			20.000 A B disconnected client>user:u101
			20.000 A B finished client>user:u101
			20.000 A CALL-FINISHED
			20.000 A REGISTER B client>user:u101 4.003..20.000`},
		{"the employee left and another phone rings", allCalls, answered + `
			~8 gone B
			~9 new C PJSIP/102 Down
			~9 dial A>C 102
			10 snapshot
			11 gone C
			11 gone A`, answeredReports + `
			10.000 A B disconnected client>user:u101
			10.000 A C appeared client>user:u102
			11.000 A C disconnected client>user:u102
			11.000 A B finished client>user:u101
			11.000 A CALL-FINISHED
			11.000 A REGISTER B client>user:u101 4.003..10.000, C client>user:u102 never..11.000`},
		{"a queue gave up on a phone and calls the same one again", allCalls, ringing + `
			~8 gone B
			~9 new C PJSIP/101 Down
			~9 dial A>C 101
			10 snapshot
			11 gone C
			11 gone A`, `
			0.000 A started inbound 79997775533 79229929292
			0.501 A B appeared client>user:u101
			10.000 A B disconnected client>user:u101
			10.000 A C appeared client>user:u101
			11.000 A C disconnected client>user:u101
			11.000 A C finished client>user:u101
			11.000 A CALL-FINISHED
			11.000 A REGISTER B client>user:u101 never..10.000, C client>user:u101 never..11.000`},
		{"the switch died, and its first call is like the last", allCalls, followMe + `
			~5 kill
			~6 new X PJSIP/trunk Ring caller=79990001122 exten=79229929292
			~6 new Y1 Local/mob@follow-00000001;1 Down
			~6 new Y2 Local/mob@follow-00000001;2 Ring
			~6 dial X>Y1 mob@follow
			7  snapshot
			8  new Z PJSIP/102 Down
			8  dial Y2>Z 102
			9  gone Z
			9  gone X
			9  gone Y1
			9  gone Y2`, `
			0.000 A started inbound 79997775533 79229929292
			0.500 A B appeared client>user:u101
			0.600 A C appeared client>user:u101
			7.000 A B disconnected client>user:u101
			7.000 A C disconnected client>user:u101
			7.000 X started inbound 79990001122 79229929292
			7.000 A C finished client>user:u101
			7.000 A CALL-FINISHED
			7.000 A REGISTER B client>user:u101 never..7.000, C client>user:u101 never..7.000
			8.000 X Z appeared client>user:u102
			9.000 X Z disconnected client>user:u102
			9.000 X Z finished client>user:u102
			9.000 X CALL-FINISHED
			9.000 X REGISTER Z client>user:u102 never..9.000`},
		{"the switch died with many calls, which end in the order of their ids", allCalls, answered + `
			5 new D PJSIP/trunk Ring caller=79990000001 exten=79229929292
			6 new E PJSIP/trunk Ring caller=79990000002 exten=79229929292
			7 kill
			8 snapshot`, answeredReports + `
			5.000 D started inbound 79990000001 79229929292
			6.000 E started inbound 79990000002 79229929292
			8.000 A B disconnected client>user:u101
			8.000 A B finished client>user:u101
			8.000 A CALL-FINISHED
			8.000 A REGISTER B client>user:u101 4.003..8.000
			8.000 D CALL-FINISHED
			8.000 D REGISTER D client>user never..8.000
			8.000 E CALL-FINISHED
			8.000 E REGISTER E client>user never..8.000`},
	})
}

func TestEventsOlderThanTheSnapshotChangeNothing(t *testing.T) {
	const ended = `
		8.000 A B disconnected client>user:u101
		8.000 A B finished client>user:u101
		8.000 A CALL-FINISHED
		8.000 A REGISTER B client>user:u101 4.003..8.000
	`
	playScenarios(t, []scenario{
		{"of channels that are gone", allCalls, answered + `
			~7 gone A
			~7 gone B
			8  snapshot
			!5 state B Up
			!5 dial A>B 101
			!5 dialstatus A>B ANSWER
			!5 enter A br1
			!5 enter B br1
			!6 hold B
			!6 unhold B
			!7 leave A br1
			!7 gone A
			!7 gone B
			9  snapshot`, answeredReports + ended},
		{"of a call that ended, even its beginning", allCalls, answered + `
			8  gone A
			8  gone B
			!0 new A PJSIP/trunk Ring caller=79997775533 exten=79229929292
			!1 new B PJSIP/101 Down
			!1 dial A>B 101
			!4 enter A br1
			!4 enter B br1
			8  snapshot`, answeredReports + ended},
		{"of channels that the snapshot shows", allCalls, pbxtest.Unheard(answered) + `
			6     snapshot
			!0    new A PJSIP/trunk Ring caller=79997775533 exten=79229929292
			!0.5  new B PJSIP/101 Down
			!0.5  dial A>B 101
			!4    dialstatus A>B ANSWER
			!4    enter B br1
			!4    enter A br1
			!4    unhold B
			8     gone B
			8     gone A`, `
			6.000 A started inbound 79997775533 79229929292
			6.000 A B appeared client>user:u101
			6.000 A B connected client>user:u101
			8.000 A B disconnected client>user:u101
			8.000 A B finished client>user:u101
			8.000 A CALL-FINISHED
			8.000 A REGISTER B client>user:u101 6.000..8.000`},
	})
}
