package e2e_test

import (
	"context"

	"kontur-ari/e2e/phone"
)

// How one employee asks somebody before he hands a call on, or doesn't.

// asks102 has 101 hold his call and call 102, who answers.
func asks102(s *stage, held *phone.Call) (consultation, second *phone.Call) {
	s.Helper()
	s.must(held.Hold(s.ctx))
	consultation = s.dials("101", "102")
	second = s.rings("102")
	s.picksUp(second, consultation)
	return consultation, second
}

// joins leaves the two that an employee talks to alone.
func joins(s *stage, held, consultation *phone.Call) {
	s.Helper()
	s.must(held.TransferTo(s.ctx, consultation))
	s.ends(held)
	s.ends(consultation)
}

func attendedTransfer(s *stage) {
	client, first := talksTo101(s)
	consultation, second := asks102(s, first)
	joins(s, first, consultation)
	s.hangsUp(client, second)
}

// attendedClientHolds has the client press hold while 101 has him on hold.
func attendedClientHolds(s *stage) {
	client, first := talksTo101(s)
	consultation, second := asks102(s, first)
	s.must(client.Hold(s.ctx))
	s.must(client.Resume(s.ctx))
	joins(s, first, consultation)
	s.hangsUp(client, second)
}

// attendedAlternating has 101 go from one to the other and back.
func attendedAlternating(s *stage) {
	client, first := talksTo101(s)
	consultation, second := asks102(s, first)
	s.must(consultation.Hold(s.ctx))
	s.must(first.Resume(s.ctx))
	s.must(first.Hold(s.ctx))
	s.must(consultation.Resume(s.ctx))
	joins(s, first, consultation)
	s.hangsUp(second, client)
}

func attendedOutbound(s *stage) {
	client, first := calledBy101(s)
	consultation, second := asks102(s, first)
	joins(s, first, consultation)
	s.hangsUp(client, second)
}

func attendedInternal(s *stage) {
	caller := s.dials("103", "101")
	first := s.rings("101")
	s.picksUp(first, caller)
	consultation, second := asks102(s, first)
	joins(s, first, consultation)
	s.hangsUp(caller, second)
}

func attendedQueue(s *stage) {
	client, first := talksTo101(s)
	s.must(first.Hold(s.ctx))
	consultation := s.dials("101", "230")
	second := s.rings("102")
	s.picksUp(second, consultation)
	joins(s, first, consultation)
	s.hangsUp(client, second)
}

func attendedRinging(s *stage) { joinsRinging(s, "102", (*phone.Call).AwaitRinging) }

func attendedQueueWaiting(s *stage) { joinsRinging(s, "230", (*phone.Call).AwaitAnswered) }

// joinsRinging has 101 call a number where 102 rings, and not wait for 102 to
// answer; heard is what 101 hears of it.
func joinsRinging(s *stage, number string, heard func(*phone.Call, context.Context) error) {
	s.Helper()
	client, first := talksTo101(s)
	s.must(first.Hold(s.ctx))
	consultation := s.dials("101", number)
	second := s.rings("102")
	s.must(heard(consultation, s.ctx))
	s.must(first.TransferToRinging(s.ctx, consultation))
	s.ends(first)
	s.ends(consultation)
	s.must(s.AwaitGone(s.ctx, "PJSIP/101-"))
	s.must(second.Answer(s.ctx))
	s.must(s.AwaitTogether(s.ctx, "trunk", "102"))
	s.hangsUp(client, second)
}

// attendedTurnedBlind gives up waiting for an answer.
func attendedTurnedBlind(s *stage) {
	client, first := talksTo101(s)
	s.must(first.Hold(s.ctx))
	consultation := s.dials("101", "102")
	ringing := s.rings("102")
	s.must(consultation.AwaitRinging(s.ctx))
	s.hangsUp(consultation, ringing)
	handsOn(s, first, "102")
	takesOver(s, "102", client)
}

// goesBack has 101 go on with the client, who hangs up in the end.
func goesBack(s *stage, held, client *phone.Call) {
	s.Helper()
	s.must(held.Resume(s.ctx))
	s.hangsUp(client, held)
}

func consultationCalleeLeaves(s *stage) {
	client, first := talksTo101(s)
	consultation, second := asks102(s, first)
	s.hangsUp(second, consultation)
	goesBack(s, first, client)
}

func consultationCallerLeaves(s *stage) {
	client, first := talksTo101(s)
	consultation, second := asks102(s, first)
	s.hangsUp(consultation, second)
	goesBack(s, first, client)
}

func consultationBusy(s *stage) {
	client, first := talksTo101(s)
	s.must(first.Hold(s.ctx))
	consultation := s.dials("101", "102")
	s.must(s.called("102").Reject(486))
	s.refused(consultation, 486)
	goesBack(s, first, client)
}

func consultationDeclined(s *stage) {
	client, first := talksTo101(s)
	s.must(first.Hold(s.ctx))
	consultation := s.dials("101", "102")
	s.must(s.rings("102").Reject(603))
	s.ends(consultation)
	goesBack(s, first, client)
}

func consultationClientLeaves(s *stage) {
	client, first := talksTo101(s)
	consultation, second := asks102(s, first)
	s.hangsUp(client, first)
	s.hangsUp(consultation, second)
}
