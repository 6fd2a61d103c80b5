package e2e_test

// attendedScenarios are attended transfers by REFER with Replaces, and consultations without
// a transfer. The consultation is a call of its own.
var attendedScenarios = []scenario{
	{"attended_transfer", "a client talks to 101, who asks 102 and joins the two by REFER with Replaces", attendedTransfer, [][]string{
		attendedTo("client>102"), answeredLeg("internal", "101>102"),
	}},
	{"attended_client_holds", "a client talks to 101, who asks 102; the client holds and resumes meanwhile; 101 joins the two by REFER with Replaces", attendedClientHolds, [][]string{
		attendedTo("client>102"), answeredLeg("internal", "101>102"),
	}},
	{"attended_alternating", "a client talks to 101, who asks 102, goes back to the client, again to 102, and joins the two by REFER with Replaces", attendedAlternating, [][]string{
		{
			"call-started " + direct, "client>101 appeared", "client>101 connected", "client>101 paused",
			"client>101 connected", "client>101 paused", "client>101 connected",
			"client>102 appeared", "client>102 connected", "client>101 disconnected",
			"client>102 disconnected", "client>102 finished", "call-finished",
			"register-call client>101 answered, client>102 answered",
		},
		{
			"call-started internal", "101>102 appeared", "101>102 connected", "101>102 paused", "101>102 connected",
			"101>102 disconnected", "101>102 finished", "call-finished", "register-call 101>102 answered",
		},
	}},
	{"attended_outbound", "101 calls a client, asks 102 and joins the two by REFER with Replaces", attendedOutbound, [][]string{
		{
			"call-started " + outgoing, "101>client appeared", "101>client connected", "101>client paused", "101>client connected",
			"client>102 appeared", "client>102 connected", "101>client disconnected",
			"client>102 disconnected", "client>102 finished", "call-finished",
			"register-call 101>client answered, client>102 answered",
		},
		answeredLeg("internal", "101>102"),
	}},
	{"attended_internal", "103 calls 101, who asks 102 and joins the two by REFER with Replaces", attendedInternal, [][]string{
		{
			"call-started internal", "103>101 appeared", "103>101 connected", "103>101 paused", "103>101 connected",
			"103>102 appeared", "103>102 connected", "103>101 disconnected",
			"103>102 disconnected", "103>102 finished", "call-finished",
			"register-call 103>101 answered, 103>102 answered",
		},
		answeredLeg("internal", "101>102"),
	}},
	{"attended_queue", "a client talks to 101, who calls a queue, asks 102 who answers there, and joins the two by REFER with Replaces", attendedQueue, [][]string{
		attendedTo("client>102"), answeredLeg("internal", "101>102"),
	}},
	{"attended_queue_waiting", "a client talks to 101, who calls a queue and joins the two by REFER with Replaces while 102 rings there; 102 answers", attendedQueueWaiting, attendedWhileRinging},
	{"attended_ringing", "a client talks to 101, who calls 102 and joins the two by REFER with Replaces while it rings; 102 answers", attendedRinging, attendedWhileRinging},
	{"attended_turned_blind", "a client talks to 101, who calls 102, gives up while it rings and transfers to 102 by REFER", attendedTurnedBlind, [][]string{
		{
			"call-started " + direct, "client>101 appeared", "client>101 connected", "client>101 paused", "client>101 connected",
			"client>101 disconnected", "client>102 appeared", "client>102 connected",
			"client>102 disconnected", "client>102 finished", "call-finished",
			"register-call client>101 answered, client>102 answered",
		},
		missedLeg("internal", "101>102"),
	}},
	{"consultation_callee_leaves", "a client talks to 101, who asks 102; 102 hangs up, 101 goes back to the client", consultationCalleeLeaves, consulted(answeredLeg("internal", "101>102"))},
	{"consultation_caller_leaves", "a client talks to 101, who asks 102, hangs up there and goes back to the client", consultationCallerLeaves, consulted(answeredLeg("internal", "101>102"))},
	{"consultation_busy", "a client talks to 101, who calls 102, who is busy; 101 goes back to the client", consultationBusy, consulted(missedLeg("internal", "101>102"))},
	{"consultation_declined", "a client talks to 101, who calls 102, who declines; 101 goes back to the client", consultationDeclined, consulted(missedLeg("internal", "101>102"))},
	{"consultation_client_leaves", "a client talks to 101, who asks 102; the client hangs up meanwhile", consultationClientLeaves, [][]string{
		{
			"call-started " + direct, "client>101 appeared", "client>101 connected", "client>101 paused",
			"client>101 disconnected", "client>101 finished", "call-finished", "register-call client>101 answered",
		},
		answeredLeg("internal", "101>102"),
	}},
}

// attendedWhileRinging is a client's call to 101, who holds, calls 102 and joins
// the two before 102 answers.
var attendedWhileRinging = [][]string{
	{
		"call-started " + direct, "client>101 appeared", "client>101 connected", "client>101 paused", "client>101 connected",
		"client>102 appeared & client>101 disconnected", "client>102 connected",
		"client>102 disconnected", "client>102 finished", "call-finished",
		"register-call client>101 answered, client>102 answered",
	},
	missedLeg("internal", "101>102"),
}

// attendedTo is a client's call to 101, who holds, consults another party and joins the two.
// Asterisk takes the client off hold for the transfer.
func attendedTo(second string) []string {
	return []string{
		"call-started " + direct, "client>101 appeared", "client>101 connected", "client>101 paused", "client>101 connected",
		second + " appeared", second + " connected", "client>101 disconnected",
		second + " disconnected", second + " finished", "call-finished",
		"register-call client>101 answered, " + second + " answered",
	}
}

// consulted is a client's call to 101, who consults another party and comes back.
func consulted(consultation []string) [][]string { return [][]string{heldLeg, consultation} }
