package e2e_test

// pickupScenarios are calls that ring at one phone and are answered at another.
var pickupScenarios = []scenario{
	{"pickup_group", "a client calls 101, it rings, 102 takes the call by *8", pickupGroup, [][]string{takenBy102(direct)}},
	{"pickup_directed", "a client calls 101, it rings, 102 takes the call by **101", pickupDirected, [][]string{takenBy102(direct)}},
	{"pickup_queue", "a client calls a queue, it rings at 101, 102 takes the call by *8", pickupQueue, [][]string{takenBy102("inbound client at 78005550130")}},
	{"pickup_ring_group", "a client calls the ring group 101+103, 102 takes 101's call by **101", pickupRingGroup, [][]string{{
		"call-started inbound client at 78005554411", "client>101 appeared & client>103 appeared",
		// Both phones stop ringing when 102 picks the call up.
		"client>101 disconnected & client>103 disconnected", "client>102 appeared", "client>102 connected",
		"client>102 disconnected", "client>102 finished", "call-finished",
		"register-call client>101 missed, client>102 answered, client>103 missed",
	}}},
	{"pickup_outsider", "a client calls 101, it rings, 104, who isn't in the CRM, takes the call by *8", pickupOutsider, [][]string{{
		"call-started " + direct, "client>101 appeared", "client>101 disconnected",
		"client>somebody appeared", "client>somebody connected", "client>somebody disconnected", "client>somebody finished",
		"call-finished", "register-call client>101 missed, client>somebody answered",
	}}},
	{"pickup_internal", "103 calls 101, it rings, 102 takes the call by *#101", pickupInternal, [][]string{{
		"call-started internal", "103>101 appeared", "103>101 disconnected",
		"103>102 appeared", "103>102 connected", "103>102 disconnected", "103>102 finished",
		"call-finished", "register-call 103>101 missed, 103>102 answered",
	}}},
	{"pickup_then_transfer", "102 takes 101's call by *8 and transfers the client to 103 by REFER", pickupThenTransfer, [][]string{{
		"call-started " + direct, "client>101 appeared", "client>101 disconnected",
		"client>102 appeared", "client>102 connected", "client>102 disconnected",
		"client>103 appeared", "client>103 connected", "client>103 disconnected", "client>103 finished",
		"call-finished", "register-call client>101 missed, client>102 answered, client>103 answered",
	}}},
	{"pickup_nothing", "102 dials *8 and no phone rings, which is no call", pickupNothing, nil},
}

// takenBy102 is the story of a call that rings at 101 and that 102 takes.
func takenBy102(started string) []string {
	return []string{
		"call-started " + started, "client>101 appeared", "client>101 disconnected",
		"client>102 appeared", "client>102 connected", "client>102 disconnected", "client>102 finished",
		"call-finished", "register-call client>101 missed, client>102 answered",
	}
}

func pickupGroup(s *stage) {
	caller := s.comesIn("78005550101")
	ringing := s.rings("101")
	s.must(caller.AwaitRinging(s.ctx))
	taken := s.joins("102", "*8")
	s.ends(ringing)
	s.hangsUp(caller, taken)
}

func pickupDirected(s *stage) {
	caller := s.comesIn("78005550101")
	ringing := s.rings("101")
	s.must(caller.AwaitRinging(s.ctx))
	taken := s.joins("102", "**101")
	s.ends(ringing)
	s.hangsUp(taken, caller)
}

func pickupQueue(s *stage) {
	caller := s.comesIn("78005550130")
	ringing := s.rings("101")
	s.must(s.AwaitRinging(s.ctx, 1))
	taken := s.joins("102", "*8")
	s.ends(ringing)
	s.hangsUp(caller, taken)
}

func pickupRingGroup(s *stage) {
	caller := s.comesIn("78005554411")
	first, third := s.rings("101"), s.rings("103")
	s.must(s.AwaitRinging(s.ctx, 2))
	taken := s.joins("102", "**101")
	s.ends(first)
	s.ends(third)
	s.hangsUp(caller, taken)
}

func pickupOutsider(s *stage) {
	caller := s.comesIn("78005550101")
	ringing := s.rings("101")
	s.must(caller.AwaitRinging(s.ctx))
	taken := s.joins("104", "*8")
	s.ends(ringing)
	s.hangsUp(caller, taken)
}

func pickupInternal(s *stage) {
	caller := s.dials("103", "101")
	ringing := s.rings("101")
	s.must(caller.AwaitRinging(s.ctx))
	taken := s.joins("102", "*#101")
	s.ends(ringing)
	s.hangsUp(caller, taken)
}

func pickupThenTransfer(s *stage) {
	caller := s.comesIn("78005550101")
	ringing := s.rings("101")
	s.must(caller.AwaitRinging(s.ctx))
	taken := s.joins("102", "*8")
	s.ends(ringing)
	s.sends(taken, "103")
	s.ends(taken)
	last := s.rings("103")
	s.picksUp(last, caller)
	s.hangsUp(last, caller)
}

func pickupNothing(s *stage) {
	s.ends(s.dials("102", "*8"))
}
