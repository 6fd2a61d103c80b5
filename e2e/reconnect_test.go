package e2e_test

import (
	"slices"
	"testing"

	"kontur-ari/e2e/lab"
	"kontur-ari/e2e/phone"
)

// gapped is a deployment whose line between kontur-ari and Asterisk may be cut.
type gapped struct {
	*deployment
	line *relay
}

func newGapped(t *testing.T) *gapped {
	g := &gapped{}
	g.deployment = newDeployment(t, func(config *lab.DaemonConfig) {
		g.line = startRelay(t, config.Lab)
		config.URL = g.line.url()
	})
	return g
}

// cut cuts the line to Asterisk, and returns when kontur-ari has noticed it.
func (g *gapped) cut() {
	g.Helper()
	g.line.cut()
	g.must(g.daemon.AwaitUnready(g.ctx))
}

// mend lets connections live again, and returns when kontur-ari is ready again.
func (g *gapped) mend() {
	g.Helper()
	g.line.mend()
	g.must(g.daemon.AwaitReady(g.ctx))
}

// After a gap kontur-ari works out from Asterisk's state what it missed. It reports nothing
// twice, and leaves out nothing that can be known.
func TestWhatHappenedInAGapIsWorkedOut(t *testing.T) {
	for _, gap := range slices.Concat(plainGaps, movingGaps) {
		t.Run(gap.name, func(t *testing.T) {
			g := newGapped(t)
			gap.play(g)
			g.expect(gap.stories...)
		})
	}
}

// gap is what people do before, during and after a cut of the line.
type gap struct {
	name    string
	play    func(*gapped)
	stories [][]string
}

// plainGaps fall into calls without any transfer.
var plainGaps = []gap{
	{"Ringing", gapWhileRinging, [][]string{answeredLeg(direct, "client>101")}},
	{"Talking", gapWhileTalking, [][]string{answeredLeg(direct, "client>101")}},
	{"Answered", gapAnswered, [][]string{answeredLeg(direct, "client>101")}},
	{"HungUp", gapHungUp, [][]string{answeredLeg(direct, "client>101")}},
	{"GivenUp", gapGivenUp, [][]string{missedLeg(direct, "client>101")}},
	// Asterisk's state no longer shows that the call was answered.
	{"AnsweredAndHungUp", gapAnsweredAndHungUp, [][]string{missedLeg(direct, "client>101")}},
	{"Begun", gapBegun, [][]string{answeredLeg(direct, "client>101")}},
	{"BegunAndAnswered", gapBegunAndAnswered, [][]string{answeredLeg(direct, "client>101")}},
	{"WholeCall", gapWholeCall, [][]string{answeredLeg("inbound 79990000000 at 78005550101", "client>101")}},
	{"BegunOutbound", gapBegunOutbound, [][]string{answeredLeg(outgoing, "101>client")}},
	{"AnsweredOutbound", gapAnsweredOutbound, [][]string{answeredLeg(outgoing, "101>client")}},
	{"BegunAndAnsweredOutbound", gapBegunAndAnsweredOutbound, [][]string{answeredLeg(outgoing, "101>client")}},
	{"BegunAndAnsweredInternal", gapBegunAndAnsweredInternal, [][]string{answeredLeg("internal", "101>102")}},
	{"Queue", gapInQueue, [][]string{answeredLeg("inbound client at 78005550130", "client>101")}},
	{"OneAfterTheOther", gapOneAfterTheOther, [][]string{
		answeredLeg(direct, "client>101"), answeredLeg("inbound 79990000000 at 78005550101", "client>101"),
	}},
	{"Menu", gapInMenu, [][]string{{
		"call-started inbound client at 78005550140", "call-finished", "register-call client>somebody missed",
	}}},
	{"Two", twoGaps, [][]string{answeredLeg(direct, "client>101")}},
	{"ManyShort", manyShortGaps, [][]string{answeredLeg(direct, "client>101")}},
	{"HeldBefore", gapOnHold, [][]string{heldLeg}},
	// Asterisk reports when a hold begins and ends. Its state doesn't show a hold.
	{"Held", gapHeld, [][]string{answeredLeg(direct, "client>101")}},
}

func gapWhileRinging(g *gapped) {
	caller := g.comesIn("78005550101")
	callee := g.rings("101")
	g.awaitLine("client>101 appeared")
	g.cut()
	g.mend()
	g.picksUp(callee, caller)
	g.hangsUp(caller, callee)
}

// talkIsReported is a call from the client to 101. It returns when the CRM has received
// that 101 answered.
func (g *gapped) talkIsReported() (caller, callee *phone.Call) {
	g.Helper()
	caller, callee = g.talksTo101("78005550101")
	g.awaitLine("client>101 connected")
	return caller, callee
}

func gapWhileTalking(g *gapped) {
	caller, callee := g.talkIsReported()
	g.cut()
	g.mend()
	g.hangsUp(caller, callee)
}

func gapAnswered(g *gapped) {
	caller := g.comesIn("78005550101")
	callee := g.rings("101")
	g.awaitLine("client>101 appeared")
	g.cut()
	g.picksUp(callee, caller)
	g.mend()
	g.hangsUp(caller, callee)
}

func gapHungUp(g *gapped) {
	caller, callee := g.talkIsReported()
	g.cut()
	g.hangsUp(caller, callee)
	g.must(g.AwaitIdle(g.ctx))
	g.mend()
}

func gapGivenUp(g *gapped) {
	caller := g.comesIn("78005550101")
	callee := g.rings("101")
	g.awaitLine("client>101 appeared")
	g.cut()
	g.hangsUp(caller, callee)
	g.must(g.AwaitIdle(g.ctx))
	g.mend()
}

func gapAnsweredAndHungUp(g *gapped) {
	caller := g.comesIn("78005550101")
	callee := g.rings("101")
	g.awaitLine("client>101 appeared")
	g.cut()
	g.picksUp(callee, caller)
	g.hangsUp(caller, callee)
	g.must(g.AwaitIdle(g.ctx))
	g.mend()
}

func gapBegun(g *gapped) {
	g.cut()
	caller := g.comesIn("78005550101")
	callee := g.rings("101")
	g.must(g.AwaitRinging(g.ctx, 1))
	g.mend()
	g.picksUp(callee, caller)
	g.hangsUp(caller, callee)
}

func gapBegunAndAnswered(g *gapped) {
	g.cut()
	caller, callee := g.talksTo101("78005550101")
	g.mend()
	g.hangsUp(caller, callee)
}

// gapWholeCall is a call wholly within the gap. Only the call after it is reported.
func gapWholeCall(g *gapped) {
	g.cut()
	inboundCallerHangsUp(g.stage)
	g.must(g.AwaitIdle(g.ctx))
	g.mend()
	other := g.comesInAs(phone.As("79990000000", "78005550101"))
	callee := g.rings("101")
	g.picksUp(callee, other)
	g.hangsUp(other, callee)
}

func gapBegunOutbound(g *gapped) {
	g.cut()
	caller := g.dials("101", g.client)
	callee := g.reachesTrunk(g.client)
	g.must(callee.Ring())
	g.must(g.AwaitRinging(g.ctx, 1))
	g.mend()
	g.picksUp(callee, caller)
	g.hangsUp(caller, callee)
}

func gapAnsweredOutbound(g *gapped) {
	caller := g.dials("101", g.client)
	callee := g.reachesTrunk(g.client)
	g.must(callee.Ring())
	g.awaitLine("101>client appeared")
	g.cut()
	g.picksUp(callee, caller)
	g.mend()
	g.hangsUp(callee, caller)
}

func gapBegunAndAnsweredOutbound(g *gapped) {
	g.cut()
	caller := g.dials("101", g.client)
	callee := g.reachesTrunk(g.client)
	g.must(callee.Ring())
	g.picksUp(callee, caller)
	g.mend()
	g.hangsUp(caller, callee)
}

func gapBegunAndAnsweredInternal(g *gapped) {
	g.cut()
	caller := g.dials("101", "102")
	callee := g.rings("102")
	g.picksUp(callee, caller)
	g.mend()
	g.hangsUp(caller, callee)
}

// gapInMenu ends while the caller is in the menu, before any phone rings.
func gapInMenu(g *gapped) {
	g.cut()
	caller := g.comesIn("78005550140")
	g.must(caller.AwaitAnswered(g.ctx))
	g.mend()
	g.must(caller.Hangup(g.ctx))
}

// gapInQueue ends when the queue has answered the caller, and 101 has not.
func gapInQueue(g *gapped) {
	g.cut()
	caller := g.comesIn("78005550130")
	callee := g.rings("101")
	g.must(g.AwaitRinging(g.ctx, 1))
	g.mend()
	g.picksUp(callee, caller)
	g.hangsUp(caller, callee)
}

// gapOneAfterTheOther ends when 101 already talks to another caller.
func gapOneAfterTheOther(g *gapped) {
	caller, callee := g.talkIsReported()
	g.cut()
	g.hangsUp(caller, callee)
	other := g.comesInAs(phone.As("79990000000", "78005550101"))
	callee = g.rings("101")
	g.picksUp(callee, other)
	g.mend()
	g.hangsUp(other, callee)
}

func twoGaps(g *gapped) {
	caller := g.comesIn("78005550101")
	callee := g.rings("101")
	g.awaitLine("client>101 appeared")
	g.cut()
	g.picksUp(callee, caller)
	g.mend()
	g.awaitLine("client>101 connected")
	g.cut()
	g.hangsUp(callee, caller)
	g.must(g.AwaitIdle(g.ctx))
	g.mend()
}

func manyShortGaps(g *gapped) {
	caller, callee := g.talkIsReported()
	for range 3 {
		g.cut()
		g.mend()
	}
	g.hangsUp(caller, callee)
}

func gapOnHold(g *gapped) {
	caller, callee := g.talkIsReported()
	g.must(callee.Hold(g.ctx))
	g.awaitLine("client>101 paused")
	g.cut()
	g.mend()
	g.must(callee.Resume(g.ctx))
	g.hangsUp(caller, callee)
}

func gapHeld(g *gapped) {
	caller, callee := g.talkIsReported()
	g.cut()
	g.must(callee.Hold(g.ctx))
	g.mend()
	g.must(callee.Resume(g.ctx))
	g.hangsUp(caller, callee)
}
