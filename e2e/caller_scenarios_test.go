package e2e_test

import (
	"strings"

	"kontur-ari/e2e/phone"
)

// callerScenarios are calls whose caller or called number is written in an unusual way. The
// CRM receives "anonymous" where there is no number.
var callerScenarios = []scenario{
	{"caller_named_in_russian", "a client with a Russian name calls 101, who answers", callerNamedInRussian, [][]string{answeredLeg(direct, "client>101")}},
	{"caller_long_name", "a client with a name of 100 letters calls 101, who answers", callerLongName, [][]string{answeredLeg(direct, "client>101")}},
	{"caller_long_number", "somebody with a number of 100 digits calls 101, who answers", callerLongNumber, [][]string{answeredLeg("inbound anonymous at 78005550101", "client>101")}},
	{"caller_malformed", "somebody with a number that is none calls 101, who answers", callerMalformed, [][]string{answeredLeg("inbound anonymous at 78005550101", "client>101")}},
	{"caller_without_number", "somebody without any number calls 101 and gives up", callerWithoutNumber, [][]string{missedLeg("inbound anonymous at 78005550101", "client>101")}},
	{"caller_written", "a client whose number is written with brackets and hyphens calls 101, who answers", callerWritten, [][]string{answeredLeg("inbound 79997775533 at 78005550101", "client>101")}},
	{"called_with_plus", "a client calls 101's number as +7..., 101 answers", calledWithPlus, [][]string{answeredLeg(direct, "client>101")}},
	{"called_with_eight", "a client calls 101's number as 8..., 101 answers", calledWithEight, [][]string{answeredLeg(direct, "client>101")}},
}

func callerNamedInRussian(s *stage) { s.namedCallerTalks("Иван «Ваня» Петров 😀") }

func callerLongName(s *stage) { s.namedCallerTalks(strings.Repeat("Щ", 100)) }

func (s *stage) namedCallerTalks(name string) {
	invite := phone.As(s.client, "78005550101")
	invite.Name = name
	s.callerTalks(invite)
}

func callerLongNumber(s *stage) {
	s.callerTalks(phone.As(strings.Repeat("7", 100), "78005550101"))
}

func callerMalformed(s *stage) {
	s.callerTalks(phone.As("+7(999)<77a>\"55'33 #*;%", "78005550101"))
}

func callerWithoutNumber(s *stage) {
	caller := s.comesInAs(phone.As("", "78005550101"))
	callee := s.rings("101")
	s.must(caller.AwaitRinging(s.ctx))
	s.hangsUp(caller, callee)
}

func callerWritten(s *stage) { s.callerTalks(phone.As("+7 (999) 777-55-33", "78005550101")) }

func calledWithPlus(s *stage) { s.callerTalks(phone.As(s.client, "+78005550101")) }

func calledWithEight(s *stage) { s.callerTalks(phone.As(s.client, "88005550101")) }

// callerTalks is a call from outside that 101 answers.
func (s *stage) callerTalks(invite phone.Invite) {
	s.Helper()
	caller := s.comesInAs(invite)
	callee := s.rings("101")
	s.picksUp(callee, caller)
	s.hangsUp(caller, callee)
}
