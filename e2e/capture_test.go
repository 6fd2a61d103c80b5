package e2e_test

import (
	"encoding/json"
	"flag"
	"path/filepath"
	"testing"

	"kontur-ari/e2e/lab"
)

var updateCaptures = flag.Bool("update-captures", false, "record testdata/captures anew")

// captures are the flows whose events are kept, with what happens in them.
var captures = []struct {
	name, title string
	play        func(*stage)
}{
	{"inbound_caller_hangs_up", "a client calls 101, who answers; the client hangs up", inboundCallerHangsUp},
	{"inbound_callee_hangs_up", "a client calls 101, who answers and hangs up", inboundCalleeHangsUp},
	{"inbound_no_ringing", "a client calls 101, who answers without any 180 before", inboundNoRinging},
	{"inbound_gives_up", "a client calls 101 and gives up while it rings", inboundGivesUp},
	{"inbound_no_answer", "a client calls 101, nobody answers, the dial times out", inboundNoAnswer},
	{"inbound_busy", "a client calls 101, who is busy (486 without 180)", inboundBusy},
	{"inbound_declined", "a client calls 101, it rings, 101 declines (603)", inboundDeclined},
	{"inbound_menu", "a client hangs up in the menu, no phone rang", inboundMenu},
	{"inbound_group", "a client calls the ring group 101+102+103, 102 answers", inboundGroup},
	{"inbound_chain", "a client calls, 101 rings for 4 s, then 102 answers", inboundChain},
	{"inbound_queue", "a client calls a queue, 101 doesn't answer, 102 does", inboundQueue},
	{"inbound_hold", "a client calls 101, who answers, holds, resumes; the client hangs up", inboundHold},
	{"inbound_client_holds", "a client calls 101, who answers; the client holds and resumes; 101 hangs up", clientHolds},
	{"phone_gone", "a client calls 105, whose phone is registered and not there", phoneGone},
	{"phone_unknown", "a client calls 106, whose phone never registered", phoneUnknown},
	{"outbound_answered", "101 calls a client, who answers; 101 hangs up", outboundAnswered},
	{"outbound_busy", "101 calls a client, who is busy", outboundBusy},
	{"outbound_declined", "101 calls a client, it rings, the client declines", outboundDeclined},
	{"outbound_no_answer", "101 calls a client, who doesn't answer; the dial times out", outboundNoAnswer},
	{"outbound_gives_up", "101 calls a client and gives up while it rings", outboundGivesUp},
	{"outbound_fail_over", "101 calls a client, trunk refuses (503), over trunk2 the client answers", outboundFailOver},
	{"outbound_all_trunks_fail", "101 calls a client, trunk and trunk2 refuse (503)", outboundAllTrunksFail},
	{"internal_answered", "101 calls 102, who answers; 101 hangs up", internalAnswered},
	{"internal_no_answer", "101 calls 103, who doesn't answer; the dial times out", internalNoAnswer},
	{"internal_gives_up", "101 calls 102 and gives up while it rings", internalGivesUp},
	{"echo_test", "101 calls the echo test *65", echoTest},
	{"two_calls_at_once", "101 talks to a client, takes a second client's call meanwhile, comes back", twoCallsAtOnce},
	{"outsider_called", "a client calls 104, an employee who is not in the CRM", outsiderCalled},
	{"outsider_calls", "104, an employee who is not in the CRM, calls a client", outsiderCalls},
	{"blind_transfer", "a client talks to 101, who transfers to 102 by REFER", blindTransfer},
	{"attended_transfer", "a client talks to 101, who asks 102 and joins the two by REFER with Replaces", attendedTransfer},
}

// TestCaptureOfEveryFlow makes every call without kontur-ari: Asterisk, phones
// and dialplan do what the scenarios build upon.
func TestCaptureOfEveryFlow(t *testing.T) {
	for _, c := range captures {
		t.Run(c.name, func(t *testing.T) {
			s := newStage(t)
			recording, err := s.Capture(s.ctx)
			s.must(err)
			c.play(s)
			s.must(recording.AwaitSilence(s.ctx))
			s.must(recording.Stop(s.ctx, s.Lab))
			if *updateCaptures {
				s.must(lab.WriteEvents(filepath.Join("testdata", "captures", c.name+".jsonl"), c.title, recording.Events()))
			}
			seen := make(map[string]int)
			for _, raw := range recording.Events() {
				var event struct{ Type string }
				s.must(json.Unmarshal(raw, &event))
				seen[event.Type]++
			}
			if seen["ChannelCreated"] == 0 || seen["ChannelCreated"] != seen["ChannelDestroyed"] {
				t.Errorf("channels made and destroyed don't agree: %v", seen)
			}
		})
	}
}
