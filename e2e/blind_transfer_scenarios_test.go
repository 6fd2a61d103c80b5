package e2e_test

// blindTransferScenarios are calls that one employee hands on to another without asking.
var blindTransferScenarios = []scenario{
	{"blind_transfer", "a client talks to 101, who transfers to 102 by REFER", blindTransfer, [][]string{transferredTo102}},
	{"blind_transfer_keys", "a client talks to 101, who transfers to 102 by pressing ##102", blindTransferByKeys, [][]string{{
		// The client hears music while 101 presses keys.
		"call-started " + direct, "client>101 appeared", "client>101 connected", "client>101 paused", "client>101 connected",
		"client>101 disconnected", "client>102 appeared", "client>102 connected",
		"client>102 disconnected", "client>102 finished", "call-finished",
		"register-call client>101 answered, client>102 answered",
	}}},
	{"blind_transfer_operator", "a client talks to 101, and an operator's program redirects the client to 102", blindTransferByOperator, [][]string{transferredTo102}},
	{"blind_transfer_held", "a client talks to 101, who holds, then transfers to 102 by REFER", blindTransferHeld, [][]string{{
		// Asterisk takes the client off hold for the transfer.
		"call-started " + direct, "client>101 appeared", "client>101 connected", "client>101 paused", "client>101 connected",
		"client>101 disconnected", "client>102 appeared", "client>102 connected",
		"client>102 disconnected", "client>102 finished", "call-finished",
		"register-call client>101 answered, client>102 answered",
	}}},
	{"blind_transfer_no_answer", "a client talks to 101, who transfers to 102, who doesn't answer", blindTransferNoAnswer, [][]string{transferMissed}},
	{"blind_transfer_busy", "a client talks to 101, who transfers to 102, who is busy", blindTransferBusy, [][]string{transferMissed}},
	{"blind_transfer_gives_up", "a client talks to 101, who transfers to 102; the client gives up while it rings", blindTransferGivesUp, [][]string{transferMissed}},
	{"blind_transfer_group", "a client talks to 101, who transfers to the ring group 102+103, 103 answers", blindTransferToGroup, [][]string{{
		"call-started " + direct, "client>101 appeared", "client>101 connected",
		"client>101 disconnected", "client>102 appeared & client>103 appeared",
		"client>103 connected & client>102 disconnected",
		"client>103 disconnected", "client>103 finished", "call-finished",
		"register-call client>101 answered, client>102 missed, client>103 answered",
	}}},
	{"blind_transfer_queue", "a client talks to 101, who transfers to a queue, where 102 answers", blindTransferToQueue, [][]string{transferredTo102}},
	{"blind_transfer_twice", "a client talks to 101, who transfers to 102, who transfers to 103", blindTransferTwice, [][]string{{
		"call-started " + direct, "client>101 appeared", "client>101 connected",
		"client>101 disconnected", "client>102 appeared", "client>102 connected",
		"client>102 disconnected", "client>103 appeared", "client>103 connected",
		"client>103 disconnected", "client>103 finished", "call-finished",
		"register-call client>101 answered, client>102 answered, client>103 answered",
	}}},
	{"blind_transfer_back", "a client talks to 101, who transfers to 102, who transfers back to 101", blindTransferBack, [][]string{{
		"call-started " + direct, "client>101 appeared", "client>101 connected",
		"client>101 disconnected", "client>102 appeared", "client>102 connected",
		"client>102 disconnected", "client>101#2 appeared", "client>101#2 connected",
		"client>101#2 disconnected", "client>101#2 finished", "call-finished",
		"register-call client>101 answered, client>101 answered, client>102 answered",
	}}},
	{"outbound_blind_transfer", "101 calls a client, who answers; 101 transfers to 102 by REFER", outboundBlindTransfer, [][]string{outboundTransferredTo102()}},
	{"outbound_blind_transfer_keys", "101 calls a client, who answers; 101 transfers to 102 by pressing ##102", outboundBlindTransferByKeys, [][]string{outboundTransferredTo102("101>client paused", "101>client connected")}},
	{"internal_blind_transfer", "101 calls 102, who answers; 101 transfers 102 to 103 by REFER", internalBlindTransfer, [][]string{internalTransfer("102>103")}},
	{"internal_blind_transfer_by_callee", "101 calls 102, who answers and transfers 101 to 103 by REFER", internalBlindTransferByCallee, [][]string{internalTransfer("101>103")}},
}

// transferredTo102 is a client's call to 101, handed on to 102 who answers.
var transferredTo102 = []string{
	"call-started " + direct, "client>101 appeared", "client>101 connected",
	"client>101 disconnected", "client>102 appeared", "client>102 connected",
	"client>102 disconnected", "client>102 finished", "call-finished",
	"register-call client>101 answered, client>102 answered",
}

// transferMissed is a client's call to 101, handed on to 102 who doesn't answer.
var transferMissed = []string{
	"call-started " + direct, "client>101 appeared", "client>101 connected",
	"client>101 disconnected", "client>102 appeared", "client>102 disconnected",
	"client>101 finished", "call-finished",
	"register-call client>101 answered, client>102 missed",
}

// outboundTransferredTo102 is a call of 101 to a client, handed on to 102.
// before are the events of 101's leg just before that.
func outboundTransferredTo102(before ...string) []string {
	story := append([]string{"call-started " + outgoing, "101>client appeared", "101>client connected"}, before...)
	return append(story,
		"101>client disconnected", "client>102 appeared", "client>102 connected",
		"client>102 disconnected", "client>102 finished", "call-finished",
		"register-call 101>client answered, client>102 answered")
}

// internalTransfer is a call of 101 to 102, after which one of the two talks to 103.
func internalTransfer(second string) []string {
	return []string{
		"call-started internal", "101>102 appeared", "101>102 connected",
		"101>102 disconnected", second + " appeared", second + " connected",
		second + " disconnected", second + " finished", "call-finished",
		"register-call 101>102 answered, " + second + " answered",
	}
}
