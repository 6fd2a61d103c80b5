package e2e_test

import (
	"context"

	"kontur-ari/e2e/phone"
)

// Attended transfers by REFER with Replaces, and consultations that end without a transfer.

// asks102 is 101 holding his call and calling 102, who answers.
func asks102(s *stage, held *phone.Call) (consultation, second *phone.Call) {
	s.Helper()
	s.must(held.Hold(s.ctx))
	consultation = s.dials("101", "102")
	second = s.rings("102")
	s.picksUp(second, consultation)
	return consultation, second
}

// joins completes an attended transfer, after which both of the employee's calls end.
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

// attendedClientHolds is the client pressing hold while 101 holds him.
func attendedClientHolds(s *stage) {
	client, first := talksTo101(s)
	consultation, second := asks102(s, first)
	s.must(client.Hold(s.ctx))
	s.must(client.Resume(s.ctx))
	joins(s, first, consultation)
	s.hangsUp(client, second)
}

// attendedAlternating is 101 going from 102 back to the client and to 102 again.
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

// joinsRinging is 101 calling a number where 102 rings, and transferring before 102
// answers. heard waits for what 101 hears: a ringing tone or an answer.
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

// attendedTurnedBlind is 101 giving up the wait for 102, and transferring blindly.
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

// goesBack is 101 resuming the client's call; the client then hangs up.
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
