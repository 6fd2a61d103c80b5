package e2e_test

import "kontur-ari/e2e/phone"

// holdScenarios are conversations with holds, and with keys pressed in them.
var holdScenarios = []scenario{
	{"hold_both", "101 holds, the client holds too, 101 resumes, then the client does", holdBoth, [][]string{heldLeg}},
	{"hold_both_nested", "101 holds, the client holds too, the client resumes, then 101 does", holdBothNested, [][]string{heldLeg}},
	{"hold_several_times", "101 holds and resumes, the client does, then 101 again", holdSeveralTimes, [][]string{pausedLeg(direct, "client>101", 3)}},
	{"hold_repeated", "101's phone says twice that it holds, and twice that it resumes", holdRepeated, [][]string{heldLeg}},
	{"hold_silent", "101 holds by a re-INVITE that neither sends nor receives, and resumes", holdSilent, [][]string{heldLeg}},
	{"hold_client_gives_up", "101 holds, the client hangs up meanwhile", holdClientGivesUp, [][]string{heldToTheEnd}},
	{"hold_callee_hangs_up", "101 holds and hangs up", holdCalleeHangsUp, [][]string{heldToTheEnd}},
	{"hold_outbound", "101 calls a client, holds, resumes; the client does so too", holdOutbound, [][]string{pausedLeg(outgoing, "101>client", 2)}},
	{"hold_internal", "101 calls 102, who holds and resumes; 101 does so too", holdInternal, [][]string{pausedLeg("internal", "101>102", 2)}},
	{"hold_after_group", "102 answers a call to a group, holds and resumes", holdAfterGroup, [][]string{{
		"call-started inbound client at 78005550120",
		"client>101 appeared & client>102 appeared & client>103 appeared",
		"client>102 connected & client>101 disconnected & client>103 disconnected",
		"client>102 paused", "client>102 connected",
		"client>102 disconnected", "client>102 finished", "call-finished",
		"register-call client>101 missed, client>102 answered, client>103 missed",
	}}},
	{"keys_pressed", "101 presses a key, then the client does, which is nothing", keysPressed, [][]string{answeredLeg(direct, "client>101")}},
}

var heldToTheEnd = []string{
	"call-started " + direct, "client>101 appeared", "client>101 connected", "client>101 paused",
	"client>101 disconnected", "client>101 finished", "call-finished", "register-call client>101 answered",
}

// pausedLeg is the story of a call with one leg, paused that many times.
func pausedLeg(started, leg string, times int) []string {
	story := []string{"call-started " + started, leg + " appeared", leg + " connected"}
	for range times {
		story = append(story, leg+" paused", leg+" connected")
	}
	return append(story, leg+" disconnected", leg+" finished", "call-finished", "register-call "+leg+" answered")
}

func holdBoth(s *stage) {
	caller, callee := s.talksTo101("78005550101")
	s.must(callee.Hold(s.ctx))
	s.must(caller.Hold(s.ctx))
	s.must(callee.Resume(s.ctx))
	s.must(caller.Resume(s.ctx))
	s.hangsUp(caller, callee)
}

func holdBothNested(s *stage) {
	caller, callee := s.talksTo101("78005550101")
	s.must(callee.Hold(s.ctx))
	s.must(caller.Hold(s.ctx))
	s.must(caller.Resume(s.ctx))
	s.must(callee.Resume(s.ctx))
	s.hangsUp(caller, callee)
}

func holdSeveralTimes(s *stage) {
	caller, callee := s.talksTo101("78005550101")
	for _, who := range []*phone.Call{callee, caller, callee} {
		s.must(who.Hold(s.ctx))
		s.must(who.Resume(s.ctx))
	}
	s.hangsUp(callee, caller)
}

// holdRepeated holds a call twice, as phones do that refresh a call on hold.
func holdRepeated(s *stage) {
	caller, callee := s.talksTo101("78005550101")
	s.must(callee.Hold(s.ctx))
	s.must(callee.Hold(s.ctx))
	s.must(callee.Resume(s.ctx))
	s.must(callee.Resume(s.ctx))
	s.hangsUp(caller, callee)
}

func holdSilent(s *stage) {
	caller, callee := s.talksTo101("78005550101")
	s.must(callee.HoldSilently(s.ctx))
	s.must(callee.Resume(s.ctx))
	s.hangsUp(caller, callee)
}

func holdClientGivesUp(s *stage) {
	caller, callee := s.talksTo101("78005550101")
	s.must(callee.Hold(s.ctx))
	s.hangsUp(caller, callee)
}

func holdCalleeHangsUp(s *stage) {
	caller, callee := s.talksTo101("78005550101")
	s.must(callee.Hold(s.ctx))
	s.hangsUp(callee, caller)
}

func holdOutbound(s *stage) {
	caller := s.dials("101", s.client)
	callee := s.reachesTrunk(s.client)
	s.must(callee.Ring())
	s.picksUp(callee, caller)
	for _, who := range []*phone.Call{caller, callee} {
		s.must(who.Hold(s.ctx))
		s.must(who.Resume(s.ctx))
	}
	s.hangsUp(caller, callee)
}

func holdInternal(s *stage) {
	caller := s.dials("101", "102")
	callee := s.rings("102")
	s.picksUp(callee, caller)
	for _, who := range []*phone.Call{callee, caller} {
		s.must(who.Hold(s.ctx))
		s.must(who.Resume(s.ctx))
	}
	s.hangsUp(caller, callee)
}

func holdAfterGroup(s *stage) {
	caller := s.comesIn("78005550120")
	first, second, third := s.rings("101"), s.rings("102"), s.rings("103")
	s.picksUp(second, caller)
	s.ends(first)
	s.ends(third)
	s.must(second.Hold(s.ctx))
	s.must(second.Resume(s.ctx))
	s.hangsUp(caller, second)
}

func keysPressed(s *stage) {
	caller, callee := s.talksTo101("78005550101")
	s.must(callee.Press(s.ctx, "1"))
	s.must(caller.Press(s.ctx, "2"))
	s.hangsUp(caller, callee)
}
