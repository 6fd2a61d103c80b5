package e2e_test

import "kontur-ari/e2e/phone"

// Blind transfers.

// talksTo101 is the client calling 101, who answers.
func talksTo101(s *stage) (client, employee *phone.Call) {
	s.Helper()
	client = s.comesIn("78005550101")
	employee = s.rings("101")
	s.picksUp(employee, client)
	return client, employee
}

// calledBy101 is 101 calling the client, who answers.
func calledBy101(s *stage) (client, employee *phone.Call) {
	s.Helper()
	employee = s.dials("101", s.client)
	client = s.reachesTrunk(s.client)
	s.must(client.Ring())
	s.picksUp(client, employee)
	return client, employee
}

// takesOver is an employee answering a transferred call; the client then hangs up.
func takesOver(s *stage, extension string, client *phone.Call) {
	s.Helper()
	second := s.rings(extension)
	s.picksUp(second, client)
	s.hangsUp(client, second)
}

// handsOn transfers by REFER, and waits until the employee's call has ended.
func handsOn(s *stage, employee *phone.Call, number string) {
	s.Helper()
	s.sends(employee, number)
	s.ends(employee)
}

// handsOnByKeys transfers by pressing ## and the number.
func handsOnByKeys(s *stage, employee *phone.Call, number string) {
	s.Helper()
	s.must(employee.Press(s.ctx, "##"+number))
	s.ends(employee)
}

func blindTransfer(s *stage) {
	client, first := talksTo101(s)
	handsOn(s, first, "102")
	takesOver(s, "102", client)
}

func blindTransferByKeys(s *stage) {
	client, first := talksTo101(s)
	handsOnByKeys(s, first, "102")
	takesOver(s, "102", client)
}

func blindTransferByOperator(s *stage) {
	client, first := talksTo101(s)
	s.must(s.Redirect(s.ctx, "trunk", "102"))
	s.ends(first)
	takesOver(s, "102", client)
}

func blindTransferHeld(s *stage) {
	client, first := talksTo101(s)
	s.must(first.Hold(s.ctx))
	handsOn(s, first, "102")
	takesOver(s, "102", client)
}

func blindTransferNoAnswer(s *stage) {
	client, first := talksTo101(s)
	handsOn(s, first, "212")
	s.ends(s.rings("102"))
	s.ends(client)
}

func blindTransferBusy(s *stage) {
	client, first := talksTo101(s)
	handsOn(s, first, "102")
	s.must(s.called("102").Reject(486))
	s.ends(client)
}

func blindTransferGivesUp(s *stage) {
	client, first := talksTo101(s)
	handsOn(s, first, "102")
	s.hangsUp(client, s.rings("102"))
}

func blindTransferToGroup(s *stage) {
	client, first := talksTo101(s)
	handsOn(s, first, "220")
	loser := s.rings("102")
	winner := s.rings("103")
	s.picksUp(winner, client)
	s.ends(loser)
	s.hangsUp(client, winner)
}

func blindTransferToQueue(s *stage) {
	client, first := talksTo101(s)
	handsOn(s, first, "230")
	takesOver(s, "102", client)
}

func blindTransferTwice(s *stage) {
	client, first := talksTo101(s)
	handsOn(s, first, "102")
	second := s.rings("102")
	s.picksUp(second, client)
	handsOn(s, second, "103")
	takesOver(s, "103", client)
}

func blindTransferBack(s *stage) {
	client, first := talksTo101(s)
	handsOn(s, first, "102")
	second := s.rings("102")
	s.picksUp(second, client)
	handsOn(s, second, "101")
	takesOver(s, "101", client)
}

func outboundBlindTransfer(s *stage) {
	client, first := calledBy101(s)
	handsOn(s, first, "102")
	takesOver(s, "102", client)
}

func outboundBlindTransferByKeys(s *stage) {
	client, first := calledBy101(s)
	handsOnByKeys(s, first, "102")
	takesOver(s, "102", client)
}

// talksInside is 101 calling 102, who answers.
func talksInside(s *stage) (caller, callee *phone.Call) {
	s.Helper()
	caller = s.dials("101", "102")
	callee = s.rings("102")
	s.picksUp(callee, caller)
	return caller, callee
}

func internalBlindTransfer(s *stage) {
	caller, callee := talksInside(s)
	handsOn(s, caller, "103")
	takesOver(s, "103", callee)
}

func internalBlindTransferByCallee(s *stage) {
	caller, callee := talksInside(s)
	handsOn(s, callee, "103")
	takesOver(s, "103", caller)
}
