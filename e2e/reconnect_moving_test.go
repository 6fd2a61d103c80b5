package e2e_test

// movingGaps fall into calls that go from one employee to another.
var movingGaps = []gap{
	{"BlindTransfer", gapBlindTransfer, [][]string{handedOver}},
	{"BlindTransferRinging", gapBlindTransferRinging, [][]string{handedOver}},
	{"AttendedTransfer", gapAttendedTransfer, [][]string{
		{
			"call-started " + direct, "client>101 appeared", "client>101 connected", "client>101 paused",
			// The order of these can't be known.
			"client>101 disconnected & client>102 appeared & client>102 connected",
			"client>102 disconnected", "client>102 finished", "call-finished",
			"register-call client>101 answered, client>102 answered",
		},
		answeredLeg("internal", "101>102"),
	}},
	{"ConsultationBegun", gapConsultationBegun, [][]string{
		{
			"call-started " + direct, "client>101 appeared", "client>101 connected",
			"client>102 appeared", "client>102 connected", "client>101 disconnected",
			"client>102 disconnected", "client>102 finished", "call-finished",
			"register-call client>101 answered, client>102 answered",
		},
		answeredLeg("internal", "101>102"),
	}},
	{"GroupAnswered", gapGroupAnswered, [][]string{{
		"call-started inbound client at 78005550120",
		"client>101 appeared & client>102 appeared & client>103 appeared",
		"client>102 connected & client>101 disconnected & client>103 disconnected",
		"client>102 disconnected", "client>102 finished", "call-finished",
		"register-call client>101 missed, client>102 answered, client>103 missed",
	}}},
	{"NextRings", gapNextRings, [][]string{{
		"call-started inbound client at 78005550121", "client>101 appeared", "client>101 disconnected",
		"client>102 appeared", "client>102 connected", "client>102 disconnected", "client>102 finished",
		"call-finished", "register-call client>101 missed, client>102 answered",
	}}},
	{"PickedUp", gapPickedUp, [][]string{takenBy102(direct)}},
	{"Parked", gapParked, [][]string{handedOver}},
	{"Retrieved", gapRetrieved, [][]string{handedOver}},
	{"ParkedAndRetrieved", gapParkedAndRetrieved, [][]string{handedOver}},
	{"ConferenceEntered", gapConferenceEntered, [][]string{{
		"call-started inbound client at 78005554480", "client>101 appeared", "client>101 connected",
		"client>102 appeared", "client>102 connected", "client>101 disconnected", "client>102 disconnected", "client>102 finished",
		"call-finished", "register-call client>101 answered, client>102 answered",
	}}},
}

// handedOver is the story of a client who talks to 101 and then to 102.
var handedOver = []string{
	"call-started " + direct, "client>101 appeared", "client>101 connected", "client>101 disconnected",
	"client>102 appeared", "client>102 connected", "client>102 disconnected", "client>102 finished",
	"call-finished", "register-call client>101 answered, client>102 answered",
}

func gapBlindTransfer(g *gapped) {
	caller, callee := g.talkIsReported()
	g.cut()
	g.sends(callee, "102")
	g.ends(callee)
	second := g.rings("102")
	g.picksUp(second, caller)
	g.mend()
	g.hangsUp(caller, second)
}

func gapBlindTransferRinging(g *gapped) {
	caller, callee := g.talkIsReported()
	g.cut()
	g.sends(callee, "102")
	g.ends(callee)
	second := g.rings("102")
	g.must(g.AwaitRinging(g.ctx, 1))
	g.mend()
	g.picksUp(second, caller)
	g.hangsUp(caller, second)
}

func gapAttendedTransfer(g *gapped) {
	caller, callee := g.talkIsReported()
	g.must(callee.Hold(g.ctx))
	consultation := g.dials("101", "102")
	second := g.rings("102")
	g.picksUp(second, consultation)
	g.awaitLine("101>102 connected")
	g.awaitLine("client>101 paused")
	g.cut()
	g.must(callee.TransferTo(g.ctx, consultation))
	g.ends(callee)
	g.ends(consultation)
	g.mend()
	g.hangsUp(caller, second)
}

// gapConsultationBegun ends in the middle of an attended transfer, after 102 has answered.
func gapConsultationBegun(g *gapped) {
	caller, callee := g.talkIsReported()
	g.cut()
	g.must(callee.Hold(g.ctx))
	consultation := g.dials("101", "102")
	second := g.rings("102")
	g.picksUp(second, consultation)
	g.mend()
	g.must(callee.TransferTo(g.ctx, consultation))
	g.ends(callee)
	g.ends(consultation)
	g.hangsUp(caller, second)
}

func gapGroupAnswered(g *gapped) {
	caller := g.comesIn("78005550120")
	first, second, third := g.rings("101"), g.rings("102"), g.rings("103")
	for _, employee := range []string{"101", "102", "103"} {
		g.awaitLine("client>" + employee + " appeared")
	}
	g.cut()
	g.picksUp(second, caller)
	g.ends(first)
	g.ends(third)
	g.mend()
	g.hangsUp(caller, second)
}

// gapNextRings lasts while 101's phone stops ringing and 102's begins.
func gapNextRings(g *gapped) {
	caller := g.comesIn("78005550121")
	first := g.rings("101")
	g.awaitLine("client>101 appeared")
	g.cut()
	g.ends(first)
	second := g.rings("102")
	g.must(g.AwaitRinging(g.ctx, 1))
	g.mend()
	g.picksUp(second, caller)
	g.hangsUp(caller, second)
}

func gapPickedUp(g *gapped) {
	caller := g.comesIn("78005550101")
	ringing := g.rings("101")
	g.must(caller.AwaitRinging(g.ctx))
	g.awaitLine("client>101 appeared")
	g.cut()
	taken := g.joins("102", "*8")
	g.ends(ringing)
	g.mend()
	g.hangsUp(caller, taken)
}

func gapParked(g *gapped) {
	caller, callee := g.talkIsReported()
	g.cut()
	g.parks(callee, "700")
	g.mend()
	g.hangsUp(caller, g.joins("102", "701"))
}

func gapRetrieved(g *gapped) {
	caller, callee := g.talkIsReported()
	g.parks(callee, "700")
	g.awaitLine("client>101 disconnected")
	g.cut()
	second := g.joins("102", "701")
	g.mend()
	g.hangsUp(caller, second)
}

func gapParkedAndRetrieved(g *gapped) {
	caller, callee := g.talkIsReported()
	g.cut()
	g.parks(callee, "700")
	second := g.joins("102", "701")
	g.mend()
	g.hangsUp(caller, second)
}

func gapConferenceEntered(g *gapped) {
	r := room{stage: g.stage}
	caller := r.enters(g.comesIn("78005554480"))
	first := r.enters(g.dials("101", "480"))
	g.awaitLine("client>101 connected")
	g.cut()
	second := r.enters(g.dials("102", "480"))
	g.mend()
	r.leaves(first)
	r.leaves(second)
	r.leaves(caller)
}
