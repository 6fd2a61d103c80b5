package tracker_test

import "testing"

// The event of the next dial may come before the one that the client has left.
func TestADialEndsTheTalkThatWasLeftForIt(t *testing.T) {
	playScenarios(t, []scenario{{"the dial comes first", allCalls, answered + `
		10 new C PJSIP/102 Down
		10 dial A>C 102
		10 leave A br1
		10 leave B br1
		10 gone B 16
		15 enter C br2
		15 enter A br2
		20 gone A
		20 gone C`, answeredReports + `
		10.000 A B disconnected client>user:u101
		10.000 A C appeared client>user:u102
		15.000 A C connected client>user:u102
		20.000 A C disconnected client>user:u102
		20.000 A C finished client>user:u102
		20.000 A CALL-FINISHED
		20.000 A REGISTER B client>user:u101 4.003..10.000, C client>user:u102 15.000..20.000`}})
}

// The transferee of an agent who is called over a Local channel is its other half.
func TestAnAgentOverALocalChannelHandsOverToAnOutsideNumber(t *testing.T) {
	playScenarios(t, []scenario{{"attended", allCalls, `
		0   new A PJSIP/trunk Ring caller=79997775533 exten=79229929292
		0.1 new L1 Local/101@from-queue-00000001;1 Down
		0.1 new L2 Local/101@from-queue-00000001;2 Ring
		0.1 dial A>L1 101@from-queue/n
		0.2 new B PJSIP/101 Down
		0.2 dial L2>B 101
		1   enter B br1
		1   enter L2 br1
		1   enter L1 br0
		1   enter A br0
		3   new C PJSIP/101 Ring caller=101 exten=89165550000
		3.1 new T PJSIP/trunk Down
		3.1 dial C>T 79165550000@trunk
		4   enter C br2
		4   enter T br2
		6   leave L2 br1
		6   leave C br2
		6   enter L2 br2
		6   attended B C L2 T
		6   gone B
		6   gone C
		20  gone T
		20  gone L2
		20  gone L1
		20  gone A`, `
		0.000 A started inbound 79997775533 79229929292
		0.200 A B appeared client>user:u101
		1.000 A B connected client>user:u101
		3.100 C started outbound 79165550000 79229929292
		3.100 C C appeared user:u101>client
		4.000 C C connected user:u101>client
		6.000 A T appeared client>client
		6.000 A T connected client>client
		6.000 C C disconnected user:u101>client
		6.000 A B disconnected client>user:u101
		6.000 C C finished user:u101>client
		6.000 C CALL-FINISHED
		6.000 C REGISTER C user:u101>client 4.000..6.000
		20.000 A T disconnected client>client
		20.000 A T finished client>client
		20.000 A CALL-FINISHED
		20.000 A REGISTER B client>user:u101 1.000..6.000, T client>client 6.000..20.000`}})
}

// The lists of a snapshot may be ahead of the events, or behind them.
func TestASnapshotInTheMidstOfATransferInventsNoLeg(t *testing.T) {
	const over = `
		20.000 A C disconnected client>user:u102
		20.000 A C finished client>user:u102
		20.000 A CALL-FINISHED
	`
	playScenarios(t, []scenario{
		{"who has transferred is still in the bridge", allCalls, answered + `
			10 blind B>A 102
			10 snapshot
			10 leave A br1
			10 leave B br1
			10 gone B
			11 new C PJSIP/102 Down
			11 dial A>C 102
			15 enter C br2
			15 enter A br2
			20 gone A
			20 gone C`, answeredReports + `
			10.000 A B disconnected client>user:u101
			11.000 A C appeared client>user:u102
			15.000 A C connected client>user:u102` + over + `
			20.000 A REGISTER B client>user:u101 4.003..10.000, C client>user:u102 15.000..20.000`},
		{"who has taken the call out of a queue looks as if dialled", allCalls, ringing + `
			3  new C PJSIP/102 Ring caller=102 exten=*8
			4  app C AppDial
			4  enter C br1
			4  enter A br1
			4  gone B
			10 snapshot
			20 gone A
			20 gone C`, `
			0.000 A started inbound 79997775533 79229929292
			0.501 A B appeared client>user:u101
			4.000 A B disconnected client>user:u101
			4.000 A C appeared client>user:u102
			4.000 A C connected client>user:u102` + over + `
			20.000 A REGISTER B client>user:u101 never..4.000, C client>user:u102 4.000..20.000`},
	})
}
