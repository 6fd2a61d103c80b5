package tracker_test

import "testing"

func TestInternalCall(t *testing.T) {
	const call = `
		0   new A PJSIP/101 Ring caller=101 exten=102
		0.1 new B PJSIP/102 Down
		0.1 dial A>B 102
		0.2 dialstatus A>B RINGING
	`
	const talk = call + `
		3   enter A br1
		3   enter B br1
		5   hold A
		6   unhold A
	`
	const over = `
		0.100 A started internal - -
		0.100 A B appeared user:u101>user:u102
		3.000 A B connected user:u101>user:u102
		5.000 A B paused user:u101>user:u102
		6.000 A B connected user:u101>user:u102
		9.000 A B disconnected user:u101>user:u102
		9.000 A B finished user:u101>user:u102
		9.000 A CALL-FINISHED
		9.000 A REGISTER B user:u101>user:u102 3.000..9.000
	`
	playScenarios(t, []scenario{
		{"the caller hangs up", allCalls, talk + "9 gone A 16\n9 gone B 16", over},
		{"the called hangs up", allCalls, talk + "9 gone B 16\n9 gone A 16", over},
		{"switched off", outsideCalls, talk + "9 gone B 16\n9 gone A 16", ``},
		{"not answered", allCalls, call + "9 gone B 0\n9.1 gone A 16", `
			0.100 A started internal - -
			0.100 A B appeared user:u101>user:u102
			9.000 A B disconnected user:u101>user:u102
			9.100 A B finished user:u101>user:u102
			9.100 A CALL-FINISHED
			9.100 A REGISTER B user:u101>user:u102 never..9.000`},
		{"to an employee who is no user of the CRM", allCalls, `
			0 new A PJSIP/104 Ring caller=104 exten=108
			1 new B PJSIP/108 Down
			1 dial A>B 108
			2 gone B 17
			2 gone A 17`, `
			1.000 A started internal - -
			1.000 A B appeared user>user
			2.000 A B disconnected user>user
			2.000 A B finished user>user
			2.000 A CALL-FINISHED
			2.000 A REGISTER B user>user never..2.000`},
		{"not answered and forwarded to the colleague's mobile phone", allCalls, `
			0 new A PJSIP/102 Ring caller=102 exten=101
			1 new B PJSIP/101 Down
			1 dial A>B 101
			5 gone B 0
			5 new C PJSIP/trunk Down
			5 dial A>C 89221112233@trunk
			8 enter A br1
			8 enter C br1
			9 gone C 16
			9 gone A 16`, `
			1.000 A started internal - -
			1.000 A B appeared user:u102>user:u101
			5.000 A B disconnected user:u102>user:u101
			5.000 A C appeared user:u102>user:u101
			8.000 A C connected user:u102>user:u101
			9.000 A C disconnected user:u102>user:u101
			9.000 A C finished user:u102>user:u101
			9.000 A CALL-FINISHED
			9.000 A REGISTER B user:u102>user:u101 never..5.000, C user:u102>user:u101 8.000..9.000`},
		{"forwarded to the callee's mobile at once, and internal calls are left out", outsideCalls, `
			0 new A PJSIP/102 Ring caller=102 exten=101
			5 new C PJSIP/trunk Down
			5 dial A>C 89221112233@trunk
			8 enter A br1
			8 enter C br1
			9 gone C 16
			9 gone A 16`, ``},
	})
}

func TestTwoCallsOfOneEmployeeShareNothing(t *testing.T) {
	playScenarios(t, []scenario{{"one inbound, one outbound", allCalls, answered + `
		10   new D PJSIP/101 Ring caller=101 exten=89995550000
		10   hold B
		10.5 new E PJSIP/trunk Down
		10.5 dial D>E 79995550000@trunk
		12   enter D br2
		12   enter E br2
		15   gone E 16
		15   gone D 16
		16   unhold B
		20   gone B 16
		20   gone A 16`, answeredReports + `
		10.000 A B paused client>user:u101
		10.500 D started outbound 79995550000 79229929292
		10.500 D D appeared user:u101>client
		12.000 D D connected user:u101>client
		15.000 D D disconnected user:u101>client
		15.000 D D finished user:u101>client
		15.000 D CALL-FINISHED
		15.000 D REGISTER D user:u101>client 12.000..15.000
		16.000 A B connected client>user:u101
		20.000 A B disconnected client>user:u101
		20.000 A B finished client>user:u101
		20.000 A CALL-FINISHED
		20.000 A REGISTER B client>user:u101 4.003..20.000`}})
}
