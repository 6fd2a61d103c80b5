package tracker_test

import "testing"

func TestRingGroup(t *testing.T) {
	// Three phones are called; their events come in no order.
	const group = `
		0     new A PJSIP/trunk Ring caller=79997775533 exten=79229929292
		0.5   new B PJSIP/101 Down
		0.5   new C PJSIP/102 Down
		0.5   new D PJSIP/103 Down
		0.501 dial A>B 101
		0.501 dial A>C 102
		0.502 dial A>D 103
		0.6   state D Ringing
		0.6   dialstatus A>D RINGING
		0.6   dialstatus A>B RINGING
		0.6   state B Ringing
		0.6   state C Ringing
		0.6   dialstatus A>C RINGING
	`
	const appeared = `
		0.000 A started inbound 79997775533 79229929292
		0.501 A B appeared client>user:u101
		0.501 A C appeared client>user:u102
		0.502 A D appeared client>user:u103
	`
	playScenarios(t, []scenario{
		{"102 answers", allCalls, group + `
			5     state C Up
			5     dialstatus A>B CANCEL
			5     dialstatus A>D CANCEL
			5     dialstatus A>C ANSWER
			5.001 enter C br1
			5.001 enter A br1
			5.002 gone B 26
			5.003 gone D 26
			20    gone C 16
			20.001 gone A 16`, appeared + `
			5.000 A B disconnected client>user:u101
			5.000 A D disconnected client>user:u103
			5.001 A C connected client>user:u102
			20.000 A C disconnected client>user:u102
			20.001 A C finished client>user:u102
			20.001 A CALL-FINISHED
			20.001 A REGISTER B client>user:u101 never..5.000, C client>user:u102 5.001..20.000, D client>user:u103 never..5.000`},
		{"102 answers and the others are gone before", allCalls, group + `
			5     gone D 26
			5     gone B 26
			5.001 enter A br1
			5.001 enter C br1
			20    gone A 16
			20    gone C 16`, appeared + `
			5.000 A D disconnected client>user:u103
			5.000 A B disconnected client>user:u101
			5.001 A C connected client>user:u102
			20.000 A C disconnected client>user:u102
			20.000 A C finished client>user:u102
			20.000 A CALL-FINISHED
			20.000 A REGISTER B client>user:u101 never..5.000, C client>user:u102 5.001..20.000, D client>user:u103 never..5.000`},
		{"no phone answers", allCalls, group + `
			25    gone C 0
			25    gone D 0
			25.001 gone A 16
			25.002 gone B 0`, appeared + `
			25.000 A C disconnected client>user:u102
			25.000 A D disconnected client>user:u103
			25.002 A B disconnected client>user:u101
			25.002 A D finished client>user:u103
			25.002 A CALL-FINISHED
			25.002 A REGISTER B client>user:u101 never..25.002, C client>user:u102 never..25.000, D client>user:u103 never..25.000`},
	})
}

func TestQueue(t *testing.T) {
	playScenarios(t, []scenario{
		{"101 does not answer and is called again, 102 answers", allCalls, `
			0    new A PJSIP/trunk Ring caller=79997775533 exten=79229929292
			0.1  state A Up
			0.1  app A Queue
			0.2  enter A moh holding
			1    new B PJSIP/101 Down
			1    dial A>B PJSIP/101
			1.1  dialstatus A>B RINGING
			11   dialstatus A>B NOANSWER
			11   dialstatus A>B CANCEL
			11   gone B 0
			12   new C PJSIP/101 Down
			12   dial A>C PJSIP/101
			22   dialstatus A>C NOANSWER
			22   gone C 0
			22   dialstatus A>C CANCEL
			23   new D PJSIP/102 Down
			23   dial A>D PJSIP/102
			25   dialstatus A>D ANSWER
			28   leave A moh
			28   enter D br1
			28   enter A br1
			60   gone A 16
			60   gone D 16`, `
			0.000 A started inbound 79997775533 79229929292
			1.000 A B appeared client>user:u101
			11.000 A B disconnected client>user:u101
			12.000 A C appeared client>user:u101
			22.000 A C disconnected client>user:u101
			23.000 A D appeared client>user:u102
			28.000 A D connected client>user:u102
			60.000 A D disconnected client>user:u102
			60.000 A D finished client>user:u102
			60.000 A CALL-FINISHED
			60.000 A REGISTER B client>user:u101 never..11.000, C client>user:u101 never..22.000, D client>user:u102 28.000..60.000`},
		{"the caller gives up in the queue", allCalls, `
			0    new A PJSIP/trunk Ring caller=79997775533 exten=79229929292
			0.1  state A Up
			0.1  app A Queue
			1    new B PJSIP/101 Down
			1    dial A>B PJSIP/101
			5    gone A 16
			5    dialstatus A>B CANCEL
			5.1  gone B 26`, `
			0.000 A started inbound 79997775533 79229929292
			1.000 A B appeared client>user:u101
			5.000 A B disconnected client>user:u101
			5.100 A B finished client>user:u101
			5.100 A CALL-FINISHED
			5.100 A REGISTER B client>user:u101 never..5.000`},
	})
}

func TestTwoDevicesOfOneEndpointAreOneLeg(t *testing.T) {
	const two = `
		0   new A PJSIP/trunk Ring caller=79997775533 exten=79229929292
		0.5 new B PJSIP/101 Down
		0.5 new C PJSIP/101 Down
		0.5 dial A>B 101
		0.5 dial A>C 101
	`
	playScenarios(t, []scenario{
		{"the second answers", allCalls, two + `
			3 gone B 26
			3 enter A br1
			3 enter C br1
			9 gone C 16
			9 gone A 16`, `
			0.000 A started inbound 79997775533 79229929292
			0.500 A B appeared client>user:u101
			3.000 A B connected client>user:u101
			9.000 A B disconnected client>user:u101
			9.000 A B finished client>user:u101
			9.000 A CALL-FINISHED
			9.000 A REGISTER B client>user:u101 3.000..9.000`},
		{"the first answers and the second goes later", allCalls, two + `
			3 enter A br1
			3 enter B br1
			3.1 gone C 26
			9 gone B 16
			9 gone A 16`, `
			0.000 A started inbound 79997775533 79229929292
			0.500 A B appeared client>user:u101
			3.000 A B connected client>user:u101
			9.000 A B disconnected client>user:u101
			9.000 A B finished client>user:u101
			9.000 A CALL-FINISHED
			9.000 A REGISTER B client>user:u101 3.000..9.000`},
		{"one is switched off, the other is not picked up", allCalls, two + `
			1 gone B 20
			9 gone C 0
			9 gone A 16`, `
			0.000 A started inbound 79997775533 79229929292
			0.500 A B appeared client>user:u101
			9.000 A B disconnected client>user:u101
			9.000 A B finished client>user:u101
			9.000 A CALL-FINISHED
			9.000 A REGISTER B client>user:u101 never..9.000`},
	})
}
