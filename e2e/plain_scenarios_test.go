package e2e_test

const (
	// direct describes a call from the client to 101's number, and outgoing one to the client.
	direct   = "inbound client at 78005550101"
	outgoing = "outbound client from 79229929292"
)

// plainScenarios are inbound, outbound and internal calls without any transfer.
var plainScenarios = []scenario{
	{"inbound_caller_hangs_up", "a client calls 101, who answers; the client hangs up", inboundCallerHangsUp, [][]string{answeredLeg(direct, "client>101")}},
	{"inbound_callee_hangs_up", "a client calls 101, who answers and hangs up", inboundCalleeHangsUp, [][]string{answeredLeg(direct, "client>101")}},
	{"inbound_no_ringing", "a client calls 101, who answers without any 180 before", inboundNoRinging, [][]string{answeredLeg(direct, "client>101")}},
	{"inbound_gives_up", "a client calls 101 and gives up while it rings", inboundGivesUp, [][]string{missedLeg(direct, "client>101")}},
	{"inbound_no_answer", "a client calls 101, nobody answers, the dial times out", inboundNoAnswer, [][]string{missedLeg("inbound client at 78005551101", "client>101")}},
	{"inbound_busy", "a client calls 101, who is busy (486 without 180)", inboundBusy, [][]string{missedLeg(direct, "client>101")}},
	{"inbound_declined", "a client calls 101, it rings, 101 declines (603)", inboundDeclined, [][]string{missedLeg(direct, "client>101")}},
	{"inbound_menu", "a client hangs up in the menu, no phone rang", inboundMenu, [][]string{{
		"call-started inbound client at 78005550140", "call-finished", "register-call client>somebody missed",
	}}},
	{"inbound_group", "a client calls the ring group 101+102+103, 102 answers", inboundGroup, [][]string{{
		"call-started inbound client at 78005550120",
		"client>101 appeared & client>102 appeared & client>103 appeared",
		"client>102 connected & client>101 disconnected & client>103 disconnected",
		"client>102 disconnected", "client>102 finished", "call-finished",
		"register-call client>101 missed, client>102 answered, client>103 missed",
	}}},
	{"inbound_chain", "a client calls, 101 rings for 4 s, then 102 answers", inboundChain, [][]string{{
		"call-started inbound client at 78005550121",
		"client>101 appeared", "client>101 disconnected", "client>102 appeared", "client>102 connected", "client>102 disconnected", "client>102 finished",
		"call-finished", "register-call client>101 missed, client>102 answered",
	}}},
	{"inbound_queue", "a client calls a queue, 101 doesn't answer, 102 does", inboundQueue, [][]string{{
		"call-started inbound client at 78005550130",
		"client>101 appeared", "client>101 disconnected", "client>102 appeared", "client>102 connected", "client>102 disconnected", "client>102 finished",
		"call-finished", "register-call client>101 missed, client>102 answered",
	}}},
	{"inbound_hold", "a client calls 101, who answers, holds, resumes; the client hangs up", inboundHold, [][]string{heldLeg}},
	{"inbound_client_holds", "a client calls 101, who answers; the client holds and resumes; 101 hangs up", clientHolds, [][]string{heldLeg}},
	{"phone_gone", "a client calls 105, whose phone is registered and not there", phoneGone, [][]string{missedLeg("inbound client at 78005551105", "client>105")}},
	{"phone_unknown", "a client calls 106, whose phone never registered", phoneUnknown, [][]string{{
		// Asterisk never made a channel for 106, so the call has no leg.
		"call-started inbound client at 78005550106", "call-finished", "register-call client>somebody missed",
	}}},
	{"outbound_answered", "101 calls a client, who answers; 101 hangs up", outboundAnswered, [][]string{answeredLeg(outgoing, "101>client")}},
	{"outbound_client_hangs_up", "101 calls a client, who answers and hangs up", outboundClientHangsUp, [][]string{answeredLeg(outgoing, "101>client")}},
	{"outbound_busy", "101 calls a client, who is busy", outboundBusy, [][]string{missedLeg(outgoing, "101>client")}},
	{"outbound_declined", "101 calls a client, it rings, the client declines", outboundDeclined, [][]string{missedLeg(outgoing, "101>client")}},
	{"outbound_no_answer", "101 calls a client, who doesn't answer; the dial times out", outboundNoAnswer, [][]string{missedLeg(outgoing, "101>client")}},
	{"outbound_gives_up", "101 calls a client and gives up while it rings", outboundGivesUp, [][]string{missedLeg(outgoing, "101>client")}},
	{"outbound_fail_over", "101 calls a client, trunk refuses (503), over trunk2 the client answers", outboundFailOver, [][]string{answeredLeg(outgoing, "101>client")}},
	{"outbound_all_trunks_fail", "101 calls a client, trunk and trunk2 refuse (503)", outboundAllTrunksFail, [][]string{missedLeg(outgoing, "101>client")}},
	{"internal_answered", "101 calls 102, who answers; 101 hangs up", internalAnswered, [][]string{answeredLeg("internal", "101>102")}},
	{"internal_no_answer", "101 calls 103, who doesn't answer; the dial times out", internalNoAnswer, [][]string{missedLeg("internal", "101>103")}},
	{"internal_gives_up", "101 calls 102 and gives up while it rings", internalGivesUp, [][]string{missedLeg("internal", "101>102")}},
	{"outsider_called", "a client calls 104, an employee who is not in the CRM", outsiderCalled, [][]string{answeredLeg("inbound client at 78005550104", "client>somebody")}},
	{"outsider_calls", "104, an employee who is not in the CRM, calls a client", outsiderCalls, [][]string{answeredLeg(outgoing, "somebody>client")}},
	{"two_calls_at_once", "101 talks to a client, takes a second client's call meanwhile, comes back", twoCallsAtOnce, [][]string{
		{
			"call-started " + direct, "client>101 appeared", "client>101 connected", "client>101 paused",
			"client>101 connected", "client>101 disconnected", "client>101 finished",
			"call-finished", "register-call client>101 answered",
		},
		answeredLeg("inbound 79990000000 at 78005550101", "client>101"),
	}},
	{"recorded_over_ari", "a client calls 101, who answers; an application records them over ARI", recordedOverARI, [][]string{answeredLeg(direct, "client>101")}},
	{"echo_test", "101 calls the echo test *65, which is no call", echoTest, nil},
}

var heldLeg = []string{
	"call-started " + direct, "client>101 appeared", "client>101 connected", "client>101 paused",
	"client>101 connected", "client>101 disconnected", "client>101 finished",
	"call-finished", "register-call client>101 answered",
}
