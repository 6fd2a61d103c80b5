package e2e_test

import (
	"testing"
)

// direct is how the CRM is told of a call from the client to 101's number.
const (
	direct   = "inbound client at 78005550101"
	outgoing = "outbound client from 79229929292"
)

// scenarios are calls and what the CRM is to be told of them.
var scenarios = []struct {
	name    string
	play    func(*stage)
	stories [][]string // one for each call, in the order they begin
}{
	{"InboundCallerHangsUp", inboundCallerHangsUp, [][]string{answeredLeg(direct, "client>101")}},
	{"InboundCalleeHangsUp", inboundCalleeHangsUp, [][]string{answeredLeg(direct, "client>101")}},
	{"InboundWithoutRinging", inboundNoRinging, [][]string{answeredLeg(direct, "client>101")}},
	{"InboundCallerGivesUp", inboundGivesUp, [][]string{missedLeg(direct, "client>101")}},
	{"InboundNoAnswer", inboundNoAnswer, [][]string{missedLeg("inbound client at 78005551101", "client>101")}},
	{"InboundBusy", inboundBusy, [][]string{missedLeg(direct, "client>101")}},
	{"InboundDeclined", inboundDeclined, [][]string{missedLeg(direct, "client>101")}},
	{"InboundMenu", inboundMenu, [][]string{{
		"call-started inbound client at 78005550140", "call-finished", "register-call client>somebody missed",
	}}},
	{"InboundGroup", inboundGroup, [][]string{{
		"call-started inbound client at 78005550120",
		"client>101 appeared & client>102 appeared & client>103 appeared",
		"client>102 connected & client>101 disconnected & client>103 disconnected",
		"client>102 disconnected", "client>102 finished", "call-finished",
		"register-call client>101 missed, client>102 answered, client>103 missed",
	}}},
	// Asterisk tells of the end of one ringing and of the beginning of the next in
	// either order: they are the same moment, of different channels.
	{"InboundChain", inboundChain, [][]string{{
		"call-started inbound client at 78005550121",
		"client>101 appeared", "client>101 disconnected & client>102 appeared", "client>102 connected", "client>102 disconnected", "client>102 finished",
		"call-finished", "register-call client>101 missed, client>102 answered",
	}}},
	{"InboundQueue", inboundQueue, [][]string{{
		"call-started inbound client at 78005550130",
		"client>101 appeared", "client>101 disconnected & client>102 appeared", "client>102 connected", "client>102 disconnected", "client>102 finished",
		"call-finished", "register-call client>101 missed, client>102 answered",
	}}},
	{"InboundHold", inboundHold, [][]string{heldLeg}},
	{"InboundClientHolds", clientHolds, [][]string{heldLeg}},
	{"InboundPhoneGone", phoneGone, [][]string{missedLeg("inbound client at 78005551105", "client>105")}},
	{"InboundPhoneUnknown", phoneUnknown, [][]string{{
		// No channel was ever made for 106: nobody was called.
		"call-started inbound client at 78005550106", "call-finished", "register-call client>somebody missed",
	}}},
	{"OutboundAnswered", outboundAnswered, [][]string{answeredLeg(outgoing, "101>client")}},
	{"OutboundClientHangsUp", outboundClientHangsUp, [][]string{answeredLeg(outgoing, "101>client")}},
	{"OutboundBusy", outboundBusy, [][]string{missedLeg(outgoing, "101>client")}},
	{"OutboundDeclined", outboundDeclined, [][]string{missedLeg(outgoing, "101>client")}},
	{"OutboundNoAnswer", outboundNoAnswer, [][]string{missedLeg(outgoing, "101>client")}},
	{"OutboundCallerGivesUp", outboundGivesUp, [][]string{missedLeg(outgoing, "101>client")}},
	{"OutboundFailOver", outboundFailOver, [][]string{answeredLeg(outgoing, "101>client")}},
	{"OutboundAllTrunksFail", outboundAllTrunksFail, [][]string{missedLeg(outgoing, "101>client")}},
	{"InternalAnswered", internalAnswered, [][]string{answeredLeg("internal", "101>102")}},
	{"InternalNoAnswer", internalNoAnswer, [][]string{missedLeg("internal", "101>103")}},
	{"InternalCallerGivesUp", internalGivesUp, [][]string{missedLeg("internal", "101>102")}},
	{"OutsiderCalled", outsiderCalled, [][]string{answeredLeg("inbound client at 78005550104", "client>somebody")}},
	{"OutsiderCalls", outsiderCalls, [][]string{answeredLeg(outgoing, "somebody>client")}},
	{"TwoCallsAtOnce", twoCallsAtOnce, [][]string{
		{
			"call-started " + direct, "client>101 appeared", "client>101 connected", "client>101 paused",
			"client>101 connected", "client>101 disconnected", "client>101 finished",
			"call-finished", "register-call client>101 answered",
		},
		answeredLeg("inbound 79990000000 at 78005550101", "client>101"),
	}},
}

var heldLeg = []string{
	"call-started " + direct, "client>101 appeared", "client>101 connected", "client>101 paused",
	"client>101 connected", "client>101 disconnected", "client>101 finished",
	"call-finished", "register-call client>101 answered",
}

func TestTheCRMIsToldOfEveryCall(t *testing.T) {
	for _, scenario := range scenarios {
		t.Run(scenario.name, func(t *testing.T) {
			d := newTold(t)
			scenario.play(d.stage)
			d.expect(scenario.stories...)
		})
	}
}

// An echo test, a feature code or a voicemail box is no call; what follows it is.
func TestAnEchoTestIsNoCall(t *testing.T) {
	d := newTold(t)
	echoTest(d.stage)
	inboundCallerHangsUp(d.stage)
	d.expect(answeredLeg(direct, "client>101"))
}

func TestInternalCallsAreLeftOutWhenConfigured(t *testing.T) {
	d := newTold(t, withoutInternal)
	internalAnswered(d.stage)
	inboundCallerHangsUp(d.stage)
	d.expect(answeredLeg(direct, "client>101"))
}
