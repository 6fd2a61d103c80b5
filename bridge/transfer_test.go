package bridge_test

import "testing"

// Asterisk may tell of the next dial before it tells that the client has left.
func TestADialEndsTheTalkThatWasLeftForIt(t *testing.T) {
	tell(t, []scenario{{"the dial is told first", allCalls, answered + `
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
