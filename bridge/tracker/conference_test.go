package tracker_test

import "testing"

// threeInABridge has the client, 101 and 102 in a bridge; each has called its number.
const threeInABridge = `
	0 new A PJSIP/trunk Ring caller=79997775533 exten=79229929292
	1 enter A conf
	2 new X PJSIP/101 Ring caller=101 exten=480
	2 enter X conf
	3 new Y PJSIP/102 Ring caller=102 exten=480
	3 enter Y conf`

const threeInABridgeReports = `
	0.000 A started inbound 79997775533 79229929292
	2.000 A X appeared client>user:u101
	2.000 A X connected client>user:u101
	3.000 A Y appeared client>user:u102
	3.000 A Y connected client>user:u102
`

func TestConference(t *testing.T) {
	playScenarios(t, []scenario{
		{"an originate brings 103 there", allCalls, threeInABridge + `
			10   new L1 Local/103@from-internal-00000001;1 Down
			10   new L2 Local/103@from-internal-00000001;2 Ring
			10   dial >L1 103@from-internal/n
			10.1 new Z PJSIP/103 Down
			10.1 dial L2>Z 103
			14   enter Z br2
			14   enter L2 br2
			14   enter L1 conf
			20   gone Z
			20   gone L2
			20   gone L1
			21   gone Y
			22   gone X
			22   gone A`, threeInABridgeReports + `
			14.000 A Z appeared client>user:u103
			14.000 A Z connected client>user:u103
			20.000 A Z disconnected client>user:u103
			21.000 A Y disconnected client>user:u102
			22.000 A X disconnected client>user:u101
			22.000 A Z finished client>user:u103
			22.000 A CALL-FINISHED
			22.000 A REGISTER X client>user:u101 2.000..22.000, Y client>user:u102 3.000..21.000, Z client>user:u103 14.000..20.000`},
		{"the second line of a telephone goes on when the first hangs up", allCalls, answered + `
			5 new C PJSIP/101 Ring caller=101 exten=481
			5 enter C br1
			6 leave B br1
			6 gone B
			9 gone C
			9 gone A`, answeredReports + `
			6.000 A C appeared client>user:u101
			6.000 A B disconnected client>user:u101
			6.000 A C connected client>user:u101
			9.000 A C disconnected client>user:u101
			9.000 A C finished client>user:u101
			9.000 A CALL-FINISHED
			9.000 A REGISTER B client>user:u101 4.003..6.000, C client>user:u101 6.000..9.000`},
		{"clients who were handed over before, and hear each other now, have no leg of one another", allCalls, `
			0   new C PJSIP/trunk Ring caller=79990000000 exten=79229929292
			0   enter C conf
			0.5 new A PJSIP/trunk Ring caller=79997775533 exten=79229929292
			0.6 new B PJSIP/101 Down
			0.6 dial A>B 101
			1   enter A br1
			1   enter B br1
			3   new B2 PJSIP/101 Ring caller=101 exten=102
			3.1 new D PJSIP/102 Down
			3.1 dial B2>D 102
			4   enter B2 br2
			4   enter D br2
			6   leave A br1
			6   leave B2 br2
			6   enter A br2
			6   attended B B2 A D
			6   gone B
			6   gone B2
			10  blind D>A 480
			10  leave A br2
			10  leave D br2
			10  gone D
			11  enter A conf
			20  gone A
			30  gone C`, `
			0.000 C started inbound 79990000000 79229929292
			0.500 A started inbound 79997775533 79229929292
			0.600 A B appeared client>user:u101
			1.000 A B connected client>user:u101
			3.100 B2 started internal - -
			3.100 B2 D appeared user:u101>user:u102
			4.000 B2 D connected user:u101>user:u102
			6.000 A D-2 appeared client>user:u102
			6.000 A D-2 connected client>user:u102
			6.000 B2 D disconnected user:u101>user:u102
			6.000 A B disconnected client>user:u101
			6.000 B2 D finished user:u101>user:u102
			6.000 B2 CALL-FINISHED
			6.000 B2 REGISTER D user:u101>user:u102 4.000..6.000
			10.000 A D-2 disconnected client>user:u102
			20.000 A D-2 finished client>user:u102
			20.000 A CALL-FINISHED
			20.000 A REGISTER B client>user:u101 1.000..6.000, D-2 client>user:u102 6.000..10.000
			30.000 C CALL-FINISHED
			30.000 C REGISTER C client>user never..30.000`},
	})
}

// A page over Local channels is not a call between employees.
func TestAPageOverLocalChannelsInventsNoConsultation(t *testing.T) {
	playScenarios(t, []scenario{{"the pager and two phones", allCalls, `
		0   new A PJSIP/101 Ring caller=101 exten=*80
		0.1 new L1 Local/102@page-00000001;1 Down
		0.1 new L2 Local/102@page-00000001;2 Ring
		0.1 dial >L1 102@page
		0.2 new B PJSIP/102 Down
		0.2 dial L2>B 102
		0.3 enter A page
		0.4 enter B br1
		0.4 enter L2 br1
		0.4 enter L1 page
		9   gone A
		9   gone L1
		9   gone L2
		9   gone B`, ``}})
}

func TestWhoHasLeftAConferenceUnheardHasNoLeg(t *testing.T) {
	playScenarios(t, []scenario{{"101 has left before the client comes", allCalls, `
		0 new A PJSIP/101 Ring caller=101 exten=481
		0 new B PJSIP/102 Ring caller=102 exten=481
		1 enter A room
		1 enter B room
		~2 gone A 16
		3 new C PJSIP/trunk Ring caller=79997775533 exten=79229929292
		4 enter C room
		9 gone C 16
		9 gone B 16`, `
		3.000 C started inbound 79997775533 79229929292
		4.000 C B appeared client>user:u102
		4.000 C B connected client>user:u102
		9.000 C B disconnected client>user:u102
		9.000 C B finished client>user:u102
		9.000 C CALL-FINISHED
		9.000 C REGISTER B client>user:u102 4.000..9.000`}})
}
