package e2e_test

import "kontur-ari/e2e/phone"

// parkingScenarios are calls parked by 101. A colleague retrieves them, or Asterisk calls 101
// back.
var parkingScenarios = []scenario{
	{"park_retrieved", "101 parks the client by REFER to 700, 102 takes him up by dialling 701", parkRetrieved, [][]string{parkedForColleague}},
	{"park_by_keys", "101 parks the client by the keys #72, 102 takes him up by dialling 701", parkByKeys, [][]string{parkedForColleague}},
	{"park_by_dialplan", "101 sends the client to a number that parks, 102 takes him up by dialling 701", parkByDialplan, [][]string{parkedForColleague}},
	{"park_retrieved_by_parker", "101 parks the client and takes him up himself", parkRetrievedByParker, [][]string{backWithParker}},
	{"park_timeout_answered", "101 parks the client, whom nobody takes up; 101 is called back and answers", parkTimeoutAnswered, [][]string{backWithParker}},
	{"park_timeout_missed", "101 parks the client, whom nobody takes up; 101 is called back and doesn't answer", parkTimeoutMissed, [][]string{{
		"call-started " + direct, "client>101 appeared", "client>101 connected", "client>101 disconnected",
		"client>101#2 appeared", "client>101#2 disconnected", "client>101 finished",
		"call-finished", "register-call client>101 answered, client>101 missed",
	}}},
	{"park_client_hangs_up", "101 parks the client, who hangs up before anybody takes him up", parkClientHangsUp, [][]string{answeredLeg(direct, "client>101")}},
	{"park_outbound", "101 calls a client and parks him, 102 takes him up", parkOutbound, [][]string{{
		"call-started " + outgoing, "101>client appeared", "101>client connected", "101>client disconnected",
		"client>102 appeared", "client>102 connected", "client>102 disconnected", "client>102 finished",
		"call-finished", "register-call 101>client answered, client>102 answered",
	}}},
	{"park_internal", "103 calls 101, who parks 103; 102 takes 103 up", parkInternal, [][]string{{
		"call-started internal", "103>101 appeared", "103>101 connected", "103>101 disconnected",
		"103>102 appeared", "103>102 connected", "103>102 disconnected", "103>102 finished",
		"call-finished", "register-call 103>101 answered, 103>102 answered",
	}}},
	{"park_nobody", "102 dials a place in the parking lot where nobody waits, which is no call", parkNobody, nil},
}

var (
	parkedForColleague = []string{
		"call-started inbound client at 78005554401", "client>101 appeared", "client>101 connected", "client>101 disconnected",
		"client>102 appeared", "client>102 connected", "client>102 disconnected", "client>102 finished",
		"call-finished", "register-call client>101 answered, client>102 answered",
	}
	backWithParker = []string{
		"call-started " + direct, "client>101 appeared", "client>101 connected", "client>101 disconnected",
		"client>101#2 appeared", "client>101#2 connected", "client>101#2 disconnected", "client>101#2 finished",
		"call-finished", "register-call client>101 answered, client>101 answered",
	}
)

// parks sends the other side of an employee's call to a number that parks. It waits until
// that is done: Asterisk drops the other side if the employee hangs up before.
func (s *stage) parks(call *phone.Call, number string) {
	s.Helper()
	s.must(call.Refer(s.ctx, number))
	s.must(s.AwaitParked(s.ctx, 1))
	s.must(call.Hangup(s.ctx))
}

// talksTo101 is a call from the client that 101 has answered.
func (s *stage) talksTo101(number string) (caller, callee *phone.Call) {
	s.Helper()
	caller = s.comesIn(number)
	callee = s.rings("101")
	s.picksUp(callee, caller)
	return caller, callee
}

func parkRetrieved(s *stage) {
	caller, callee := s.talksTo101("78005554401")
	s.parks(callee, "700")
	s.hangsUp(caller, s.joins("102", "701"))
}

// parkByKeys parks by pressing keys. Asterisk then hangs up the phone that parked.
func parkByKeys(s *stage) {
	caller, callee := s.talksTo101("78005554401")
	s.must(callee.Press(s.ctx, "#72"))
	s.must(s.AwaitParked(s.ctx, 1))
	s.ends(callee)
	s.hangsUp(caller, s.joins("102", "701"))
}

func parkByDialplan(s *stage) {
	caller, callee := s.talksTo101("78005554401")
	s.parks(callee, "490")
	s.hangsUp(caller, s.joins("102", "701"))
}

func parkRetrievedByParker(s *stage) {
	caller, callee := s.talksTo101("78005550101")
	s.parks(callee, "700")
	s.hangsUp(s.joins("101", "701"), caller)
}

func parkTimeoutAnswered(s *stage) {
	caller, callee := s.talksTo101("78005550101")
	s.parks(callee, "470")
	again := s.rings("101")
	s.picksUp(again, caller)
	s.hangsUp(again, caller)
}

func parkTimeoutMissed(s *stage) {
	caller, callee := s.talksTo101("78005550101")
	s.parks(callee, "470")
	s.ends(s.rings("101"))
	s.ends(caller)
}

func parkClientHangsUp(s *stage) {
	caller, callee := s.talksTo101("78005550101")
	s.parks(callee, "700")
	s.must(caller.Hangup(s.ctx))
}

func parkOutbound(s *stage) {
	caller := s.dials("101", s.client)
	callee := s.reachesTrunk(s.client)
	s.must(callee.Ring())
	s.picksUp(callee, caller)
	s.parks(caller, "700")
	s.hangsUp(callee, s.joins("102", "701"))
}

func parkInternal(s *stage) {
	caller := s.dials("103", "101")
	callee := s.rings("101")
	s.picksUp(callee, caller)
	s.parks(callee, "700")
	s.hangsUp(s.joins("102", "701"), caller)
}

func parkNobody(s *stage) {
	call := s.dials("102", "701")
	s.must(call.AwaitAnswered(s.ctx))
	s.must(call.Hangup(s.ctx))
}
