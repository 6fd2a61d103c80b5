package e2e_test

import "kontur-ari/e2e/phone"

// attendedKeysScenarios are attended transfers by keys, and attempts at them. The phone has
// one call only; Asterisk makes the second one.
var attendedKeysScenarios = []scenario{
	{"attended_keys", "a client talks to 101, who presses *2102, asks 102 and hangs up", attendedByKeys, [][]string{
		attendedByKeysTo("client>102"), answeredLeg("internal", "101>102"),
	}},
	{"attended_keys_outbound", "101 calls a client, presses *2102, asks 102 and hangs up", attendedByKeysOutbound, [][]string{
		{
			"call-started " + outgoing, "101>client appeared", "101>client connected", "101>client paused",
			"client>102 appeared", "client>102 connected", "101>client disconnected",
			"client>102 disconnected", "client>102 finished", "call-finished",
			"register-call 101>client answered, client>102 answered",
		},
		answeredLeg("internal", "101>102"),
	}},
	{"attended_keys_outside", "a client talks to 101, who presses *2 and an outside number, asks there and hangs up", attendedByKeysOutside, [][]string{
		attendedByKeysTo("client>client"), answeredLeg("outbound "+partner+" from 79229929292", "101>client"),
	}},
	{"attended_keys_ringing", "a client talks to 101, who presses *2102 and hangs up while 102 rings; 102 answers", attendedByKeysRinging, [][]string{
		{
			"call-started " + direct, "client>101 appeared", "client>101 connected", "client>101 paused",
			"client>102 appeared", "client>101 disconnected", "client>102 connected",
			"client>102 disconnected", "client>102 finished", "call-finished",
			"register-call client>101 answered, client>102 answered",
		},
		missedLeg("internal", "101>102"),
	}},
	{"attended_keys_recall", "a client talks to 101, who presses *2212 and hangs up while 102 rings; 102 doesn't answer, Asterisk calls 101 back", attendedByKeysRecall, [][]string{
		{
			"call-started " + direct, "client>101 appeared", "client>101 connected", "client>101 paused",
			"client>102 appeared", "client>101 disconnected", "client>102 disconnected",
			"client>101#2 appeared", "client>101#2 connected", "client>101#2 disconnected", "client>101#2 finished", "call-finished",
			"register-call client>101 answered, client>101 answered, client>102 missed",
		},
		missedLeg("internal", "101>102"),
	}},
	{"attended_keys_callee_leaves", "a client talks to 101, who presses *2102 and asks 102, who hangs up; 101 goes back to the client", attendedByKeysCalleeLeaves, consulted(answeredLeg("internal", "101>102"))},
	{"attended_keys_aborted", "a client talks to 101, who presses *2102, asks 102, and presses *1 to go back to the client", attendedByKeysAborted, consulted(answeredLeg("internal", "101>102"))},
	{"attended_keys_no_answer", "a client talks to 101, who presses *2212; 102 doesn't answer, 101 goes back to the client", attendedByKeysNoAnswer, consulted(missedLeg("internal", "101>102"))},
}

// attendedByKeysTo is a client's call to 101, who presses keys, consults another party and
// hangs up. Asterisk doesn't report that the client's music ends with that.
func attendedByKeysTo(second string) []string {
	return []string{
		"call-started " + direct, "client>101 appeared", "client>101 connected", "client>101 paused",
		second + " appeared", second + " connected", "client>101 disconnected",
		second + " disconnected", second + " finished", "call-finished",
		"register-call client>101 answered, " + second + " answered",
	}
}

// consultsByKeys is 101 pressing keys to call a number. It waits until he is bridged with
// the channel that Asterisk makes for the call.
func consultsByKeys(s *stage, employee *phone.Call, number string) {
	s.Helper()
	s.must(employee.Press(s.ctx, "*2"+number))
	s.must(s.AwaitTogether(s.ctx, "101", consultationOf(number)))
}

// consultationOf is the name of that channel for AwaitTogether.
func consultationOf(number string) string { return "Local/" + number + "@from-internal" }

// asks102ByKeys is 101 pressing keys to talk to 102, who answers.
func asks102ByKeys(s *stage, employee *phone.Call) (second *phone.Call) {
	s.Helper()
	consultsByKeys(s, employee, "102")
	second = s.rings("102")
	answersConsultation(s, second, "102", "102")
	return second
}

// answersConsultation answers, and waits until Asterisk has passed the answer on to the side
// that consults. This happens after the two can talk. If the consulting side hung up before,
// Asterisk 22 would receive an unexpected answer and might crash.
func answersConsultation(s *stage, second *phone.Call, endpoint, number string) {
	s.Helper()
	s.must(second.Answer(s.ctx))
	s.must(s.AwaitTogether(s.ctx, endpoint, consultationOf(number)))
	s.must(s.AwaitUp(s.ctx, consultationOf(number), 2))
}

func attendedByKeys(s *stage) {
	client, first := talksTo101(s)
	second := asks102ByKeys(s, first)
	s.must(first.Hangup(s.ctx))
	s.must(s.AwaitGone(s.ctx, "PJSIP/101-"))
	s.hangsUp(client, second)
}

func attendedByKeysOutbound(s *stage) {
	client, first := calledBy101(s)
	second := asks102ByKeys(s, first)
	s.must(first.Hangup(s.ctx))
	s.must(s.AwaitGone(s.ctx, "PJSIP/101-"))
	s.hangsUp(second, client)
}

func attendedByKeysOutside(s *stage) {
	client, first := talksTo101(s)
	consultsByKeys(s, first, partner)
	second := s.reachesTrunk(partner)
	s.must(second.Ring())
	answersConsultation(s, second, "trunk", partner)
	s.must(first.Hangup(s.ctx))
	s.must(s.AwaitGone(s.ctx, "PJSIP/101-"))
	s.hangsUp(client, second)
}

func attendedByKeysRinging(s *stage) {
	client, first := talksTo101(s)
	consultsByKeys(s, first, "102")
	second := s.rings("102")
	// Only then has Asterisk reported that it calls 102 for 101.
	s.must(s.AwaitRinging(s.ctx, 2))
	s.must(first.Hangup(s.ctx))
	s.must(s.AwaitTogether(s.ctx, "trunk", consultationOf("102")))
	s.must(second.Answer(s.ctx))
	s.must(s.AwaitTogether(s.ctx, "102", consultationOf("102")))
	s.hangsUp(client, second)
}

// attendedByKeysRecall ends with Asterisk calling 101 back for the client.
func attendedByKeysRecall(s *stage) {
	client, first := talksTo101(s)
	consultsByKeys(s, first, "212")
	second := s.rings("102")
	// Only then has Asterisk reported that it calls 102 for 101.
	s.must(s.AwaitRinging(s.ctx, 2))
	s.must(first.Hangup(s.ctx))
	s.ends(second)
	again := s.rings("101")
	s.must(again.Answer(s.ctx))
	s.must(s.AwaitTogether(s.ctx, "trunk", "101"))
	s.hangsUp(client, again)
}

func attendedByKeysCalleeLeaves(s *stage) {
	client, first := talksTo101(s)
	s.must(asks102ByKeys(s, first).Hangup(s.ctx))
	s.must(s.AwaitTogether(s.ctx, "trunk", "101"))
	s.hangsUp(client, first)
}

func attendedByKeysAborted(s *stage) {
	client, first := talksTo101(s)
	second := asks102ByKeys(s, first)
	s.must(first.Press(s.ctx, "*1"))
	s.ends(second)
	s.must(s.AwaitTogether(s.ctx, "trunk", "101"))
	s.hangsUp(client, first)
}

func attendedByKeysNoAnswer(s *stage) {
	client, first := talksTo101(s)
	consultsByKeys(s, first, "212")
	s.ends(s.rings("102"))
	s.must(s.AwaitTogether(s.ctx, "trunk", "101"))
	s.hangsUp(client, first)
}
