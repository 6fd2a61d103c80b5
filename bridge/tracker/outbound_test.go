package tracker_test

import "testing"

// dialling is 101 (A) calling a client over the trunk (B).
const dialling = `
	0     new A PJSIP/101 Ring caller=101 exten=89997775533
	0.010 callerid A 79229929292
	0.020 new B PJSIP/trunk Down
	0.021 dial A>B 79997775533@trunk
	0.022 callerid B 79997775533
	1     dialstatus A>B PROGRESS
`

const diallingReports = `
	0.021 A started outbound 79997775533 79229929292
	0.021 A A appeared user:u101>client
`

func TestOutboundCall(t *testing.T) {
	const talk = `
		5     dialstatus A>B ANSWER
		5     state A Up
		5.001 enter B br1
		5.002 enter A br1
	`
	const over = `
		0.021 A started outbound 79997775533 79229929292
		0.021 A A appeared user:u101>client
		5.002 A A connected user:u101>client
		8.000 A A disconnected user:u101>client
		8.000 A A finished user:u101>client
		8.000 A CALL-FINISHED
		8.000 A REGISTER A user:u101>client 5.002..8.000
	`
	const failed = diallingReports + `
		8.000 A A disconnected user:u101>client
		8.000 A A finished user:u101>client
		8.000 A CALL-FINISHED
		8.000 A REGISTER A user:u101>client never..8.000
	`
	playScenarios(t, []scenario{
		{"the employee hangs up", outsideCalls, dialling + talk + "8 gone A 16\n8 gone B 16", over},
		{"the client hangs up", outsideCalls, dialling + talk + "8 gone B 16\n8 gone A 16", over},
		{"busy", allCalls, dialling + "8 dialstatus A>B BUSY\n8 gone B 17\n8 gone A 17", failed},
		{"no answer", allCalls, dialling + "8 dialstatus A>B NOANSWER\n8 gone B 0\n8 gone A 16", failed},
		{"the employee gives up", allCalls, dialling + "8 gone A 127\n8 dialstatus A>B CANCEL\n8 gone B 127", failed},
		{"the employee holds the client", allCalls, dialling + talk + `
			6 hold A
			7 unhold A
			8 gone A
			8 gone B`, diallingReports + `
			5.002 A A connected user:u101>client
			6.000 A A paused user:u101>client
			7.000 A A connected user:u101>client
			8.000 A A disconnected user:u101>client
			8.000 A A finished user:u101>client
			8.000 A CALL-FINISHED
			8.000 A REGISTER A user:u101>client 5.002..8.000`},
		{"the client goes and the employee stays on the line", allCalls, dialling + talk + `
			7 gone B 16
			9 gone A 16`, diallingReports + `
			5.002 A A connected user:u101>client
			7.000 A A disconnected user:u101>client
			9.000 A A finished user:u101>client
			9.000 A CALL-FINISHED
			9.000 A REGISTER A user:u101>client 5.002..7.000`},
		{"the second trunk reaches the client", allCalls, dialling + `
			2     dialstatus A>B CONGESTION
			2     gone B 34
			2.1   new C PJSIP/spare Down
			2.1   dial A>C 79997775533@spare
			2.1   callerid C 79997775533
			5     enter A br1
			5.002 enter C br1
			8     gone A 16
			8     gone C 16`, over},
		{"the second trunk is dialled before the first is gone", allCalls, dialling + `
			2.1   new C PJSIP/spare Down
			2.1   dial A>C 79997775533@spare
			2.2   gone B 34
			5     enter A br1
			5.002 enter C br1
			8     gone A 16
			8     gone C 16`, over},
		{"all trunks fail", allCalls, dialling + `
			2     gone B 34
			2.1   new C PJSIP/spare Down
			2.1   dial A>C 79997775533@spare
			4     gone C 34
			4.1   new D DAHDI/i1/89997775533 Down
			4.1   dial A>D i1/89997775533
			5     gone D 3
			8     gone A 16`, failed},
		{"an employee who is no user of the CRM", allCalls, `
			0 new A PJSIP/104 Ring caller=104 exten=89997775533
			1 new B PJSIP/trunk Down
			1 dial A>B 79997775533@trunk
			3 enter A br1
			3 enter B br1
			4 gone A
			4 gone B`, `
			1.000 A started outbound 79997775533 79229929292
			1.000 A A appeared user>client
			3.000 A A connected user>client
			4.000 A A disconnected user>client
			4.000 A A finished user>client
			4.000 A CALL-FINISHED
			4.000 A REGISTER A user>client 3.000..4.000`},
	})
}

func TestOutboundCallNumbers(t *testing.T) {
	for _, test := range []struct{ name, own, exten, trunk, dialString, peer, want string }{
		{"the dial string counts first", "101", "123", "PJSIP/trunk", "79997775533@trunk", "70000000000", "79997775533 79229929292"},
		{"as dialled inside the country", "101", "89997775533", "PJSIP/trunk", "89997775533@trunk", "", "79997775533 79229929292"},
		{"abroad", "101", "8104420", "PJSIP/trunk", "810442079460958@trunk", "", "442079460958 79229929292"},
		{"behind the trunk's name", "101", "8", "DAHDI/i1/89997775533", "i1/89997775533", "", "79997775533 73432000000"},
		{"a SIP address", "101", "8", "PJSIP/spare", "spare/sip:+79997775533@203.0.113.5", "", "79997775533 78005553535"},
		{"what the trunk's channel shows", "101", "8", "PJSIP/trunk", "trunk", "+79997775533", "79997775533 79229929292"},
		{"what the employee dialled", "101", "8(999)7775533", "PJSIP/trunk", "trunk", "", "79997775533 79229929292"},
		{"no number at all", "101", "s", "PJSIP/trunk", "trunk", "", "anonymous 79229929292"},
		{"the caller id shown outside", "8(343)200-00-00", "8", "PJSIP/trunk", "79997775533@trunk", "", "79997775533 73432000000"},
		{"no caller id", "", "8", "PJSIP/trunk", "79997775533@trunk", "", "79997775533 79229929292"},
		{"a name for caller id", "reception", "8", "PJSIP/spare", "79997775533@spare", "", "79997775533 78005553535"},
		{"an emergency call", "101", "112", "PJSIP/trunk", "112@trunk", "", "112 79229929292"},
		{"a trunk that is not listed", "101", "8", "PJSIP/provider", "79997775533@provider", "", "79997775533 -"},
	} {
		playScenarios(t, []scenario{{test.name, allCalls, `
			0 new A PJSIP/101 Ring caller=` + test.own + ` exten=` + test.exten + `
			1 new B ` + test.trunk + ` Down caller=` + test.peer + `
			1 dial A>B ` + test.dialString + `
			2 gone B
			2 gone A`, `
			1.000 A started outbound ` + test.want + `
			1.000 A A appeared user:u101>client
			2.000 A A disconnected user:u101>client
			2.000 A A finished user:u101>client
			2.000 A CALL-FINISHED
			2.000 A REGISTER A user:u101>client never..2.000`}})
	}
}

func TestOriginatedCall(t *testing.T) {
	playScenarios(t, []scenario{
		{"a phone is called first, then the client", allCalls, `
			0   new A PJSIP/101 Down
			0   dial >A 101
			1   dialstatus >A RINGING
			3   state A Up
			3   dialstatus >A ANSWER
			3   app A Dial
			3.1 new B PJSIP/trunk Down
			3.1 dial A>B 79997775533@trunk
			6   enter A br1
			6   enter B br1
			9   gone B 16
			9   gone A 16`, `
			3.100 A started outbound 79997775533 79229929292
			3.100 A A appeared user:u101>client
			6.000 A A connected user:u101>client
			9.000 A A disconnected user:u101>client
			9.000 A A finished user:u101>client
			9.000 A CALL-FINISHED
			9.000 A REGISTER A user:u101>client 6.000..9.000`},
		{"the phone is not picked up", allCalls, `
			0  new A PJSIP/101 Down
			0  dial >A 101
			20 dialstatus >A NOANSWER
			20 gone A 19`, ``},
		{"a client is called by a machine and connected to a phone", allCalls, `
			0 new A PJSIP/trunk Down
			0 dial >A 79997775533@trunk
			3 state A Up
			3 app A Dial
			4 new B PJSIP/101 Down
			4 dial A>B 101
			5 enter A br1
			5 enter B br1
			6 gone A
			6 gone B`, ``},
	})
}

func TestWhatIsNoCall(t *testing.T) {
	playScenarios(t, []scenario{
		{"an echo test", allCalls, `
			0 new A PJSIP/101 Ring caller=101 exten=*43
			0 state A Up
			9 gone A 16`, ``},
		{"a feature code in a bridge of its own", allCalls, `
			0 new A PJSIP/101 Ring caller=101 exten=*97
			1 enter A br1
			2 hold A
			3 unhold A
			4 gone A 16`, ``},
		{"two employees who meet in a bridge without calling each other", allCalls, `
			0 new A PJSIP/101 Ring caller=101 exten=300
			0 new B PJSIP/102 Ring caller=102 exten=300
			1 enter A br1
			1 enter B br1
			4 gone A 16
			5 gone B 16`, ``},
		{"a phone called by a Local channel without a caller behind it", allCalls, `
			0 new L1 Local/101@page-00000001;1 Down
			0 new L2 Local/101@page-00000001;2 Ring
			0 dial >L1 101@page
			1 new B PJSIP/101 Down
			1 dial L2>B 101
			2 gone B 16
			2 gone L2 16
			2 gone L1 16`, ``},
		{"events of unknown channels", allCalls, `
			!0 state A Up
			!1 callerid A 79997775533
			!2 dial A>B 101
			!3 enter A br1
			!3 enter B br1
			!4 hold A
			!5 leave A br1
			!6 gone A
			!6 gone B`, ``},
	})
}
