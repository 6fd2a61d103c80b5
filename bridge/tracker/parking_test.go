package tracker_test

import "testing"

func TestParking(t *testing.T) {
	playScenarios(t, []scenario{
		{"an employee parks the colleague whom he has called, by the keys of his telephone", allCalls, `
			0 new A PJSIP/103 Ring caller=103 exten=101
			0 new B PJSIP/101 Down
			0 dial A>B 101
			1 enter A br1
			1 enter B br1
			2 leave B br1
			2 enter B lot holding
			5 leave A br1
			5 close br1
			5 gone A 16
			6 new C PJSIP/102 Ring caller=102 exten=701
			7 leave B lot
			7 enter B br2
			7 enter C br2
			9 gone C 16
			9 gone B 16`, `
			0.000 A started internal - -
			0.000 A B appeared user:u103>user:u101
			1.000 A B connected user:u103>user:u101
			2.000 A B disconnected user:u103>user:u101
			7.000 A C appeared user:u101>user:u102
			7.000 A C connected user:u101>user:u102
			9.000 A C disconnected user:u101>user:u102
			9.000 A C finished user:u101>user:u102
			9.000 A CALL-FINISHED
			9.000 A REGISTER B user:u103>user:u101 1.000..2.000, C user:u101>user:u102 7.000..9.000`},
	})
}
