package e2e_test

import (
	"testing"
	"time"

	"kontur-ari/e2e/phone"
)

// Asterisk itself dies in mid-call and is started again.
func TestAnAsteriskThatDiesEndsTheCall(t *testing.T) {
	d := newDeployment(t)
	caller := d.comesIn("78005550101")
	callee := d.rings("101")
	d.picksUp(callee, caller)
	d.awaitReport("L1 connected")
	d.dies(caller, callee)
	inboundCallerHangsUp(d.stage)
	d.expect(answeredLeg(direct, "client>101"), answeredLeg(direct, "client>101"))
}

// A call ends when Asterisk dies, whatever its state. The next call is reported as usual.
func TestAnAsteriskThatDiesEndsWhateverGoesOn(t *testing.T) {
	for _, death := range []struct {
		name    string
		play    func(*deployment)
		stories [][]string
	}{
		{"Transfer", dieInTransfer, [][]string{{
			"call-started " + direct, "client>101 appeared", "client>101 connected", "client>101 disconnected",
			"client>102 appeared", "client>102 disconnected", "client>101 finished",
			"call-finished", "register-call client>101 answered, client>102 missed",
		}}},
		{"Consultation", dieInConsultation, [][]string{heldToTheEnd, answeredLeg("internal", "101>102")}},
		{"GroupRings", dieWhileGroupRings, [][]string{{
			"call-started inbound client at 78005550120",
			"client>101 appeared & client>102 appeared & client>103 appeared",
			"client>101 disconnected & client>102 disconnected & client>103 disconnected",
			"client>103 finished", "call-finished",
			"register-call client>101 missed, client>102 missed, client>103 missed",
		}}},
		{"Parked", dieWithParkedCall, [][]string{answeredLeg(direct, "client>101")}},
	} {
		t.Run(death.name, func(t *testing.T) {
			d := newDeployment(t)
			death.play(d)
			inboundCallerHangsUp(d.stage)
			d.expect(append(death.stories, answeredLeg(direct, "client>101"))...)
		})
	}
}

// dies kills Asterisk and starts it again. Only then do the talking phones hang up.
// A phone that still hears ringing goes on waiting, which does no harm.
func (d *deployment) dies(talking ...*phone.Call) {
	d.Helper()
	d.must(d.Kill())
	died := time.Now()
	d.must(d.Restart(d.ctx))
	// Asterisk names channels after the second and a count that restarts at nought. Wait
	// for the next second, or two calls could have the same name.
	d.must(d.pause(time.Until(died.Truncate(time.Second).Add(time.Second))))
	for _, call := range talking {
		d.must(call.Hangup(d.ctx))
	}
	d.must(d.daemon.AwaitReady(d.ctx))
}

func dieInTransfer(d *deployment) {
	caller, callee := d.talksTo101("78005550101")
	d.sends(callee, "102")
	d.ends(callee)
	second := d.rings("102")
	d.awaitLine("client>102 appeared")
	d.dies(caller, second)
}

func dieInConsultation(d *deployment) {
	caller, callee := d.talksTo101("78005550101")
	d.must(callee.Hold(d.ctx))
	consultation := d.dials("101", "102")
	second := d.rings("102")
	d.picksUp(second, consultation)
	d.awaitLine("client>101 paused")
	d.awaitLine("101>102 connected")
	d.dies(caller, callee, consultation, second)
}

func dieWhileGroupRings(d *deployment) {
	d.comesIn("78005550120")
	first, second, third := d.rings("101"), d.rings("102"), d.rings("103")
	for _, employee := range []string{"101", "102", "103"} {
		d.awaitLine("client>" + employee + " appeared")
	}
	d.dies(first, second, third)
}

func dieWithParkedCall(d *deployment) {
	caller, callee := d.talksTo101("78005550101")
	d.parks(callee, "700")
	d.awaitLine("client>101 disconnected")
	d.dies(caller)
}
