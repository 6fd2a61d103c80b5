package e2e_test

import (
	"testing"

	"kontur-ari/e2e/phone"
)

// conferenceScenarios are clients and employees who meet in a room. Each employee who is
// there with a client has a leg of the client's call.
var conferenceScenarios = []scenario{
	{"conference_client_last", "101 and 102 are in a room, the client comes in; 101 leaves, then the client does", conferenceClientLast, [][]string{{
		"call-started inbound client at 78005554480",
		// Both are connected to the client at the moment when he enters.
		"client>101 appeared & client>101 connected & client>102 appeared & client>102 connected",
		"client>101 disconnected", "client>102 disconnected", "client>102 finished",
		"call-finished", "register-call client>101 answered, client>102 answered",
	}}},
	{"conference_client_first", "the client waits in a room, 101 comes in, then 102; 102 leaves, then 101 does, then the client", conferenceClientFirst, [][]string{{
		"call-started inbound client at 78005554481",
		"client>101 appeared", "client>101 connected", "client>102 appeared", "client>102 connected",
		"client>102 disconnected", "client>101 disconnected", "client>102 finished",
		"call-finished", "register-call client>101 answered, client>102 answered",
	}}},
	{"conference_client_leaves", "101, 102 and the client are in a room; the client leaves, the others stay", conferenceClientLeaves, [][]string{conferenceThatClientLeaves}},
	{"conference_moved", "101 talks to the client, sends him to a room by REFER and comes in too", conferenceMoved, [][]string{{
		"call-started " + direct, "client>101 appeared", "client>101 connected", "client>101 disconnected",
		"client>101#2 appeared", "client>101#2 connected", "client>101#2 disconnected", "client>101#2 finished",
		"call-finished", "register-call client>101 answered, client>101 answered",
	}}},
	{"conference_two_clients", "101 is in a room, the client comes in, then another; the client leaves, then 101 does", conferenceTwoClients, [][]string{
		answeredLeg("inbound client at 78005554484", "client>101"),
		answeredLeg("inbound 79990000000 at 78005554484", "client>101"),
	}},
	{"conference_back", "102 leaves the room where the client and 101 are, and comes back", conferenceBack, [][]string{{
		"call-started inbound client at 78005554485",
		"client>101 appeared", "client>101 connected", "client>102 appeared", "client>102 connected", "client>102 disconnected",
		"client>102#2 appeared", "client>102#2 connected", "client>102#2 disconnected", "client>101 disconnected", "client>102#2 finished",
		"call-finished", "register-call client>101 answered, client>102 answered, client>102 answered",
	}}},
	{"conference_clients_only", "two clients are in a room, and none of us", conferenceClientsOnly, [][]string{
		{"call-started inbound client at 78005554486", "call-finished", "register-call client>somebody missed"},
		{"call-started inbound 79990000000 at 78005554486", "call-finished", "register-call client>somebody missed"},
	}},
	{"conference_employees_only", "101 and 102 are in a room, and no client: no call", conferenceEmployeesOnly, nil},
}

var conferenceThatClientLeaves = []string{
	"call-started inbound client at 78005554482",
	"client>101 appeared & client>101 connected & client>102 appeared & client>102 connected",
	"client>101 disconnected & client>102 disconnected", "client>102 finished",
	"call-finished", "register-call client>101 answered, client>102 answered",
}

// room is a conference and the number of its participants.
type room struct {
	*stage
	people int
}

// enters waits until a call to the room's number is answered and in the conference.
func (r *room) enters(call *phone.Call) *phone.Call {
	r.Helper()
	r.must(call.AwaitAnswered(r.ctx))
	r.people++
	r.must(r.AwaitConversation(r.ctx, r.people))
	return call
}

// leaves hangs up a participant's call, and waits until only the others are in the room.
func (r *room) leaves(call *phone.Call) {
	r.Helper()
	r.must(call.Hangup(r.ctx))
	r.people--
	if r.people > 0 {
		r.must(r.AwaitConversation(r.ctx, r.people))
	}
}

func conferenceClientLast(s *stage) {
	r := room{stage: s}
	first, second := r.enters(s.dials("101", "480")), r.enters(s.dials("102", "480"))
	caller := r.enters(s.comesIn("78005554480"))
	r.leaves(first)
	r.leaves(caller)
	r.leaves(second)
}

func conferenceClientFirst(s *stage) {
	r := room{stage: s}
	caller := r.enters(s.comesIn("78005554481"))
	first, second := r.enters(s.dials("101", "481")), r.enters(s.dials("102", "481"))
	r.leaves(second)
	r.leaves(first)
	r.leaves(caller)
}

func conferenceClientLeaves(s *stage) {
	r := room{stage: s}
	first, second := r.enters(s.dials("101", "482")), r.enters(s.dials("102", "482"))
	r.leaves(r.enters(s.comesIn("78005554482")))
	r.leaves(first)
	r.leaves(second)
}

func conferenceMoved(s *stage) {
	caller, callee := s.talksTo101("78005550101")
	s.sends(callee, "483")
	s.ends(callee)
	r := room{stage: s}
	r.enters(caller)
	again := r.enters(s.dials("101", "483"))
	r.leaves(caller)
	r.leaves(again)
}

func conferenceTwoClients(s *stage) {
	r := room{stage: s}
	employee := r.enters(s.dials("101", "484"))
	caller := r.enters(s.comesIn("78005554484"))
	other := r.enters(s.comesInAs(phone.As("79990000000", "78005554484")))
	r.leaves(caller)
	r.leaves(employee)
	r.leaves(other)
}

func conferenceBack(s *stage) {
	r := room{stage: s}
	caller := r.enters(s.comesIn("78005554485"))
	first, second := r.enters(s.dials("101", "485")), r.enters(s.dials("102", "485"))
	r.leaves(second)
	second = r.enters(s.dials("102", "485"))
	r.leaves(second)
	r.leaves(first)
	r.leaves(caller)
}

func conferenceClientsOnly(s *stage) {
	r := room{stage: s}
	caller := r.enters(s.comesIn("78005554486"))
	other := r.enters(s.comesInAs(phone.As("79990000000", "78005554486")))
	r.leaves(caller)
	r.leaves(other)
}

func conferenceEmployeesOnly(s *stage) {
	r := room{stage: s}
	first, second := r.enters(s.dials("101", "487")), r.enters(s.dials("102", "487"))
	r.leaves(first)
	r.leaves(second)
}

// The legs of a client's call end when he leaves, though the employees go on talking.
func TestAClientWhoLeavesAConferenceEndsItsLegs(t *testing.T) {
	d := newDeployment(t)
	r := room{stage: d.stage}
	first, second := r.enters(d.dials("101", "482")), r.enters(d.dials("102", "482"))
	r.leaves(r.enters(d.comesIn("78005554482")))
	d.awaitLine("client>101 disconnected")
	d.awaitLine("client>102 disconnected")
	r.leaves(first)
	r.leaves(second)
	d.expect(conferenceThatClientLeaves)
}
