package e2e_test

import "kontur-ari/e2e/phone"

// voicemailScenarios are calls that voicemail answers instead of an employee.
var voicemailScenarios = []scenario{
	{"voicemail_no_answer", "a client calls 101, nobody answers, the client leaves a message", voicemailNoAnswer, [][]string{missedLeg("inbound client at 78005554421", "client>101")}},
	{"voicemail_busy", "a client calls 101, who is busy, and leaves a message", voicemailBusy, [][]string{missedLeg("inbound client at 78005554421", "client>101")}},
	{"recorder_at_once", "a client is asked for a message at once, no phone rings", recorderAtOnce, [][]string{{
		"call-started inbound client at 78005554422", "call-finished", "register-call client>somebody missed",
	}}},
	{"recorder_after_menu", "a menu has answered, then 101 rings and doesn't answer, the client leaves a message", recorderAfterMenu, [][]string{missedLeg("inbound client at 78005554423", "client>101")}},
	{"voicemail_transfer", "101 sends the client to the mailbox by REFER, where he leaves a message", voicemailTransfer, [][]string{answeredLeg(direct, "client>101")}},
	{"voicemail_internal", "102 calls 101, nobody answers, 102 leaves a message", voicemailInternal, [][]string{missedLeg("internal", "102>101")}},
	{"voicemail_left", "102 leaves a message in 101's mailbox without calling him, which is no call", voicemailLeft, nil},
	{"voicemail_heard", "101 listens to his messages, which is no call", voicemailHeard, nil},
}

// leavesMessage waits until voicemail records the caller, who then hangs up.
func (s *stage) leavesMessage(caller *phone.Call) {
	s.Helper()
	s.must(caller.AwaitAnswered(s.ctx))
	s.must(s.AwaitRecorder(s.ctx))
	s.must(caller.Hangup(s.ctx))
}

func voicemailNoAnswer(s *stage) {
	caller := s.comesIn("78005554421")
	s.ends(s.rings("101"))
	s.leavesMessage(caller)
}

func voicemailBusy(s *stage) {
	caller := s.comesIn("78005554421")
	s.must(s.called("101").Reject(486))
	s.leavesMessage(caller)
}

func recorderAtOnce(s *stage) {
	s.leavesMessage(s.comesIn("78005554422"))
}

func recorderAfterMenu(s *stage) {
	caller := s.comesIn("78005554423")
	s.ends(s.rings("101"))
	s.leavesMessage(caller)
}

func voicemailTransfer(s *stage) {
	caller, callee := s.talksTo101("78005550101")
	s.sends(callee, "491")
	s.ends(callee)
	s.leavesMessage(caller)
}

func voicemailInternal(s *stage) {
	caller := s.dials("102", "401")
	s.ends(s.rings("101"))
	s.leavesMessage(caller)
}

func voicemailLeft(s *stage) {
	s.leavesMessage(s.dials("102", "491"))
}

func voicemailHeard(s *stage) {
	caller := s.dials("101", "*97")
	s.must(caller.AwaitAnswered(s.ctx))
	s.must(caller.Hangup(s.ctx))
}
