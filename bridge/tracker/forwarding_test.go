package tracker_test

import "testing"

// A Local channel calls a mobile phone beside the desk phone: nested dials.
const followMe = `
	0     new A PJSIP/trunk Ring caller=79997775533 exten=79229929292
	0.5   new B PJSIP/101 Down
	0.5   dial A>B 101
	0.51  new L1 Local/mob@follow-00000001;1 Down
	0.51  new L2 Local/mob@follow-00000001;2 Ring
	0.52  dial A>L1 mob@follow
	0.6   new C PJSIP/trunk Down
	0.6   dial L2>C 89221112233@trunk
	0.61  callerid C 89221112233
	1     dialstatus L2>C RINGING
	1     dialstatus A>L1 RINGING
`

func TestFollowMe(t *testing.T) {
	const appeared = `
		0.000 A started inbound 79997775533 79229929292
		0.500 A B appeared client>user:u101
		0.600 A C appeared client>user:u101
	`
	playScenarios(t, []scenario{
		{"the mobile phone answers, and the Local channel is optimised away", allCalls, followMe + `
			6     enter C br1
			6     enter L2 br1
			6     enter L1 br2
			6     enter A br2
			6.001 leave A br2
			6.001 leave L2 br1
			6.001 enter A br1
			6.001 gone L1 16
			6.001 gone L2 16
			6.002 gone B 26
			20    gone C 16
			20    gone A 16`, appeared + `
			6.000 A C connected client>user:u101
			6.002 A B disconnected client>user:u101
			20.000 A C disconnected client>user:u101
			20.000 A C finished client>user:u101
			20.000 A CALL-FINISHED
			20.000 A REGISTER B client>user:u101 never..6.002, C client>user:u101 6.000..20.000`},
		{"the mobile phone answers, and the Local channel stays", allCalls, followMe + `
			6     enter C br1
			6     enter L2 br1
			6     enter L1 br2
			6     enter A br2
			6.002 gone B 26
			9     hold C
			10    unhold C
			20    gone C 16
			20    gone L2 16
			20    gone L1 16
			20    gone A 16`, appeared + `
			6.000 A C connected client>user:u101
			6.002 A B disconnected client>user:u101
			9.000 A C paused client>user:u101
			10.000 A C connected client>user:u101
			20.000 A C disconnected client>user:u101
			20.000 A C finished client>user:u101
			20.000 A CALL-FINISHED
			20.000 A REGISTER B client>user:u101 never..6.002, C client>user:u101 6.000..20.000`},
		{"the desk phone answers", allCalls, followMe + `
			3     gone C 26
			3     gone L2 26
			3     gone L1 26
			3.001 enter A br1
			3.001 enter B br1
			9     gone A 16
			9     gone B 16`, appeared + `
			3.000 A C disconnected client>user:u101
			3.001 A B connected client>user:u101
			9.000 A B disconnected client>user:u101
			9.000 A B finished client>user:u101
			9.000 A CALL-FINISHED
			9.000 A REGISTER B client>user:u101 3.001..9.000, C client>user:u101 never..3.000`},
		{"the call ends with its last person, not with the Local channel", allCalls, followMe + `
			7     gone A 16
			7.1   gone B 16
			7.2   gone C 16
			7.3   gone L1 16
			7.4   gone L2 16`, appeared + `
			7.100 A B disconnected client>user:u101
			7.200 A C disconnected client>user:u101
			7.200 A C finished client>user:u101
			7.200 A CALL-FINISHED
			7.200 A REGISTER B client>user:u101 never..7.100, C client>user:u101 never..7.200`},
		{"the inner Dial comes before the outer one", allCalls, `
			0     new A PJSIP/trunk Ring caller=79997775533 exten=79229929292
			0.51  new L1 Local/101@office-00000001;1 Down
			0.51  new L2 Local/101@office-00000001;2 Ring
			0.6   new B PJSIP/101 Down
			0.6   dial L2>B 101
			0.601 dial A>L1 101@office
			7     gone B 0
			7     gone L2 0
			7     gone L1 0
			7     gone A 16`, `
			0.000 A started inbound 79997775533 79229929292
			0.601 A B appeared client>user:u101
			7.000 A B disconnected client>user:u101
			7.000 A B finished client>user:u101
			7.000 A CALL-FINISHED
			7.000 A REGISTER B client>user:u101 never..7.000`},
		{"an outbound call over a Local channel", allCalls, `
			0   new A PJSIP/101 Ring caller=101 exten=89997775533
			0.1 new L1 Local/out@lcr-00000001;1 Down
			0.1 new L2 Local/out@lcr-00000001;2 Ring
			0.1 dial A>L1 out@lcr
			0.2 new B PJSIP/trunk Down
			0.2 dial L2>B 79997775533@trunk
			2   gone B 34
			2.1 new C PJSIP/spare Down
			2.1 dial L2>C 79997775533@spare
			5   enter C br1
			5   enter L2 br1
			5   enter L1 br2
			5   enter A br2
			8   gone A 16
			8   gone L1 16
			8   gone L2 16
			8   gone C 16`, `
			0.200 A started outbound 79997775533 79229929292
			0.200 A A appeared user:u101>client
			5.000 A A connected user:u101>client
			8.000 A A disconnected user:u101>client
			8.000 A A finished user:u101>client
			8.000 A CALL-FINISHED
			8.000 A REGISTER A user:u101>client 5.000..8.000`},
	})
}

func TestForwardingOutside(t *testing.T) {
	for number, to := range map[string]string{"89221112233": "user:u101", "+7(922)444-55-66": "user:umob", "79990000000": "client"} {
		parties := "client>" + to
		playScenarios(t, []scenario{{"to " + number, allCalls, `
			0 new A PJSIP/trunk Ring caller=79997775533 exten=79229929292
			1 new B PJSIP/trunk Down caller=` + number + `
			1 dial A>B trunk
			3 enter A br1
			3 enter B br1
			9 gone A
			9 gone B`, `
			0.000 A started inbound 79997775533 79229929292
			1.000 A B appeared ` + parties + `
			3.000 A B connected ` + parties + `
			9.000 A B disconnected ` + parties + `
			9.000 A B finished ` + parties + `
			9.000 A CALL-FINISHED
			9.000 A REGISTER B ` + parties + ` 3.000..9.000`}})
	}
}

func TestBlindTransfer(t *testing.T) {
	const transferred = answered + `
		10 unhold B
		10 leave A br1
		10 leave B br1
		10 gone B 16
		11 new C PJSIP/102 Down
		11 dial A>C 102
	`
	const handedOver = answeredReports + `
		10.000 A B disconnected client>user:u101
		11.000 A C appeared client>user:u102
	`
	playScenarios(t, []scenario{
		{"answered", allCalls, transferred + `
			15 enter C br2
			15 enter A br2
			20 gone A
			20 gone C`, handedOver + `
			15.000 A C connected client>user:u102
			20.000 A C disconnected client>user:u102
			20.000 A C finished client>user:u102
			20.000 A CALL-FINISHED
			20.000 A REGISTER B client>user:u101 4.003..10.000, C client>user:u102 15.000..20.000`},
		{"not answered", allCalls, transferred + `
			20 gone C
			20 gone A`, handedOver + `
			20.000 A C disconnected client>user:u102
			20.000 A B finished client>user:u101
			20.000 A CALL-FINISHED
			20.000 A REGISTER B client>user:u101 4.003..10.000, C client>user:u102 never..20.000`},
	})
}
