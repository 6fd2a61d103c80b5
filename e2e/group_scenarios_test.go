package e2e_test

// groupScenarios are calls that ring several phones at once
// (lab/conf/extensions_groups.conf).
var groupScenarios = []scenario{
	{"group_member_busy", "a client calls a group, 101 is busy, 105 is not there, 106 never was, 102 answers", groupMemberBusy, [][]string{{
		// Asterisk never made a channel for 106, so that phone has no leg.
		"call-started inbound client at 78005553300",
		"client>101 appeared & client>102 appeared & client>105 appeared",
		"client>101 disconnected",
		"client>102 connected & client>105 disconnected",
		"client>102 disconnected", "client>102 finished", "call-finished",
		"register-call client>101 missed, client>102 answered, client>105 missed",
	}}},
	{"group_no_answer", "a client calls a group, nobody answers, the dial times out", groupNoAnswer, [][]string{groupMissed}},
	{"group_gives_up", "a client calls a group and gives up while it rings", groupGivesUp, [][]string{groupMissed}},
	{"group_declined", "a client calls a group, everybody declines", groupDeclined, [][]string{{
		"call-started inbound client at 78005553301",
		"client>101 appeared & client>102 appeared & client>103 appeared",
		"client>101 disconnected", "client>103 disconnected", "client>102 disconnected",
		"client>101 finished | client>102 finished | client>103 finished", "call-finished",
		"register-call client>101 missed, client>102 missed, client>103 missed",
	}}},
	{"group_of_groups", "a client calls two groups at once, 102 of the first answers", groupOfGroups, [][]string{{
		"call-started inbound client at 78005553302",
		"client>101 appeared & client>102 appeared & client>103 appeared & client>somebody appeared",
		"client>102 connected & client>101 disconnected & client>103 disconnected & client>somebody disconnected",
		"client>102 disconnected", "client>102 finished", "call-finished",
		"register-call client>101 missed, client>102 answered, client>103 missed, client>somebody missed",
	}}},
	{"group_of_groups_gives_up", "a client calls two groups at once and gives up while they ring", groupOfGroupsGivesUp, [][]string{{
		"call-started inbound client at 78005553302",
		"client>101 appeared & client>102 appeared & client>103 appeared & client>somebody appeared",
		"client>101 disconnected & client>102 disconnected & client>103 disconnected & client>somebody disconnected",
		// The legs end in one moment. Any of them may be the last, and only that one finishes.
		"client>101 finished | client>102 finished | client>103 finished | client>somebody finished", "call-finished",
		"register-call client>101 missed, client>102 missed, client>103 missed, client>somebody missed",
	}}},
	{"group_member_twice", "a client calls two groups, 101 is in both and answers the second call of the two", groupMemberTwice, [][]string{{
		"call-started inbound client at 78005553303",
		// An employee whose phone rings twice at a time has one leg.
		"client>101 appeared & client>102 appeared", "client>103 appeared",
		"client>101 connected & client>102 disconnected & client>103 disconnected",
		"client>101 disconnected", "client>101 finished", "call-finished",
		"register-call client>101 answered, client>102 missed, client>103 missed",
	}}},
	{"group_called_inside", "103 calls a group, 102 answers", groupCalledInside, [][]string{{
		"call-started internal", "103>101 appeared & 103>102 appeared", "103>102 connected & 103>101 disconnected",
		"103>102 disconnected", "103>102 finished", "call-finished", "register-call 103>101 missed, 103>102 answered",
	}}},
}

var groupMissed = []string{
	"call-started inbound client at 78005553301",
	"client>101 appeared & client>102 appeared & client>103 appeared",
	"client>101 disconnected & client>102 disconnected & client>103 disconnected",
	"client>101 finished | client>102 finished | client>103 finished", "call-finished",
	"register-call client>101 missed, client>102 missed, client>103 missed",
}

func groupMemberBusy(s *stage) {
	caller := s.comesIn("78005553300")
	busy, second := s.called("101"), s.rings("102")
	s.must(busy.Reject(486))
	s.must(s.AwaitGone(s.ctx, "PJSIP/101-"))
	s.picksUp(second, caller)
	s.hangsUp(caller, second)
}

func groupNoAnswer(s *stage) {
	caller := s.comesIn("78005553301")
	first, second, third := s.rings("101"), s.rings("102"), s.rings("103")
	s.ends(first)
	s.ends(second)
	s.ends(third)
	s.ends(caller)
}

func groupGivesUp(s *stage) {
	caller := s.comesIn("78005553301")
	first, second, third := s.rings("101"), s.rings("102"), s.rings("103")
	s.must(caller.AwaitRinging(s.ctx))
	s.hangsUp(caller, first)
	s.ends(second)
	s.ends(third)
}

// groupDeclined ends the call when 102 declines last.
func groupDeclined(s *stage) {
	caller := s.comesIn("78005553301")
	first, second, third := s.rings("101"), s.rings("102"), s.rings("103")
	s.must(first.Reject(486))
	s.must(s.AwaitGone(s.ctx, "PJSIP/101-"))
	s.must(third.Reject(603))
	s.must(s.AwaitGone(s.ctx, "PJSIP/103-"))
	s.must(second.Reject(486))
	s.ends(caller)
}

func groupOfGroups(s *stage) {
	caller := s.comesIn("78005553302")
	first, second := s.rings("101"), s.rings("102")
	third, fourth := s.rings("103"), s.rings("104")
	s.picksUpBehindLocal(second, caller)
	s.ends(first)
	s.ends(third)
	s.ends(fourth)
	s.hangsUp(caller, second)
}

func groupOfGroupsGivesUp(s *stage) {
	caller := s.comesIn("78005553302")
	first, second := s.rings("101"), s.rings("102")
	third, fourth := s.rings("103"), s.rings("104")
	s.must(s.AwaitRinging(s.ctx, 6)) // the phones, and both Local channels
	s.hangsUp(caller, first)
	s.ends(second)
	s.ends(third)
	s.ends(fourth)
}

func groupCalledInside(s *stage) {
	caller := s.dials("103", "330")
	first, second := s.rings("101"), s.rings("102")
	s.picksUp(second, caller)
	s.ends(first)
	s.hangsUp(caller, second)
}

func groupMemberTwice(s *stage) {
	caller := s.comesIn("78005553303")
	first, second := s.rings("101"), s.rings("102")
	again, third := s.rings("101"), s.rings("103")
	s.picksUpBehindLocal(again, caller)
	s.ends(first)
	s.ends(second)
	s.ends(third)
	s.hangsUp(caller, again)
}
