package tracker_test

import "testing"

func TestConsultationByKeys(t *testing.T) {
	playScenarios(t, []scenario{
		{"a person outside is consulted about an internal call that is not reported", outsideCalls, `
			0 new A PJSIP/103 Ring caller=103 exten=101
			0 new B PJSIP/101 Down
			0 dial A>B 101
			1 enter A br1
			1 enter B br1
			2 hold B
			3 new L1 Local/out@lcr-00000001;1 Down
			3 new L2 Local/out@lcr-00000001;2 Ring
			3 enter L1 br2
			3 leave B br1
			3 enter B br2
			3 new C PJSIP/trunk Down
			3 dial L2>C 89997775533@trunk
			5 enter C br3
			5 enter L2 br3
			8 gone C 16
			8 gone L2 16
			8 leave B br2
			8 enter B br1
			8 unhold B
			8 gone L1 16
			9 gone A 16
			9 gone B 16`, `
			3.000 L1 started outbound 79997775533 79229929292
			3.000 L1 B appeared user:u101>client
			5.000 L1 B connected user:u101>client
			8.000 L1 B disconnected user:u101>client
			8.000 L1 B finished user:u101>client
			8.000 L1 CALL-FINISHED
			8.000 L1 REGISTER B user:u101>client 5.000..8.000`},
	})
}

func TestConsultationBegunInTheMomentOfTheFirstCall(t *testing.T) {
	playScenarios(t, []scenario{{"the first call stays the one that goes on", allCalls, `
		0 new 1.2 PJSIP/103 Ring caller=103 exten=101
		0 new 1.3 PJSIP/101 Down
		0 dial 1.2>1.3 101
		0 enter 1.2 br1
		0 enter 1.3 br1
		0 new 1.11 PJSIP/101 Ring caller=101 exten=102
		0 new 1.12 PJSIP/102 Down
		0 dial 1.11>1.12 102
		0 enter 1.11 br2
		0 enter 1.12 br2
		5 leave 1.2 br1
		5 leave 1.11 br2
		5 enter 1.2 br2
		5 attended 1.3 1.11 1.2 1.12
		5 leave 1.3 br1
		5 gone 1.3 16
		5 gone 1.11 16
		9 gone 1.2 16
		9 gone 1.12 16`, `
		0.000 1.2 started internal - -
		0.000 1.2 1.3 appeared user:u103>user:u101
		0.000 1.2 1.3 connected user:u103>user:u101
		0.000 1.11 started internal - -
		0.000 1.11 1.12 appeared user:u101>user:u102
		0.000 1.11 1.12 connected user:u101>user:u102
		5.000 1.2 1.12-2 appeared user:u103>user:u102
		5.000 1.11 1.12 disconnected user:u101>user:u102
		5.000 1.2 1.12-2 connected user:u103>user:u102
		5.000 1.2 1.3 disconnected user:u103>user:u101
		5.000 1.11 1.12 finished user:u101>user:u102
		5.000 1.11 CALL-FINISHED
		5.000 1.11 REGISTER 1.12 user:u101>user:u102 0.000..5.000
		9.000 1.2 1.12-2 disconnected user:u103>user:u102
		9.000 1.2 1.12-2 finished user:u103>user:u102
		9.000 1.2 CALL-FINISHED
		9.000 1.2 REGISTER 1.3 user:u103>user:u101 0.000..5.000, 1.12-2 user:u103>user:u102 5.000..9.000`}})
}

func TestConsultationFromAConversationThatIsNoCall(t *testing.T) {
	playScenarios(t, []scenario{{"an employee in a conference without a client consults by keys", allCalls, `
		0 new A PJSIP/101 Ring caller=101 exten=481
		0 new B PJSIP/104 Ring caller=104 exten=481
		1 enter A room
		1 enter B room
		2 hold A
		3 new L1 Local/102@office-00000001;1 Down
		3 new L2 Local/102@office-00000001;2 Ring
		3 enter L1 br2
		3 leave A room
		3 enter A br2
		3 new C PJSIP/102 Down
		3 dial L2>C 102
		5 enter C br3
		5 enter L2 br3
		8 gone C 16
		8 gone L2 16
		8 leave A br2
		8 enter A room
		8 gone L1 16
		9 gone A 16
		9 gone B 16`, `
		3.000 L1 started internal - -
		3.000 L1 C appeared user:u101>user:u102
		5.000 L1 C connected user:u101>user:u102
		8.000 L1 C disconnected user:u101>user:u102
		8.000 L1 C finished user:u101>user:u102
		8.000 L1 CALL-FINISHED
		8.000 L1 REGISTER C user:u101>user:u102 5.000..8.000`}})
}

func TestConsultationByKeysIsKnownAfterAGap(t *testing.T) {
	// 101 talks to a client when the connection is lost, and then asks 102 by
	// the keys of the telephone. The switch counts all channels to the client's call.
	const asking = answered + `
		~6 hold B
		~7 new L1 Local/102@office-00000001;1 Down
		~7 linked L1 A
		~7 new L2 Local/102@office-00000001;2 Ring
		~7 enter L1 br2
		~7 leave B br1
		~7 enter B br2
		~7 new C PJSIP/102 Down
		~7 dial L2>C 102
	`
	const asked = answeredReports + `
		8.000 L1 started internal - -
		8.000 L1 C appeared user:u101>user:u102
	`
	playScenarios(t, []scenario{
		{"while it rings", allCalls, asking + `
			8 snapshot
			9 gone C 0
			9 gone L2 16
			9 leave B br2
			9 enter B br1
			9 gone L1 16
			20 gone A 16
			20 gone B 16`, asked + `
			9.000 L1 C disconnected user:u101>user:u102
			9.000 L1 C finished user:u101>user:u102
			9.000 L1 CALL-FINISHED
			9.000 L1 REGISTER C user:u101>user:u102 never..9.000
			20.000 A B disconnected client>user:u101
			20.000 A B finished client>user:u101
			20.000 A CALL-FINISHED
			20.000 A REGISTER B client>user:u101 4.003..20.000`},
		{"while the two talk, and the client is handed over", allCalls, asking + `
			~7.5 enter C br3
			~7.5 enter L2 br3
			8 snapshot
			9 leave B br2
			9 leave L1 br2
			9 enter L1 br1
			9 attended B B A L1
			9 gone B 16
			20 gone A 16
			20 gone C 16`, asked + `
			8.000 L1 C connected user:u101>user:u102
			9.000 A C-2 appeared client>user:u102
			9.000 A C-2 connected client>user:u102
			9.000 L1 C disconnected user:u101>user:u102
			9.000 L1 C finished user:u101>user:u102
			9.000 L1 CALL-FINISHED
			9.000 L1 REGISTER C user:u101>user:u102 8.000..9.000
			9.000 A B disconnected client>user:u101
			20.000 A C-2 disconnected client>user:u102
			20.000 A C-2 finished client>user:u102
			20.000 A CALL-FINISHED
			20.000 A REGISTER B client>user:u101 4.003..9.000, C-2 client>user:u102 9.000..20.000`},
	})
}
