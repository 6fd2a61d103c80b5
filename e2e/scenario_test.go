package e2e_test

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"kontur-ari/e2e/lab"
)

// scenario is a way that calls can go, and what the CRM must receive of it.
type scenario struct {
	// name is that of the test and, with .jsonl, of the capture.
	name string
	// title says what people do.
	title string
	play  func(*stage)
	// stories are what the CRM must receive, one for each call, in the order they begin.
	stories [][]string
}

// scenarios are all of them. What their titles leave open is in the lab's dial plan
// (lab/conf/extensions.conf).
var scenarios = slices.Concat(
	plainScenarios, callerScenarios, deviceScenarios, holdScenarios,
	groupScenarios, queueScenarios, forwardingScenarios,
	blindTransferScenarios, outsideTransferScenarios, attendedScenarios, attendedKeysScenarios,
	parkingScenarios, pickupScenarios, conferenceScenarios, voicemailScenarios,
)

var updateCaptures = flag.Bool("update-captures", false, "record testdata/captures again")

func TestEveryCallIsReported(t *testing.T) {
	for _, scenario := range scenarios {
		t.Run(scenario.name, func(t *testing.T) {
			d := newDeployment(t)
			capture := filepath.Join("testdata", "captures", scenario.name+".jsonl")
			if *updateCaptures {
				d.record(capture, scenario)
			} else {
				if _, err := os.Stat(capture); err != nil {
					t.Errorf("the scenario has no capture, record it with -update-captures: %v", err)
				}
				scenario.play(d.stage)
			}
			d.expect(scenario.stories...)
		})
	}
}

// record plays a scenario and writes the events that Asterisk sends during it.
func (d *deployment) record(path string, scenario scenario) {
	recording, err := d.Capture(d.ctx)
	d.must(err)
	scenario.play(d.stage)
	d.must(recording.AwaitSilence(d.ctx))
	d.must(recording.Stop(d.ctx, d.Lab))
	d.must(lab.WriteEvents(path, scenario.title, recording.Events()))
}

func TestInternalCallsAreLeftOutWhenConfigured(t *testing.T) {
	d := newDeployment(t, withoutInternal)
	internalAnswered(d.stage)
	inboundCallerHangsUp(d.stage)
	d.expect(answeredLeg(direct, "client>101"))
}

// An echo test, a feature code or a voicemail box is no call. A call after it is reported.
func TestAnEchoTestIsNoCall(t *testing.T) {
	d := newDeployment(t)
	echoTest(d.stage)
	inboundCallerHangsUp(d.stage)
	d.expect(answeredLeg(direct, "client>101"))
}
