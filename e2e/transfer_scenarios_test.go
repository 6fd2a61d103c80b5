package e2e_test

// transferScenarios are calls that one employee hands on to somebody else.
var transferScenarios = []scenario{
	{"blind_transfer", "a client talks to 101, who transfers to 102 by REFER", blindTransfer, [][]string{{
		"call-started " + direct, "client>101 appeared", "client>101 connected",
		"client>101 disconnected", "client>102 appeared", "client>102 connected",
		"client>102 disconnected", "client>102 finished", "call-finished",
		"register-call client>101 answered, client>102 answered",
	}}},
	{"attended_transfer", "a client talks to 101, who asks 102 and joins the two by REFER with Replaces", attendedTransfer, [][]string{
		{
			"call-started " + direct, "client>101 appeared", "client>101 connected", "client>101 paused",
			// A REFER takes the client off hold before he is sent on.
			"client>101 connected", "client>102 appeared", "client>102 connected", "client>101 disconnected",
			"client>102 disconnected", "client>102 finished", "call-finished",
			"register-call client>101 answered, client>102 answered",
		},
		answeredLeg("internal", "101>102"),
	}},
}

// blindTransfer sends the client from 101 to 102.
func blindTransfer(s *stage) {
	caller := s.comesIn("78005550101")
	callee := s.rings("101")
	s.picksUp(callee, caller)
	s.must(callee.Transfer(s.ctx, "102"))
	s.ends(callee)
	second := s.rings("102")
	s.picksUp(second, caller)
	s.hangsUp(caller, second)
}

// attendedTransfer has 101 ask 102, then join the client and 102.
func attendedTransfer(s *stage) {
	caller := s.comesIn("78005550101")
	callee := s.rings("101")
	s.picksUp(callee, caller)
	s.must(callee.Hold(s.ctx))
	consultation := s.dials("101", "102")
	second := s.rings("102")
	s.picksUp(second, consultation)
	s.must(callee.TransferTo(s.ctx, consultation))
	s.ends(callee)
	s.ends(consultation)
	s.hangsUp(caller, second)
}
