package e2e_test

import (
	"kontur-ari/e2e/lab"
	"kontur-ari/e2e/phone"
)

// partner is an outside number to which employees transfer calls.
const partner = "79165552101"

var mobileOf102 = lab.Mobile("102")

// outsideTransferScenarios are transfers to an outside number.
var outsideTransferScenarios = []scenario{
	{"outside_transfer", "a client talks to 101, who transfers to an outside number by REFER; that one answers", outsideTransfer, [][]string{outsideTransferred("client>client")}},
	{"outside_transfer_busy", "a client talks to 101, who transfers to an outside number by REFER; that one is busy", outsideTransferBusy, [][]string{{
		"call-started " + direct, "client>101 appeared", "client>101 connected",
		"client>101 disconnected", "client>client appeared", "client>client disconnected",
		"client>101 finished", "call-finished",
		"register-call client>101 answered, client>client missed",
	}}},
	{"outside_transfer_mobile", "a client talks to 101, who transfers to the mobile of 102 by REFER; 102 answers", mobileTransfer, [][]string{outsideTransferred("client>102")}},
	{"outside_transfer_attended", "a client talks to 101, who asks somebody outside and joins the two by REFER with Replaces", outsideTransferAttended, [][]string{
		attendedTo("client>client"),
		answeredLeg("outbound "+partner+" from 79229929292", "101>client"),
	}},
	// The first client's call goes on with the second client in it. The second client's
	// call ends, because no employee is in it any more.
	{"clients_joined", "101 talks to a client, takes a second client's call meanwhile, joins the two by REFER with Replaces", clientsJoined, [][]string{
		attendedTo("client>client"),
		answeredLeg("inbound "+partner+" at 78005550101", "client>101"),
	}},
}

// outsideTransferred is a client's call to 101, transferred to an outside number, which
// answers.
func outsideTransferred(second string) []string {
	return []string{
		"call-started " + direct, "client>101 appeared", "client>101 connected",
		"client>101 disconnected", second + " appeared", second + " connected",
		second + " disconnected", second + " finished", "call-finished",
		"register-call client>101 answered, " + second + " answered",
	}
}

func outsideTransfer(s *stage) {
	client, first := talksTo101(s)
	handsOn(s, first, partner)
	second := s.reachesTrunk(partner)
	s.must(second.Ring())
	s.picksUp(second, client)
	s.hangsUp(client, second)
}

func outsideTransferBusy(s *stage) {
	client, first := talksTo101(s)
	handsOn(s, first, partner)
	s.must(s.reachesTrunk(partner).Reject(486))
	s.ends(client)
}

func mobileTransfer(s *stage) {
	client, first := talksTo101(s)
	handsOn(s, first, mobileOf102)
	second := s.reachesTrunk(mobileOf102)
	s.must(second.Ring())
	s.picksUp(second, client)
	s.hangsUp(second, client)
}

func outsideTransferAttended(s *stage) {
	client, first := talksTo101(s)
	s.must(first.Hold(s.ctx))
	consultation := s.dials("101", partner)
	second := s.reachesTrunk(partner)
	s.must(second.Ring())
	s.picksUp(second, consultation)
	joins(s, first, consultation)
	s.hangsUp(client, second)
}

// clientsJoined is 101 joining two clients by an attended transfer.
func clientsJoined(s *stage) {
	client, first := talksTo101(s)
	other := s.comesInAs(phone.As(partner, "78005550101"))
	second := s.rings("101")
	s.must(first.Hold(s.ctx))
	s.picksUp(second, other)
	joins(s, first, second)
	s.hangsUp(client, other)
}
