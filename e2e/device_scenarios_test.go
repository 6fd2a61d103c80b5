package e2e_test

import (
	"kontur-ari/e2e/lab"
	"kontur-ari/e2e/phone"
)

// deviceScenarios are calls to employees with several devices or several calls. In others the
// caller hears sound before an employee answers (lab/conf/extensions_devices.conf).
var deviceScenarios = []scenario{
	// An employee whose two devices ring at once has one leg.
	{"devices_first_answers", "a client calls 107, who has two telephones; both ring, the first answers", devicesFirstAnswers, [][]string{answeredLeg("inbound client at 78005553360", "client>107")}},
	{"devices_second_answers", "a client calls 107, who has two telephones; both ring, the second answers", devicesSecondAnswers, [][]string{answeredLeg("inbound client at 78005553360", "client>107")}},
	{"devices_no_answer", "a client calls 107, who has two telephones; both ring, nobody answers", devicesNoAnswer, [][]string{missedLeg("inbound client at 78005553361", "client>107")}},
	{"devices_one_declines", "a client calls 107, who has two telephones; one declines (486), the other answers", devicesOneDeclines, [][]string{answeredLeg("inbound client at 78005553360", "client>107")}},
	{"devices_both_decline", "a client calls 107, who has two telephones; one declines (486), then the other", devicesBothDecline, [][]string{missedLeg("inbound client at 78005553360", "client>107")}},
	{"call_waiting_unanswered", "101 talks to a client, a second client calls and gives up", callWaitingUnanswered, callWaiting},
	{"call_waiting_declined", "101 talks to a client, a second client calls and is declined (486)", callWaitingDeclined, callWaiting},
	{"inbound_early", "a client calls 101, whose phone plays a tone before it answers (183)", inboundEarly, [][]string{answeredLeg(direct, "client>101")}},
	{"inbound_early_gives_up", "a client calls 101, whose phone plays a tone (183), and gives up", inboundEarlyGivesUp, [][]string{missedLeg(direct, "client>101")}},
	{"outbound_early", "101 calls a client, the trunk plays a tone (183), the client answers", outboundEarly, [][]string{answeredLeg(outgoing, "101>client")}},
	{"outbound_early_busy", "101 calls a client, the trunk plays an announcement (183), then says busy", outboundEarlyBusy, [][]string{missedLeg(outgoing, "101>client")}},
	{"progress_first", "a client calls a number that plays something (Progress) before 101 is called, who answers", progressFirst, [][]string{answeredLeg("inbound client at 78005553370", "client>101")}},
	{"ringing_first", "a client calls a number that rings for a second before 101 is called, who answers", ringingFirst, [][]string{answeredLeg("inbound client at 78005553371", "client>101")}},
	{"answered_first", "a client calls a number that answers with an announcement; then 101 is called and answers", answeredFirst, [][]string{answeredLeg("inbound client at 78005553372", "client>101")}},
	{"answered_first_no_answer", "a client calls a number that answers with an announcement; then 101 is called and doesn't answer", answeredFirstNoAnswer, [][]string{missedLeg("inbound client at 78005553372", "client>101")}},
	{"answered_first_gives_up", "a client calls a number that answers with an announcement, and hangs up while it plays", answeredFirstGivesUp, [][]string{noPhoneCalled("client at 78005553372")}},
}

// callWaiting is the story of a call that goes on, and of another that is missed.
var callWaiting = [][]string{
	answeredLeg(direct, "client>101"),
	missedLeg("inbound 79990000000 at 78005550101", "client>101"),
}

// bothRing is a call from outside that rings at both telephones of 107.
func (s *stage) bothRing(number string) (caller, first, second *phone.Call) {
	s.Helper()
	caller = s.comesIn(number)
	first, second = s.rings("107"), s.rings(lab.SecondDevice)
	s.must(caller.AwaitRinging(s.ctx))
	return caller, first, second
}

func devicesFirstAnswers(s *stage) {
	caller, first, second := s.bothRing("78005553360")
	s.picksUp(first, caller)
	s.ends(second)
	s.hangsUp(caller, first)
}

func devicesSecondAnswers(s *stage) {
	caller, first, second := s.bothRing("78005553360")
	s.picksUp(second, caller)
	s.ends(first)
	s.hangsUp(second, caller)
}

func devicesNoAnswer(s *stage) {
	caller, first, second := s.bothRing("78005553361")
	s.ends(first)
	s.ends(second)
	s.ends(caller)
}

func devicesOneDeclines(s *stage) {
	caller, first, second := s.bothRing("78005553360")
	s.must(first.Reject(486))
	s.must(s.AwaitChannels(s.ctx, "PJSIP/107-", 1))
	s.picksUp(second, caller)
	s.hangsUp(caller, second)
}

func devicesBothDecline(s *stage) {
	caller, first, second := s.bothRing("78005553360")
	s.must(first.Reject(486))
	s.must(s.AwaitChannels(s.ctx, "PJSIP/107-", 1))
	s.must(second.Reject(486))
	s.ends(caller)
}

func callWaitingUnanswered(s *stage) {
	caller, callee := s.talks()
	other := s.comesInAs(phone.As("79990000000", "78005550101"))
	second := s.rings("101")
	s.must(other.AwaitRinging(s.ctx))
	s.hangsUp(other, second)
	s.hangsUp(caller, callee)
}

func callWaitingDeclined(s *stage) {
	caller, callee := s.talks()
	other := s.comesInAs(phone.As("79990000000", "78005550101"))
	s.must(s.rings("101").Reject(486))
	s.ends(other)
	s.hangsUp(callee, caller)
}

// talks is a conversation of the client with 101.
func (s *stage) talks() (caller, callee *phone.Call) {
	s.Helper()
	caller = s.comesIn("78005550101")
	callee = s.rings("101")
	s.picksUp(callee, caller)
	return caller, callee
}

func inboundEarly(s *stage) {
	caller := s.comesIn("78005550101")
	callee := s.called("101")
	s.must(callee.PlayEarly())
	s.must(caller.AwaitEarly(s.ctx))
	s.picksUp(callee, caller)
	s.hangsUp(caller, callee)
}

func inboundEarlyGivesUp(s *stage) {
	caller := s.comesIn("78005550101")
	callee := s.called("101")
	s.must(callee.PlayEarly())
	s.must(caller.AwaitEarly(s.ctx))
	s.hangsUp(caller, callee)
}

func outboundEarly(s *stage) {
	caller := s.dials("101", s.client)
	callee := s.reachesTrunk(s.client)
	s.must(callee.PlayEarly())
	s.must(caller.AwaitEarly(s.ctx))
	s.picksUp(callee, caller)
	s.hangsUp(callee, caller)
}

func outboundEarlyBusy(s *stage) {
	caller := s.dials("101", s.client)
	callee := s.reachesTrunk(s.client)
	s.must(callee.PlayEarly())
	s.must(caller.AwaitEarly(s.ctx))
	s.must(callee.Reject(486))
	s.refused(caller, 486)
}

func progressFirst(s *stage) {
	caller := s.comesIn("78005553370")
	s.must(caller.AwaitEarly(s.ctx))
	callee := s.rings("101")
	s.picksUp(callee, caller)
	s.hangsUp(caller, callee)
}

func ringingFirst(s *stage) {
	caller := s.comesIn("78005553371")
	s.must(caller.AwaitRinging(s.ctx))
	callee := s.rings("101")
	s.picksUp(callee, caller)
	s.hangsUp(caller, callee)
}

func answeredFirst(s *stage) {
	caller := s.comesIn("78005553372")
	s.must(caller.AwaitAnswered(s.ctx))
	callee := s.rings("101")
	s.picksUp(callee, caller)
	s.hangsUp(callee, caller)
}

func answeredFirstNoAnswer(s *stage) {
	caller := s.comesIn("78005553372")
	s.must(caller.AwaitAnswered(s.ctx))
	s.ends(s.rings("101"))
	s.ends(caller)
}

func answeredFirstGivesUp(s *stage) {
	caller := s.comesIn("78005553372")
	s.must(caller.AwaitAnswered(s.ctx))
	s.must(s.AwaitRunning(s.ctx, "Playback"))
	s.must(caller.Hangup(s.ctx))
}
