package e2e_test

import "kontur-ari/e2e/phone"

// queueScenarios are calls that wait for one of several agents
// (lab/conf/extensions_queues.conf and queues.conf).
var queueScenarios = []scenario{
	{"queue_ring_all", "a client calls a queue that rings 101, 102 and 103 at once, 102 answers", queueRingAll, [][]string{{
		"call-started inbound client at 78005553320",
		"client>101 appeared & client>102 appeared & client>103 appeared",
		"client>102 connected & client>101 disconnected & client>103 disconnected",
		"client>102 disconnected", "client>102 finished", "call-finished",
		"register-call client>101 missed, client>102 answered, client>103 missed",
	}}},
	{"queue_least_recent", "two clients call a queue one after the other, which gives each to the agent who has been idle longest", queueLeastRecent, [][]string{
		answeredLeg("inbound client at 78005553321", "client>101"),
		answeredLeg("inbound client at 78005553321", "client>102"),
	}},
	{"queue_agent_declines", "a client calls a queue, 101 declines (486), 102 answers", queueAgentDeclines, [][]string{inTurn("78005553322")}},
	{"queue_gives_up_ringing", "a client calls a queue and gives up while 101 rings", queueGivesUpRinging, [][]string{missedLeg("inbound client at 78005553322", "client>101")}},
	{"queue_gives_up_waiting", "a client calls a queue whose agent's phone is not there, and gives up", queueGivesUpWaiting, [][]string{noPhoneCalled("client at 78005553323")}},
	{"queue_closed", "a client calls a queue that takes no callers while no agent's phone is there", queueClosed, [][]string{noPhoneCalled("client at 78005553324")}},
	{"queue_agents_busy", "101 talks to a client, a second one waits in 101's queue and gives up", queueAgentsBusy, [][]string{
		answeredLeg(direct, "client>101"), noPhoneCalled("79990000000 at 78005553325"),
	}},
	{"queue_agent_again", "a client calls a queue, its only agent 101 doesn't answer, is called again and answers", queueAgentAgain, [][]string{{
		"call-started inbound client at 78005553325",
		"client>101 appeared", "client>101 disconnected", "client>101#2 appeared", "client>101#2 connected",
		"client>101#2 disconnected", "client>101#2 finished", "call-finished",
		"register-call client>101 answered, client>101 missed",
	}}},
	{"queue_local", "a client calls a queue of Local channels that stay (/n), 101 doesn't answer, 102 does", queueLocal, [][]string{inTurn("78005553326")}},
	{"queue_local_optimised", "a client calls a queue of Local channels, 101 doesn't answer, 102 does", queueLocalOptimised, [][]string{inTurn("78005553327")}},
	{"queue_tells_agent", "a client calls a queue, 101 answers, hears an announcement, then talks to the client", queueTellsAgent, [][]string{
		answeredLeg("inbound client at 78005553328", "client>101"),
	}},
	{"queue_tells_agent_gives_up", "a client calls a queue and gives up while 101, who has answered, hears an announcement", queueTellsAgentGivesUp, [][]string{
		missedLeg("inbound client at 78005553328", "client>101"),
	}},
	{"queue_rings_caller", "a client calls a queue that hasn't answered and rings until 101 does", queueRingsCaller, [][]string{
		answeredLeg("inbound client at 78005553329", "client>101"),
	}},
	{"queue_called_inside", "103 calls a queue, 101 declines, 102 answers", queueCalledInside, [][]string{{
		"call-started internal", "103>101 appeared", "103>101 disconnected", "103>102 appeared", "103>102 connected",
		"103>102 disconnected", "103>102 finished", "call-finished", "register-call 103>101 missed, 103>102 answered",
	}}},
}

// inTurn is the story of a call to a queue which 101 doesn't take and 102 does.
func inTurn(number string) []string {
	return []string{
		"call-started inbound client at " + number,
		"client>101 appeared", "client>101 disconnected", "client>102 appeared", "client>102 connected",
		"client>102 disconnected", "client>102 finished", "call-finished",
		"register-call client>101 missed, client>102 answered",
	}
}

// noPhoneCalled is the story of a call from outside that reached no phone.
func noPhoneCalled(described string) []string {
	return []string{"call-started inbound " + described, "call-finished", "register-call client>somebody missed"}
}

func queueRingAll(s *stage) {
	caller := s.comesIn("78005553320")
	first, second, third := s.rings("101"), s.rings("102"), s.rings("103")
	s.picksUp(second, caller)
	s.ends(first)
	s.ends(third)
	s.hangsUp(caller, second)
}

// queueLeastRecent sends the first call, while no agent has had one, to 101.
func queueLeastRecent(s *stage) {
	for _, agent := range []string{"101", "102"} {
		caller := s.comesIn("78005553321")
		callee := s.rings(agent)
		s.picksUp(callee, caller)
		s.hangsUp(caller, callee)
		s.must(s.AwaitIdle(s.ctx))
	}
}

func queueAgentDeclines(s *stage) {
	caller := s.comesIn("78005553322")
	s.must(s.rings("101").Reject(486))
	second := s.rings("102")
	s.picksUp(second, caller)
	s.hangsUp(second, caller)
}

func queueGivesUpRinging(s *stage) {
	caller := s.comesIn("78005553322")
	callee := s.rings("101")
	s.must(caller.AwaitAnswered(s.ctx))
	s.hangsUp(caller, callee)
}

func queueGivesUpWaiting(s *stage) {
	caller := s.comesIn("78005553323")
	s.must(caller.AwaitAnswered(s.ctx))
	s.must(s.AwaitRunning(s.ctx, "Queue"))
	s.must(caller.Hangup(s.ctx))
}

func queueClosed(s *stage) {
	caller := s.comesIn("78005553324")
	s.must(caller.AwaitAnswered(s.ctx))
	s.ends(caller)
}

func queueAgentsBusy(s *stage) {
	caller := s.comesIn("78005550101")
	callee := s.rings("101")
	s.picksUp(callee, caller)
	waiting := s.comesInAs(phone.As("79990000000", "78005553325"))
	s.must(waiting.AwaitAnswered(s.ctx))
	s.must(s.AwaitRunning(s.ctx, "Queue"))
	s.must(waiting.Hangup(s.ctx))
	s.hangsUp(caller, callee)
}

func queueAgentAgain(s *stage) {
	caller := s.comesIn("78005553325")
	s.ends(s.rings("101"))
	again := s.rings("101")
	s.picksUp(again, caller)
	s.hangsUp(caller, again)
}

func queueCalledInside(s *stage) {
	caller := s.dials("103", "332")
	s.must(s.rings("101").Reject(486))
	second := s.rings("102")
	s.picksUp(second, caller)
	s.hangsUp(second, caller)
}

func queueLocal(s *stage) {
	caller := s.comesIn("78005553326")
	s.ends(s.rings("101"))
	second := s.rings("102")
	s.picksUpOverLocal(second, caller)
	s.hangsUp(caller, second)
}

func queueLocalOptimised(s *stage) {
	caller := s.comesIn("78005553327")
	s.ends(s.rings("101"))
	second := s.rings("102")
	s.picksUpBehindLocal(second, caller)
	s.hangsUp(caller, second)
}

func queueTellsAgent(s *stage) {
	caller := s.comesIn("78005553328")
	callee := s.rings("101")
	s.picksUp(callee, caller)
	s.hangsUp(caller, callee)
}

func queueTellsAgentGivesUp(s *stage) {
	caller := s.comesIn("78005553328")
	callee := s.rings("101")
	s.must(callee.Answer(s.ctx))
	s.hangsUp(caller, callee)
}

func queueRingsCaller(s *stage) {
	caller := s.comesIn("78005553329")
	callee := s.rings("101")
	s.must(caller.AwaitRinging(s.ctx))
	s.picksUp(callee, caller)
	s.hangsUp(callee, caller)
}
